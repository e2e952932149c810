"""DAT in NumPy: the specification of `dat.c`.

Records of 8 bytes, both halves 32-bit little-endian; the first is t in us, the second:

| records | bits |
|---|---|
| events, version 2 | 31-28 p, 27-14 y, 13-0 x |
| events, version 1 | 17 p, 16-9 y, 8-0 x |
| triggers | 31-26 id, 3-0 value |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..columns import checked
from .encoder import EncoderState, finish, first_bad
from .words import rollovers, taken, whole_words, write_events, write_triggers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns
    from .words import Integers

CLOCK_RANGE = 1 << 32
# A fall of more than half the range is a roll-over.
ROLLS_OVER = (1 << 31) + 1
# By version: shift of y, shift of p, largest x, largest y.
LAYOUTS = {1: (9, 17, 0x1FF, 0xFF), 2: (14, 28, 0x3FFF, 0x3FFF)}


@dataclass(slots=True)
class DatState:
    """Where a reader stands; fields as `ae_dat` in kernels.h."""

    version: int = 2
    triggers: int = 0
    loop: int = 0
    last: int = 0


def dat_state(*, version: int = 2, triggers: bool = False) -> DatState:
    """Return the state of a reader that has seen nothing."""
    return DatState(version=version, triggers=int(triggers))


def dat_decode(data: Buffer, start: int, state: DatState, out: Columns) -> int:
    """Decode whole records from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    records = whole_words(data, start, "<u8")
    low, word = records & 0xFFFFFFFF, records >> 32 & 0xFFFFFFFF
    every = np.ones(len(low), np.bool_)
    loops = rollovers(every, low, state.last, ROLLS_OVER)
    if state.triggers:
        end = min(len(low), len(out.trigger_t))
    else:
        end = taken(every.astype(np.int64), ~every, out)
    if not end:
        return start
    t, word = (state.loop + CLOCK_RANGE * loops + low)[:end], word[:end]
    if state.triggers:
        write_triggers(out, t, word >> 26, word & 1)
    else:
        y_shift, p_shift, x_mask, y_mask = LAYOUTS[state.version]
        write_events(out, t, word & x_mask, word >> y_shift & y_mask, word >> p_shift & 1)
    state.loop += CLOCK_RANGE * int(loops[end - 1])
    state.last = int(low[end - 1])
    return start + 8 * end


def dat_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as records, up to the first that the format refuses (`state.refused`)."""
    checked(t, x, y, p)
    y_shift, p_shift, x_most, y_most = LAYOUTS[state.version]
    before = state.time if state.started else 0
    n = first_bad((x <= x_most) & (y <= y_most) & _reads_back(t, before))
    word = (p[:n] != 0).astype(np.int64) << p_shift | y[:n].astype(np.int64) << y_shift | x[:n]
    finish(state, t, n)
    return np.stack([t[:n], word], axis=1).astype("<u4").tobytes()


def _reads_back(t: Integers, before: int) -> NDArray[np.bool_]:
    """Whether a reader would find each time from its low 32 bits and the time before it."""
    now = np.concatenate(([before], t[:-1]))
    falls = (now & 0xFFFFFFFF) - (t & 0xFFFFFFFF) >= ROLLS_OVER
    good: NDArray[np.bool_] = (t >= 0) & (t >> 32 == (now >> 32) + falls)
    return good
