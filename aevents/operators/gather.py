"""From batches to one batch, and from batches to single events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from aevents.types import Event, EventBatch, Sensor, Span, span_of

FIRST_ROOM = 1 << 16
EVENT_BYTES = 13
GROWTH = 4
"""Growing costs a copy; memory that is never touched costs nothing, so there may be much of it. In
one large block it comes as huge pages, on Linux: page faults would cost as much as decoding.
"""


_Columns = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


class Gather:
    """All events in one batch, at the end; its span covers them all.

    Each batch is copied into columns that grow, while it is still in the cache.
    """

    def __init__(self) -> None:
        self._columns = _columns(FIRST_ROOM)
        self._length = 0
        self._sensor: Sensor | None = None
        self._span: Span | None = None

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Take the batch in."""
        stop = self._length + len(batch)
        room = len(self._columns[0])
        if stop > room:
            self._grow(max(stop, GROWTH * room))
        for column, more in zip(self._columns, (batch.t, batch.x, batch.y, batch.p), strict=True):
            column[self._length : stop] = more
        self._length = stop
        self._sensor = self._sensor or batch.sensor
        self._span = _joined(self._span or batch.span, batch)
        return ()

    def flush(self) -> tuple[EventBatch, ...]:
        """Give the one batch, or nothing where no batch came."""
        if self._sensor is None or self._span is None:
            return ()
        n = self._length
        t, x, y, p = self._columns
        t, x, y, p = t[:n], x[:n], y[:n], p[:n]
        for column in (t, x, y, p):
            column.flags.writeable = False
        return (EventBatch(t, x, y, p, self._sensor, self._span),)

    def _grow(self, room: int) -> None:
        old, self._columns = self._columns, _columns(room)
        for column, known in zip(self._columns, old, strict=True):
            column[: self._length] = known[: self._length]


def _joined(span: Span, batch: EventBatch) -> Span:
    """Return the span that covers this one, the batch's, and its events, which may be late."""
    covered = span_of(batch.t) if len(batch) else batch.span
    return Span(
        min(span.start, batch.span.start, covered.start),
        max(span.stop, batch.span.stop, covered.stop),
    )


def _columns(room: int) -> _Columns:
    """Return columns t, x, y, p for so many events, in one block of memory."""
    block = np.empty(room * EVENT_BYTES, np.uint8)
    t, x, y, p = np.split(block, [8 * room, 10 * room, 12 * room])
    return t.view(np.int64), x.view(np.uint16), y.view(np.uint16), p.view(np.bool_)


class Each:
    """Single events, as named tuples `Event(t, x, y, p)`."""

    def feed(self, batch: EventBatch, /) -> Iterator[Event]:
        """Give the events of the batch, one by one."""
        return iter(batch)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()
