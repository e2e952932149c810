"""Whether a time is true, and where words begin: a table of cases for each judgement."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aevents.codecs.judge import (
    LEAP_US,
    VOTERS,
    aligned,
    bent,
    judged,
    judged_first,
    judged_last,
)

LOW = -32
PERIOD = 64
FAR = 10 * LEAP_US


def steps_from(witnesses: list[int]) -> Callable[[int], list[int]]:
    return lambda one: [witness - one for witness in witnesses]


def judge(now: int, value: int, *witnesses: int) -> int | None:
    after = steps_from(list(witnesses))
    return judged(value, bent(value, 30), lambda one: one - now, after, after(now), LOW)


CASES = {
    "it joins on both sides": (1000, 1010, [1020, 1030, 1040], 1010),
    "a leap forward that others go on from": (1000, FAR, [FAR + 9, FAR + 20, FAR + 30], FAR),
    "leaps all the way": (1000, FAR, [2 * FAR, 3 * FAR, 4 * FAR], FAR),
    "a clock that was set back": (FAR, 1000, [1010, 1020, 1030], 1000),
    "one bit too many": (1000, 1010 + (1 << 25), [1020, 1030, 1040], 1010),
    "one bit too few": (3 << 20, (3 << 20) - (1 << 20) + 8, [(3 << 20) + 9] * 3, (3 << 20) + 8),
    "nothing bears it out": (1000, FAR + 12345, [1020, 1030, 1040], None),
    "the witness is wrong": (1000, 1010, [FAR * 9, 1030, 1040], 1010),
    "a small step back of merged streams": (1000, 950, [1000, 1001, 1002], 950),
}


@pytest.mark.parametrize("case", CASES)
def test_a_time_is_judged_by_what_comes_before_and_behind(case: str) -> None:
    now, value, witnesses, expected = CASES[case]
    assert judge(now, value, *witnesses) == expected


def test_a_clock_that_would_go_around_once_more_is_wrong_if_all_say_so() -> None:
    around = 1 << 24  # the range of the clock: steps back by half of it or more are roll-overs

    def step(start: int, stop: int) -> int:
        return stop - start + (around if stop - start <= -around // 2 else 0)

    now, value, witnesses = 100, 100 + around // 2, [100, 110, 120]
    true = judged(
        value,
        bent(value, 24),
        lambda one: step(now, one),
        lambda one: [step(one, witness) for witness in witnesses],
        [step(now, witness) for witness in witnesses],
        LOW,
    )
    assert true == 100


def test_the_last_time_is_taken_unless_it_leaps() -> None:
    def last(now: int, value: int, *, dense: bool = False) -> int | None:
        return judged_last(value, bent(value, 30), lambda one: one - now, LOW, dense=dense)

    assert last(1000, 1020) == 1020
    assert last(1000, 900) == 900
    assert last(1000, 1000 + 512) == 1512
    assert last(1000, 1004 + 4096, dense=True) == 1004
    assert last(1000, 1004 + 4096) == 5100
    assert last(1000, 1000 + (1 << 25)) == 1000
    assert last(1000, FAR + 4321) == FAR + 4321
    assert last(2 * FAR, 4321) is None


def test_the_first_time_is_held_against_those_that_follow() -> None:
    def first(value: int, *witnesses: int, dense: bool = True) -> int:
        return judged_first(value, bent(value, 30), steps_from(list(witnesses)), LOW, dense=dense)

    assert first(1000, 1001) == 1000  # one alone is no witness
    assert first(1000, 1001, 1065, 1129) == 1000
    assert first(1000 + (1 << 20), 1001, 1065, 1129) == 1000
    assert first(1000 - 512, 1001, 1065, 1129) == 1000
    assert first(1000 - 512, 1001, 1065, 1129, dense=False) == 488  # a pause
    assert first(1000 - 512, 1001, 1016, 1032, dense=False) == 1000  # cameras repeat themselves
    assert first(1000, 1001 - 512, 1065, 1129) == 1000  # the first witness is wrong


def test_words_begin_where_they_make_sense() -> None:
    clean, bad = (0, 0), (40, 0)
    assert aligned([clean, bad, bad, bad], VOTERS) == 0
    assert aligned([bad, bad, clean, bad], VOTERS) == 2
    assert aligned([(2, 0), bad, clean, bad], VOTERS) == 0  # a little damage is no reason
    assert aligned([bad, bad, bad, bad], VOTERS) is None
    assert aligned([(9, 0), (9, 0)], 10) == 0  # too few words to say that none makes sense


def test_coordinates_count_only_where_some_are_on_the_sensor() -> None:
    assert aligned([(3, 60), (3, 0)], VOTERS) == 1
    assert aligned([(0, 128), (3, 60)], VOTERS) == 0  # the sensor's size is wrong
