"""What tells a damaged recording of packed words, in NumPy: the specification of `marks.c`.

A mark is a TIME_HIGH word that says another time than the one before it, or a word of a type that
there is not. In DAT it is a record whose time is more than 1.05 s from the one before it, or one
with bits that are always 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .words import whole_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Buffer

    Mark = Callable[[memoryview, slice, "MarksState"], NDArray[np.uint32]]

EVT3_LOW, EVT3_HIGH, EVT3_RESERVED = 0x6, 0x8, 1 << 0x9 | 1 << 0xB | 1 << 0xC
MOST_STEP = 1 << 20
FEW_WORDS = 64
CONTEXT = 8


@dataclass(slots=True)
class MarksState:
    """What is looked for, and what came last; fields as `ae_marks` in kernels.h."""

    last: int = 0
    stride: int = 4
    typed: int = 0
    high: int = 0
    reserved: int = 0
    events: int = 0
    vectors: int = 0
    masked: int = 0
    mask: int = 0
    leap: int = 0
    far: int = 0
    words: int = 0
    place: int = 0
    time: int = 0
    step: int = -2
    usual: int = 0
    orderly: int = 0
    usual_before: int = 0
    orderly_before: int = 0
    doubts: int = 0


class _Words(NamedTuple):
    """Words around those that are marked: the number of the first in its piece; themselves; which
    are TIME_HIGH; lower bits of time, -1 in other words; so many around a TIME_HIGH are looked at.
    """

    first: int
    values: NDArray[np.int64]
    high: NDArray[np.bool_]
    lows: NDArray[np.int64]
    near: int


def marks_state(**fields: int) -> MarksState:
    """Return the state before the first word; `fields` are those of `MarksState`."""
    return MarksState(**fields)


def evt2_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT2, EVT2.1 or EVT4 say another time, or are of a reserved type."""
    return _all(evt2_mark, data, state.stride, state)


def evt3_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT3 say another time, or are of a reserved type."""
    return _all(evt3_mark, data, 2, state)


def dat_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which records of DAT leap in time, or have bits that are reserved."""
    return _all(dat_mark, data, 8, state)


def evt2_mark(data: memoryview, some: slice, state: MarksState) -> NDArray[np.uint32]:
    """Return which of some words are marked, by their numbers in `data`."""
    near, stride = 2, state.stride
    first, around = _around(data, some, near, stride)
    words = whole_words(around, 0, "<u4")[state.typed // 4 :: stride // 4]
    kinds = words >> 28
    lows = np.where(state.events >> kinds & 1, words >> 22 & 63, -1)
    inner = slice(some.start - first, some.stop - first)
    typed = _typed(kinds[inner], some.start, state)
    found = _marks(words[inner], kinds[inner], typed, state.high, state.reserved, state)
    found += np.uint32(some.start - first)
    return _judged(found, _Words(first, words, kinds == state.high, lows, near), state)


def evt3_mark(data: memoryview, some: slice, state: MarksState) -> NDArray[np.uint32]:
    """Return which of some words are marked, by their numbers in `data`."""
    near = 32
    first, around = _around(data, some, near, 2)
    words = whole_words(around, 0, "<u2")
    kinds = words >> 12
    lows = np.where(kinds == EVT3_LOW, words & 0xFFF, -1)
    inner = slice(some.start - first, some.stop - first)
    typed = np.ones(some.stop - some.start, np.bool_)
    found = _marks(words[inner], kinds[inner], typed, EVT3_HIGH, EVT3_RESERVED, state)
    found += np.uint32(some.start - first)
    return _judged(found, _Words(first, words, kinds == EVT3_HIGH, lows, near), state)


def dat_mark(data: memoryview, some: slice, state: MarksState) -> NDArray[np.uint32]:
    """Return which of some records are marked, by their numbers in `data`."""
    words = whole_words(data[8 * some.start : 8 * some.stop], 0, "<u4")
    times, rest = words[::2], words[1::2]
    if not len(times):
        return np.zeros(0, np.uint32)
    before = np.concatenate(([times[0] if state.last < 0 else state.last], times[:-1]))
    state.last = int(times[-1])
    leaps = times - before + MOST_STEP & 0xFFFFFFFF
    found = np.flatnonzero((leaps > 2 * MOST_STEP) | (rest & state.reserved != 0))
    state.doubts += len(found)
    marked: NDArray[np.uint32] = (found + some.start).astype(np.uint32)
    return marked


def _all(mark: Mark, data: Buffer, size: int, state: MarksState) -> NDArray[np.uint32]:
    view = memoryview(data)
    words = len(view) // size
    found = mark(view[: size * words], slice(0, words), state)
    state.words += words
    return found


def _around(data: memoryview, some: slice, near: int, size: int) -> tuple[int, memoryview]:
    """Return the number of the first of the words around some, and these."""
    first, stop = max(some.start - near, 0), some.stop + near + 1
    return first, data[size * first : min(size * stop, len(data))]


def _typed(kinds: NDArray[np.int64], start: int, state: MarksState) -> NDArray[np.bool_]:
    """Say which words have a type: not the second words of vectors."""
    typed = np.ones(len(kinds), np.bool_)
    if state.vectors:
        for index, kind in enumerate(kinds.tolist()):
            place = state.words + start + index
            typed[index] = state.masked != place + 1
            if typed[index] and state.vectors >> kind & 1:
                state.masked = place + 2
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


def _judged(found: NDArray[np.uint32], words: _Words, state: MarksState) -> NDArray[np.uint32]:
    """Count the marks that are not as usual; return their numbers in the piece."""
    for index in found.tolist():
        if not words.high[index]:
            state.doubts += 1
            continue
        place = state.words + words.first + index
        many = place - state.place > FEW_WORDS
        before = words.lows[max(index - words.near, 0) : index]
        behind = words.lows[index + 1 :][: words.near]
        goes_on = many and _goes_on(before, behind, words.near)
        _says(state, int(words.values[index]) & state.mask, place, goes_on)
    return found + np.uint32(words.first)


def _goes_on(before: NDArray[np.int64], behind: NDArray[np.int64], near: int) -> bool:
    """Say whether the lower bits of time have not begun again, or that cannot be told."""
    if len(before) < near or len(behind) < near:
        return True
    before, behind = before[before >= 0], behind[behind >= 0]
    return bool(len(before) and len(behind) and before[-1] <= behind[0])


def _says(state: MarksState, time: int, place: int, goes_on: bool) -> None:
    """Take in that word `place` says another time."""
    step = time - state.time & state.mask
    if state.step == -2:
        state.step = -1
    else:
        words = place - state.place
        moved = words > FEW_WORDS and state.usual >= CONTEXT
        moved = moved and (step == 2 or (step == 1 and goes_on))
        back = state.step >= 0 and _leads_back(state, step, words)
        state.doubts += moved or back or _beyond(state, step, state.far)
        state.usual_before, state.orderly_before = state.usual, state.orderly
        state.usual = state.usual + 1 if step == 1 else 0
        state.orderly = state.orderly + 1 if step <= state.leap // 16 else 0
        state.step = step
    state.time, state.place = time, place


def _leads_back(state: MarksState, step: int, words: int) -> bool:
    """Say whether the last step and the step to here lead back to where the clock was."""
    before, around = state.step, state.step + step & state.mask
    leaps = _beyond(state, before, state.leap)
    if state.usual_before >= CONTEXT:
        if before == 1 and step == state.mask:
            return True
        if before != 1 and around <= 2 and (words > FEW_WORDS or leaps):
            return True
    return state.orderly_before >= CONTEXT and leaps and around <= state.leap // 8


def _beyond(state: MarksState, step: int, most: int) -> bool:
    return step > most and state.mask + 1 - step > most
