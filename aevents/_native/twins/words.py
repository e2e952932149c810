"""What the readers in NumPy share: running values, roll-overs, and where the output is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..columns import SLACK

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns

    Flags = NDArray[np.bool_]
    Integers = NDArray[np.int64]


def whole_words(data: Buffer, start: int, dtype: str) -> Integers:
    """Return the whole words from byte `start` on, widened."""
    view = memoryview(data).cast("B")
    if not 0 <= start <= len(view):
        raise ValueError(f"start {start} is outside the {len(view)} bytes of data")
    count = (len(view) - start) // np.dtype(dtype).itemsize
    words: Integers = np.frombuffer(view, dtype, count, start).astype(np.int64)
    return words


def carried(where: Flags, values: Integers, before: int) -> Integers:
    """Return what runs through the words: at each the last of `values` so far, else `before`."""
    last = np.maximum.accumulate(np.where(where, np.arange(1, len(where) + 1), 0))
    return np.concatenate(([before], values))[last]


def rollovers(where: Flags, clock: Integers, before: int, fall: int) -> Integers:
    """Return how often the clock has fallen by `fall` or more, set by the words `where`."""
    values = np.concatenate(([before], clock[where]))
    falls = np.zeros(len(where), np.int64)
    falls[where] = values[:-1] - values[1:] >= fall
    return np.cumsum(falls)


def taken(counts: Integers, triggers: Flags, out: Columns) -> int:
    """Return how many words are read: those before events, or triggers, have no more room."""
    full = np.cumsum(counts) - counts > out.capacity - SLACK
    full |= triggers & (np.cumsum(triggers) > len(out.trigger_t))
    return int(np.argmax(full)) if full.any() else len(full)


def write_events(out: Columns, t: Integers, x: Integers, y: Integers, p: Integers) -> None:
    """Put the events into `out`."""
    out.n = len(t)
    out.t[: out.n], out.x[: out.n], out.y[: out.n], out.p[: out.n] = t, x, y, p


def write_triggers(out: Columns, t: Integers, identity: Integers, value: Integers) -> None:
    """Put the triggers into `out`."""
    count = out.triggers = len(t)
    out.trigger_t[:count], out.trigger_id[:count] = t, identity
    out.trigger_value[:count] = value
