"""Recordings of packed words that have lost bytes, or got some: where the words go on.

A `Mender` stands between the bytes of a recording and its decoder. Kernels mark the words that say
another time, and the strange ones, that no writer writes. Where all is as usual the words are
handed on as they came, but late: what follows must bear out what they say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer

if TYPE_CHECKING:
    from aevents._native.twins import MarksState  # not loaded where there is C

Integers = npt.NDArray[np.int64]

LEAST_BYTES = 4096
"""Fewer are put together with those that come next."""
NEAR_WORDS = 256
CLUSTER = 4
"""So many strange words within `NEAR_WORDS` are looked into."""
BACK_WORDS = 64
"""So far before the first strange word a leap of time belongs to the damage too."""
WINDOW_BYTES = 1 << 14
"""These are asked where the words begin. Where they cannot tell, the next are asked."""
QUIET_BYTES = 1 << 12
"""After words have been found to begin elsewhere, nothing is looked into for so long."""
CLEAN_WORDS = 64
"""The words go on where so many are not strange."""
CLEARLY = 8
"""The words begin where there are so many times fewer strange ones, or none."""


class Turn(msgspec.Struct, frozen=True):
    """Between two runs of words: the clock goes on from `high` (None: from where it stands), and
    with `lost` nothing else that a decoder remembers holds any longer.
    """

    high: int | None = None
    lost: bool = False


class Marks(NamedTuple):
    """Words of interest, by number: those that say a time, with what they say, and strange ones."""

    places: Integers
    values: Integers
    strange: Integers

    def before(self, end: int) -> Marks:
        """Return those before word `end`."""
        count = int(np.searchsorted(self.places, end))
        return Marks(self.places[:count], self.values[:count], self.strange)


class Tape:
    """Bytes in two pieces that no word straddles, of which some are taken from the front."""

    def __init__(self, held: bytes, data: memoryview, size: int) -> None:
        bridge = -len(held) % size if held else 0
        self.pieces = [memoryview(held + bytes(data[:bridge])), data[bridge:]]
        self._size = size

    @property
    def words(self) -> int:
        """How many whole words there are."""
        return sum(len(piece) for piece in self.pieces) // self._size

    def runs(self, start: int, stop: int) -> Iterator[memoryview]:
        """Yield the words from number `start` to `stop`."""
        start, stop = start * self._size, stop * self._size
        for piece in self.pieces:
            if (run := piece[max(start, 0) : max(stop, 0)]) and stop > start:
                yield run
            start, stop = start - len(piece), stop - len(piece)

    def drop(self, words: int) -> None:
        """Take these words away."""
        count = words * self._size
        first, second = self.pieces
        self.pieces = [first[count:], second[max(count - len(first), 0) :]]

    def skip(self, count: int) -> None:
        """Take bytes away, so that words begin elsewhere."""
        self.pieces = [memoryview(b""), memoryview(self.rest())[count:]]

    def rest(self) -> bytes:
        """Return all that is left."""
        return b"".join(self.pieces)


class Mender(ABC):
    """Bytes in; runs of whole words, and `Turn`s between them, out. `damaged(what, offset, bytes=,
    count=)` is told of what is not as it should be.
    """

    size: int
    """Bytes of a word."""

    def __init__(self, damaged: Callable[..., None], offset: int) -> None:
        self.damaged: Callable[..., None] = damaged
        self.offset: int = offset
        """Of the first byte that has not been handed on."""
        self.held = b""
        """What has not been handed on."""
        self._fresh = bytearray()  # what has not been looked at
        self._quiet = 0  # strange words before this offset have been looked into

    def feed(self, data: Buffer, *, final: bool = False) -> Iterator[memoryview | Turn]:
        """Yield what can be told from all that has come; with `final`, all whole words."""
        if not final and len(self._fresh) + len(data) < max(LEAST_BYTES, len(self.held) // 4):
            self._fresh += data
            return
        if self._fresh:
            data, self._fresh = self._fresh + data, bytearray()
        tape = Tape(self.held, memoryview(data), self.size)
        while (yield from self._some(tape, final)):
            pass
        self.held = tape.rest()

    @abstractmethod
    def state(self) -> MarksState:
        """Return the state in which marking begins, at what has not been handed on."""

    @abstractmethod
    def look(self, words: memoryview, state: MarksState) -> Marks:
        """Mark whole words."""

    @abstractmethod
    def judge(
        self, tape: Tape, marks: Marks, end: int, *, until: int | None, final: bool
    ) -> tuple[int, list[tuple[int, Turn]]]:
        """Return how many words can be handed on, and those among them to leave out: what to do
        instead.

        The words that are known end at `end`: because there are no others, or others have not come
        yet. Then no more than `until` can be handed on.
        """

    @abstractmethod
    def leaps(self, marks: Marks) -> Integers:
        """Return the places of the words that say a time far from the one before."""

    def _some(self, tape: Tape, final: bool) -> Generator[memoryview | Turn, None, bool]:
        """Yield what comes before the next place where words may begin elsewhere; pass that place,
        and return whether there was one.
        """
        marks = self._marks(tape)
        hole = self._hole(marks)
        if hole is None and not final:
            end, until = tape.words, tape.words - NEAR_WORDS
        else:
            end, until = tape.words if hole is None else hole, None
        stop, turns = self.judge(
            tape, marks.before(end), end, until=until, final=final and hole is None
        )
        at = 0
        for place, turn in turns:
            yield from self._handed(tape, at, place)
            self.damaged("mended_times", self.offset, bytes=self.size)
            self.offset += self.size
            yield turn
            at = place + 1
        yield from self._handed(tape, at, stop)
        tape.drop(stop)
        window = b"".join(tape.pieces)[: WINDOW_BYTES + self.size] if hole is not None else b""
        if hole is None or (len(window) < WINDOW_BYTES + self.size and not final):
            return False
        yield from self._pass(tape, self._skipped(window))
        return True

    def _handed(self, tape: Tape, start: int, stop: int) -> Iterator[memoryview]:
        for run in tape.runs(start, stop):
            yield run
            self.offset += len(run)

    def _marks(self, tape: Tape) -> Marks:
        state, done, found = self.state(), 0, []
        for piece in tape.pieces:
            words = len(piece) // self.size
            places, values, strange = self.look(piece[: words * self.size], state)
            found.append((places + done, values, strange + done))
            done += words
        return Marks(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def _hole(self, marks: Marks) -> int | None:
        """Return where strange words begin to cluster, or time to leap before them."""
        strange = marks.strange
        strange = strange[np.searchsorted(strange * self.size, self._quiet - self.offset) :]
        near = np.flatnonzero(strange[CLUSTER - 1 :] - strange[: 1 - CLUSTER] < NEAR_WORDS)
        if not len(near):
            return None
        first = int(strange[near[0]])
        leaps = self.leaps(marks)
        leaps = leaps[np.searchsorted(leaps, first - BACK_WORDS) :]
        return int(leaps[0]) if len(leaps) and leaps[0] < first else first

    def _skipped(self, window: bytes) -> int:
        """Return how many bytes to leave out; 0 if the words go on as they are."""
        view = memoryview(window)
        found = [self._beginning(view[shift:]) for shift in range(self.size)]
        strange, shift = min((left, shift) for shift, (_, left, _) in enumerate(found))
        before = found[0][2]
        if strange * CLEARLY <= before:
            return shift + self.size * found[shift][0]
        return len(window) - self.size if before * CLEARLY > len(window) // self.size else 0

    def _beginning(self, view: memoryview) -> tuple[int, int, int]:
        """Return the number of the word where words may begin in earnest, and how many of them do
        not look like words: behind it, and in all.
        """
        marks = self.look(view[: len(view) // self.size * self.size], self.state())
        doubtful = np.union1d(marks.strange, self.leaps(marks))
        ends = np.concatenate(([-1], doubtful))
        gaps = np.diff(np.concatenate((ends, [len(view) // self.size])))
        clean = np.flatnonzero(gaps > CLEAN_WORDS)
        if not len(clean):
            return 0, len(doubtful), len(doubtful)
        return int(ends[clean[0]]) + 1, len(doubtful) - int(clean[0]), len(doubtful)

    def _pass(self, tape: Tape, count: int) -> Iterator[Turn]:
        self._quiet = self.offset + count + (QUIET_BYTES if count else WINDOW_BYTES)
        if count:
            self.damaged("skipped_bytes", self.offset, bytes=count, count=count)
            tape.skip(count)
            self.offset += count
            yield Turn(lost=True)
