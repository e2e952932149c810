"""Events in the messages of ROS in NumPy: the specification of `ros.c`.

| encoding | bits, all little-endian |
|---|---|
| dvs | 13 bytes: x 16, y 16, seconds 32, nanoseconds 32, p 8 |
| dvs, aligned | x at byte 16 k - 2 (first: 0), y at 16 k (2), seconds at 16 k + 4, ns + 8, p + 12 |
| mono | 31-0 ns since the base, 47-32 x, 62-48 y, 63 p |
| libcaer | 0 valid, 1 p, 16-2 y, 31-17 x, 62-32 us since the base |
| compact | 16 bits, type in 15-12: clock, column, row with an event, row of vectors, 8 rows |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..columns import SLACK
from .words import carried, rollovers, taken, whole_words, write_events

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns
    from .words import Flags, Integers

PACKED, ALIGNED = 13, 16
CLOCK_RANGE = 1 << 31
TIME_HIGH, TIME_LOW, ADDR_X, ADDR_Y, VECT_BASE_Y, VECT_8 = range(6)


@dataclass(slots=True)
class RosState:
    """Where a reader of a message stands; fields as `ae_ros` in kernels.h."""

    aligned: int = 0
    begun: int = 0
    base: int = 0
    last: int = 0
    high: int = 0
    low: int = 0
    x: int = 0
    y: int = 0
    p: int = 0
    unknown: int = 0


def ros_state(*, aligned: bool = False, base: int = 0) -> RosState:
    """Return the state of a reader of one message: `base` is in us, mono's in ns."""
    return RosState(aligned=int(aligned), base=base)


def ros_dvs_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode records from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    view = memoryview(data).cast("B")
    if not 0 <= start <= len(view):
        raise ValueError(f"start {start} is outside the {len(view)} bytes of data")
    size = ALIGNED if state.aligned else PACKED
    records = min((len(view) - start + size - PACKED) // size, out.capacity - SLACK)
    if not records:
        return start
    at = start + size * np.arange(records)
    raw = np.frombuffer(view, np.uint8)
    pixel, time = at.copy(), at + 4
    if state.aligned:
        pixel[0 if state.begun else 1 :] -= 2
        state.begun = 1
    seconds = _field(raw, time, "<i4" if state.aligned else "<u4")
    t = seconds * 1_000_000 + _field(raw, time + 4, "<u4") // 1000
    x, y = _field(raw, pixel, "<u2"), _field(raw, pixel + 2, "<u2")
    write_events(out, t, x, y, np.minimum(_field(raw, time + 8, "u1"), 1))
    return min(start + size * records, len(view))


def ros_mono_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    word = whole_words(data, start, "<u8")[: out.capacity - SLACK]
    t = (state.base + (word & 0xFFFFFFFF)) // 1000
    write_events(out, t, word >> 32 & 0xFFFF, word >> 48 & 0x7FFF, word >> 63 & 1)
    return start + 8 * len(word)


def ros_libcaer_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    word = whole_words(data, start, "<u8")[: out.capacity - SLACK]
    if not len(word):
        return start
    time = word >> 32 & 0x7FFFFFFF
    loops = rollovers(np.ones(len(word), np.bool_), time, state.last, CLOCK_RANGE // 2 + 1)
    t = state.base + CLOCK_RANGE * loops + time
    write_events(out, t, word >> 17 & 0x7FFF, word >> 2 & 0x7FFF, word >> 1 & 1)
    state.base += CLOCK_RANGE * int(loops[-1])
    state.last = int(time[-1])
    return start + 8 * len(word)


def ros_compact_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    word = whole_words(data, start, "<u2")
    type, value = word >> 12, word & 0xFFF
    single, vector = type == ADDR_Y, type == VECT_8
    bits = value[:, None] >> np.arange(8) & 1
    counts = np.where(vector, bits.sum(axis=1), single)
    end = taken(counts, np.zeros(len(word), np.bool_), out)
    if not end:
        return start
    type, value, bits = type[:end], value[:end], bits[:end]
    single, vector = single[:end], vector[:end]
    high = carried(type == TIME_HIGH, value << 12, state.high)
    low = carried(type == TIME_LOW, value, state.low)
    x = carried(type == ADDR_X, value & 0x7FF, state.x)
    base = type == VECT_BASE_Y
    p = carried(base, value >> 11, state.p)
    y = _rows(base, vector, value & 0x7FF, state.y)
    state.unknown += int((type > VECT_8).sum())
    state.high, state.low, state.x = int(high[-1]), int(low[-1]), int(x[-1])
    state.p, state.y = int(p[-1]), int(y[-1] + 8 * vector[-1]) & 0xFFFF
    events = np.where(vector[:, None], bits != 0, single[:, None] & (np.arange(8) == 0))
    rows = np.where(vector[:, None], y[:, None] + np.arange(8), (value & 0x7FF)[:, None])
    polarity = np.where(vector, p, value >> 11)
    t = state.base + (high | low)
    at, _ = np.nonzero(events)
    write_events(out, t[at], x[at], rows[events] & 0xFFFF, polarity[at])
    return start + 2 * end


def _rows(base: Flags, vector: Flags, row: Integers, before: int) -> Integers:
    """Return the row at which each vector begins: 8 after the last one since the base."""
    steps = np.concatenate(([0], np.cumsum(8 * vector)))
    origin = carried(base, row - steps[:-1], before)
    return (origin + steps[:-1]) & 0xFFFF


def _field(raw: NDArray[np.uint8], at: Integers, dtype: str) -> Integers:
    """Return the values of this type that begin at these bytes, widened."""
    size = np.dtype(dtype).itemsize
    values: Integers = raw[at[:, None] + np.arange(size)].view(dtype)[:, 0].astype(np.int64)
    return values
