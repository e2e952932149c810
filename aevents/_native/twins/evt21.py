"""EVT 2.1 in NumPy: the specification of `evt21.c`.

64-bit words, the type in bits 63-60:

| type | word | other bits |
|---|---|---|
| 0x0, 0x1 | OFF, ON | 59-54 low 6 bits of t, 53-43 x, 42-32 y; bit i of 31-0 is an event at x + i |
| 0x8 | TIME_HIGH | 59-32 bits 33-6 of t |
| 0xA | EXT_TRIGGER | 59-54 low 6 bits of t, 44-40 id, 32 value |
| 0xE, 0xF | OTHERS, CONTINUED | skipped |

Words are little-endian or, in "legacy" streams, two little-endian halves, the upper first.
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

TIME_HIGH, EXT_TRIGGER = 0x8, 0xA
RESERVED = [2, 3, 4, 5, 6, 7, 9, 0xB, 0xC, 0xD]


def evt21_state(*, legacy: bool = False) -> Evt2State:
    """Return the state of a reader that has seen nothing; `legacy` is an order of bytes."""
    return Evt2State(legacy=int(legacy))


def evt21_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    halves = whole_words(data, start, "<u4")
    halves = halves[: len(halves) & ~1].reshape(-1, 2)
    upper, lower = halves[:, 0 if state.legacy else 1], halves[:, 1 if state.legacy else 0]
    kind = upper >> 28
    is_high = kind == TIME_HIGH
    high = carried(is_high, upper & 0xFFFFFFF, state.high)
    loops = rollovers(is_high, upper & 0xFFFFFFF, state.high, ROLLS_OVER)
    t = state.loop + CLOCK_RANGE * loops + (high << 6) + (upper >> 22 & 63)
    timed = np.logical_or.accumulate(is_high) | bool(state.started)
    counts = np.where(kind < 2, counted(lower), 0)
    is_trigger = kind == EXT_TRIGGER
    end = taken(counts * timed, is_trigger & timed, out)
    if not end:
        return start
    vectors = np.flatnonzero(((kind < 2) & timed)[:end])
    index, bit = bits(lower[vectors])
    word = upper[vectors][index]
    write_events(out, t[vectors][index], (word >> 11 & 0x7FF) + bit, word & 0x7FF, word >> 28)
    triggers = np.flatnonzero((is_trigger & timed)[:end])
    word = upper[triggers]
    write_triggers(out, t[triggers], word >> 8 & 31, word & 1)
    state.started = int(timed[end - 1])
    state.high = int(high[end - 1])
    state.loop += CLOCK_RANGE * int(loops[end - 1])
    state.untimed += int(np.sum((counts + is_trigger)[:end][~timed[:end]]))
    state.unknown += int(np.sum(np.isin(kind[:end], RESERVED)))
    return start + 8 * end


def evt21_encode(
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
    column, row = x[starts].astype(np.int64) & ~31, y[starts].astype(np.int64)
    on = (p[starts] != 0).astype(np.int64)
    before = np.searchsorted(starts, before)
    upper = on << 28 | (t[starts] & 63) << 22 | column << 11 | row
    upper = np.insert(upper, before, TIME_HIGH << 28 | highs)
    lower = np.insert(masks, before, 0)
    finish(state, t, n)
    halves = (upper, lower) if state.legacy else (lower, upper)
    return np.stack(halves, axis=1).astype("<u4").tobytes()
