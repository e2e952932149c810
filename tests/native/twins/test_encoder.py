"""What the writers in NumPy share: the way of a clock of 4 bits, in small steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from aevents._native.twins.encoder import (
    MOST_LOOPS,
    encoder_state,
    finish,
    first_bad,
    high_words,
    next_high,
    way,
)

BITS, FALL = 4, 9  # times from 0 to 15; a fall of 9 or more is a roll-over


@pytest.mark.parametrize(
    ("now", "goal", "steps"),
    [
        (3, 3, [3]),
        (3, 12, [12]),
        (12, 4, [4]),  # a small fall is a step back
        (12, 3, []),  # a large one would be a roll-over
        (15, 16, [16]),
        (14, 18, [18]),
        (3, 18, [15, 18]),  # by way of the top
        (12, 21, [16, 21]),
        (3, 40, [15, 16, 31, 32, 40]),
        (20, 3, []),  # into an earlier round
        (0, (MOST_LOOPS + 1) << BITS, []),
    ],
)
def test_the_way_of_a_clock(now: int, goal: int, steps: list[int]) -> None:
    assert way(now, goal, BITS, FALL) == steps
    assert next_high(now, goal, BITS, FALL) == (steps[0] if steps else -1)


def test_a_reader_counts_each_roll_over_on_the_way_once() -> None:
    for now in range(16):
        for goal in range(16, 48):
            steps = [now, *way(now, goal, BITS, FALL)]
            low = [step % 16 for step in steps]
            falls = sum(a - b >= FALL for a, b in pairwise(low))
            assert falls == goal // 16, (now, goal)


def test_time_words_stand_before_the_events_that_need_them() -> None:
    state = encoder_state()
    words, before, good = high_words(np.array([0, 1, 2, 5, 64]), state, 1, BITS, FALL)
    assert words.tolist() == [0, 1, 2, 15, 0, 15, 0]
    assert before.tolist() == [0, 2, 3, 4, 4, 4, 4]
    assert good == 5


def test_events_after_one_that_cannot_be_reached_are_not_written() -> None:
    state = encoder_state()
    words, before, good = high_words(np.array([30, 2, 30]), state, 1, BITS, FALL)
    assert (words.tolist(), before.tolist(), good) == ([15], [0], 1)


def test_a_writer_goes_on_where_it_stood() -> None:
    state = encoder_state(width=5, version=1)
    assert (state.width, state.version, state.started) == (5, 1, 0)
    finish(state, np.array([3, 9]), 2)
    assert (state.next, state.refused, state.started, state.time) == (2, 0, 1, 9)
    words, _, good = high_words(np.array([9]), state, 1, BITS, FALL)
    assert (words.tolist(), good) == ([], 1)
    finish(state, np.array([3, 9]), 0)
    assert (state.next, state.refused, state.time) == (0, 1, 9)


def test_the_first_that_is_not_good() -> None:
    assert first_bad(np.array([True, True])) == 2
    assert first_bad(np.array([True, False, False])) == 1
    assert first_bad(np.array([], np.bool_)) == 0
