"""Packets: found one after the other, and again behind damage."""

from __future__ import annotations

import random
import re

import pytest

from aevents.codecs.packets import PATIENCE, Form, Packet, Packets

MOST = 1 << 22


def length(head: memoryview) -> int:
    size = int.from_bytes(head[2:6], "little")
    return 6 + size if bytes(head[:2]) == b"PK" and size <= MOST else 0


FORM = Form(6, length, re.compile(b"PK"), bits=48)


def packet(body: bytes) -> bytes:
    return b"PK" + len(body).to_bytes(4, "little") + body


def read(
    data: bytes, cuts: list[int] | None = None, *, end: int = -1
) -> list[tuple[int, bytes, bool]]:
    """Return offset, bytes and wholeness of what is found, taken as it comes."""
    packets, found = Packets(FORM, end=end), []

    def drain(*, final: bool) -> None:
        while (one := packets.next(final=final)) is not None:
            found.append((one.offset, bytes(one.data), one.whole))
            packets.take(len(one.data))

    for start, stop in zip([0, *(cuts or [])], [*(cuts or []), len(data)], strict=True):
        piece = bytearray(data[start:stop])
        packets.feed(piece)
        drain(final=False)
        packets.keep()
        piece[:] = bytes(len(piece))  # whoever reads may use it again
    drain(final=True)
    return found


A, B, C = packet(b"a" * 9), packet(b"b" * 300), packet(b"")
WHOLE = [(0, A, True), (15, B, True), (321, C, True)]


def test_packets_come_one_after_the_other() -> None:
    assert read(A + B + C) == WHOLE
    assert read(b"") == []


@pytest.mark.parametrize("seed", range(40))
def test_how_bytes_are_cut_makes_no_difference(seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(b"".join(packet(bytes(draw.randrange(40))) for _ in range(60)))
    for _ in range(seed % 4):
        at = draw.randrange(len(data))
        data[at : at + draw.randrange(20)] = bytes(draw.randrange(9))
    cuts = sorted(draw.randrange(len(data)) for _ in range(draw.randrange(30)))
    assert read(bytes(data), cuts) == read(bytes(data))
    assert read(bytes(data), list(range(1, len(data)))) == read(bytes(data))


def test_what_is_no_packet_is_passed_over() -> None:
    assert read(A + b"junk!" + B) == [(0, A + b"junk!", False), (20, B, True)]
    assert read(b"junk!" + B) == [(0, b"junk!", False), (5, B, True)]


def test_a_packet_that_lost_bytes_ends_where_the_next_begins() -> None:
    assert read(B[:50] + A + C) == [(0, B[:50], False), (50, A, True), (65, C, True)]


def test_a_torn_packet_is_what_there_is_of_it() -> None:
    assert read(A + B[:-1]) == [(0, A, True), (15, B[:-1], False)]
    assert read(A + B[:3]) == [(0, A + B[:3], False)]


@pytest.mark.parametrize("bit", range(48))
def test_a_head_is_mended_of_which_a_bit_has_flipped(bit: int) -> None:
    bent = bytearray(A + B + C)
    bent[15 + bit // 8] ^= 1 << bit % 8
    packets = Packets(FORM)
    packets.feed(bytes(bent))
    first = packets.next(final=True)
    assert first is not None
    packets.take(first.length)
    found = packets.next(final=True)
    assert found is not None
    if found.length and not found.whole:  # a size that is too large
        assert bytes(found.data)[6:] == B[6:]
    else:
        assert found == Packet(15, found.data, len(B), True, True)
        assert bytes(found.data) == B


def test_what_comes_after_the_end_is_no_packet() -> None:
    assert read(A + B + b"table", end=len(A + B)) == WHOLE[:2]
    assert read(A + b"table", end=5) == [(0, A + b"table", False)]


def test_little_is_held_while_the_next_packet_is_looked_for() -> None:
    packets = Packets(FORM)
    packets.feed(A)
    for _ in range(100):
        packets.keep()
        packets.feed(bytes(1 << 16))
        while (one := packets.next(final=False)) is not None:
            packets.take(len(one.data))
        assert len(packets) < PATIENCE + (1 << 17)


def test_large_packets_take_no_longer_in_small_pieces() -> None:
    data = packet(bytes(MOST)) + C
    assert [len(body) for _, body, _ in read(data, list(range(64, len(data), 64)))] == [MOST + 6, 6]
