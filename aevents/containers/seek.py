"""Where in a bag to begin: bisection over places (chunks, messages) by the time of what is in them.

The clock of EVT3 has 24 bits and that of EVT2 34: in the middle of a recording they do not tell how
often they have rolled over. The times at which messages were logged do, if they go along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MARGIN_US = 10_000
"""Events may be so late, behind others, and are found all the same."""
TRUSTED = 8
"""Logged times must agree with a clock to within this part of its range."""


class First(NamedTuple):
    """The first item at a place: its time and when it was logged, in µs, and the range of its
    clock if that rolls over.
    """

    time: int
    logged: int
    clock: int = 0


Look = Callable[[int], First | None]


def find(count: int, look: Look, start: int, *, settle: int) -> tuple[int, int] | None:
    """Return the number of the place to begin at for all from `start` µs on, and what to add to the
    clock from there on; None if that cannot be told.

    `look` gives the first item at or after one of `count` places. Where the clock rolls over, what
    comes first may make no sense: the answer is so many places (`settle`) earlier.
    """
    origin = look(0) if count else None
    if origin is None:
        return None

    def time_at(number: int) -> int | None:
        first = look(number)
        return first and first.time + _rolled(first, origin)

    try:
        number = last_before(count, time_at, start - MARGIN_US)
        number = max(0, number - settle) if origin.clock else number
        first = look(number)
        return (number, _rolled(first, origin)) if first else None
    except ValueError:
        return None


def last_before(count: int, time_at: Callable[[int], int | None], start: int) -> int:
    """Return the last of `count` places, in order of time, that begins before `start`; or 0."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        time = time_at(middle)
        if time is None or time >= start:
            high = middle
        else:
            low = middle + 1
    return max(0, low - 1)


def _rolled(first: First, origin: First) -> int:
    """Return what the clock has lost by rolling over. Raises `ValueError` if that is unclear."""
    if not first.clock:
        return 0
    ahead = origin.time + first.logged - origin.logged - first.time
    lost = round(ahead / first.clock) * first.clock
    if abs(ahead - lost) > first.clock // TRUSTED:
        raise ValueError("the clock and the times of messages do not go along")
    return lost
