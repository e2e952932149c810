"""What tells a damaged recording of packed words, in NumPy: the specification of `marks.c`.

A mark is a TIME_HIGH word that says another time than the one before it, or a word of a type that
there is not. In DAT it is a record whose time is more than 1.05 s from the one before it, or one
with bits that are always 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .words import whole_words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

EVT3_HIGH, EVT3_RESERVED = 0x8, 1 << 0x9 | 1 << 0xB | 1 << 0xC
MOST_STEP = 1 << 20


@dataclass(slots=True)
class MarksState:
    """What is looked for, and what came last; fields as `ae_marks` in kernels.h."""

    last: int = 0
    stride: int = 4
    typed: int = 0
    high: int = 0
    reserved: int = 0
    vectors: int = 0
    masked: int = 0


def marks_state(**fields: int) -> MarksState:
    """Return the state before the first word; `fields` are those of `MarksState`."""
    return MarksState(**fields)


def evt2_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT2, EVT2.1 or EVT4 say another time, or are of a reserved type."""
    halves = whole_words(data, 0, "<u4")
    halves = halves[: len(halves) * 4 // state.stride * state.stride // 4]
    words = halves[state.typed // 4 :: state.stride // 4]
    typed = _typed(words >> 28, state)
    return _marks(words, words >> 28, typed, state.high, state.reserved, state)


def evt3_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT3 say another time, or are of a reserved type."""
    words = whole_words(data, 0, "<u2")
    typed = np.ones(len(words), np.bool_)
    return _marks(words, words >> 12, typed, EVT3_HIGH, EVT3_RESERVED, state)


def dat_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which records of DAT leap in time, or have bits that are reserved."""
    words = whole_words(data, 0, "<u4")
    times, rest = words[: len(words) // 2 * 2 : 2], words[1::2]
    if not len(times):
        return np.zeros(0, np.uint32)
    before = np.concatenate(([times[0] if state.last < 0 else state.last], times[:-1]))
    state.last = int(times[-1])
    leaps = times - before + MOST_STEP & 0xFFFFFFFF
    return np.flatnonzero((leaps > 2 * MOST_STEP) | (rest & state.reserved != 0)).astype(np.uint32)


def _typed(kinds: NDArray[np.int64], state: MarksState) -> NDArray[np.bool_]:
    """Say which words have a type: not the second words of vectors."""
    typed = np.ones(len(kinds), np.bool_)
    masked = state.masked
    if state.vectors:
        for index, kind in enumerate(kinds.tolist()):
            typed[index] = not masked
            masked = not masked and state.vectors >> kind & 1
    state.masked = int(masked)
    return typed


def _marks(
    words: NDArray[np.int64],
    kinds: NDArray[np.int64],
    typed: NDArray[np.bool_],
    high: int,
    reserved: int,
    state: MarksState,
) -> NDArray[np.uint32]:
    marked = typed & (reserved >> kinds & 1 != 0)
    highs = np.flatnonzero(typed & (kinds == high))
    values = np.concatenate(([state.last], words[highs]))
    marked[highs] = values[1:] != values[:-1]
    state.last = int(values[-1])
    return np.flatnonzero(marked).astype(np.uint32)
