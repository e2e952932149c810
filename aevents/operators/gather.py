"""From batches to one batch, and from batches to single events."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aevents._native.room import Room
from aevents.types import Event, EventBatch, Sensor, Span, span_of

BYTES_AN_EVENT = 2
"""Hardly a file holds more than an event in two bytes: 2.8 in EVT3, 4 in EVT2, more elsewhere."""


class Gather:
    """All events in one batch, at the end; its span covers them all.

    `size` gives the bytes of the source, if that is known: then room for all events is taken
    beforehand. A decoder right before this writes into that room itself.
    """

    def __init__(self, size: Callable[[], int] | None = None) -> None:
        self._room = Room((lambda: size() // BYTES_AN_EVENT) if size else None)
        self._sensor: Sensor | None = None
        self._span: Span | None = None

    def fuse(self, before: object, /) -> None:
        """Have a decoder right before this one write where the events stay."""
        keep_in = getattr(before, "keep_in", None)
        if keep_in is not None:
            keep_in(self._room)

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Take the batch in. Raises `ValueError` for what is none."""
        if not isinstance(batch, EventBatch):
            raise ValueError(f"only events can be put together, not a {type(batch).__name__}")
        if not self._room.holds(batch.t):
            self._room.add((batch.t, batch.x, batch.y, batch.p))
        self._sensor = self._sensor or batch.sensor
        self._span = _joined(self._span or batch.span, batch)
        return ()

    def flush(self) -> tuple[EventBatch, ...]:
        """Give the one batch, or nothing where no batch came."""
        if self._sensor is None or self._span is None:
            return ()
        return (EventBatch(*self._room.events(), self._sensor, self._span),)


def _joined(span: Span, batch: EventBatch) -> Span:
    """Return the span that covers this one, the batch's, and its events, which may be late."""
    covered = span_of(batch.t) if len(batch) else batch.span
    return Span(
        min(span.start, batch.span.start, covered.start),
        max(span.stop, batch.span.stop, covered.stop),
    )


class Each:
    """Single events, as named tuples `Event(t, x, y, p)`."""

    def feed(self, batch: EventBatch, /) -> Iterator[Event]:
        """Give the events of the batch, one by one."""
        return iter(batch)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()
