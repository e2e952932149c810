"""Damage in words whose time stands in TIME_HIGH words: EVT2, EVT2.1, EVT3 and EVT4."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from aevents._native import kernels
from aevents.codecs import mend
from aevents.codecs.clock import (
    CONTEXT,
    FEW_WORDS,
    Clock,
    Flags,
    Integers,
    Stretches,
    doubts,
    one_bit,
    usual_around,
)
from aevents.codecs.mend import CLEARLY, Marks, Mender, Turn
from aevents.codecs.tape import Tape, Words

if TYPE_CHECKING:
    from aevents._native.twins import Ahead, MarksState  # not loaded where there is C

PAST = CONTEXT + 2
"""So many times are remembered."""
BEGINNING = 2 * CONTEXT + 2
"""So many times are waited for at the beginning, where what follows is all there is to judge by."""


class HighMender(Mender):
    """Mends the clock, too."""

    clock: ClassVar[Clock]
    low_range: ClassVar[int]
    """Values that the lower bits of time take."""
    near: ClassVar[int]
    """So many words around a TIME_HIGH have lower bits of time among them, if there are many."""

    def __init__(self, damaged: Callable[..., None], offset: int, *, first: bool = True) -> None:
        super().__init__(damaged, offset)
        self._past: list[int] = []  # the times before what has not been handed on
        self._first = first  # the past begins with the recording
        self._most = self.clock.far  # a usual step, at the last seam
        self._unsure = False  # whether to look closely at the first time
        self._low = -1  # the lower bits of time before what has not been handed on

    def _times(self) -> Integers:
        return np.array(self._past, np.int64)

    @abstractmethod
    def find(self, words: memoryview, value: int, bits: int) -> Integers:
        """Return the numbers of the words that say this time, but for so many bits: 0 or 1."""

    @abstractmethod
    def low_bits(self, words: Words) -> tuple[Integers, Flags]:
        """Return the lower bits of time that words say, and which of them do."""

    def lows(self, words: memoryview) -> tuple[Integers, Integers]:
        """Return the numbers of the words that say lower bits of time, and these."""
        values, are = self.low_bits(np.frombuffer(words, f"<u{self.size}"))
        places = np.flatnonzero(are)
        return places, values[places]

    def fall(self, tape: Tape, start: int, first: int) -> int:
        """Return where the lower bits of time fall, if they have words of their own; or `first`."""
        return first

    def remember(self, **fields: int) -> MarksState:
        """Return the state in which marking begins, after the times of the past."""
        clock, past = self.clock, self._past
        state = kernels.marks_state(mask=clock.mask, leap=clock.leap, far=clock.far, **fields)
        if past:
            steps = [after - before & clock.mask for before, after in pairwise(past)]
            usual = [step == 1 for step in steps]
            orderly = [step <= clock.leap // 16 for step in steps]
            state.doubts = int(self._unsure)
            state.last, state.time = self.word(past[-1]), past[-1]
            state.step = steps[-1] if steps else -1
            state.usual, state.orderly = _run(usual), _run(orderly)
            state.usual_before, state.orderly_before = _run(usual[:-1]), _run(orderly[:-1])
        return state

    @abstractmethod
    def word(self, value: int) -> int:
        """Return the word, or the half of it that has the type, that says this time."""

    def look_ahead(self) -> Ahead | None:
        """Return what looks ahead, but at the beginning."""
        return None if self._first else kernels.Ahead(self.state(), self._past)

    def waits(self, times: int) -> bool:
        """Return whether so many are too few to judge them."""
        return self._first and times < BEGINNING and len(self._tape) <= mend.MOST_HELD

    def ends_well(self, ahead: Ahead) -> bool:
        """Return whether the last step is a usual one, and the clock does not move on unsaid."""
        last = ahead.last - ahead.decoded
        _, lows = self.lows(self._tape.part(last + 1, self._tape.words))
        falls = np.diff(lows) < -(self.low_range // 2)
        return ahead.marks.step == 1 and last >= 0 and not falls.any()

    def recall(self, ahead: Ahead, before: memoryview) -> None:
        """Remember the last times, and the lower bits of the last."""
        self._past = ahead.past(PAST)
        self._leave(np.frombuffer(before, f"<u{self.size}")[-self.near :])

    @abstractmethod
    def values(self, words: Words) -> Integers:
        """Return the times that TIME_HIGH words say."""

    def seam(self, tape: Tape, marks: Marks, start: int, first: int) -> int:
        """Return where a step is more than twice as long as those before."""
        values = np.concatenate((self._times(), marks.values))
        steps, past = self.clock.steps(values), len(self._past)
        for index in range(np.searchsorted(marks.places, start), len(marks.places)):
            usual = steps[max(index + past - PAST, 0) : max(index + past - 1, 0)]
            self._most = 2 * int(usual.max()) + 2 if len(usual) else self.clock.far
            place = int(marks.places[index])
            if place >= first or (index + past and steps[index + past - 1] > self._most):
                return min(place, self.fall(tape, start, first))
        return self.fall(tape, start, first)

    def far(self, marks: Marks) -> Integers:
        """Return the places of the words that say a time far from the one before."""
        past = self._times()[-1:]
        steps = self.clock.steps(np.concatenate((past, marks.values)))
        return marks.places[
            np.flatnonzero(self.clock.beyond(steps, self.clock.far)) + 1 - len(past)
        ]

    def doubtful(self, words: memoryview, marks: Marks) -> Integers:
        """Return what is strange, or says a time that is not soon after the one before."""
        leaps = marks.places[1:][self.clock.steps(marks.values) > CLEARLY * self._most]
        return np.union1d(marks.strange, leaps)

    def judge(
        self, tape: Tape, marks: Marks, end: int, *, until: int | None, final: bool
    ) -> tuple[int, list[tuple[int, Turn]]]:
        """Judge each time by the next, and those that no next will come for."""
        values = np.concatenate((self._times(), marks.values))
        places = np.concatenate((np.full(len(self._past), -1), marks.places))
        moved = np.diff(values, prepend=-1) != 0
        found = Stretches(values[moved], places[moved], np.diff(places[moved], append=end))
        begun, known, stop = len(self._past), len(found.values), end
        if until is not None:
            known, stop = self._known(found.places, until)
        if not stop:
            return 0, []
        turns = dict(self._turns(tape, found, begun, known, final=final))
        self._past = found.values[:known][-PAST:].tolist()
        self._first = self._first and known <= PAST
        self._leave(tape.words_at(np.arange(max(stop - self.near, 0), stop)))
        ahead = self.clock.steps(found.values[max(known - 1, 0) : known + 1])
        self._unsure = bool((ahead == 2).any())
        return stop, sorted(turns.items())

    def _known(self, places: Integers, until: int) -> tuple[int, int]:
        """Return how many times can be judged, and how many words handed on."""
        known = min(int(np.searchsorted(places, until, "right")) - 1, len(places) - 2)
        waiting = self._first and len(places) < BEGINNING
        if known > len(self._past) - 1 and places[known] > 0 and not waiting:
            return known, int(places[known])
        return len(places), until if until * self.size > mend.MOST_HELD else 0

    def _turns(
        self, tape: Tape, found: Stretches, begun: int, known: int, *, final: bool
    ) -> Iterator[tuple[int, Turn]]:
        """Yield where the clock is not what it says it is, among the times from `begun` to `known`,
        and what it is.
        """
        goes_on = self._goes_on(tape, found, begun)
        wrong, late = doubts(found, goes_on, self.clock, first=self._first)
        if self._first and not begun:
            wrong = self._at_first(tape, found, goes_on) or wrong
            yield from self._before_first(tape, found)
        if final:
            wrong |= self._at_last(tape, found)
            if not (self.clock.steps(found.values[-PAST:]) != 1).any():
                late.append(len(found.values) - 1)
        for index in wrong:
            if begun <= index < known:
                yield int(found.places[index]), Turn(wrong[index], instead=True)
        yield from self._passed(tape, found, late, (begun, known))

    def _passed(
        self, tape: Tape, found: Stretches, late: list[int], judged: tuple[int, int]
    ) -> Iterator[tuple[int, Turn]]:
        """Yield where the clock is not moved on when it should be."""
        begun, known = judged
        for index in late:
            many = begun <= index < known and found.words[index] > FEW_WORDS
            moved = many and self._moved(tape, found, index)
            if moved:
                yield moved
            elif begun <= index + 1 < known and (many or index < begun):
                yield from self._early(tape, found, index + 1)

    def _goes_on(self, tape: Tape, found: Stretches, begun: int) -> Flags:
        """Say at which times the lower bits of time go on from where they were, although others
        would begin again.
        """
        goes_on = np.zeros(len(found.values), np.bool_)
        around = found.words > FEW_WORDS
        around[1:] |= around[:-1]
        around[begun : begun + 1] = begun > 0
        many = np.flatnonzero(around)
        many = many[many >= max(begun, 1)]
        places = found.places[many, None] + np.arange(-self.near, self.near + 1)
        values, are = self.low_bits(tape.words_at(places))
        are &= (places >= 0) & (places < tape.words)
        are[:, self.near] = False
        if self._low >= 0 and not found.places[many[:1]].any():
            values[:1, self.near - 1], are[:1, self.near - 1] = self._low, True
        before, behind = are[:, : self.near + 1], are[:, self.near :]
        rows = np.arange(len(many))
        last = values[rows, self.near - before[:, ::-1].argmax(1)]
        first = values[rows, self.near + behind.argmax(1)]
        goes_on[many] = before.any(1) & behind.any(1) & (last <= first)
        goes_on[many] &= first - last <= self.low_range // 4
        return goes_on

    def _leave(self, before: Words) -> None:
        """Remember the lower bits of time of these words."""
        values, are = self.low_bits(before)
        self._low = int(values[are][-1]) if are.any() else -1

    def _before_first(self, tape: Tape, found: Stretches) -> Iterator[tuple[int, Turn]]:
        """Yield the first word of the recording as a time, if but for one bit it is."""
        if not len(found.places) or found.places[0] <= FEW_WORDS:
            return
        for value in (int(found.values[0]), int(found.values[0]) - 1 & self.clock.mask):
            if len(self.find(tape.part(0, 1), value, 1)):
                yield 0, Turn(value, instead=True)
                return

    def _at_first(self, tape: Tape, found: Stretches, goes_on: Flags) -> dict[int, int]:
        """Return the first time by its index, if the word that said it has one other bit."""
        steps = self.clock.steps(found.values[1 : CONTEXT + 2])
        usual = len(steps) > 1 and not (steps != 1).any() and not goes_on[2]
        if not usual or (found.words[:2] <= FEW_WORDS).any():
            return {}
        first, next, third = (int(value) for value in found.values[:3])
        if third == first and found.words[1] < found.words[0]:
            return {}
        within = self._fallen(self.lows(self._words(tape, found, 0)))
        if within is not None:
            again = next - first == 1 and self._says_again(tape, found, 0, within)
            return {0: first - 1 & self.clock.mask} if again else {}
        for moved in (0, 1):
            true = next - moved & self.clock.mask
            if one_bit(first ^ true) and self._joins(tape, found, 0, moved):
                return {0: true}
        return {}

    def _at_last(self, tape: Tape, found: Stretches) -> dict[int, int]:
        """Return the last time by its index, if the word that said it has one other bit, or was
        something else.
        """
        steps = self.clock.steps(found.values)
        if not len(steps) or steps[-1] == 1 or found.words[-1] <= FEW_WORDS:
            return {}
        if found.places[-2] < 0 or not usual_around(steps != 1, first=self._first)[-1]:
            return {}
        last, before = len(steps), int(found.values[-2])
        if self._fallen(self.lows(self._words(tape, found, last - 1))) is not None:
            return {}  # what is missing is the time in front of it
        true = before + 1 & self.clock.mask
        if one_bit(true ^ int(found.values[-1])) and self._joins(tape, found, last - 1, 1):
            return {last: true}
        leaps = self.clock.beyond(steps[-1:], self.clock.far)[0]
        return {last: before} if leaps and self._joins(tape, found, last - 1, 0) else {}

    def _moved(self, tape: Tape, found: Stretches, index: int) -> tuple[int, Turn] | None:
        """Return where the clock moved on by one between a time and the next that is said: a word
        still says so but for one bit, or the lower bits of time begin again.
        """
        value = int(found.values[index]) + 1 & self.clock.mask
        start, words = int(found.places[index]) + 1, self._words(tape, found, index)
        lows = self.lows(words)
        place = self._fallen(lows)
        near = [one for one in self.find(words, value, 1).tolist() if self._falls(lows, one)]
        if len(near) == 1:
            return start + near[0], Turn(value, instead=True)
        return None if place is None else (start + place, Turn(value))

    def _early(self, tape: Tape, found: Stretches, index: int) -> Iterator[tuple[int, Turn]]:
        """Yield a time that is true only from where it is said again: before that, it is the one
        before.
        """
        place = self._fallen(self.lows(self._words(tape, found, index)))
        if place is not None and self._says_again(tape, found, index, place):
            value = int(found.values[index]) - 1 & self.clock.mask
            yield int(found.places[index]), Turn(value, instead=True)

    def _says_again(self, tape: Tape, found: Stretches, index: int, place: int) -> bool:
        """Say whether a time is said again in front of this of its words."""
        words = self._words(tape, found, index)
        return place - 1 in self.find(words, int(found.values[index]), 0)

    def _joins(self, tape: Tape, found: Stretches, index: int, moved: int) -> bool:
        """Say whether the words behind a time, and those behind the next, would follow on without
        a break if the clock had moved on by this.
        """
        _, lows = self.lows(self._words(tape, found, index))
        _, next = self.lows(self._words(tape, found, index + 1))
        if not len(lows) or not len(next):
            return False
        gap = int(next[0] - lows[-1]) + moved * self.low_range
        return 0 <= gap <= 3 + 4 * int(lows[-1] - lows[0]) // len(lows)

    def _fallen(self, said: tuple[Integers, Integers]) -> int | None:
        """Return where the lower bits of time begin again, if they do so once; `said` is what words
        say of them.
        """
        places, lows = said
        half = self.low_range // 2
        falls = np.flatnonzero(np.diff(lows) < -half)
        if len(falls) != 1 or (np.diff(lows) > half).any():
            return None
        return int(places[falls[0] + 1])

    def _falls(self, said: tuple[Integers, Integers], place: int) -> bool:
        """Say whether the lower bits of time begin again around this word."""
        places, lows = said
        before, behind = int(places.searchsorted(place)), int(places.searchsorted(place, "right"))
        if not before or behind == len(places):
            return False
        return bool(lows[before - 1] - lows[behind] > self.low_range // 2)

    def _words(self, tape: Tape, found: Stretches, index: int) -> memoryview:
        start = int(found.places[index])
        return tape.part(start + 1, start + int(found.words[index]) if start >= 0 else 0)


def _run(flags: list[bool]) -> int:
    """Return how many at the end are true."""
    return next((count for count, flag in enumerate(reversed(flags)) if not flag), len(flags))
