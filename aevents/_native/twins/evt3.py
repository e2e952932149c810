"""EVT 3.0 in NumPy: the specification of `evt3.c` and `evt3_write.c`.

16-bit little-endian words with a memory, the type in bits 15-12:

| type | word | other bits |
|---|---|---|
| 0x0 | ADDR_Y | 10-0 y of what follows |
| 0x1 | EM_ADDR_Y | a legacy row: no events until the next ADDR_Y |
| 0x2 | ADDR_X | 11 p, 10-0 x: one event |
| 0x3 | VECT_BASE_X | 11 p, 10-0 x of the vectors that follow |
| 0x4 | VECT_12 | bit i is an event at x + i; then x += 12 |
| 0x5 | VECT_8 | the same with 8 bits |
| 0x6 | TIME_LOW | 11-0 bits 11-0 of t |
| 0x8 | TIME_HIGH | 11-0 bits 23-12 of t; a new value puts TIME_LOW to 0 |
| 0xA | EXT_TRIGGER | 11-8 id, 0 value |
| 0x7, 0xD, 0xE, 0xF | CONTINUED_4, IMU, OTHERS, CONTINUED_12 | skipped |
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
    from .words import Flags, Integers

ADDR_Y, EM_ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW = range(7)
TIME_HIGH, EXT_TRIGGER = 0x8, 0xA
RESERVED = [0x9, 0xB, 0xC]
CLOCK_RANGE = 1 << 24
# A fall of half the range is a roll-over; in units of TIME_HIGH, 4096 us.
ROLLS_OVER = 2048
# From so many events on a group of four vector words is shorter than single events.
WORTH_A_GROUP = 5
GROUP = 32


@dataclass(slots=True)
class Evt3State:
    """Where a reader stands; fields as `ae_evt3` in kernels.h."""

    started: int = 0
    loop: int = 0
    high: int = 0
    low: int = 0
    y: int = 0
    base_x: int = 0
    base_p: int = 0
    foreign: int = 0
    untimed: int = 0
    unknown: int = 0


def evt3_state() -> Evt3State:
    """Return the state of a reader that has seen nothing."""
    return Evt3State()


@dataclass(slots=True)
class _Running:
    """What each word stands in, and the bits that are its events, from `x` on."""

    timed: Flags
    t: Integers
    high: Integers
    low: Integers
    loops: Integers
    y: Integers
    foreign: Integers
    x: Integers
    next_x: Integers
    p: Integers
    base_p: Integers
    bits: NDArray[np.uint8]


def _read(words: Integers, state: Evt3State) -> _Running:
    kind, value = words >> 12, words & 0xFFF
    timed = np.logical_or.accumulate(kind == TIME_HIGH) | bool(state.started)
    is_high = kind == TIME_HIGH
    high = carried(is_high, value, state.high)
    loops = rollovers(is_high, value, state.high, ROLLS_OVER)
    new_high = is_high & (high != np.concatenate(([state.high], high[:-1])))
    is_low = (kind == TIME_LOW) & timed
    low = carried(is_low | new_high, np.where(is_low, value, 0), state.low)
    y = carried(kind == ADDR_Y, value & 0x7FF, state.y)
    foreign = carried(kind <= EM_ADDR_Y, kind, state.foreign)

    is_base = (kind == VECT_BASE_X) & timed
    advance = np.select([~timed, kind == VECT_12, kind == VECT_8], [0, 12, 8], 0)
    so_far = np.cumsum(advance)
    base = carried(is_base, (value & 0x7FF) - so_far, state.base_x) + so_far
    base_p = carried(is_base, value >> 11, state.base_p)
    single = kind == ADDR_X
    mask = np.select([single, kind == VECT_12, kind == VECT_8], [1, value, value & 0xFF], 0)
    return _Running(
        timed=timed,
        t=state.loop + CLOCK_RANGE * loops + (high << 12) + low,
        high=high,
        low=low,
        loops=loops,
        y=y,
        foreign=foreign,
        x=np.where(single, value & 0x7FF, base - advance),
        next_x=base & 0xFFFF,
        p=np.where(single, value >> 11, base_p),
        base_p=base_p,
        bits=np.unpackbits(mask.astype("<u2").view(np.uint8), bitorder="little").reshape(-1, 16),
    )


def evt3_decode(data: Buffer, start: int, state: Evt3State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    out.begin()
    words = whole_words(data, start, "<u2")
    kind = words >> 12
    now = _read(words, state)
    live = now.timed & (now.foreign == 0)
    counts = now.bits.sum(axis=1, dtype=np.int64)
    is_trigger = kind == EXT_TRIGGER
    end = taken(counts * live, is_trigger & now.timed, out)
    if not end:
        return start
    event, bit = np.nonzero(now.bits[:end] * live[:end, None])
    x = now.x[event] + bit & 0xFFFF
    write_events(out, now.t[event], x, now.y[event], now.p[event])
    triggers = np.flatnonzero((is_trigger & now.timed)[:end])
    word = words[triggers]
    write_triggers(out, now.t[triggers], word >> 8 & 15, word & 1)
    state.untimed += int((counts + is_trigger)[:end][~now.timed[:end]].sum())
    state.unknown += int(np.isin(kind[:end], RESERVED).sum())
    _leave(state, now, end - 1)
    return start + 2 * end


def _leave(state: Evt3State, now: _Running, last: int) -> None:
    """Note where word `last` left the reader."""
    state.started = int(now.timed[last])
    state.loop += CLOCK_RANGE * int(now.loops[last])
    state.high, state.low = int(now.high[last]), int(now.low[last])
    state.y, state.foreign = int(now.y[last]), int(now.foreign[last])
    state.base_x = int(now.next_x[last])
    state.base_p = int(now.base_p[last])


def evt3_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`).

    Always in the order TIME_HIGH, TIME_LOW, ADDR_Y, events: readers drop what comes before the
    first TIME_HIGH. Vectors are written only as whole groups of four words inside the sensor: the
    vendor's reader takes four without looking, and drops a group that sticks out.
    """
    checked(t, x, y, p)
    n = first_bad((t >= 0) & (x <= 0x7FF) & (y <= 0x7FF))
    highs, before, n = high_words(t[:n], state, 12, 12, ROLLS_OVER)
    time, row = t[:n], y[:n].astype(np.int64)
    at_time = np.concatenate(([state.time if state.started else -1], time[:-1]))
    at_row = np.concatenate(([state.y if state.started else -1], row[:-1]))
    new_time, new_row = np.flatnonzero(time != at_time), np.flatnonzero(row != at_row)
    places, words = _event_words(
        time, x[:n].astype(np.int64), row, (p[:n] != 0).astype(np.int64), state.width
    )
    every_place = [before, new_time, new_row, places]
    every_word = [
        TIME_HIGH << 12 | highs,
        TIME_LOW << 12 | time[new_time] & 0xFFF,
        ADDR_Y << 12 | row[new_row],
        words,
    ]
    order = np.argsort(np.concatenate(every_place), kind="stable")
    if n:
        state.y = int(row[-1])
    finish(state, t, n)
    return np.concatenate(every_word)[order].astype("<u2").tobytes()


def _event_words(
    t: Integers, x: Integers, y: Integers, p: Integers, width: int
) -> tuple[Integers, Integers]:
    """Return the words of the events themselves, and the event that each stands for.

    Neighbours of one time, row and polarity, x rising, in one block of 32 pixels make a run; a run
    that is long enough is a group of four vector words.
    """
    base = np.minimum(x & -GROUP, width - GROUP)
    same = np.zeros(len(t), np.bool_)
    same[1:] = (x[1:] > x[:-1]) & (x[1:] >> 5 == x[:-1] >> 5) & (x[1:] < width)
    for column in (t, y, p):
        same[1:] &= column[1:] == column[:-1]
    if width < GROUP:
        same[:] = False
    first = np.flatnonzero(~same)
    run = np.cumsum(~same) - 1
    grouped = np.bincount(run, minlength=len(first)) >= WORTH_A_GROUP
    singles = np.flatnonzero(~grouped[run])
    places, words = [singles], [ADDR_X << 12 | p[singles] << 11 | x[singles]]
    heads = first[grouped]
    if len(heads):
        bits = np.where(grouped[run], 1 << np.where(grouped[run], x - base, 0), 0)
        mask = np.bitwise_or.reduceat(bits, first)[grouped]
        places += [heads] * 4
        words += [
            VECT_BASE_X << 12 | p[heads] << 11 | base[heads],
            VECT_12 << 12 | mask & 0xFFF,
            VECT_12 << 12 | mask >> 12 & 0xFFF,
            VECT_8 << 12 | mask >> 24,
        ]
    return np.concatenate(places), np.concatenate(words)
