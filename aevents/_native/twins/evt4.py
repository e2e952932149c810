"""EVT 4.0 in NumPy: the specification of `evt4.c`.

32-bit little-endian words, the type in bits 31-28:

| type | word | other bits |
|---|---|---|
| 0xA, 0xB | OFF, ON | 27-22 low 6 bits of t, 21-11 x, 10-0 y |
| 0xC, 0xD | VEC_OFF, VEC_ON | the same; bit i of the next word is an event at x + i |
| 0xE | TIME_HIGH | 27-0 bits 33-6 of t |
| 0x9 | EXT_TRIGGER | 27-22 low 6 bits of t, 12-8 id, 0 value |
| 0x6, 0x7, 0xF | OTHERS, CONTINUED, PADDING | skipped |

The word after a vector is bits alone, whatever type it seems to have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..columns import checked
from .encoder import EncoderState, finish, first_bad, high_words
from .evt2 import CLOCK_RANGE, ROLLS_OVER, Evt2State
from .vectors import bits, counted, groups
from .words import carried, rollovers, taken, whole_words, write_events, write_triggers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns
    from .words import Flags, Integers

EXT_TRIGGER, OFF, ON, VEC_OFF, VEC_ON, TIME_HIGH = 0x9, 0xA, 0xB, 0xC, 0xD, 0xE
RESERVED = [0, 1, 2, 3, 4, 5, 8]
MASK = -1  # the type of a word without one
WORTH_A_VECTOR = 3  # two events are as long by themselves


def evt4_state() -> Evt2State:
    """Return the state of a reader that has seen nothing."""
    return Evt2State()


def evt4_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    again = [state.vector] if state.vector else []  # read with its mask
    words = np.concatenate((np.array(again, np.int64), whole_words(data, start, "<u4")))
    kind = _kinds(words)
    is_high = kind == TIME_HIGH
    high = carried(is_high, words & 0xFFFFFFF, state.high)
    loops = rollovers(is_high, words & 0xFFFFFFF, state.high, ROLLS_OVER)
    timed = np.logical_or.accumulate(is_high) | bool(state.started)
    masks = np.where(kind == MASK, words, kind == OFF) | (kind == ON)  # a single event has one bit
    is_trigger = kind == EXT_TRIGGER
    end = taken(counted(masks) * timed, is_trigger & timed, out)
    if end <= len(again):
        return start
    word = np.where(kind == MASK, np.roll(words, 1), words)  # of a mask, the vector before it
    t = state.loop + CLOCK_RANGE * loops + (high << 6) + (word >> 22 & 63)
    lit = np.flatnonzero((masks != 0)[:end] & timed[:end])
    index, bit = bits(masks[lit])
    event = word[lit][index]
    p = event >> 28 & 1
    write_events(out, t[lit][index], (event >> 11 & 0x7FF) + bit, event & 0x7FF, p)
    triggers = np.flatnonzero((is_trigger & timed)[:end])
    write_triggers(out, t[triggers], word[triggers] >> 8 & 31, word[triggers] & 1)
    state.started = int(timed[end - 1])
    state.high = int(high[end - 1])
    state.loop += CLOCK_RANGE * int(loops[end - 1])
    state.untimed += int(np.sum((counted(masks) + is_trigger)[:end][~timed[:end]]))
    state.unknown += int(np.sum(np.isin(kind[:end], RESERVED)))
    state.vector = int(words[end - 1]) if kind[end - 1] in (VEC_OFF, VEC_ON) else 0
    return start + 4 * (end - len(again))


def evt4_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`)."""
    checked(t, x, y, p)
    n = first_bad((t >= 0) & (x <= 0x7FF) & (y <= 0x7FF))
    highs, before, n = high_words(t[:n], state, 6, 28, ROLLS_OVER)
    starts, masks = groups(t[:n], x[:n], y[:n], p[:n])
    sizes = np.diff(np.append(starts, n))
    worth = sizes >= WORTH_A_VECTOR
    first = np.zeros(n, np.bool_)
    first[starts] = True
    inside: Flags = np.repeat(worth, sizes)  # of a vector
    column = x[:n].astype(np.int64) & np.where(inside, ~31, -1)
    kind = np.where(inside, VEC_OFF, OFF) + (p[:n] != 0)
    words = kind << 28 | (t[:n] & 63) << 22 | column << 11 | y[:n]
    at = np.concatenate((starts[worth] + 1, before))  # a mask comes before a TIME_HIGH
    words = np.insert(words, at, np.concatenate((masks[worth], TIME_HIGH << 28 | highs)))
    kept = np.insert(first | ~inside, at, True)
    finish(state, t, n)
    return words[kept].astype("<u4").tobytes()


def _kinds(words: Integers) -> Integers:
    # In a run of words that seem to be vectors every second is a mask, as is the word after them.
    kind = words >> 28
    seems = (kind == VEC_OFF) | (kind == VEC_ON)
    number = np.arange(len(words))
    run = np.where(seems, number - carried(~seems, number, -1) - 1, -1)
    vectors = run % 2 == 0
    after = np.concatenate(([False], vectors[:-1]))
    return np.where(after, MASK, kind)
