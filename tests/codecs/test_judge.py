"""Whether a time is true, and where words begin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aevents.codecs.judge import LEAP_US, aligned, bent, judged, judged_first, judged_last

LOW = -32


def steps_from(now: int) -> Callable[[int], int]:
    return lambda value: 64 * (value - now)


def steps_to(witnesses: list[int]) -> Callable[[int], list[int]]:
    return lambda value: [64 * (one - value) for one in witnesses]


def judge(value: int, now: int, witnesses: list[int]) -> int | None:
    after = steps_to(witnesses)
    return judged(value, bent(value, 28), steps_from(now), after, after(now), LOW)


def test_a_time_that_goes_on_is_true() -> None:
    assert judge(101, 100, [102, 103, 104]) == 101


def test_a_flipped_bit_is_undone() -> None:
    for bit in range(5, 28):
        assert judge(101 ^ 1 << bit, 100, [102, 103, 104]) == 101


def test_a_leap_that_is_borne_out_is_true() -> None:
    far = 100 + LEAP_US
    assert judge(far, 100, [far + 1, far + 2, far + 3]) == far


def test_a_wild_time_between_good_ones_is_none() -> None:
    assert judge(0x5555555, 100, [101, 102, 103]) is None


@pytest.mark.parametrize("dense", [True, False])
def test_the_last_time_is_held_against_the_one_before(dense: bool) -> None:
    def last(value: int) -> int | None:
        return judged_last(value, bent(value, 28), steps_from(100), LOW, dense=dense)

    assert last(100) == 100
    assert last(100 ^ 1 << 26) == 100


def test_the_first_time_is_believed_if_little_follows() -> None:
    assert judged_first(100, bent(100, 28), steps_to([101, 102, 103]), LOW, dense=True) == 100
    assert judged_first(7, bent(7, 28), steps_to([9]), LOW, dense=True) == 7


def test_each_bit_is_bent_once() -> None:
    assert bent(0, 3) == [1, 2, 4]
    assert bent(5, 2) == [4, 7]


def test_words_begin_where_they_make_sense() -> None:
    assert aligned([(0, 0), (90, 0)], 128) == 0
    assert aligned([(90, 0), (0, 0)], 128) == 1
    assert aligned([(90, 0), (80, 0)], 128) is None  # nowhere
    assert aligned([(2, 0), (1, 0)], 128) == 0  # no clear case
    assert aligned([(0, 60), (0, 0)], 128) == 1  # off the sensor, but for one
    assert aligned([(0, 60), (0, 50)], 128) == 0  # off the sensor everywhere: its size is wrong
