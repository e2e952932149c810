"""Damage in words whose time stands in TIME_HIGH words: EVT2, EVT2.1, EVT3 and EVT4."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from aevents.codecs.clock import CONTEXT, FEW_WORDS, Clock, doubts
from aevents.codecs.mend import Integers, Marks, Mender, Tape, Turn

PAST = CONTEXT + 2
"""So many times are remembered."""
BEGINNING = 2 * CONTEXT + 2
"""So many times are waited for at the beginning, where what follows is all there is to judge by."""
MOST_HELD = 1 << 22
"""Where the clock stands still for so many bytes, they are not held any longer."""


class HighMender(Mender):
    """Mends the clock, too."""

    clock: ClassVar[Clock]

    def __init__(self, damaged: Callable[..., None], offset: int, *, first: bool = True) -> None:
        super().__init__(damaged, offset)
        self._past = np.zeros(0, np.int64)  # the times before what has not been handed on
        self._first = first  # the past begins with the recording

    @abstractmethod
    def find(self, words: memoryview, value: int) -> int | None:
        """Return the number of the only word that but for one bit says this time."""

    def leaps(self, marks: Marks) -> Integers:
        """Return the places of the words that say a time far from the one before."""
        before = self._past[-1:]
        steps = self.clock.steps(np.concatenate((before, marks.values)))
        return marks.places[np.flatnonzero(self.clock.leaps(steps)) + 1 - len(before)]

    def judge(
        self, tape: Tape, marks: Marks, end: int, *, until: int | None, final: bool
    ) -> tuple[int, list[tuple[int, Turn]]]:
        """Judge each time by the next, and those that no next will come for."""
        values = np.concatenate((self._past, marks.values))
        places = np.concatenate((np.full(len(self._past), -1), marks.places))
        moved = np.diff(values, prepend=-1) != 0
        values, places = values[moved], places[moved]
        begun, known, stop = len(self._past), len(values), end
        if until is not None:
            known, stop = self._known(places, until)
        if not stop:
            return 0, []
        words = np.diff(places, append=end)
        found = doubts(values, words, self.clock, first=self._first, last=final)
        turns = [(int(places[i]), Turn(v)) for i, v in found.wrong if begun <= i < known]
        for i in (i for i in found.missed if begun <= i < known):
            turns += self._missed(tape, int(places[i]) + 1, int(words[i]) - 1, int(values[i]) + 1)
        if self._first and not begun and known and places[0] > FEW_WORDS:
            turns += self._missed(tape, 0, 1, int(values[0]) - 1)
        self._past = values[:known][-PAST:]
        self._first = self._first and known <= PAST
        return stop, sorted(turns, key=lambda turn: turn[0])

    def _known(self, places: Integers, until: int) -> tuple[int, int]:
        """Return how many times can be judged, and how many words handed on."""
        known = int(np.searchsorted(places, until, "right")) - 1
        waiting = self._first and len(places) < BEGINNING
        if known > len(self._past) - 1 and places[known] > 0 and not waiting:
            return known, int(places[known])
        return len(places), until if until * self.size > MOST_HELD else 0

    def _missed(self, tape: Tape, start: int, count: int, value: int) -> list[tuple[int, Turn]]:
        """Find the word that should have moved the clock to `value`."""
        value &= self.clock.mask
        place = self.find(memoryview(b"".join(tape.runs(start, start + count))), value)
        return [] if place is None else [(start + place, Turn(value))]
