"""Decoding as far as what follows bears it out, in Python: the specification of `follow.c`.

Words are borne out that come before a time which another time follows, and 320 others, none of them
doubted; in DAT, where every record has a time, those that 320 others follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..checks import check_pieces
from .dat import dat_decode
from .evt2 import evt2_decode
from .evt3 import evt3_decode
from .evt4 import evt4_decode
from .evt21 import evt21_decode
from .inspect import inspect
from .marks import MarksState, dat_mark, evt2_mark, evt3_mark
from .words import whole_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ..columns import Columns
    from .dat import DatState
    from .evt2 import Evt2State
    from .evt3 import Evt3State
    from .inspect import InspectionState

    Mark = Callable[[memoryview, slice, MarksState], NDArray[np.uint32]]

BLOCK = 4096
AHEAD_WORDS = 320


class Ahead:
    """Whole words in pieces, and how far they have been looked at and decoded.

    `marks` is the state of looking at them, `past` the times that were said before them.
    """

    def __init__(self, marks: MarksState, past: Sequence[int] = ()) -> None:
        self.marks = marks
        self._said = [(time, -1) for time in past]  # and by which word, if it is not of the past
        self._known = len(self._said)
        self._pieces: list[memoryview] = []
        self._size = 1
        self._first = self._at = self._stop = self._marked = 0

    def put(self, pieces: Sequence[memoryview], size: int) -> None:
        """Say what has not been decoded: words of `size` bytes, of which those that were here
        before are the first.
        """
        check_pieces(pieces)
        self._first, self._pieces, self._size = self._at, list(pieces), size

    @property
    def decoded(self) -> int:
        """How many words of the pieces have been decoded."""
        return self._at - self._first

    @property
    def last(self) -> int:
        """Which of the words says the last time; none has yet if it is below 0."""
        return self._said[-1][1] - self._first if len(self._said) > self._known else -1

    @property
    def doubts(self) -> bool:
        """Whether somebody must look at what has not been decoded."""
        return bool(self.marks.doubts)

    def past(self, most: int) -> list[int]:
        """Return the last times that were said before what has not been decoded."""
        return [time for time, _ in self._said[max(self._known - most, 0) : self._known]]

    def borne_out(self) -> bytes:
        """Return the words that are borne out and have not been decoded."""
        words = b"".join(self._pieces)
        return words[self._size * self.decoded : self._size * (self._stop - self._first)]

    def take(self, words: int) -> bool:
        """Take in that so many of them have been decoded; return whether there are others."""
        self._at += words
        return self._at < self._stop

    def look(self, mark: Mark, dtype: str | None) -> None:
        """Mark words until one is doubted; those that are marked say times of `dtype`, if any."""
        first = self._first
        for piece in self._pieces:
            words = len(piece) // self._size
            while not self.doubts and first <= self._marked < first + words:
                some = slice(self._marked - first, min(self._marked - first + BLOCK, words))
                self.marks.words = first
                found = mark(piece, some, self.marks)
                self._marked = first + some.stop
                if not self.doubts:
                    self._take_in(first, found.tolist(), piece, dtype)
            first += words

    def _take_in(self, first: int, found: list[int], piece: memoryview, dtype: str | None) -> None:
        until = max(self._marked - AHEAD_WORDS, 0)
        if dtype is None:
            self._stop = max(self._stop, until)
            return
        for index in found:
            at = self._size * index + self.marks.typed
            value = int(whole_words(piece[at:][: int(dtype[-1])], 0, dtype)[0])
            self._said.append((value & self.marks.mask, first + index))
        places = [place for _, place in self._said]
        for k in range(self._known, len(places) - 1):
            if places[k] <= until:
                self._known, self._stop = k, max(self._stop, places[k])


def evt2_follow(ahead: Ahead, state: Evt2State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    ahead.look(evt2_mark, "<u4")
    end = evt2_decode(ahead.borne_out(), 0, state, out)
    inspect(out.t[: out.n], out.x[: out.n], out.y[: out.n], seen)
    return ahead.take(end // 4)


def evt21_follow(ahead: Ahead, state: Evt2State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    ahead.look(evt2_mark, "<u4")
    end = evt21_decode(ahead.borne_out(), 0, state, out)
    inspect(out.t[: out.n], out.x[: out.n], out.y[: out.n], seen)
    return ahead.take(end // 8)


def evt3_follow(ahead: Ahead, state: Evt3State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    ahead.look(evt3_mark, "<u2")
    end = evt3_decode(ahead.borne_out(), 0, state, out)
    inspect(out.t[: out.n], out.x[: out.n], out.y[: out.n], seen)
    return ahead.take(end // 2)


def evt4_follow(ahead: Ahead, state: Evt2State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    ahead.look(evt2_mark, "<u4")
    end = evt4_decode(ahead.borne_out(), 0, state, out)
    inspect(out.t[: out.n], out.x[: out.n], out.y[: out.n], seen)
    return ahead.take(end // 4)


def dat_follow(ahead: Ahead, state: DatState, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    ahead.look(dat_mark, None)
    end = dat_decode(ahead.borne_out(), 0, state, out)
    inspect(out.t[: out.n], out.x[: out.n], out.y[: out.n], seen)
    return ahead.take(end // 8)
