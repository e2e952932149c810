"""EVT 2.0 in NumPy: the specification of `evt2.c`.

32-bit little-endian words, the type in bits 31-28:

| type | word | other bits |
|---|---|---|
| 0x0, 0x1 | OFF, ON | 27-22 low 6 bits of t, 21-11 x, 10-0 y |
| 0x8 | TIME_HIGH | 27-0 bits 33-6 of t |
| 0xA | EXT_TRIGGER | 27-22 low 6 bits of t, 12-8 id, 0 value |
| 0xD, 0xE, 0xF | IMU, OTHERS, CONTINUED | skipped |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..columns import checked
from .encoder import EncoderState, finish, first_bad, high_words
from .words import carried, rollovers, taken, whole_words, write_events, write_triggers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns

TIME_HIGH, EXT_TRIGGER = 0x8, 0xA
RESERVED = [2, 3, 4, 5, 6, 7, 9, 0xB, 0xC]
CLOCK_RANGE = 1 << 34
# A fall of more than half the range is a roll-over; in units of TIME_HIGH, 64 us.
ROLLS_OVER = (1 << 27) + 1


@dataclass(slots=True)
class Evt2State:
    """Where a reader of EVT2, EVT2.1 or EVT4 stands; fields as `ae_evt2` in kernels.h."""

    started: int = 0
    loop: int = 0
    high: int = 0
    untimed: int = 0
    unknown: int = 0
    legacy: int = 0
    vector: int = 0


def evt2_state() -> Evt2State:
    """Return the state of a reader that has seen nothing."""
    return Evt2State()


def evt2_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    words = whole_words(data, start, "<u4")
    kind = words >> 28
    is_high = kind == TIME_HIGH
    high = carried(is_high, words & 0xFFFFFFF, state.high)
    loops = rollovers(is_high, words & 0xFFFFFFF, state.high, ROLLS_OVER)
    t = state.loop + CLOCK_RANGE * loops + (high << 6) + (words >> 22 & 63)
    timed = np.logical_or.accumulate(is_high) | bool(state.started)
    end = taken(((kind < 2) & timed).astype(np.int64), (kind == EXT_TRIGGER) & timed, out)
    if not end:
        return start
    events = np.flatnonzero((kind < 2) & timed & (np.arange(len(kind)) < end))
    word = words[events]
    write_events(out, t[events], word >> 11 & 0x7FF, word & 0x7FF, kind[events])
    triggers = np.flatnonzero((kind == EXT_TRIGGER)[:end] & timed[:end])
    word = words[triggers]
    write_triggers(out, t[triggers], word >> 8 & 31, word & 1)
    state.started = int(timed[end - 1])
    state.high = int(high[end - 1])
    state.loop += CLOCK_RANGE * int(loops[end - 1])
    state.untimed += int(np.sum(np.isin(kind, [0, 1, EXT_TRIGGER])[:end] & ~timed[:end]))
    state.unknown += int(np.sum(np.isin(kind[:end], RESERVED)))
    return start + 4 * end


def evt2_encode(
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
    time, column, row = t[:n], x[:n].astype(np.int64), y[:n].astype(np.int64)
    on = (p[:n] != 0).astype(np.int64)
    events = on << 28 | (time & 63) << 22 | column << 11 | row
    words = np.insert(events, before, TIME_HIGH << 28 | highs)
    finish(state, t, n)
    return words.astype("<u4").tobytes()
