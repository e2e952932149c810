"""EVT 2.1, word by word: the twins and C must both read and write these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.native.kernels import decode, encode, packed

if TYPE_CHECKING:
    from types import ModuleType

HIGH = 0x80000000_00000000


def swapped(word: int) -> int:
    return word >> 32 | (word & 0xFFFFFFFF) << 32


# What it shows, words, events (t, x, y, p).
READ = [
    ("nothing", [], []),
    ("one event", [HIGH | 1 << 32, 0x10808805_00000001], [(66, 17, 5, 1)]),
    ("largest fields", [HIGH, 0x0FFFFFFF_80000000], [(63, 2078, 2047, 0)]),
    ("a vector", [HIGH, 0x10000001_80000006], [(0, 1, 1, 1), (0, 2, 1, 1), (0, 31, 1, 1)]),
    ("a full vector", [HIGH, 0xFFFFFFFF], [(0, x, 0, 0) for x in range(32)]),
    ("TIME_HIGH again is no step", [HIGH | 2 << 32, HIGH | 2 << 32, 0x10000000_00000001],
     [(128, 0, 0, 1)]),
    ("half the range is no roll-over", [0x88000000 << 32, HIGH, 1], [(0, 0, 0, 0)]),
    ("more is one", [0x88000001 << 32, HIGH, 1], [(1 << 34, 0, 0, 0)]),
    ("OTHERS, CONTINUED are skipped", [HIGH, 0xE0000014_00000001, 0xF0000009_00000001, 1],
     [(0, 0, 0, 0)]),
]  # fmt: skip


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(("words", "events"), [case[1:] for case in READ], ids=[c[0] for c in READ])
def test_words_are_read(
    kernels: ModuleType, words: list[int], events: list[tuple[int, int, int, int]], legacy: bool
) -> None:
    data = packed(map(swapped, words) if legacy else words, 8)
    read = decode(kernels, "evt21", data, legacy=legacy)
    assert read.events == events
    assert (read.state["untimed"], read.state["unknown"]) == (0, 0)


def test_triggers_have_a_column_of_their_own(kernels: ModuleType) -> None:
    read = decode(
        kernels, "evt21", packed([0x80000001 << 32, 0xA0800701 << 32, 0xA0C01F00 << 32], 8)
    )
    assert read.triggers == [(66, 7, 1), (67, 31, 0)]
    assert read.events == []


def test_what_comes_before_the_first_time_high_is_dropped_and_counted(kernels: ModuleType) -> None:
    read = decode(kernels, "evt21", packed([0x10000000_00000007, 0xA0000001 << 32, HIGH, 1], 8))
    assert read.events == [(0, 0, 0, 0)]
    assert read.triggers == []
    assert read.state["untimed"] == 4


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 6, 7, 9, 0xB, 0xC, 0xD])
def test_reserved_types_are_counted(kernels: ModuleType, kind: int) -> None:
    read = decode(kernels, "evt21", packed([HIGH, kind << 60, 1], 8))
    assert read.events == [(0, 0, 0, 0)]
    assert read.state["unknown"] == 1


# What it shows, events, words.
WRITTEN = [
    ("nothing", [], []),
    ("time 0 has a TIME_HIGH too", [(0, 33, 2, 1)], [HIGH, 0x10010002_00000002]),
    ("TIME_HIGH only when it changes", [(64, 0, 0, 0), (65, 0, 0, 0), (128, 0, 0, 0)],
     [HIGH | 1 << 32, 1, 0x00400000_00000001, HIGH | 2 << 32, 1]),
    ("neighbours in one word", [(0, 0, 0, 0), (0, 2, 0, 0), (0, 31, 0, 0), (0, 32, 0, 0)],
     [HIGH, 0x80000005, 0x00010000_00000001]),
    ("back a little", [(128, 0, 0, 0), (64, 0, 0, 0)], [HIGH | 2 << 32, 1, HIGH | 1 << 32, 1]),
    ("over the roll-over", [((1 << 34) - 64, 0, 0, 0), (1 << 34, 0, 0, 0)],
     [0x8FFFFFFF << 32, 1, HIGH, 1]),
]  # fmt: skip


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("events", "words"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN]
)
def test_words_are_written(
    kernels: ModuleType, events: list[tuple[int, int, int, int]], words: list[int], legacy: bool
) -> None:
    data, state = encode(kernels, "evt21", events, legacy=legacy)
    assert data == packed(map(swapped, words) if legacy else words, 8)
    assert (state["next"], state["refused"]) == (len(events), 0)
    assert decode(kernels, "evt21", data, legacy=legacy).events == events


@pytest.mark.parametrize(
    "event",
    [(100, 2048, 0, 0), (100, 0, 2048, 0), (-1, 0, 0, 0), (4098 << 34, 0, 0, 0)],
    ids=["x", "y", "before zero", "too far"],
)
def test_what_does_not_fit_is_refused(
    kernels: ModuleType, event: tuple[int, int, int, int]
) -> None:
    data, state = encode(kernels, "evt21", [(64, 0, 0, 0), event, (65, 0, 0, 0)])
    assert data == packed([HIGH | 1 << 32, 1], 8)
    assert (state["next"], state["refused"]) == (1, 1)
