"""Events in the messages of ROS: the twins and C must both read these."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aevents._native import twins
from tests.native.kernels import COMPILED, columns_of, implementation, packed, state_of

if TYPE_CHECKING:
    from types import ModuleType

    Events = list[tuple[int, int, int, int]]


def read(
    kernels: ModuleType, kind: str, data: bytes, *, capacity: int = 32768, **options: int
) -> tuple[Events, dict[str, int]]:
    """Decode all of `data`; return the events and the state."""
    state, out = kernels.ros_state(**options), kernels.columns(capacity)
    decode = getattr(kernels, f"ros_{kind}_decode")
    events: Events = []
    at, last = 0, -1
    while at != last:
        last, at = at, decode(data, at, state, out)
        events += zip(*(column[: out.n].tolist() for column in columns_of(out)), strict=True)
    return events, state_of(state)


def aligned(*records: tuple[int, int, int, int, int]) -> bytes:
    """Return (x, y, seconds, ns, p) as CDR aligns them, from a place divisible by 4 on."""
    data = b""
    for x, y, seconds, ns, p in records:
        data += bytes(len(data) % 2) + struct.pack("<HH", x, y)
        data += bytes(-len(data) % 4) + struct.pack("<iIB", seconds, ns, p)
    return data


def test_records_of_dvs(kernels: ModuleType) -> None:
    data = struct.pack("<HHIIB", 1, 2, 3, 4_999, 1) + struct.pack(
        "<HHIIB", 65535, 7, 2**32 - 1, 0, 0
    )
    assert read(kernels, "dvs", data)[0] == [
        (3_000_004, 1, 2, 1),
        ((2**32 - 1) * 1_000_000, 65535, 7, 0),
    ]


def test_aligned_records_of_dvs(kernels: ModuleType) -> None:
    data = aligned((1, 2, 3, 4_999, 1), (5, 6, -1, 0, 0), (7, 8, 9, 999_999_999, 2))
    assert len(data) == 45
    assert read(kernels, "dvs", data, aligned=1)[0] == [
        (3_000_004, 1, 2, 1),
        (-1_000_000, 5, 6, 0),
        (9_999_999, 7, 8, 1),
    ]


@pytest.mark.parametrize("flag", [0, 1])
def test_torn_records_of_dvs_are_left(kernels: ModuleType, flag: int) -> None:
    data = aligned((1, 2, 3, 0, 1), (4, 5, 6, 0, 1)) if flag else bytes(26)
    assert len(read(kernels, "dvs", data[:-1], aligned=flag)[0]) == 1
    assert read(kernels, "dvs", data[:12], aligned=flag)[0] == []


def test_words_of_mono(kernels: ModuleType) -> None:
    data = packed([7_999 | 3 << 32 | 4 << 48 | 1 << 63, 0xFFFFFFFF | 65535 << 32 | 32767 << 48], 8)
    assert read(kernels, "mono", data, base=2_001)[0] == [
        (10, 3, 4, 1),
        (4_294_969, 65535, 32767, 0),
    ]


def test_words_of_libcaer(kernels: ModuleType) -> None:
    words = [1 | 1 << 1 | 5 << 2 | 9 << 17 | 100 << 32, 1 | 32767 << 2 | 32767 << 17 | 99 << 32]
    assert read(kernels, "libcaer", packed(words, 8), base=1_000)[0] == [
        (1_100, 9, 5, 1),
        (1_099, 32767, 32767, 0),
    ]


def test_the_clock_of_libcaer_rolls_over(kernels: ModuleType) -> None:
    times = [2**31 - 1, 0, 5]
    events, _ = read(kernels, "libcaer", packed([t << 32 for t in times], 8), base=10)
    assert [event[0] for event in events] == [2**31 + 9, 2**31 + 10, 2**31 + 15]


# Words, events. The base is 1000.
COMPACT = [
    ([0x0001, 0x1002, 0x2005, 0x3807], [(1000 + 4098, 5, 7, 1)]),
    ([0x1002, 0x2005, 0x3007, 0x3009], [(1002, 5, 7, 0), (1002, 5, 9, 0)]),
    ([0x2005, 0x4810, 0x5081, 0x5001], [(1000, 5, 16, 1), (1000, 5, 23, 1), (1000, 5, 24, 1)]),
    ([0x2001, 0x47FF, 0x5002], [(1000, 1, 2048, 0)]),
    ([0x6FFF, 0xF000, 0x5F00], []),
]


@pytest.mark.parametrize(("words", "events"), COMPACT)
def test_words_of_the_compact_encoding(
    kernels: ModuleType, words: list[int], events: Events
) -> None:
    read_, state = read(kernels, "compact", packed(words, 2), base=1000)
    assert read_ == events
    assert state["unknown"] == sum(word >> 12 > 5 for word in words)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("kind", ["dvs", "mono", "libcaer", "compact"])
@pytest.mark.parametrize("seed", range(20))
def test_c_reads_as_the_twins_do(kind: str, seed: int) -> None:
    draw = random.Random(seed)
    data = bytes(draw.choices(range(256) if seed % 2 else range(0x60), k=draw.randrange(9_000)))
    options = {"aligned": seed % 3 == 0, "base": draw.randrange(1 << 40)}
    expected = read(twins, kind, data, **options)
    for name in COMPILED:
        for capacity in (100, 32768):
            assert read(implementation(name), kind, data, capacity=capacity, **options) == expected


def test_a_start_outside_is_refused(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match="start 14 is outside the 13 bytes"):
        kernels.ros_dvs_decode(bytes(13), 14, kernels.ros_state(), kernels.columns())


def test_nothing_is_written_past_the_end(kernels: ModuleType) -> None:
    out = kernels.columns(100)
    out.t[:], out.x[:] = -7, 7
    kernels.ros_dvs_decode(bytes(13 * 200), 0, kernels.ros_state(), out)
    assert out.n == 36
    np.testing.assert_array_equal(out.t[36:], -7)
