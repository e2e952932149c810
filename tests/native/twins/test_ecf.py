"""ECF, byte by byte: the twins and C must both read and write these chunks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, arrays, columns_of, implementation

if TYPE_CHECKING:
    from types import ModuleType

    Event = tuple[int, int, int, int]

ISA = COMPILED[-1] if COMPILED else "numpy"
ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("AEVENTS_RECORDINGS", ROOT.parent / "shared" / "recordings"))
TRUTH = FOLDER / "truth_other_kinds.json"
VECTORS = (
    [name for name in json.loads(TRUTH.read_text()) if "ecf" in name] if FOLDER.is_dir() else []
)
MUTATIONS = int(os.environ.get("AEVENTS_MUTATIONS", "10000"))


def read(kernels: ModuleType, data: bytes, *, before: int = 0) -> list[Event] | None:
    """Return the events of a chunk, None if it is damaged; `before` are in the columns already."""
    out = kernels.columns(65_700)
    out.begin()
    out.n = before
    whole = kernels.ecf_decode(data, out)
    assert whole or out.n == before
    found = (column[before : out.n].tolist() for column in columns_of(out))
    return list(zip(*found, strict=True)) if whole else None


T0 = "4000000000000000"
# What it shows, a chunk, its events. Its first four bytes: how many, times 4, and the layout.
CHUNKS = [
    ("an event", f"04000000 {T0} 01 6100 4000 81", [(64, 2, 3, 1)]),
    ("steps of time, columns packed", f"11000000 {T0} 01 e1 12 6400 4600 0600 0600",
     [(64, 2, 3, 0), (78, 3, 3, 0), (79, 3, 3, 0), (79, 3, 3, 0)]),
    ("a long step", f"08000000 {T0} 01 f2f1 01 6200 4000 4000 02",
     [(64, 2, 3, 0), (64 + 0x12, 2, 3, 0)]),
    ("the longest step", "08000000 fbffffffffffffff 01 f5f0f0f0f0f0f0f0f0f0f0f0f0f0f0f4 01"
     " 2200 2000 2000 02", [(-5, 1, 1, 0), (1 << 62, 1, 1, 0)]),
    ("columns that follow", f"10000000 {T0} 04 6400 4b00 04",
     [(64, 2, 3, 0), (64, 4, 3, 0), (64, 6, 3, 0), (64, 7, 3, 0)]),
    ("columns and polarities packed", f"11000000 {T0} 04 2401 7e24 55ff 0350",
     [(64, 0x123, 9, 1), (64, 0x7FF, 9, 0), (64, 0x2AA, 9, 1), (64, 1, 9, 1)]),
    ("all packed", f"12000000 {T0} 04 fe476245 55551f00 03f07f55",
     [(64, 0x123, 0x456, 1), (64, 0x7FF, 0x001, 0), (64, 0x2AA, 0x555, 1), (64, 1, 0x7FF, 1)]),
    ("15 events of a time", f"3d000000 {T0} 0f0f00 6f00" + " 4400 0400 0400" * 3
     + " 4400 0400 0000", [(64, 2, 3, 0)] * 15),
    ("31 events of a row", f"7d000000 {T0} 0f1f00 7f001f00" + " 4400 0400 0400" * 7
     + " 4400 0400 0000", [(64, 2, 3, 0)] * 31),
    ("127 events of a polarity", f"fc010000 {T0} 0f7f00 7f007f00" + " 5f00" * 21 + " 4000 ff7f00",
     [(64, 2 + i % 6, 3, 1) for i in range(127)]),
]  # fmt: skip
UNUSUAL = [
    ("nothing", f"00000000 {T0}", []),
    ("columns beyond the last event", f"04000000 {T0} 01 6100 5f00 81", [(64, 2, 3, 1)]),
    ("bytes after the end", f"04000000 {T0} 01 6100 4000 81 ffff", [(64, 2, 3, 1)]),
    ("runs of none", f"04000000 {T0} 10 01 6000 6100 4000 00 81", [(65, 2, 3, 1)]),
    ("a run of 1, the long way", f"04000000 {T0} 0f0100 7f000100 4000 ff0100", [(64, 2, 3, 1)]),
]  # fmt: skip
DAMAGED = [
    ("no bytes", ""),
    ("no times", f"04000000 {T0}"),
    ("more than there can be", f"00000400 {T0} 0fffff"),
    ("a step without end", f"04000000 {T0} f1f1"),
    ("a step of 17 digits", f"04000000 {T0} {'f1' * 17} 01 6100 4000 81"),
    ("too many times", f"04000000 {T0} 02 6100 4000 81"),
    ("a run cut short", f"04000000 {T0} 0f01"),
    ("no rows", f"04000000 {T0} 01 61"),
    ("too many rows", f"04000000 {T0} 01 6200 4000 81"),
    ("no columns", f"04000000 {T0} 01 6100 40"),
    ("no polarities", f"04000000 {T0} 01 6100 4000"),
    ("too many polarities", f"04000000 {T0} 01 6100 4000 82"),
    ("packed columns cut short", f"05000000 {T0} 01 6100 0000 0000 00"),
    ("packed events cut short", f"06000000 {T0} 01 00000000 00000000 000000"),
]


@pytest.mark.parametrize(
    ("text", "events"), [case[1:] for case in CHUNKS + UNUSUAL],
    ids=[case[0] for case in CHUNKS + UNUSUAL],
)  # fmt: skip
def test_chunks_are_read(kernels: ModuleType, text: str, events: list[Event]) -> None:
    assert read(kernels, bytes.fromhex(text)) == events
    assert read(kernels, bytes.fromhex(text), before=7) == events


@pytest.mark.parametrize(
    ("text", "events"), [case[1:] for case in CHUNKS], ids=[case[0] for case in CHUNKS]
)
def test_chunks_are_written(kernels: ModuleType, text: str, events: list[Event]) -> None:
    assert kernels.ecf_encode(*arrays(events)) == bytes.fromhex(text)


@pytest.mark.parametrize("text", [case[1] for case in DAMAGED], ids=[case[0] for case in DAMAGED])
def test_damaged_chunks_give_nothing(kernels: ModuleType, text: str) -> None:
    assert read(kernels, bytes.fromhex(text), before=3) is None


@pytest.mark.parametrize(
    "events",
    [[(5, 0, 0, 0), (4, 0, 0, 0)], [(5, 2048, 0, 0)], [(5, 0, 2048, 0)], [(5, 0, 0, 0)] * 65_536],
    ids=["back", "x", "y", "too many"],
)
def test_what_does_not_fit_gives_no_bytes(kernels: ModuleType, events: list[Event]) -> None:
    assert kernels.ecf_encode(*arrays(events)) == b""


def test_a_chunk_that_says_more_than_there_is_room_for_is_an_error(kernels: ModuleType) -> None:
    out = kernels.columns(100)
    out.begin()
    out.n = 30
    with pytest.raises(ValueError, match="there is room for 6 events, not 7"):
        kernels.ecf_decode(bytes.fromhex("1c000000"), out)


@pytest.mark.skipif(not VECTORS, reason=f"no recordings in {FOLDER}: set AEVENTS_RECORDINGS")
@pytest.mark.parametrize("name", VECTORS)
def test_chunks_of_the_vendors_codec_are_read_and_written_alike(
    kernels: ModuleType, name: str
) -> None:
    chunk = (FOLDER / name).read_bytes()
    rows = np.load(FOLDER / name.replace(".bin", ".npy"))
    events = list(zip(*(rows[letter].tolist() for letter in "txyp"), strict=True))
    assert read(kernels, chunk) == events
    assert kernels.ecf_encode(*arrays(events)) == chunk


steps = st.sampled_from([0] * 10 + [1, 14, 15, 16, 240, 1 << 40])
places = st.sampled_from([0, 1, 2, 5, 6, 7, 2047])
runs = st.sampled_from([1] * 8 + [2, 14, 15, 30, 31, 126, 127, 128])
fields = st.tuples(steps, places, places, st.integers(0, 1), runs)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@settings(max_examples=150, deadline=None)
@given(first=st.integers(-(1 << 50), 1 << 50), found=st.lists(fields, max_size=40))
def test_c_writes_what_the_twin_writes_and_both_read_it_back(
    first: int, found: list[tuple[int, int, int, int, int]]
) -> None:
    events, t = [], first
    for step, x, y, p, run in found:
        t += step
        events += [(t, x, y, p)] * run
    chunk = implementation(ISA).ecf_encode(*arrays(events))
    assert chunk == twins.ecf_encode(*arrays(events))
    assert read(implementation(ISA), chunk) == events
    assert read(twins, chunk) == events


def mutated(chunk: bytes, draw: np.random.Generator) -> bytes:
    """Return the bytes with a few overwritten, and perhaps the last cut off."""
    bent = bytearray(chunk)
    for place in draw.integers(0, len(bent), int(draw.integers(1, 6))):
        bent[place] = int(draw.integers(0, 256))
    return bytes(bent[: int(draw.integers(1, 2 * len(bent)))])


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.timeout(120)
def test_c_makes_of_damaged_chunks_what_the_twin_makes() -> None:
    draw = np.random.default_rng(3)
    chunks = [bytes.fromhex(text) for _, text, _ in CHUNKS]
    kernels = implementation(ISA)
    for _ in range(MUTATIONS):
        bent = mutated(chunks[int(draw.integers(0, len(chunks)))], draw)
        if int.from_bytes(bent[:4], "little") >> 2 <= 65_535:
            assert read(kernels, bent) == read(twins, bent)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("room", [0, 30, 31, 32, 40])
def test_nothing_is_written_outside(room: int) -> None:
    from aevents._native._kernels import ffi, lib

    draw = np.random.default_rng(room)
    sizes, guard, capacity = {"t": 8, "x": 2, "y": 2, "p": 1}, 64, room + 64
    for _ in range(500):
        chunk = mutated(bytes.fromhex(CHUNKS[int(draw.integers(0, len(CHUNKS)))][1]), draw)
        c = ffi.new("ae_columns *", {"capacity": capacity})
        memory = {name: np.full(2 * guard + size * capacity, 0xA5, np.uint8)
                  for name, size in sizes.items()}  # fmt: skip
        for name in "txyp":
            place = ffi.from_buffer(memory[name]) + guard
            setattr(c, name, ffi.cast(ffi.typeof(getattr(c, name)), place))
        lib.ae_ecf_decode(ffi.from_buffer("uint8_t[]", chunk), len(chunk), c)
        assert c.n <= room
        for name in sizes:
            edges = np.concatenate([memory[name][:guard], memory[name][-guard:]])
            assert (edges == 0xA5).all(), name
