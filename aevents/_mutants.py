"""Bytes bent at random: what decoders must survive."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

LONGEST_RUN = 64
NEAR_BYTES = 64
"""Half of the changes are about so near to the beginning, where headers are."""
MOST_TIMES = 4
"""A mutant is no larger than so many times the largest of the files that it is made of."""
BITS = (8, 16, 32, 64)
TEXTS = (
    b"0", b"-1", b"255", b"256", b"65535", b"65536", b"2147483648", b"4294967296",
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"9" * 400,
    b"1e308", b"1e999", b"nan", b"-inf", b"0x7f", b"",
)  # fmt: skip
"""Numbers at which something ends, as text."""

Change = Callable[[bytearray, Random], None]


def mutant(seeds: Sequence[bytes], random: Random) -> bytes:
    """Return one of these files with one change or some: bits flipped, bytes overwritten, numbers
    made extreme (binary and text), runs cut out, added, repeated and swapped, or spliced with
    another.
    """
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if random.random() < 0.1:
            _splice(data, random.choice(seeds), random)
        elif data:
            random.choice(CHANGES)(data, random)
    del data[MOST_TIMES * max(map(len, seeds)) :]
    return bytes(data)


def _place(data: bytearray, random: Random) -> int:
    near = int(random.expovariate(1 / NEAR_BYTES))
    return near if random.random() < 0.5 and near < len(data) else random.randrange(len(data))


def _run(data: bytearray, random: Random) -> slice:
    start = _place(data, random)
    return slice(start, start + random.randint(1, LONGEST_RUN))


def _splice(data: bytearray, other: bytes, random: Random) -> None:
    """Go on in another file, at the same place or elsewhere."""
    at = random.randint(0, len(data))
    data[at:] = other[random.choice((at, random.randint(0, len(other)))) :]


def _flip_bit(data: bytearray, random: Random) -> None:
    data[_place(data, random)] ^= 1 << random.randrange(8)


def _overwrite(data: bytearray, random: Random) -> None:
    run = _run(data, random)
    size = len(data[run])
    data[run] = random.choice((bytes(size), b"\xff" * size, random.randbytes(size)))


def _set_number(data: bytearray, random: Random) -> None:
    """Put a number at which something ends, or one beside that which is there."""
    bits, place = random.choice(BITS), _place(data, random)
    if random.random() < 0.5:
        place -= place % (bits // 8)
    order: Literal["little", "big"] = "big" if random.random() < 0.3 else "little"
    field = slice(place, place + bits // 8)
    here = int.from_bytes(data[field], order)
    number = random.choice((0, 1 << bits - 1, 1 << random.randrange(bits), len(data), here))
    number += random.choice((-1, -1, 0, 1))
    data[field] = (number % (1 << bits)).to_bytes(bits // 8, order)[: len(data[field])]


def _set_text(data: bytearray, random: Random) -> None:
    """Put another number for one that is written as text."""
    found = re.compile(rb"\d+").search(data, _place(data, random))
    if found is not None:
        data[found.start() : found.end()] = random.choice(TEXTS)


def _cut_out(data: bytearray, random: Random) -> None:
    del data[_run(data, random)]


def _cut_off(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def _add(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    data[place:place] = random.randbytes(random.randint(1, LONGEST_RUN))


def _repeat(data: bytearray, random: Random) -> None:
    run = _run(data, random)
    data[run] = data[run] * random.choice((2, 2, 3, 20))


def _swap(data: bytearray, random: Random) -> None:
    """Put two neighbouring runs the other way round."""
    run = _run(data, random)
    middle = random.randint(run.start, run.stop)
    data[run] = data[middle : run.stop] + data[run.start : middle]


CHANGES: Sequence[Change] = (
    _flip_bit, _flip_bit, _overwrite, _set_number, _set_number, _set_text, _cut_out, _cut_off,
    _add, _repeat, _swap,
)  # fmt: skip
