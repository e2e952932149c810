"""From batches to one batch, and from batches to single events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from aevents.types import Event, EventBatch, Sensor, Span, span_of

FIRST_ROOM = 1 << 16
MOST_ROOM = 1 << 27
"""Room taken beforehand is address space only, until it is used; yet some systems grant no more of
it than they have memory: 1.7 GB at most.
"""
BYTES_AN_EVENT = 2
"""Hardly a file holds more than an event in two bytes: 2.8 in EVT3, 4 in EVT2, more elsewhere."""


class Gather:
    """All events in one batch, at the end; its span covers them all.

    `size` gives the bytes of the source, if that is known: then there is room for all events from
    the start, which is three times as fast as columns that grow. Each batch is copied in while it
    is still in the cache.
    """

    def __init__(self, size: Callable[[], int] | None = None) -> None:
        self._size = size
        self._columns: list[npt.NDArray[Any]] = []
        self._room = 0
        self._length = 0
        self._sensor: Sensor | None = None
        self._span = Span(0, 0)

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Take the batch in."""
        span = batch.span
        if len(batch):
            self._append(batch)
            covered = span_of(batch.t)
            span = Span(min(span.start, covered.start), max(span.stop, covered.stop))
        if self._sensor is not None:
            span = Span(min(self._span.start, span.start), max(self._span.stop, span.stop))
        self._sensor, self._span = self._sensor or batch.sensor, span
        return ()

    def flush(self) -> tuple[EventBatch, ...]:
        """Give the one batch, or nothing where no batch came."""
        if self._sensor is None:
            return ()
        if not self._length:
            return (EventBatch.empty(self._sensor, self._span),)
        for column in self._columns:
            column.resize(self._length, refcheck=False)  # gives back; no view exists yet
            column.flags.writeable = False
        t, x, y, p = self._columns
        return (EventBatch(t, x, y, p, self._sensor, self._span),)

    def _append(self, batch: EventBatch) -> None:
        stop = self._length + len(batch)
        if stop > self._room:
            self._make_room(stop)
        for column, more in zip(self._columns, (batch.t, batch.x, batch.y, batch.p), strict=True):
            column[self._length : stop] = more
        self._length = stop

    def _make_room(self, least: int) -> None:
        """Move to columns for four times as many events, or as many as the source may hold.

        (`resize` would do without the move, but fills with zeros, which costs more.)
        """
        expected = self._size() // BYTES_AN_EVENT if self._size and not self._room else 0
        self._room = max(least, 4 * self._room, FIRST_ROOM, min(expected, MOST_ROOM))
        old = self._columns
        types: tuple[npt.DTypeLike, ...] = (np.int64, np.uint16, np.uint16, np.bool_)
        self._columns = [np.empty(self._room, dtype) for dtype in types]
        for new, column in zip(self._columns, old, strict=False):
            new[: self._length] = column[: self._length]


class Each:
    """Single events, as named tuples `Event(t, x, y, p)`."""

    def feed(self, batch: EventBatch, /) -> Iterator[Event]:
        """Give the events of the batch, one by one."""
        return iter(batch)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()
