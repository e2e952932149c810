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


def marks_state(**fields: int) -> MarksState:
    """Return the state before the first word; `fields` are those of `MarksState`."""
    return MarksState(**fields)


def evt2_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT2, EVT2.1 or EVT4 say another time, or are of a reserved type."""
    halves = whole_words(data, 0, "<u4")
    halves = halves[: len(halves) * 4 // state.stride * state.stride // 4]
    words = halves[state.typed // 4 :: state.stride // 4]
    typed = _typed(words >> 28, state)
    found = _marks(words, words >> 28, typed, state.high, state.reserved, state)
    lows = np.where(state.events >> (words >> 28) & 1, words >> 22 & 63, -1)
    return _judged(found, words, words >> 28 == state.high, lows, 2, state)


def evt3_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT3 say another time, or are of a reserved type."""
    words = whole_words(data, 0, "<u2")
    typed = np.ones(len(words), np.bool_)
    found = _marks(words, words >> 12, typed, EVT3_HIGH, EVT3_RESERVED, state)
    lows = np.where(words >> 12 == EVT3_LOW, words & 0xFFF, -1)
    return _judged(found, words, words >> 12 == EVT3_HIGH, lows, 32, state)


def dat_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which records of DAT leap in time, or have bits that are reserved."""
    words = whole_words(data, 0, "<u4")
    times, rest = words[: len(words) // 2 * 2 : 2], words[1::2]
    if not len(times):
        return np.zeros(0, np.uint32)
    before = np.concatenate(([times[0] if state.last < 0 else state.last], times[:-1]))
    state.last = int(times[-1])
    leaps = times - before + MOST_STEP & 0xFFFFFFFF
    found = np.flatnonzero((leaps > 2 * MOST_STEP) | (rest & state.reserved != 0))
    state.doubts += len(found)
    return found.astype(np.uint32)


def _typed(kinds: NDArray[np.int64], state: MarksState) -> NDArray[np.bool_]:
    """Say which words have a type: not the second words of vectors."""
    typed = np.ones(len(kinds), np.bool_)
    if state.vectors:
        for index, kind in enumerate(kinds.tolist()):
            place = state.words + index
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


def _judged(
    found: NDArray[np.uint32],
    words: NDArray[np.int64],
    high: NDArray[np.bool_],
    lows: NDArray[np.int64],
    near: int,
    state: MarksState,
) -> NDArray[np.uint32]:
    """Count the marks that are not as usual; `lows` are lower bits of time, -1 in other words."""
    for index in found.tolist():
        if not high[index]:
            state.doubts += 1
            continue
        place = state.words + index
        many = place - state.place > FEW_WORDS
        goes_on = many and _goes_on(lows[index - near : index], lows[index + 1 :][:near], near)
        _says(state, int(words[index]) & state.mask, place, goes_on)
    state.words += len(words)
    return found


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
