"""EVT 4.0, word by word: the twins and C must both read and write these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.native.kernels import decode, encode, packed

if TYPE_CHECKING:
    from types import ModuleType

# What it shows, words, events (t, x, y, p).
READ = [
    ("nothing", [], []),
    ("one event", [0xE0000001, 0xB0808805], [(66, 17, 5, 1)]),
    ("largest fields", [0xE0000000, 0xAFFFFFFF], [(63, 2047, 2047, 0)]),
    ("vectors", [0xE0000000, 0xD0000001, 0x80000002, 0xC0400000, 1, 0xA0000000],
     [(0, 1, 1, 1), (0, 31, 1, 1), (1, 0, 0, 0), (0, 0, 0, 0)]),
    ("a full vector", [0xE0000000, 0xC0000000, 0xFFFFFFFF], [(0, x, 0, 0) for x in range(32)]),
    ("bits that look like vectors", [0xE0000000, 0xC0000000, 0xC0000000, 0xD0000000, 0xE0000000],
     [(0, 30, 0, 0), (0, 31, 0, 0), (0, 29, 0, 1), (0, 30, 0, 1), (0, 31, 0, 1)]),
    ("TIME_HIGH again is no step", [0xE0000002, 0xE0000002, 0xB0000000], [(128, 0, 0, 1)]),
    ("half the range is no roll-over", [0xE8000000, 0xE0000000, 0xB0000000], [(0, 0, 0, 1)]),
    ("more is one", [0xE8000001, 0xE0000000, 0xB0000000], [(1 << 34, 0, 0, 1)]),
    ("OTHERS, CONTINUED, PADDING are skipped",
     [0xE0000001, 0x60000014, 0x70000009, 0xFFFFFFFF, 0xB0000000],
     [(64, 0, 0, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "events"), [case[1:] for case in READ], ids=[c[0] for c in READ])
def test_words_are_read(
    kernels: ModuleType, words: list[int], events: list[tuple[int, int, int, int]]
) -> None:
    read = decode(kernels, "evt4", packed(words, 4))
    assert read.events == events
    assert (read.state["untimed"], read.state["unknown"]) == (0, 0)
    cut = decode(kernels, "evt4", packed(words, 4), cuts=range(len(words)))
    assert cut == read


def test_a_vector_without_its_bits_is_kept(kernels: ModuleType) -> None:
    read = decode(kernels, "evt4", packed([0xE0000000, 0xD0000001], 4))
    assert read.events == []
    assert read.state["vector"] == 0xD0000001


def test_triggers_have_a_column_of_their_own(kernels: ModuleType) -> None:
    read = decode(kernels, "evt4", packed([0xE0000001, 0x90800701, 0x90C01F00], 4))
    assert read.triggers == [(66, 7, 1), (67, 31, 0)]
    assert read.events == []


def test_what_comes_before_the_first_time_high_is_dropped_and_counted(kernels: ModuleType) -> None:
    words = [0xB0000000, 0x90000001, 0xD0000000, 0xE0000001, 0xE0000001, 0xB0000000]
    read = decode(kernels, "evt4", packed(words, 4))
    assert read.events == [(64, 0, 0, 1)]
    assert read.triggers == []
    assert read.state["untimed"] == 6


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 8])
def test_reserved_types_are_counted(kernels: ModuleType, kind: int) -> None:
    read = decode(kernels, "evt4", packed([0xE0000001, kind << 28, 0xB0000000], 4))
    assert read.events == [(64, 0, 0, 1)]
    assert read.state["unknown"] == 1


# What it shows, events, words.
WRITTEN = [
    ("nothing", [], []),
    ("time 0 has a TIME_HIGH too", [(0, 1, 2, 1)], [0xE0000000, 0xB0000802]),
    ("TIME_HIGH only when it changes", [(64, 0, 0, 0), (65, 0, 0, 0), (128, 0, 0, 0)],
     [0xE0000001, 0xA0000000, 0xA0400000, 0xE0000002, 0xA0000000]),
    ("two neighbours by themselves", [(0, 0, 0, 0), (0, 2, 0, 0), (0, 32, 0, 0)],
     [0xE0000000, 0xA0000000, 0xA0001000, 0xA0010000]),
    ("three as a vector", [(0, 32, 0, 1), (0, 34, 0, 1), (0, 63, 0, 1), (64, 0, 0, 0)],
     [0xE0000000, 0xD0010000, 0x80000005, 0xE0000001, 0xA0000000]),
    ("over the roll-over", [((1 << 34) - 64, 0, 0, 0), (1 << 34, 0, 0, 0)],
     [0xEFFFFFFF, 0xA0000000, 0xE0000000, 0xA0000000]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "words"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN]
)
def test_words_are_written(
    kernels: ModuleType, events: list[tuple[int, int, int, int]], words: list[int]
) -> None:
    data, state = encode(kernels, "evt4", events)
    assert data == packed(words, 4)
    assert (state["next"], state["refused"]) == (len(events), 0)
    assert decode(kernels, "evt4", data).events == events


@pytest.mark.parametrize(
    "event",
    [(100, 2048, 0, 0), (100, 0, 2048, 0), (-1, 0, 0, 0), (4098 << 34, 0, 0, 0)],
    ids=["x", "y", "before zero", "too far"],
)
def test_what_does_not_fit_is_refused(
    kernels: ModuleType, event: tuple[int, int, int, int]
) -> None:
    data, state = encode(kernels, "evt4", [(64, 0, 0, 0), event, (65, 0, 0, 0)])
    assert data == packed([0xE0000001, 0xA0000000], 4)
    assert (state["next"], state["refused"]) == (1, 1)
