"""DAT, record by record: the twins and C must both read and write these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.native.kernels import decode, encode, packed

if TYPE_CHECKING:
    from types import ModuleType

    Events = list[tuple[int, int, int, int]]


def records(*pairs: tuple[int, int]) -> bytes:
    """Return the records of (t, other half)."""
    return packed((half for pair in pairs for half in pair), 4)


# Version, other half, x, y, p.
LAYOUTS = [
    (2, 0x00000001, 1, 0, 0),
    (2, 0x00003FFF, 16383, 0, 0),
    (2, 0x00004000, 0, 1, 0),
    (2, 0x0FFFC000, 0, 16383, 0),
    (2, 0x10000000, 0, 0, 1),
    (1, 0x000001FF, 511, 0, 0),
    (1, 0x00000200, 0, 1, 0),
    (1, 0x0001FE00, 0, 255, 0),
    (1, 0x00020000, 0, 0, 1),
]


@pytest.mark.parametrize(("version", "half", "x", "y", "p"), LAYOUTS)
def test_one_record_both_ways(
    kernels: ModuleType, version: int, half: int, x: int, y: int, p: int
) -> None:
    assert decode(kernels, "dat", records((7, half)), version=version).events == [(7, x, y, p)]
    assert encode(kernels, "dat", [(7, x, y, p)], version=version)[0] == records((7, half))


def test_triggers(kernels: ModuleType) -> None:
    data = records((7, 0x18000001), (0xFFFFFFFF, 0xFC000000), (2, 1))
    read = decode(kernels, "dat", data, triggers=1)
    assert read.triggers == [(7, 6, 1), (0xFFFFFFFF, 63, 0), (0x100000002, 0, 1)]
    assert read.events == []


# What it shows, times as written, times as read.
CLOCKS = [
    ("small steps back pass through", [5, 3, 4], [5, 3, 4]),
    ("half the range is no roll-over", [1 << 31, 0], [1 << 31, 0]),
    ("more is one", [(1 << 31) + 1, 0, 1], [(1 << 31) + 1, 1 << 32, (1 << 32) + 1]),
    ("a rise never is", [0, 0xFFFFFFFF], [0, 0xFFFFFFFF]),
]


@pytest.mark.parametrize(
    ("words", "times"), [case[1:] for case in CLOCKS], ids=[case[0] for case in CLOCKS]
)
def test_the_clock(kernels: ModuleType, words: list[int], times: list[int]) -> None:
    data = records(*[(word, 0) for word in words])
    assert [event[0] for event in decode(kernels, "dat", data).events] == times
    assert encode(kernels, "dat", [(t, 0, 0, 0) for t in times])[0] == data


def test_a_roll_over_in_the_middle_of_many(kernels: ModuleType) -> None:
    times = [(1 << 32) - 50 + k for k in range(100)]
    data = records(*[(t & 0xFFFFFFFF, 0) for t in times])
    assert [event[0] for event in decode(kernels, "dat", data).events] == times


@pytest.mark.parametrize(
    ("version", "events"),
    [
        (2, [(0, 0, 0, 0), (1, 16384, 0, 0)]),
        (2, [(0, 0, 0, 0), (1, 0, 16384, 0)]),
        (1, [(0, 0, 0, 0), (1, 512, 0, 0)]),
        (1, [(0, 0, 0, 0), (1, 0, 256, 0)]),
        (2, [(0, 0, 0, 0), (-1, 0, 0, 0)]),
        (2, [(0, 0, 0, 0), (1 << 32, 0, 0, 0)]),
        (2, [((1 << 31) + 1, 0, 0, 0), (0, 0, 0, 0)]),
    ],
)
def test_what_would_not_be_read_back_is_refused(
    kernels: ModuleType, version: int, events: Events
) -> None:
    data, state = encode(kernels, "dat", events, version=version)
    assert len(data) == 8
    assert (state["next"], state["refused"]) == (1, 1)


def test_the_first_time_must_be_below_the_range(kernels: ModuleType) -> None:
    assert encode(kernels, "dat", [(1 << 32, 0, 0, 0)])[1]["refused"] == 1
