"""What the decoders of EVT2, EVT2.1 and EVT4 share: a clock of TIME_HIGH words with 28 bits, in
units of 64 µs, by which a time is found and damage is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.codecs.base import Jump, ReadAt
from aevents.codecs.clock import Clock, Flags, Integers
from aevents.codecs.mend import Marks, Mender, Places, Turn
from aevents.codecs.mend_highs import HighMender
from aevents.codecs.packed import PackedDecoder
from aevents.codecs.raw_seek import CLOCK_RANGE, HighWords, locate_high
from aevents.codecs.tape import Words

if TYPE_CHECKING:
    from aevents._native.twins import Evt2State, MarksState  # not loaded where there is C

HIGH = 0xFFFFFFF
CLOCK = Clock(bits=28, leap=1600, far=1 << 20)


class Types(msgspec.Struct, frozen=True):
    """The types of words: of TIME_HIGH, of events alone in their word, of those that there are not,
    and of those whose next word has none.
    """

    high: int
    events: tuple[int, ...]
    reserved: tuple[int, ...]
    vectors: tuple[int, ...] = ()

    def sets(self) -> dict[str, int]:
        """Return what the kernel that marks words must know of them."""
        names = ("reserved", "events", "vectors")
        return {"high": self.high} | {
            name: sum(1 << type for type in getattr(self, name)) for name in names
        }

    def highs(self, words: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """Say which words are TIME_HIGH, by their halves that have the type."""
        kinds = words >> 28
        high: npt.NDArray[np.bool_] = kinds == self.high
        high[1:] &= ~np.isin(kinds[:-1], self.vectors)
        return high


class HighWordMender(HighMender):
    """Mends words of so many bytes, whose upper bits stand from byte `typed` on."""

    clock = CLOCK
    low_range = 64
    near = 2

    def __init__(
        self,
        types: Types,
        damaged: Callable[..., None],
        offset: int,
        *,
        layout: tuple[int, int],
        first: bool,
    ) -> None:
        self.size: int = layout[0]
        super().__init__(damaged, offset, first=first)
        self._typed = layout[1]
        self._types = types
        self._sets = types.sets()

    def state(self) -> MarksState:
        """Return the state in which marking begins."""
        return self.remember(stride=self.size, typed=self._typed, **self._sets)

    def mark(self, words: memoryview, state: MarksState) -> Places:
        """Return the numbers of the words of interest."""
        return kernels.evt2_marks(words, state)

    def look(self, words: memoryview, marked: Places, first: int) -> Marks:
        """Say what marked words are."""
        found = self._typed_halves(words)[marked]
        high = found >> 28 == self._types.high
        places = marked.astype(np.int64)
        return Marks(places[high], (found[high] & HIGH).astype(np.int64), places[~high])

    def word(self, value: int) -> int:
        """Return the half of a word that says this time."""
        return self._types.high << 28 | value

    def values(self, words: Words) -> Integers:
        """Return the times that TIME_HIGH words say."""
        return (self._halves(words) & HIGH).astype(np.int64)

    def find(self, words: memoryview, value: int, bits: int) -> Integers:
        """Return the numbers of the words that say this time, but for so many bits: 0 or 1."""
        different = self._typed_halves(words) ^ np.uint32(self._types.high << 28 | value)
        return np.flatnonzero((different & different - 1 == 0) & ((different != 0) == bits))

    def low_bits(self, words: Words) -> tuple[Integers, Flags]:
        """Return the lower bits of time of events, and which words are events."""
        typed = self._halves(words)
        are = self._sets["events"] >> (typed >> 28) & 1 != 0
        return (typed >> 22 & 63).astype(np.int64), are

    def _halves(self, words: Words) -> npt.NDArray[np.uint32]:
        upper = words >> np.uint64(32) if self.size == 8 and self._typed else words
        return upper.astype(np.uint32)

    def _typed_halves(self, words: memoryview) -> npt.NDArray[np.uint32]:
        return np.frombuffer(words, "<u4")[self._typed // 4 :: self.size // 4]


class HighDecoder(PackedDecoder):
    """Decodes words of these types; a subclass makes the state of the kernel."""

    types: ClassVar[Types]
    _state: Evt2State

    @property
    def typed(self) -> int:
        """The byte of a word at which the half begins that has its type."""
        return 0

    def mender(self, offset: int, *, first: bool) -> Mender:
        """Return what looks for damage from `offset` on."""
        layout = (self.word_bytes, self.typed)
        return HighWordMender(self.types, self._watch.damaged, offset, layout=layout, first=first)

    def turn(self, turn: Turn) -> None:
        """Put the clock right; behind lost bytes, expect a word with a type."""
        state = self._state
        if turn.lost:
            state.vector = 0
        if turn.high is not None:
            if state.high - turn.high > HIGH // 2:
                state.loop += CLOCK_RANGE
            state.high, state.started = turn.high, 1

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if not self._begun:
            return None
        halves = self.word_bytes // 4
        words = HighWords(self._body, halves, self.typed // 4, self.types.highs)
        return locate_high(read, size, start, self.t0, words)

    def stand(self, *state: int) -> None:
        """Begin at a TIME_HIGH word: the roll-overs before it, and its value."""
        self._state = kernels.evt21_state(legacy=bool(self._state.legacy))
        self._state.started = 1
        self._state.loop, self._state.high = state

    def anomalies(self) -> dict[str, int]:
        """Events before the first time word, and words of a reserved type."""
        return {"untimed": self._state.untimed, "unknown_words": self._state.unknown}
