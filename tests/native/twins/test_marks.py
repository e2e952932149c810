"""What tells damage: which words are marked, and where somebody must look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.native.kernels import packed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

CLOCK2 = {"mask": (1 << 28) - 1, "leap": 1600, "far": 1 << 20}
CLOCK3 = {"mask": (1 << 12) - 1, "leap": 25, "far": 1 << 10}
TYPES = {
    "evt2": {"high": 8, "events": 0b11, "reserved": 1 << 2 | 1 << 9, **CLOCK2},
    "evt4": {
        "high": 14,
        "events": 1 << 10 | 1 << 11,
        "vectors": 3 << 12,
        "reserved": 1 << 5,
        **CLOCK2,
    },
}


def marks(kernels: ModuleType, kind: str, words: Iterable[int]) -> tuple[list[int], int]:
    """Return which words are marked, and how many doubts there are."""
    state = kernels.marks_state(**TYPES[kind])
    return kernels.evt2_marks(packed(words, 4), state).tolist(), state.doubts


def marks3(kernels: ModuleType, words: Iterable[int]) -> tuple[list[int], int]:
    state = kernels.marks_state(**CLOCK3)
    return kernels.evt3_marks(packed(words, 2), state).tolist(), state.doubts


def ticking(values: Iterable[int], events: int = 100) -> list[int]:
    """Return words of EVT2 that say these times, with events behind each, whose time goes on."""
    lows = [index * 63 // events << 22 for index in range(events)]
    return [word for value in values for word in (0x80000000 | value, *lows)]


def test_times_that_are_said_again_are_no_marks(kernels: ModuleType) -> None:
    words = [0x80000001, 0x10000000, 0x80000001, 0x80000002]
    assert marks(kernels, "evt2", words) == ([0, 3], 0)


def test_a_reserved_type_is_a_mark_and_a_doubt(kernels: ModuleType) -> None:
    assert marks(kernels, "evt2", [0x80000001, 0x20000000, 0x90000000, 0x00000000]) == (
        [0, 1, 2],
        2,
    )


def test_words_behind_vectors_have_no_type(kernels: ModuleType) -> None:
    words = [0xE0000001, 0xC0000000, 0xE0000009, 0xE0000002, 0xD0000000, 0x50000000]
    assert marks(kernels, "evt4", words) == ([0, 3], 0)


@pytest.mark.parametrize(
    ("values", "doubts"),
    [
        (range(20), 0),
        ([*range(10), 11, 12], 1),  # a time is missing
        ([*range(10), 200, 11, 12], 1),  # a time is wrong
        ([*range(10), 11, 10, 11], 2),  # ahead by one, and back: 9, 11, 10
        ([*range(10), 1 << 22, (1 << 22) + 1], 1),  # a leap
        ([*range(5), 7, 8, 9], 0),  # too early to tell
        ([*range(10), 500, 501, 502], 0),  # a pause
        ([(1 << 28) - 2, (1 << 28) - 1, 0, 1], 0),  # the clock rolls over
    ],
)
def test_times_that_are_not_borne_out_are_doubts(
    kernels: ModuleType, values: Iterable[int], doubts: int
) -> None:
    assert marks(kernels, "evt2", ticking(values))[1] == doubts


def test_times_of_few_words_are_no_doubts(kernels: ModuleType) -> None:
    values = [*range(10), 11, 12]
    assert marks(kernels, "evt2", ticking(values, events=10))[1] == 0


def test_a_time_between_events_that_go_on_is_a_doubt(kernels: ModuleType) -> None:
    words = ticking(range(12))
    at = 101 * 10
    words[at - 1], words[at + 1] = 1 << 22, 2 << 22
    assert marks(kernels, "evt2", words)[1] == 1


def test_where_the_words_end_it_cannot_be_told_whether_events_go_on(kernels: ModuleType) -> None:
    words = ticking(range(12))
    assert marks(kernels, "evt2", words[: 101 * 10 + 1])[1] == 1
    assert marks(kernels, "evt2", words[: 101 * 10 + 4])[1] == 0


def test_evt21_has_its_types_in_one_half(kernels: ModuleType) -> None:
    words = [0x80000001, 0x20000000, 0x10000000, 0x80000002]
    for typed in (0, 4):
        state = kernels.marks_state(stride=8, typed=typed, **TYPES["evt2"])
        data = packed((word << 8 * typed for word in words), 8)
        assert kernels.evt2_marks(data, state).tolist() == [0, 1, 3]
        assert (state.words, state.last, state.time, state.place) == (4, 0x80000002, 2, 3)


def test_evt3_has_marks(kernels: ModuleType) -> None:
    words = [0x8001, 0x6000, 0x8001, 0x9000, 0x0000, 0xB000, 0xC000, 0x8002]
    assert marks3(kernels, words) == ([0, 3, 5, 6, 7], 3)


def test_evt3_s_low_times_begin_again(kernels: ModuleType) -> None:
    lows = [0x6000 | index * 40 for index in range(100)]
    words = [word for value in range(12) for word in (0x8000 | value, *lows)]
    assert marks3(kernels, words)[1] == 0
    words[101 * 10 - 1], words[101 * 10 + 1] = 0x6000, 0x6001
    assert marks3(kernels, words)[1] == 1


def test_dat_has_marks_where_time_leaps_and_where_bits_are_reserved(kernels: ModuleType) -> None:
    step, top = 1 << 20, 1 << 32
    times = [top - 5, 3, 3 + step, 4 + 2 * step, 4 + step, 3]
    rest = [0, 1 << 31, 0, 0, 0, 1 << 29]
    state = kernels.marks_state(last=-1, reserved=0xE0000000)
    data = packed((t | r << 32 for t, r in zip(times, rest, strict=True)), 8)
    assert kernels.dat_marks(data, state).tolist() == [1, 3, 5]
    assert (state.last, state.doubts) == (3, 3)
    assert kernels.dat_marks(packed([5 + step], 8), state).tolist() == [0]
    assert kernels.dat_marks(b"", state).tolist() == []


def test_what_is_no_whole_word_is_left(kernels: ModuleType) -> None:
    state = kernels.marks_state(**TYPES["evt2"])
    assert kernels.evt2_marks(b"\1\0\0\x80\2\0\0", state).tolist() == [0]
    assert state.words == 1
    assert kernels.evt3_marks(np.zeros(0, np.uint8), state).tolist() == []
