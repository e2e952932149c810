"""Decoding as far as what follows bears it out, in C, with the functions of the twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._kernels import ffi, lib
from .checks import check_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .columns import Columns
    from .twins import DatState, Evt2State, Evt3State, InspectionState, MarksState


class Ahead:
    """Whole words in pieces, and how far they have been looked at and decoded.

    `marks` is the state of looking at them, `past` the times that were said before them.
    """

    __slots__ = ("_kept", "c", "marks")

    def __init__(self, marks: MarksState, past: Sequence[int] = ()) -> None:
        self.marks: MarksState = marks
        known = {"times": list(past), "said": len(past), "known": len(past)}
        self.c: Any = ffi.new("ae_ahead *", known)
        self._kept: list[object] = []

    def put(self, pieces: Sequence[memoryview], size: int) -> None:
        """Say what has not been decoded: words of `size` bytes, of which those that were here
        before are the first.
        """
        check_pieces(pieces)
        c = self.c
        self._kept = [ffi.from_buffer("uint8_t[]", piece) for piece in pieces]
        c.first, c.pieces = c.at, len(pieces)
        for index, piece in enumerate(pieces):
            c.data[index], c.words[index] = self._kept[index], len(piece) // size

    @property
    def decoded(self) -> int:
        """How many words of the pieces have been decoded."""
        return int(self.c.at - self.c.first)

    @property
    def last(self) -> int:
        """Which of the words says the last time; none has yet if it is below 0."""
        c, kept = self.c, int(lib.AE_AHEAD_TIMES)
        return int(c.places[(c.said - 1) % kept]) - int(c.first) if c.said > c.known else -1

    @property
    def doubts(self) -> bool:
        """Whether somebody must look at what has not been decoded."""
        return bool(self.marks.doubts)

    def past(self, most: int) -> list[int]:
        """Return the last times that were said before what has not been decoded."""
        c, kept = self.c, int(lib.AE_AHEAD_TIMES)
        return [int(c.times[k % kept]) for k in range(max(c.known - most, 0), c.known)]


def evt2_follow(ahead: Ahead, state: Evt2State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    return _follow(lib.ae_evt2_follow, ahead, state, seen, out)


def evt21_follow(ahead: Ahead, state: Evt2State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    return _follow(lib.ae_evt21_follow, ahead, state, seen, out)


def evt3_follow(ahead: Ahead, state: Evt3State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    return _follow(lib.ae_evt3_follow, ahead, state, seen, out)


def evt4_follow(ahead: Ahead, state: Evt2State, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    return _follow(lib.ae_evt4_follow, ahead, state, seen, out)


def dat_follow(ahead: Ahead, state: DatState, seen: InspectionState, out: Columns) -> bool:
    """Decode into `out` what is borne out, and inspect it; return whether there is more than it
    has room for.
    """
    return _follow(lib.ae_dat_follow, ahead, state, seen, out)


def _follow(
    kernel: Callable[[object, object, object, object, object], int],
    ahead: Ahead,
    state: object,
    seen: object,
    out: Columns,
) -> bool:
    out.begin()
    c = out.c
    c.n = c.triggers = 0
    more = kernel(ahead.c, ahead.marks, state, seen, c)
    out.n, out.triggers = c.n, c.triggers
    return bool(more)
