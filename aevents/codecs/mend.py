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

from aevents._native import kernels
from aevents.codecs.base import Buffer
from aevents.codecs.clock import Integers
from aevents.codecs.tape import Tape

if TYPE_CHECKING:
    from aevents._native.twins import Ahead, MarksState  # not loaded where there is C

Places = npt.NDArray[np.uint32]

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
MOST_HELD = 1 << 22
"""Where the clock stands still for so many bytes, they are not held any longer."""
CLOSE_BYTES = 1 << 15
"""So many are looked at closely first, and then twice as many each time, up to where others can be
decoded at sight.
"""
MOST_BEFORE = 128
"""So many words in front of those that are looked at are remembered."""
CLEARLY = 8
"""The words begin where there are so many times fewer strange ones, or none; a time is not soon
after another where it is so many times later than usual.
"""


class Turn(msgspec.Struct, frozen=True):
    """Between two runs of words: the clock goes on from `high` (None: from where it stands), and
    with `lost` nothing else that a decoder remembers holds any longer. It stands `instead` of a
    word, or before it.
    """

    high: int | None = None
    instead: bool = False
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


class _Beginning(NamedTuple):
    """Where words may begin in earnest, by their number; how many behind that do not join on to
    each other, and how many are strange in all.
    """

    place: int
    doubtful: int
    strange: int


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
        self._tape = Tape(self.size)  # what has not been handed on
        self._ahead: Ahead | None = None  # how far that has been looked at
        self._before = memoryview(b"")  # words handed on since that was begun, the last of them
        self._fresh = bytearray()  # what has come and is not on the tape
        self._close = CLOSE_BYTES  # so many are looked at closely at a time
        self._quiet = 0  # strange words before this offset have been looked into

    @property
    def held(self) -> bytes:
        """What has not been handed on."""
        return self._tape.rest() + self._fresh

    def feed(self, data: Buffer, *, final: bool = False) -> Iterator[memoryview | Turn | Ahead]:
        """Yield what can be told from all that has come; with `final`, all whole words.

        Of an `Ahead` that is yielded all that is borne out is decoded before the next is asked for.
        """
        few = max(LEAST_BYTES, len(self._tape) // 4)
        if not final and len(self._fresh) + len(data) < few:
            self._fresh += data
            return
        self._tape.add(self._fresh + data if self._fresh else bytes(data))
        self._fresh = bytearray()
        while (yield from self._some(final)):
            pass

    @abstractmethod
    def state(self) -> MarksState:
        """Return the state in which marking begins, at what has not been handed on."""

    @abstractmethod
    def mark(self, words: memoryview, state: MarksState) -> Places:
        """Return the numbers of the words of interest among whole words."""

    @abstractmethod
    def look(self, words: memoryview, marked: Places, first: int) -> Marks:
        """Say what marked words are. In DAT, `first` is the time of the record before, or -1."""

    def look_ahead(self) -> Ahead | None:
        """Return what looks ahead in what has not been handed on; None: it must be looked at
        closely.
        """
        return kernels.Ahead(self.state())

    def waits(self, times: int) -> bool:
        """Return whether so many are too few to judge them."""
        return False

    @abstractmethod
    def ends_well(self, ahead: Ahead) -> bool:
        """Return whether what is left, which nothing follows, is as it should be."""

    @abstractmethod
    def recall(self, ahead: Ahead, before: memoryview) -> None:
        """Remember what is asked for of what has been handed on; these are the last words of it."""

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
    def seam(self, tape: Tape, marks: Marks, start: int, first: int) -> int:
        """Return where from word `start` on time does not join on to what it was before; `first`,
        which is strange, if there is no such place before it.
        """

    @abstractmethod
    def doubtful(self, words: memoryview, marks: Marks) -> Integers:
        """Return the places of the words that are strange, or whose time does not join on to that
        of the one before, as it did before the last seam.
        """

    @abstractmethod
    def far(self, marks: Marks) -> Integers:
        """Return the places of the words that say a time far from the one before."""

    def _some(self, final: bool) -> Generator[memoryview | Turn | Ahead, None, bool]:
        """Yield what can be told of what is on the tape; return whether to look at the rest."""
        tape = self._tape
        self._ahead = self._ahead or self.look_ahead()
        if self._ahead:
            self._ahead.put(tape.pieces, self.size)
            yield self._ahead
            self._handed_on(self._ahead.decoded)
            clean = not self._ahead.doubts
            if clean and not final and len(tape) <= MOST_HELD:
                self._close = CLOSE_BYTES
                return False
            if clean and final and self.ends_well(self._ahead):
                yield from self._handed(tape, 0, tape.words)
                tape.drop(tape.words)
                return False
            if self._before:
                self.recall(self._ahead, self._before)
            self._ahead, self._before = None, memoryview(b"")
        later = [] if final else tape.split(self._close // self.size)
        self._close *= 2
        skipped = yield from self._closely(tape, final)
        for piece in later:
            tape.add(piece)
        return skipped or bool(later)

    def _handed_on(self, words: int) -> None:
        """Take away what has been decoded, but for the last of it."""
        if words:
            self._before = self._tape.part(max(words - MOST_BEFORE, 0), words)
            self._tape.drop(words)
            self.offset += words * self.size

    def _closely(self, tape: Tape, final: bool) -> Generator[memoryview | Turn | Ahead, None, bool]:
        """Yield what comes before the next place where words may begin elsewhere; pass that place,
        and return whether there was one.
        """
        state = self.state()
        marked = [self.mark(piece, state) for piece in tape.pieces]
        if not state.doubts and not final and self.waits(sum(map(len, marked))):
            return False
        marks = self._marks(tape, marked)
        hole, skipped = self._hole(tape, marks, final) if state.doubts else (None, 0)
        end, until = tape.words, None if final else tape.words - NEAR_WORDS - BACK_WORDS
        if hole is not None:
            end, until = (hole, None) if skipped else (end, min(hole, until or hole))
        stop, turns = self.judge(
            tape, marks.before(end), end, until=until, final=final and hole is None
        )
        at = 0
        for place, turn in turns:
            yield from self._handed(tape, at, place)
            at = place + turn.instead
            self.damaged("mended_times", self.offset, bytes=self.size * turn.instead)
            self.offset += self.size * turn.instead
            yield turn
        yield from self._handed(tape, at, stop)
        tape.drop(stop)
        if skipped:
            self.damaged("skipped_bytes", self.offset, bytes=skipped, count=skipped)
            tape.skip(skipped)
            self.offset += skipped
            self._quiet = self.offset + QUIET_BYTES
            yield Turn(lost=True)
        return skipped > 0

    def _handed(self, tape: Tape, start: int, stop: int) -> Iterator[memoryview]:
        for run in tape.runs(start, stop):
            yield run
            self.offset += len(run)

    def _marks(self, tape: Tape, marked: list[Places]) -> Marks:
        done, before = 0, -1
        none = np.zeros(0, np.int64)
        found = [Marks(none, none, none)]
        for piece, places in zip(tape.pieces, marked, strict=True):
            marks = self.look(piece, places, before if done else self.state().last)
            found.append(Marks(marks.places + done, marks.values, marks.strange + done))
            done += len(piece) // self.size
            before = int.from_bytes(piece[-self.size :][:4], "little")
        return Marks(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def _hole(self, tape: Tape, marks: Marks, final: bool) -> tuple[int | None, int]:
        """Return where words do not go on as they are, and how many bytes are to be left out there;
        0: what has come cannot tell.
        """
        far = self.far(marks)
        while (hole := self._doubt(tape, marks, far)) is not None:
            ahead = b"".join(tape.runs(hole, hole + WINDOW_BYTES // self.size))
            if len(ahead) < WINDOW_BYTES and not final:
                return hole, 0
            skipped = self._skipped(ahead)
            if skipped:
                return hole, skipped
            self._quiet = self.offset + hole * self.size + WINDOW_BYTES
        return None, 0

    def _doubt(self, tape: Tape, marks: Marks, far: Integers) -> int | None:
        """Return where strange words begin to cluster or time leaps far, or makes no sense soon
        before.
        """
        quiet = -(-(self._quiet - self.offset) // self.size)
        far = far[np.searchsorted(far, quiet) :]
        strange = marks.strange[np.searchsorted(marks.strange, quiet) :]
        near = np.flatnonzero(strange[CLUSTER - 1 :] - strange[: 1 - CLUSTER] < NEAR_WORDS)
        if not len(near) and not len(far):
            return None
        first = int(min(*strange[near[:1]], *far[:1], tape.words))
        return self.seam(tape, marks, max(first - BACK_WORDS, quiet, 0), first)

    def _skipped(self, window: bytes) -> int:
        """Return how many bytes to leave out; 0 if the words go on as they are."""
        view = memoryview(window)
        words = len(view) // self.size - 1
        found = [self._beginning(view[shift:], words) for shift in range(self.size)]
        strange = found[0].strange
        if strange < CLUSTER:
            return 0
        doubtful, place, shift = min(
            (one.doubtful, one.place, shift) for shift, one in enumerate(found)
        )
        if doubtful * CLEARLY <= strange:
            return shift + self.size * place
        return words * self.size if strange * CLEARLY > words else 0

    def _beginning(self, view: memoryview, count: int) -> _Beginning:
        words = view[: count * self.size]
        marks = self.look(words, self.mark(words, self.state()), -1)
        doubtful = self.doubtful(words, marks)
        ends = np.concatenate(([-1], doubtful))
        clean = np.flatnonzero(np.diff(ends, append=count) > CLEAN_WORDS)
        first = int(clean[0]) if len(clean) else 0
        return _Beginning(int(ends[first]) + 1, len(doubtful) - first, len(marks.strange))
