"""Bisection on TIME_HIGH words."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from aevents.codecs.base import Jump
from aevents.codecs.raw_seek import MOST_LOOK, HighWords, Words, locate_high

BODY = 10


def highs(words: Words) -> npt.NDArray[np.bool_]:
    high: npt.NDArray[np.bool_] = words >> 28 == 0x8
    return high


def located(words: Words, start: int, *, t0: int = 0, halves: int = 1, typed: int = 0) -> object:
    data = bytes(BODY) + words.astype("<u4").tobytes()

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    return locate_high(read, len(data), start, t0, HighWords(BODY, halves, typed, highs))


def clock(step: int, *, every: int = 500, count: int = 1000) -> Words:
    """Return TIME_HIGH words `step` units of 64 µs apart, with `every` - 1 others after each."""
    words = np.full(count * every, 0x1234_5678, np.uint32)
    words[::every] = 0x8000_0000 | np.arange(count) * step % (1 << 28)
    return words


def test_the_jump_is_to_a_time_high_word() -> None:
    jump = located(clock(1000), 40_000_000)
    assert isinstance(jump, Jump)
    loop, high = cast("tuple[int, int]", jump.state)
    assert loop == 0
    assert jump.offset == BODY + 4 * 500 * high // 1000
    assert jump.time == 64 * high
    assert 30_000_000 < jump.time < 40_000_000 - 10_000


def test_roll_overs_are_counted_and_t0_is_added() -> None:
    step = 1 << 21
    jump = located(clock(step), 5 << 34, t0=1 << 34)
    assert isinstance(jump, Jump)
    loop, high = cast("tuple[int, int]", jump.state)
    assert loop == 3 << 34
    assert jump.time == loop + 64 * high + (1 << 34)
    assert (4 << 34) < jump.time < (5 << 34)


@pytest.mark.parametrize("typed", [0, 1])
def test_words_may_have_two_halves(typed: int) -> None:
    words = np.zeros((500_000, 2), np.uint32)
    words[:, typed] = clock(1000)
    jump = located(words.reshape(-1), 40_000_000, halves=2, typed=typed)
    assert isinstance(jump, Jump)
    assert (jump.offset - BODY) % 8 == 0
    assert jump.time == 64 * cast("tuple[int, int]", jump.state)[1]


def test_where_there_is_no_clock_there_is_no_jump() -> None:
    assert located(np.zeros(MOST_LOOK, np.uint32), 40_000_000) is None
    assert located(np.zeros(10, np.uint32), 40_000_000) is None


def test_the_beginning_needs_no_jump() -> None:
    assert located(clock(1000), 5) is None
