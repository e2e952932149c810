"""From batches to one batch, and from batches to single events."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents.types import Event, EventBatch, Sensor, Span, span_of

FIRST_ROOM = 1 << 16


class Gather:
    """All events in one batch, at the end; its span covers them all.

    The columns grow in place (by `realloc`, which moves pages, not bytes), and each batch is copied
    in while it is still in the cache.
    """

    def __init__(self) -> None:
        dtypes: tuple[npt.DTypeLike, ...] = (np.int64, np.uint16, np.uint16, np.bool_)
        self._columns = [np.empty(FIRST_ROOM, dtype) for dtype in dtypes]
        self._length = 0
        self._sensor: Sensor | None = None
        self._span: Span | None = None

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Take the batch in."""
        stop = self._length + len(batch)
        if stop > len(self._columns[0]):
            self._resize(max(stop, 2 * len(self._columns[0])))
        for column, more in zip(self._columns, (batch.t, batch.x, batch.y, batch.p), strict=True):
            column[self._length : stop] = more
        self._length = stop
        self._sensor = self._sensor or batch.sensor
        start = batch.span.start if self._span is None else self._span.start
        self._span = Span(start, batch.span.stop)
        return ()

    def flush(self) -> tuple[EventBatch, ...]:
        """Give the one batch, or nothing where no batch came."""
        if self._sensor is None or self._span is None:
            return ()
        self._resize(self._length)
        for column in self._columns:
            column.flags.writeable = False
        t, x, y, p = self._columns
        covered = span_of(t) if len(t) else self._span
        span = Span(min(self._span.start, covered.start), max(self._span.stop, covered.stop))
        return (EventBatch(t, x, y, p, self._sensor, span),)

    def _resize(self, length: int) -> None:
        for column in self._columns:
            column.resize(length, refcheck=False)  # no view of these columns exists yet


class Each:
    """Single events, as named tuples `Event(t, x, y, p)`."""

    def feed(self, batch: EventBatch, /) -> Iterator[Event]:
        """Give the events of the batch, one by one."""
        return iter(batch)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()
