"""EVT 2.0, word by word: the twins and C must both read and write these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.native.kernels import decode, encode, packed

if TYPE_CHECKING:
    from types import ModuleType

# What it shows, words, events (t, x, y, p).
READ = [
    ("nothing", [], []),
    ("one event", [0x80000001, 0x10808805], [(66, 17, 5, 1)]),
    ("largest fields", [0x80000000, 0x0FFFFFFF], [(63, 2047, 2047, 0)]),
    ("time runs on", [0x80000002, 0x00000001, 0x80000003, 0x00000002],
     [(128, 0, 1, 0), (192, 0, 2, 0)]),
    ("TIME_HIGH again is no step", [0x80000002, 0x80000002, 0x10000000], [(128, 0, 0, 1)]),
    ("a small fall is no roll-over", [0x80000005, 0x80000004, 0x10000000], [(256, 0, 0, 1)]),
    ("half the range is no roll-over", [0x88000000, 0x80000000, 0x10000000], [(0, 0, 0, 1)]),
    ("more is one", [0x88000001, 0x80000000, 0x10000000], [(1 << 34, 0, 0, 1)]),
    ("the clock rolls over", [0x8FFFFFFF, 0x0FC00000, 0x80000000, 0x10000000],
     [((1 << 34) - 1, 0, 0, 0), (1 << 34, 0, 0, 1)]),
    ("OTHERS, CONTINUED, IMU are skipped",
     [0x80000001, 0xE0000014, 0xF0000009, 0xD0000000, 0x10000000],
     [(64, 0, 0, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "events"), [case[1:] for case in READ], ids=[c[0] for c in READ])
def test_words_are_read(
    kernels: ModuleType, words: list[int], events: list[tuple[int, int, int, int]]
) -> None:
    read = decode(kernels, "evt2", packed(words, 4))
    assert read.events == events
    assert (read.state["untimed"], read.state["unknown"]) == (0, 0)


def test_triggers_have_a_column_of_their_own(kernels: ModuleType) -> None:
    read = decode(kernels, "evt2", packed([0x80000001, 0xA0800701, 0xA0C01F00], 4))
    assert read.triggers == [(66, 7, 1), (67, 31, 0)]
    assert read.events == []


def test_what_comes_before_the_first_time_high_is_dropped_and_counted(kernels: ModuleType) -> None:
    read = decode(kernels, "evt2", packed([0x10000000, 0xA0000001, 0x80000001, 0x10000000], 4))
    assert read.events == [(64, 0, 0, 1)]
    assert read.triggers == []
    assert read.state["untimed"] == 2


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 6, 7, 9, 0xB, 0xC])
def test_reserved_types_are_counted(kernels: ModuleType, kind: int) -> None:
    read = decode(kernels, "evt2", packed([0x80000001, kind << 28, 0x10000000], 4))
    assert read.events == [(64, 0, 0, 1)]
    assert read.state["unknown"] == 1


# What it shows, events, words.
WRITTEN = [
    ("nothing", [], []),
    ("time 0 has a TIME_HIGH too", [(0, 1, 2, 1)], [0x80000000, 0x10000802]),
    ("TIME_HIGH only when it changes", [(64, 0, 0, 0), (65, 0, 0, 0), (128, 0, 0, 0)],
     [0x80000001, 0x00000000, 0x00400000, 0x80000002, 0x00000000]),
    ("back a little", [(128, 0, 0, 0), (64, 0, 0, 0)], [0x80000002, 0, 0x80000001, 0]),
    ("over the roll-over", [((1 << 34) - 64, 0, 0, 0), (1 << 34, 0, 0, 0)],
     [0x8FFFFFFF, 0, 0x80000000, 0]),
    ("a start beyond the range climbs", [(2 << 34, 0, 0, 0)],
     [0x8FFFFFFF, 0x80000000, 0x8FFFFFFF, 0x80000000, 0]),
    ("a long gap goes by the top", [(64, 0, 0, 0), ((1 << 34) + 128, 0, 0, 0)],
     [0x80000001, 0, 0x8FFFFFFF, 0x80000002, 0]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "words"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN]
)
def test_words_are_written(
    kernels: ModuleType, events: list[tuple[int, int, int, int]], words: list[int]
) -> None:
    data, state = encode(kernels, "evt2", events)
    assert data == packed(words, 4)
    assert (state["next"], state["refused"]) == (len(events), 0)
    assert decode(kernels, "evt2", data).events == events


@pytest.mark.parametrize(
    "event",
    [
        (100, 2048, 0, 0),
        (100, 0, 2048, 0),
        (-1, 0, 0, 0),
        (4098 << 34, 0, 0, 0),
    ],
    ids=["x", "y", "before zero", "too far"],
)
def test_what_does_not_fit_is_refused(
    kernels: ModuleType, event: tuple[int, int, int, int]
) -> None:
    data, state = encode(kernels, "evt2", [(64, 0, 0, 0), event, (65, 0, 0, 0)])
    assert data == packed([0x80000001, 0], 4)
    assert (state["next"], state["refused"]) == (1, 1)


def test_time_may_not_go_back_by_more_than_half_the_range(kernels: ModuleType) -> None:
    half = 1 << 33
    start = half + 64
    assert encode(kernels, "evt2", [(start, 0, 0, 0), (64, 0, 0, 0)])[1]["refused"] == 0
    assert encode(kernels, "evt2", [(start, 0, 0, 0), (0, 0, 0, 0)])[1]["refused"] == 1
