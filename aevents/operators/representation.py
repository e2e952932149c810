"""What turns events into something dense has in common: one of it for each window, or a single one
at the end where there are no windows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar, cast

from aevents.types import EventBatch, Sensor, Span

T = TypeVar("T")

MOST_CELLS = 1 << 31
"""The kernels index a table with 32 bits."""


def cells_of(sensor: Sensor, planes: int) -> int:
    """Return how many cells a table of this sensor has; the last is for events off the sensor.

    Raises `ValueError` when the sensor size is not known, or too large for a table.
    """
    if not sensor.sized:
        raise ValueError(
            "the sensor size is not known: give sensor=Sensor(640, 480), or --size 640x480"
        )
    size = planes * sensor.width * sensor.height + 1
    if size > MOST_CELLS:
        raise ValueError(f"a frame of {sensor.width}x{sensor.height} is too large")
    return size


class Piecewise(ABC, Generic[T]):
    """An operator that takes in events as they come, and is read at the end of each window: a
    window of an hour costs no more than a short one.
    """

    counts: dict[str, int]
    _span: Span | None = None

    def feed(self, batch: EventBatch, /) -> tuple[T, ...]:
        """Take in the batch; give a result if it is a whole window."""
        self.add(batch)
        if batch.window:
            return (self.read(batch.span),)
        self._span = batch.span if self._span is None else Span(self._span.start, batch.span.stop)
        return ()

    def flush(self) -> tuple[T, ...]:
        """Give the one result of a stream without windows."""
        return () if self._span is None else (self.read(self._span),)

    def fuse(self, before: object, /) -> Windowed[T] | None:
        """Take windows piece by piece, straight from the operator that cuts them."""
        return Windowed(cast("Cutter", before), self) if hasattr(before, "cuts") else None

    @abstractmethod
    def add(self, batch: EventBatch, /) -> None:
        """Take in the events of this batch."""

    @abstractmethod
    def read(self, span: Span) -> T:
        """Return what the events so far come to, at the end of a window of this span."""


class Whole(ABC, Generic[T]):
    """An operator that needs all events of a window at once. Without windows it gathers all that
    come: a stream without end needs a window before it.
    """

    counts: dict[str, int]

    def __init__(self) -> None:
        self._held: list[EventBatch] = []

    def feed(self, batch: EventBatch, /) -> tuple[T, ...]:
        """Give the result of the batch if it is a whole window."""
        if batch.window:
            return (self.of(batch),)
        self._held.append(batch)
        return ()

    def flush(self) -> tuple[T, ...]:
        """Give the one result of a stream without windows."""
        held, self._held = self._held, []
        return (self.of(EventBatch.concat(held)),) if held else ()

    @abstractmethod
    def of(self, window: EventBatch, /) -> T:
        """Return what these events come to."""


class Cutter(Protocol):
    """An operator that can say where its windows are cut, without gathering them: `Window`."""

    counts: dict[str, int]

    def cuts(self, batch: EventBatch, /) -> Iterator[tuple[EventBatch, Span | None]]:
        """Yield the batch in pieces, each with the span of the window that closes after it, or
        None.
        """

    def last(self) -> Span | None:
        """Return the span of the window that the end leaves incomplete, or None."""


class Windowed(Generic[T]):
    """Windows and what is made of them in one, piece by piece: their events are never gathered."""

    def __init__(self, window: Cutter, shape: Piecewise[T]) -> None:
        self._window = window
        self._shape = shape

    @property
    def counts(self) -> dict[str, int]:
        """What both have counted."""
        return self._window.counts | self._shape.counts

    def feed(self, batch: EventBatch, /) -> Iterator[T]:
        """Give the result of each window that this batch completes."""
        for piece, closed in self._window.cuts(batch):
            self._shape.add(piece)
            if closed is not None:
                yield self._shape.read(closed)

    def flush(self) -> Iterator[T]:
        """Give the result of the last, incomplete window."""
        closed = self._window.last()
        if closed is not None:
            yield self._shape.read(closed)
