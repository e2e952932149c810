"""Which times of a clock cannot be what was written."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.codecs.clock import Clock, Stretches, doubts, one_bit, usual_around

CLOCK = Clock(bits=12, leap=25, far=1 << 10)
TOP = CLOCK.mask


def judged(
    values: list[int],
    goes_on: list[int] | None = None,
    *,
    words: int = 100,
    first: bool = False,
    clock: Clock = CLOCK,
) -> tuple[dict[int, int], list[int]]:
    """Return what is doubted of times that stand for so many words each."""
    count = len(values)
    flags = np.zeros(count, np.bool_)
    flags[goes_on or []] = True
    places = np.arange(count) * words
    found = Stretches(np.array(values, np.int64), places, np.full(count, words))
    return tuple(doubts(found, flags, clock, first=first))  # type: ignore[return-value]  # named


def test_steps_are_those_of_a_clock_that_never_goes_back() -> None:
    assert CLOCK.steps(np.array([TOP, 0, 1, 0])).tolist() == [1, 1, TOP]
    assert CLOCK.beyond(np.array([25, 26, TOP - 24, TOP - 25]), 25).tolist() == [0, 1, 0, 1]


def test_one_bit_differs() -> None:
    assert [one_bit(number) for number in (0, 1, 3, 4, 1 << 40)] == [0, 1, 0, 1, 1]


# What it shows, times (behind eight usual ones, up to 9), where lower bits go on, what is wrong.
TIMES: list[tuple[str, list[int], list[int], dict[int, int]]] = [
    ("time runs on", [10, 11, 12, 13], [], {}),
    ("a bit has flipped", [10 ^ 64, 11, 12], [], {10: 10}),
    ("that is not one bit", [10 ^ 5, 11, 12], [], {}),
    ("a pause", [700, 701, 702], [], {}),
    ("a leap there and back", [2000, 10, 11], [], {10: 9}),
    ("the same, past a time", [2000, 11, 12], [], {10: 10}),
    ("a time that is said again has flipped", [9 ^ 16, 9, 10], [10, 11], {10: 9}),
    ("late events", [9 ^ 1, 9, 10], [10], {}),
    ("late events of another place", [9 ^ 1, 9, 10], [11], {}),
    ("a time that is said again has flipped, and the clock moves", [9 ^ 1, 10, 11], [10], {10: 9}),
    ("a new time has flipped, and is said again", [10 ^ 2, 10, 11], [11], {10: 10}),
    ("a time has flipped to the next", [10, 9, 10, 11], [10, 11], {10: 9}),
    ("a late row", [10, 9, 10, 11], [], {}),
    ("late events that join on before only", [10, 9, 10, 11], [10], {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "goes_on", "wrong"), [c[1:] for c in TIMES], ids=[c[0] for c in TIMES]
)
def test_what_neighbours_do_not_bear_out_is_wrong(
    times: list[int], goes_on: list[int], wrong: dict[int, int]
) -> None:
    assert judged([*range(10), *times], goes_on)[0] == wrong


def test_the_clock_rolls_over() -> None:
    values = [*range(TOP - 9, TOP + 1), 0 ^ 512, 1, 2]
    assert judged(values)[0] == {10: 0}


def test_times_that_stand_for_few_words_are_let_be_unless_they_leap() -> None:
    before = list(range(10))
    assert judged([*before, 10 ^ 16, 11, 12], words=64)[0] == {}
    assert judged([*before, 10 ^ 512, 11, 12], words=64)[0] == {10: 10}


def test_among_unusual_steps_only_leaps_are_judged() -> None:
    before = [0, 1, 3, 4, 6, 7, 9, 10, 12, 13]
    assert judged([*before, 14 ^ 16, 15, 16])[0] == {}
    wide = Clock(bits=28, leap=1600, far=1 << 20)
    times = [0, 1, 3, 100, 101, 200, 203, 210, 211, 213, 1 << 20, 300, 301]
    assert judged(times, clock=wide)[0] == {10: 213}
    assert judged([*times[:11], 500, 501], clock=wide)[0] == {}


def test_a_time_may_be_late() -> None:
    before = list(range(10))
    assert judged([*before, 11, 12])[1] == [9]
    assert judged([*before, 10, 11, 12], [10])[1] == [9]
    assert judged([*before, 10, 11, 12])[1] == []
    assert judged([0, 1, 3, 4, 6, 7, 9, 10, 12])[1] == []


def test_without_context_nothing_is_judged() -> None:
    assert judged([5]) == ({}, [])
    assert judged([5, 6, 7, 8]) == ({}, [])
    assert judged([5, 70, 7, 8])[0] == {}


def test_at_the_beginning_what_follows_is_the_context() -> None:
    assert judged([4, 5, 6 ^ 64, 7, 8, 9], first=True)[0] == {2: 6}
    odd = np.array([0, 0, 1, 1, 0, 0], np.bool_)
    assert usual_around(odd, first=True).tolist() == [0, 0, 1, 0, 0, 0]
    assert usual_around(odd, first=False).tolist() == [0] * 6
    later = np.array([0] * 9 + [1, 0], np.bool_)
    assert usual_around(later, first=False).tolist() == [0] * 8 + [1, 1, 0]
