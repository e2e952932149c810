"""AEDAT, record by record: the twins and C must read and write the same."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import lz4.frame
import numpy as np
import pytest

from tests.native.kernels import (
    Decoded,
    columns_of,
    state_of,
    triggers_of,
)

if TYPE_CHECKING:
    from types import ModuleType

DAVIS = {
    "x_shift": 12, "x_mask": 0x3FF, "y_shift": 22, "y_mask": 0x1FF, "right": 345, "bottom": 259,
    "polarity": 0x800, "on": 0x800, "other": 0x8000_0400, "input": 0x400,
}  # fmt: skip
DVS = {
    "x_shift": 1, "x_mask": 0x7F, "y_shift": 8, "y_mask": 0x7F, "right": 127, "bottom": 127,
    "polarity": 1, "on": 0, "other": 0x8000, "input": 0x8000, "falls": 1,
}  # fmt: skip
SIZES = {"aedat2": 8, "aedat3": 8, "aedat4": 16}


def decode(
    kernels: ModuleType, kind: str, data: bytes, *, capacity: int = 32768, **fields: int
) -> tuple[Decoded, list[int]]:
    """Decode all of `data`, past every leap; return what was read, and where it stopped."""
    state, out = kernels.aedat_state(**fields), kernels.columns(capacity)
    one = getattr(kernels, f"{kind}_decode")
    events: list[Any] = []
    triggers: list[Any] = []
    at, stops, size = 0, [], 6 if fields.get("old") else SIZES[kind]
    while at + size <= len(data):
        last, at = at, one(data, at, state, out)
        stops.append(at)
        events += zip(*(column[: out.n].tolist() for column in columns_of(out)), strict=True)
        triggers += zip(*(c[: out.triggers].tolist() for c in triggers_of(out)), strict=True)
        out.begin()
        state.wary = int(at != last)  # the second time, on over the leap
    return Decoded(events, triggers, state_of(state)), stops


def structs(*events: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<qHHB3x", *event) for event in events)


def test_records_of_aedat4(kernels: ModuleType) -> None:
    data = structs((5, 6, 7, 1), (9, 65_535, 0, 0), (8, 0, 1, 200)) + b"torn"
    read, stops = decode(kernels, "aedat4", data)
    assert read.events == [(5, 6, 7, 1), (9, 65_535, 0, 0), (8, 0, 1, 1)]
    assert stops == [48]


def test_records_are_appended_until_there_is_no_room(kernels: ModuleType) -> None:
    out, state = kernels.columns(65), kernels.aedat_state()
    data = structs(*((t, t, 0, 1) for t in range(40)))
    assert kernels.aedat4_decode(data, 0, state, out) == len(data)
    assert kernels.aedat4_decode(data, 16, state, out) == 16 * 26
    assert out.n == 65
    assert out.t[:65].tolist() == [*range(40), *range(1, 26)]


@pytest.mark.parametrize(("step", "stops"), [(65_536, [32]), (65_537, [16, 16, 32])])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_wary_reader_stops_at_a_leap(
    kernels: ModuleType, step: int, stops: list[int], sign: int
) -> None:
    read, found = decode(kernels, "aedat4", structs((0, 1, 1, 1), (sign * step, 1, 1, 1)))
    assert [event[0] for event in read.events] == [0, sign * step]
    assert found == stops


@pytest.mark.parametrize(
    ("word", "event"),
    [
        (0x0000_0001, (9, 0, 0, 0)),
        (0x0000_0003, (9, 0, 0, 1)),
        (0x0001_FFFD, (9, 0, 0x7FFF, 0)),
        (0xFFFE_0001, (9, 0x7FFF, 0, 0)),
    ],
)
def test_records_of_aedat3(
    kernels: ModuleType, word: int, event: tuple[int, int, int, int]
) -> None:
    invalid = struct.pack("<Ii", 2, 1 << 30)  # whose time means nothing
    read, stops = decode(kernels, "aedat3", invalid + struct.pack("<Ii", word, 4), base=5)
    assert (read.events, read.state["invalid"], stops) == ([event], 1, [16])


@pytest.mark.parametrize(
    ("fields", "address", "event"),
    [
        (DAVIS, 0x0000_0800, (9, 345, 259, 1)),
        (DAVIS, 259 << 22 | 345 << 12, (9, 0, 0, 0)),
        (DVS, 0x0000, (9, 127, 127, 1)),
        (DVS, 0x7FFF, (9, 0, 0, 0)),
    ],
)
def test_records_of_aedat2(
    kernels: ModuleType, fields: dict[str, int], address: int, event: tuple[int, ...]
) -> None:
    read, _ = decode(kernels, "aedat2", struct.pack(">II", address, 9), **fields)
    assert (read.events, read.triggers) == ([event], [])
    if fields is DVS:
        read, _ = decode(kernels, "aedat2", struct.pack(">HI", address, 9), old=1, **fields)
        assert read.events == [event]


@pytest.mark.parametrize(
    ("fields", "address", "edges"),
    [
        (DAVIS, 0x400, [(9, 0, 1)]),
        (DAVIS, 0x402, [(9, 0, 0)]),
        (DAVIS, 0x8000_0400, []),  # a sample
        (DVS, 0x8000, [(9, 0, 0)]),
    ],
)
def test_edges_of_aedat2(
    kernels: ModuleType, fields: dict[str, int], address: int, edges: list[tuple[int, int, int]]
) -> None:
    read, _ = decode(kernels, "aedat2", struct.pack(">II", address, 9), **fields)
    assert (read.triggers, read.events) == (edges, [])


@pytest.mark.parametrize(
    ("clock", "times"),
    [
        ([5, 3, 4], [5, 3, 4]),
        ([0xFFFF_FFFF, 0], [0xFFFF_FFFF, 1 << 32]),
        ([0xFFFF_FFFF, 0, 0xFFFF_FFFE], [0xFFFF_FFFF, 1 << 32, 0xFFFF_FFFE]),
    ],
)
def test_the_clock_of_aedat2(kernels: ModuleType, clock: list[int], times: list[int]) -> None:
    data = b"".join(struct.pack(">II", 0, time) for time in clock)
    assert [event[0] for event in decode(kernels, "aedat2", data, **DAVIS)[0].events] == times


def test_what_is_written_is_read_back(kernels: ModuleType) -> None:
    t, x = np.array([5, -1], np.int64), np.array([6, 65_535], np.uint16)
    p, out = np.array([True, False]), np.zeros(40, np.uint8)
    assert kernels.aedat4_encode(t, x, x, p, out) == (-1, 5)
    assert kernels.aedat4_encode(t[:0], x[:0], x[:0], p[:0], out) == ((1 << 63) - 1, -(1 << 63))
    assert out.tobytes() == structs((5, 6, 6, 1), (-1, 65_535, 65_535, 0)) + bytes(8)
    with pytest.raises(ValueError, match="out must be 32 contiguous bytes or more"):
        kernels.aedat4_encode(t, x, x, p, out[:31])


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("start", [-1, 9])
def test_a_start_outside_the_data_is_an_error(kernels: ModuleType, kind: str, start: int) -> None:
    with pytest.raises(ValueError, match=f"start {start} is outside the 8 bytes"):
        getattr(kernels, f"{kind}_decode")(
            bytes(8), start, kernels.aedat_state(), kernels.columns()
        )


def packet(*events: tuple[int, int, int, int], id: int = 0, more: bytes = b"") -> bytes:
    body = structs(*events) + more
    before = bytes.fromhex("10000000 45565453 0000 0600 0800 0400 06000000 04000000")
    size = 32 + len(body)
    return struct.pack("<iiI", id, size, size - 4) + before + struct.pack("<I", len(events)) + body


def packets(
    kernels: ModuleType, data: bytes, *, capacity: int = 32768, room: int = 0, **fields: int
) -> tuple[list[Any], int, Any]:
    """Read packets of stream 0 in one go, in so much room if they are LZ4 frames; return the
    events, where it stopped, and the state.
    """
    state, out = kernels.aedat_state(**fields), kernels.columns(capacity)
    if room:
        at = kernels.aedat4_lz4(data, 0, state, out, np.empty(room, np.uint8))
    else:
        at = kernels.aedat4_packets(data, 0, state, out)
    events = list(zip(*(column[: out.n].tolist() for column in columns_of(out)), strict=True))
    return events, at, state_of(state)


ONE, TWO = (5, 6, 7, 1), (9, 65_535, 0, 0)
FIRST, SECOND = packet(ONE, TWO), packet((11, 1, 2, 1), more=b"padding")


def test_packets_are_read_up_to_one_that_nothing_follows(kernels: ModuleType) -> None:
    data = FIRST + SECOND + FIRST
    events, at, state = packets(kernels, data)
    assert events == [ONE, TWO, (11, 1, 2, 1)]
    assert at == len(FIRST + SECOND)
    assert state["last"] == 11
    assert packets(kernels, data[:-1])[1] == at  # a head is enough
    assert packets(kernels, data[: at + 39])[1] == len(FIRST)
    assert packets(kernels, b"")[1] == 0


ODD = {
    "of another stream": packet(ONE, id=1),
    "of no stream": packet(ONE, id=-1),
    "with another beginning": FIRST.replace(b"EVTS", b"TRIG"),
    "with another prefix": FIRST[:8] + b"\xff" + FIRST[9:],
    "with too few bytes": FIRST[:36] + b"\3" + FIRST[37:],
    "with too many bytes": packet(ONE, more=bytes(16)),
    "that is too large": struct.pack("<iiI", 0, (1 << 24) + 16, (1 << 24) + 12) + FIRST[12:],
    "with a time that leaps": packet(ONE, (1 << 40, 0, 0, 0)),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_packets_are_read_up_to_one(kernels: ModuleType, odd: bytes) -> None:
    events, at, state = packets(kernels, FIRST + FIRST + odd + FIRST)
    followed = odd in (ODD["of another stream"], ODD["with a time that leaps"])
    assert at == (2 if followed else 1) * len(FIRST)
    assert events == [ONE, TWO] * (at // len(FIRST))
    assert state["last"] == 9


def test_packets_are_read_while_there_is_room(kernels: ModuleType) -> None:
    many = packet(*[ONE] * 65)
    events, at, _ = packets(kernels, many + FIRST + many + FIRST, capacity=100)
    assert (len(events), at) == (67, len(many + FIRST))
    assert packets(kernels, many + many, capacity=65)[1] == len(many)
    assert packets(kernels, packet(*[ONE] * 66) + many, capacity=65)[:2] == ([], 0)


def packed(plain: bytes, *, level: int = 0, **options: bool) -> bytes:
    """Return a packet that is an LZ4 frame, as dv-processing writes them but for the options."""
    size = lz4.frame.BLOCKSIZE_MAX64KB
    settings = {"block_size": size, "block_linked": True, "store_size": False, **options}
    frame: bytes = lz4.frame.compress(plain[8:], compression_level=level, **settings)
    return plain[:4] + struct.pack("<i", len(frame)) + frame


def block(data: bytes, *, stored: bool = False) -> bytes:
    return struct.pack("<I", len(data) | stored << 31) + data


def reframed(packet: bytes, *blocks: bytes) -> bytes:
    """Return a packet with the same head, and these blocks."""
    frame = packet[8:15] + b"".join(blocks) + bytes(4)
    return packet[:4] + struct.pack("<i", len(frame)) + frame


def creeping(count: int, seed: int = 1) -> list[tuple[int, int, int, int]]:
    """Return events such as packing finds something to do with, and blocks of 64 KiB in it."""
    draw = np.random.default_rng(seed)
    t = np.cumsum(draw.integers(0, 3, count)).tolist()
    x, y, p = (draw.integers(0, most, count).tolist() for most in (40, 30, 2))
    return list(zip(t, x, y, p, strict=True))


MANY = creeping(10_000)
LARGE = packet(*MANY)
ROOM = 1 << 20


@pytest.mark.parametrize("level", [0, 9])
def test_packets_of_lz4_are_read_up_to_one_that_nothing_follows(
    kernels: ModuleType, level: int
) -> None:
    one, large = packed(FIRST, level=level), packed(LARGE, level=level)
    data = one + large + large + one
    events, at, state = packets(kernels, data, room=ROOM)
    assert (events, at, state["last"]) == (
        [ONE, TWO, *MANY, *MANY],
        len(data) - len(one),
        MANY[-1][0],
    )
    assert packets(kernels, data[: at + 12], room=ROOM)[1] == at  # a head is enough
    assert packets(kernels, data[: at + 11], room=ROOM)[1] == len(one + large)
    assert packets(kernels, b"", room=ROOM)[1] == 0


def test_blocks_of_lz4_may_be_stored(kernels: ModuleType) -> None:
    plain = packet(*MANY[:9])[8:]
    first = block(bytes((0xF0, 40 - 15)) + plain[:40])
    mixed = reframed(
        LINKED, first, block(plain[40:50], stored=True), block(plain[50:], stored=True)
    )
    assert packets(kernels, 2 * mixed, room=ROOM)[0] == MANY[:9]


def test_packets_of_lz4_may_repeat_themselves(kernels: ModuleType) -> None:
    still = packed(packet(*[(1, 1, 1, 1)] * 9_000))  # a match of 64 KiB, sixteen bytes back
    assert len(still) < 1_000
    assert packets(kernels, 2 * still, room=ROOM)[0] == [(1, 1, 1, 1)] * 9_000


def test_matches_reach_over_blocks_that_are_linked(kernels: ModuleType) -> None:
    plain = packet(*[ONE] * 5)[8:]
    first = block(bytes((0xF0, 48 - 15)) + plain[:48])
    then = block(bytes((0x0F, 16, 0, 59 - 19)) + bytes((0x50,)) + plain[-5:])
    for frame, whole in ((LINKED, True), (SMALL, False)):  # in the other, blocks are separate
        one = reframed(frame, first, then)
        assert packets(kernels, 2 * one, room=ROOM)[:2] == (
            ([ONE] * 5, len(one)) if whole else ([], 0)
        )


LINKED, SMALL = packed(LARGE), packed(packet(ONE, ONE, ONE, ONE))
HIDDEN = packed(FIRST, store_size=True)
SUMMED = packed(FIRST, content_checksum=True)
LITERALS = bytes((0xF0, 64 - 15)) + packet(ONE, TWO)[8:]
ODD_FRAMES = {
    "of another stream": packed(packet(ONE, id=1)),
    "of no stream": packed(packet(ONE, id=-1)),
    "that tells its size": HIDDEN,
    "with a sum": SUMMED,
    "that is not packed": FIRST,
    "with another beginning": packed(FIRST.replace(b"EVTS", b"TRIG")),
    "with too many bytes": packed(packet(ONE, more=bytes(16))),
    "with bytes behind it": SMALL[:4] + struct.pack("<i", len(SMALL) - 7) + SMALL[8:] + b"\0",
    "without its end": SMALL[:4] + struct.pack("<i", len(SMALL) - 12) + SMALL[8:-4],
    "whose size says more than there is": SMALL[:15] + b"\xff" + SMALL[16:],
    "with a block that is too large": SMALL[:15] + struct.pack("<I", 65_537) + SMALL[19:] + LARGE,
    "with a time that leaps": packed(packet(ONE, (1 << 40, 0, 0, 0))),
    "whose end is missing": reframed(SMALL, block(LITERALS[:-9])),
    "with a match before its beginning": reframed(SMALL, block(LITERALS + b"\x50\0\0\0\0\0")),
    "with a length that does not end": reframed(SMALL, block(LITERALS[:-9] + b"\xff")),
    "with half a distance": reframed(SMALL, block(LITERALS + b"\x00\x08")),
    "of no bytes": reframed(SMALL, block(b"")),
}


@pytest.mark.parametrize("odd", ODD_FRAMES.values(), ids=ODD_FRAMES)
def test_packets_of_lz4_are_read_up_to_one(kernels: ModuleType, odd: bytes) -> None:
    first = packed(FIRST)
    events, at, state = packets(kernels, first + first + odd + first, room=ROOM)
    assert at in (len(first), 2 * len(first))
    assert events == [ONE, TWO] * (at // len(first))
    assert state["last"] == 9


def test_packets_of_lz4_are_read_while_there_is_room(kernels: ModuleType) -> None:
    one, many = packed(FIRST), packed(packet(*[ONE] * 65))
    events, at, _ = packets(kernels, many + one + many + one, capacity=100, room=ROOM)
    assert (len(events), at) == (67, len(many + one))
    data, size = many + many + many, 32 + 16 * 65
    assert packets(kernels, data, capacity=65, room=ROOM)[1] == len(many)
    assert packets(kernels, data, room=2 * size)[1] == len(many + many)
    assert packets(kernels, data, room=2 * size - 1)[1] == 0
