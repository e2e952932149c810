"""Event Stream, byte by byte: the twins and C must both read and write these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, arrays, implementation, state_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    Event = tuple[int, int, int, int]
    Colour = tuple[int, int, int]

DVS, ATIS, COLOUR = 1, 2, 4
ISA = COMPILED[-1] if COMPILED else "numpy"
SIZE = {"width": 300, "height": 260}


def read(
    kernels: ModuleType,
    kind: int,
    data: bytes,
    *,
    height: int = 0,
    capacity: int = 32768,
    cuts: Sequence[int] = (),
) -> tuple[list[Event], list[Colour], int, int]:
    """Read all that is whole; return events, colours, where reading ended, and the time then."""
    state, out = kernels.es_state(kind, height=height), kernels.columns(capacity)
    rgb = np.zeros((capacity, 3), np.uint8) if kind == COLOUR else None
    events: list[Event] = []
    colours: list[Colour] = []
    at = 0
    for end in [*sorted(cuts), len(data)]:
        while True:
            last, at = at, kernels.es_decode(data[: max(at, end)], at, state, out, rgb)
            columns = (column[: out.n].tolist() for column in (out.t, out.x, out.y, out.p))
            events += zip(*columns, strict=True)
            colours += [] if rgb is None else [tuple(row) for row in rgb[: out.n].tolist()]
            if at == last:
                break
    return events, colours, at, state.time


def write(
    kernels: ModuleType, kind: int, events: Sequence[Event], colours: Sequence[Colour] = ()
) -> tuple[bytes, dict[str, int]]:
    state, data = kernels.es_state(kind, **SIZE), b""
    t, x, y, p = arrays(events)
    flags = np.array([event[3] for event in events], np.uint8)
    rgb = np.array(colours, np.uint8).reshape(len(events), 3) if kind == COLOUR else None
    while True:
        data += kernels.es_encode(t, x, y, p if kind == DVS else flags, state, rgb)
        if state.refused or state.next == len(events):
            return data, state_of(state)


# What it shows, kind, bytes, events (t, x, y from the bottom, p).
READ = [
    ("nothing", DVS, "", []),
    ("OFF and ON", DVS, "06 0100 0200 01 2c01 0301", [(3, 1, 2, 0), (3, 300, 259, 1)]),
    ("idle bytes", DVS, "ff ff 03 0100 0200", [(255, 1, 2, 1)]),
    ("a reset", DVS, "02 0000 0000 fe 02 0000 0000", [(1, 0, 0, 0), (2, 0, 0, 0)]),
    ("the longest step in a byte", DVS, "fd 0000 0000", [(126, 0, 0, 1)]),
    ("change and exposure", ATIS, "04 0100 0000 06 0200 0000 05 0300 0000 07 0400 0000",
     [(1, 1, 0, 0), (2, 2, 0, 2), (3, 3, 0, 1), (4, 4, 0, 3)]),
    ("idle bytes of ATIS", ATIS, "fc fd fe ff 00 0000 0000", [(63 * 6, 0, 0, 0)]),
    ("the longest step of ATIS", ATIS, "fb 0000 0000", [(62, 0, 0, 3)]),
    ("colour", COLOUR, "fd 0100 0200 0a0b0c", [(253, 1, 2, 0)]),
    ("idle bytes of colour", COLOUR, "ff fe 01 0100 0200 0a0b0c", [(255, 1, 2, 0)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "events"), [case[1:] for case in READ], ids=[case[0] for case in READ]
)
def test_bytes_are_read(kernels: ModuleType, kind: int, text: str, events: list[Event]) -> None:
    data = bytes.fromhex(text)
    found, colours, at, _ = read(kernels, kind, data)
    assert (found, at) == (events, len(data))
    assert colours == ([(10, 11, 12)] if kind == COLOUR else [])


@pytest.mark.parametrize(("kind", "size"), [(DVS, 5), (ATIS, 5), (COLOUR, 8)])
def test_a_record_that_is_not_whole_stays(kernels: ModuleType, kind: int, size: int) -> None:
    for length in range(1, size):
        events, _, at, time = read(kernels, kind, b"\xff" + bytes(length))
        assert (events, at) == ([], 1)
        assert time == {DVS: 127, ATIS: 189, COLOUR: 254}[kind]


@pytest.mark.parametrize(
    ("height", "row", "y"),
    [(0, 7, 7), (260, 0, 259), (260, 259, 0), (260, 260, 65535), (260, 65535, 260)],
)
def test_rows_are_turned_upright(kernels: ModuleType, height: int, row: int, y: int) -> None:
    data = bytes(3) + row.to_bytes(2, "little")
    assert read(kernels, DVS, data, height=height)[0] == [(0, 0, y, 0)]


# What it shows, kind, events, bytes: rows turn upside down in a sensor of 260.
WRITTEN = [
    ("nothing", DVS, [], ""),
    ("two at one time", DVS, [(3, 1, 257, 0), (3, 299, 0, 1)], "06 0100 0200 01 2b01 0301"),
    ("126 fit, 127 take an idle byte", DVS, [(126, 0, 259, 1), (253, 0, 259, 1)],
     "fd 0000 0000 ff 01 0000 0000"),
    ("a long time", DVS, [(255, 1, 257, 1)], "ff ff 03 0100 0200"),
    ("ATIS", ATIS, [(62, 0, 259, 3), (62 + 63, 0, 259, 0), (62 + 63 + 255, 0, 259, 2)],
     "fb 0000 0000 fd 00 0000 0000 ff fd 0e 0000 0000"),
    ("colour", COLOUR, [(253, 1, 257, 0), (253 + 254, 1, 257, 0)],
     "fd 0100 0200 0a0b0c ff 00 0100 0200 0a0b0c"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "events", "text"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN]
)
def test_bytes_are_written(kernels: ModuleType, kind: int, events: list[Event], text: str) -> None:
    data, state = write(kernels, kind, events, [(10, 11, 12)] * len(events))
    assert data == bytes.fromhex(text)
    assert (state["next"], state["refused"]) == (len(events), 0)
    assert read(kernels, kind, data, height=260)[0] == events


@pytest.mark.parametrize(
    "event",
    [(9, 0, 0, 0), (10, 300, 0, 0), (10, 0, 260, 0), (11 + (1 << 34), 0, 0, 0), (-1, 0, 0, 0)],
    ids=["back", "x", "y", "too far", "before zero"],
)
def test_what_does_not_fit_is_refused(kernels: ModuleType, event: Event) -> None:
    data, state = write(kernels, DVS, [(10, 0, 259, 0), event, (12, 0, 0, 0)])
    assert data == bytes.fromhex("14 0000 0000")
    assert (state["next"], state["refused"]) == (1, 1)


def test_a_long_way_takes_many_calls(kernels: ModuleType) -> None:
    data, _ = write(kernels, DVS, [(127_000_001, 0, 259, 0)])
    assert data == b"\xff" * 1_000_000 + bytes.fromhex("02 0000 0000")


def stream_like(kind: int, count: int, seed: int) -> bytes:
    """Return about `count` records, idle bytes among them, and a torn one."""
    draw = np.random.default_rng(seed)
    records = draw.integers(0, 256, (count, 8 if kind == COLOUR else 5), np.uint8)
    idle = draw.random(count) < draw.choice([0.0, 0.02, 0.5])
    parts = [bytes(row) for row in records]
    chosen = (part[:1] if lone else part for part, lone in zip(parts, idle, strict=True))
    return b"".join(chosen) + bytes(seed % 5)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("kind", [DVS, ATIS, COLOUR])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(0, 500),
    cuts=st.lists(st.integers(0, 2500), max_size=4),
    capacity=st.sampled_from([65, 71, 72, 73, 130, 32768]),
)
def test_c_reads_what_the_twin_reads_however_it_is_cut(
    kind: int, seed: int, count: int, cuts: list[int], capacity: int
) -> None:
    data = stream_like(kind, count, seed)
    whole = read(twins, kind, data, height=240)
    assert read(twins, kind, data, height=240, cuts=cuts, capacity=capacity) == whole
    assert read(implementation(ISA), kind, data, height=240, cuts=cuts, capacity=capacity) == whole


steps = st.sampled_from([0] * 20 + [1, 62, 63, 126, 127, 189, 253, 254, 255, 5000, 300_000, -1])
fields = st.tuples(steps, st.integers(0, 301), st.integers(0, 261), st.integers(0, 3))


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("kind", [DVS, ATIS, COLOUR])
@settings(max_examples=60, deadline=None)
@given(found=st.lists(fields, max_size=40))
def test_c_writes_what_the_twin_writes_and_reads_it_back(
    kind: int, found: list[tuple[int, int, int, int]]
) -> None:
    times = np.cumsum([step for step, *_ in found]).tolist()
    most = {DVS: 2, ATIS: 4, COLOUR: 1}[kind]
    events = [(t, x, y, p % most) for t, (_, x, y, p) in zip(times, found, strict=True)]
    colours = [(x % 256, y % 256, p) for _, x, y, p in found]
    data, state = write(implementation(ISA), kind, events, colours)
    assert (data, state) == write(twins, kind, events, colours)
    written = state["next"]
    again = read(implementation(ISA), kind, data, height=260)
    assert again[0] == events[:written]
    assert again[1] == (colours[:written] if kind == COLOUR else [])


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("kind", [DVS, ATIS, COLOUR])
@pytest.mark.parametrize("capacity", [0, 63, 64, 65, 72, 73, 101])
def test_nothing_is_written_outside(kind: int, capacity: int) -> None:
    from aevents._native._kernels import ffi, lib

    data = stream_like(kind, 400, capacity)
    sizes, room, guard = {"t": 8, "x": 2, "y": 2, "p": 1, "rgb": 3}, {}, 64
    c = ffi.new("ae_columns *", {"capacity": capacity})
    for name, size in sizes.items():
        room[name] = np.full(guard + size * capacity + guard, 0xA5, np.uint8)
    for name in "txyp":
        place = ffi.from_buffer(room[name]) + guard
        setattr(c, name, ffi.cast(ffi.typeof(getattr(c, name)), place))
    rgb = ffi.cast("uint8_t *", ffi.from_buffer(room["rgb"]) + guard)
    state, source, at = implementation(ISA).es_state(kind), ffi.from_buffer("uint8_t[]", data), 0
    for _ in range(20):
        c.n = 0
        at += lib.ae_es_decode(source + at, len(data) - at, state, c, rgb)
        assert c.n <= capacity
    for name in sizes:
        edges = np.concatenate([room[name][:guard], room[name][-guard:]])
        assert (edges == 0xA5).all(), name


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("kind", [DVS, ATIS, COLOUR])
def test_little_room_writes_the_same_bytes(kind: int) -> None:
    from aevents._native._kernels import ffi, lib

    draw = np.random.default_rng(5)
    times = np.cumsum(draw.choice([0, 1, 62, 63, 127, 3000], 200)).tolist()
    events = [(t, int(draw.integers(0, 300)), 3, 1) for t in times]
    colours = [(1, 2, 3)] * len(events) if kind == COLOUR else []
    whole, _ = write(twins, kind, events, colours)
    c = ffi.new("ae_columns *", {"n": len(events)})
    kept = [
        ffi.from_buffer(f"{name}[]", column)
        for name, column in zip(
            ["int64_t", "uint16_t", "uint16_t", "uint8_t"], arrays(events), strict=True
        )
    ]
    c.t, c.x, c.y, c.p = kept
    rgb = ffi.from_buffer("uint8_t[]", np.array(colours, np.uint8))
    state, data = implementation(ISA).es_state(kind, **SIZE), b""
    while state.next < len(events):
        room = np.full(8 + int(draw.integers(0, 9)) + 64, 0xA5, np.uint8)
        size = lib.ae_es_encode(c, rgb, state, ffi.from_buffer(room), len(room) - 64)
        assert 0 < size <= len(room) - 64
        assert (room[-64:] == 0xA5).all()
        data += room[:size].tobytes()
    assert data == whole


def test_other_kinds_and_columns_are_errors(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match="kind must be one of 1, 2, 4, not 3"):
        kernels.es_state(3)
    state, out = kernels.es_state(COLOUR), kernels.columns(100)
    with pytest.raises(ValueError, match="colour events need rgb"):
        kernels.es_decode(b"", 0, state, out)
    with pytest.raises(ValueError, match=r"of shape \(100, 3\)"):
        kernels.es_decode(b"", 0, state, out, np.zeros((99, 3), np.uint8))
    with pytest.raises(ValueError, match="start 2 is outside the 1 bytes of data"):
        kernels.es_decode(b"\0", 2, kernels.es_state(), out)
    state = kernels.es_state()
    state.next = 1
    with pytest.raises(ValueError, match="the next event is 1 of 0"):
        kernels.es_encode(*arrays([]), state)
