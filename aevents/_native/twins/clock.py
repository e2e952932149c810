"""Doubt in NumPy: at which word a reader stops; the specification of what `clock.h` reads.

A time is TIME_HIGH and some low bits. Damage shows as a step back by half of what these count, or
more: a TIME_HIGH is believed if there is no such step before it and behind it, and no leap forward
by more than a second. One that joins on at once needs no look at what follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .words import carried

if TYPE_CHECKING:
    from .words import Flags, Integers

LEAP = 1 << 20
LOOK = 32768
PLAIN, TIMED, VECTOR, HIGH, RESERVED = range(5)


class Doubting(Protocol):
    """What the states of readers have in common."""

    started: int
    high: int
    low: int
    trusted: int
    unsorted: int
    lenient: int
    doubt: int


@dataclass(slots=True)
class Marks:
    """For each word what it is to the clock, its value as TIME_HIGH and its low bits of time.

    `after` says where the stream is behind TIME_HIGH `i`, given the time before it, modulo the
    clock's range; -1 if there are too few words to tell. Where TIME_HIGH `repeats`, the same again
    is beyond doubt.
    """

    kind: Integers
    high: Integers
    low: Integers
    bits: int
    range: int
    after: Callable[[Marks, int, int], int]
    repeats: bool = False

    def joins(self, start: int, stop: int, most: int) -> bool:
        """Return whether time steps like that."""
        half = 1 << self.range - 1
        step = (stop - start + half) % (2 * half) - half
        return -(1 << self.bits - 1) <= step <= most


def after_next(marks: Marks, i: int, before: int) -> int:
    """Return the time behind TIME_HIGH `i` where the next word has low bits, or none has."""
    if i + 1 >= len(marks.kind):
        return -1
    high = int(marks.high[i])
    if marks.kind[i + 1] in (TIMED, VECTOR):
        return (high << marks.bits) + int(marks.low[i + 1])
    return (high << marks.bits) + (before & 63 if before >> marks.bits == high else 0)


def running_lows(marks: Marks, state: Doubting, timed: Flags) -> Integers:
    """Return the low bits of time after each word; a new TIME_HIGH sets them to 0."""
    is_high = marks.kind == HIGH
    high = carried(is_high, marks.high, state.high)
    new = is_high & (high != np.concatenate(([state.high], high[:-1])))
    sets = (marks.kind == TIMED) & timed
    values = np.where(sets, marks.low, 0)
    vectors = np.flatnonzero((marks.kind == VECTOR)[:-1] & timed[:-1])  # with the mask
    sets[vectors + 1], values[vectors + 1] = True, marks.low[vectors]
    return carried(sets | new, values, state.low)


def first_doubt(marks: Marks, state: Doubting, lows: Integers, known: int = 0) -> int:
    """Return the first word that is doubtful, or their number. If one is `known`, it is a vector
    that was taken before.
    """
    kind, count = marks.kind, len(marks.kind)
    if state.trusted or count <= known:
        return count
    is_high = kind == HIGH
    first = 2 * known  # behind the mask
    if not (state.started or state.unsorted) and first < count and not is_high[first]:
        return first
    first_high = 0 if state.started else int(np.argmax(is_high)) if is_high.any() else count
    unsorted = state.unsorted and state.started
    before = np.concatenate(([state.low], lows[:-1]))
    fallen = np.isin(kind, (TIMED, VECTOR)) & (marks.low + (1 << marks.bits - 1) <= before)
    odd = fallen & (not unsorted) | (kind == RESERVED) & (not state.lenient)
    odd[: max(first_high, known)] = False
    end = int(np.argmax(odd)) if odd.any() else count
    high = np.concatenate(([state.high], carried(is_high, marks.high, state.high)[:-1]))
    for i in np.flatnonzero(is_high[:end]).tolist():
        now = (int(high[i]) << marks.bits) + int(before[i])
        started = bool(state.started) or i > first_high
        repeated = marks.repeats and started and marks.high[i] == high[i]
        if not repeated and not _believed(marks, i, now, started, state):
            return i
    return end


def _believed(marks: Marks, i: int, before: int, started: bool, state: Doubting) -> bool:
    now = marks.after(marks, i, before)
    if now < 0:
        return False
    half = 1 << marks.bits - 1
    if started and marks.joins(before, now, half):
        return True
    if started and not marks.joins(before, now, LEAP):
        return False
    end = min(i + LOOK, len(marks.kind))
    kind, low = marks.kind[i + 1 : end], marks.low[i + 1 : end]
    stops = (kind == HIGH) | (kind == RESERVED) & (not state.lenient)
    if not stops.any():
        return False
    j = int(np.argmax(stops))
    if kind[j] != HIGH or i + 1 + j + (marks.after is after_next) >= end:
        return False
    times = np.flatnonzero(np.isin(kind[:j], (TIMED, VECTOR)))
    if len(times):
        now = (now >> marks.bits << marks.bits) + int(low[times[-1]])
    following = marks.after(marks, i + 1 + j, now)
    return following >= 0 and marks.joins(now, following, LEAP if started else half)
