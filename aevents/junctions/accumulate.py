"""`accumulate`: everything since the last look, as one frame."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents._contracts import Report
from aevents.junctions.pump import Pumps, running
from aevents.operators.base import add_counts
from aevents.operators.frames import Axes, Frames, Mode
from aevents.stream import Stream
from aevents.types import EventBatch, Frame, Sensor, Span

FOLD_EVENTS = 32_768
"""Events that are counted in one go: a look waits for one such fold at most, under 0.3 ms."""
INLINE_EVENTS = 4096
"""Batches up to this size are counted on the loop: a hop to a worker would cost more."""


@asynccontextmanager
async def accumulate(
    stream: Stream[EventBatch],
    mode: Mode = "count",
    *,
    dtype: npt.DTypeLike = np.float32,
    axes: Axes = "yx",
    sensor: Sensor | None = None,
) -> AsyncIterator[Accumulation]:
    """Count all events of a stream, in a task of its own and off the event loop, into a frame that
    can be looked at whenever one likes.

    `mode`, `dtype` and `axes` are those of `frames`. Without `sensor`, which gives the size,
    entering waits for the first batch. Nothing is queued, and nothing is lost: each event is in
    exactly one frame. Raises what the stream raises, also from `read`.

    >>> async def steer(camera, policy):
    ...     async with accumulate(camera) as seen:
    ...         while True:
    ...             policy(seen.read())
    ...             await anyio.sleep(0.02)
    """
    pumps = Pumps([])
    one = Accumulation(Frames(mode, dtype=dtype, axes=axes), pumps, sensor)
    async with running([partial(one.follow, stream)]):
        await one.begun.wait()
        yield one
    pumps.raise_unread()


class Accumulation:
    """What has been counted since the last look; made by `accumulate`."""

    def __init__(self, frames: Frames, pumps: Pumps, sensor: Sensor | None) -> None:
        self.begun: anyio.Event = anyio.Event()
        self.ended: bool = False
        self._frames = frames
        self._pumps = pumps
        self._lock = threading.Lock()
        self._sensor = sensor
        self._span: Span | None = None
        self._fresh = False
        if sensor is not None:
            self._frames.add(EventBatch.empty(sensor))
            self.begun.set()

    @property
    def report(self) -> Report:
        """What has happened so far in the stream, and in making frames of it."""
        [report] = self._pumps.reports() or [Report(0, 0, {})]
        counts = add_counts((report.anomalies, self._frames.counts))
        return Report(report.delivered, report.events, counts, report.damage)

    def read(self) -> Frame:
        """Return everything since the last look as a frame, whose span says how long that was, and
        begin anew. Never waits for events.

        Raises what the stream has raised, once all before it has been read, and
        `anyio.EndOfStream` if the stream ended without a batch.
        """
        if not self._fresh and self._pumps.error is not None:
            self._pumps.told = True
            raise self._pumps.error
        with self._lock:
            if self._sensor is None:
                raise anyio.EndOfStream
            span = self._span or Span(0, 0)
            self._span, self._fresh = Span(span.stop, span.stop), False
            return self._frames.read(span)

    async def follow(self, stream: Stream[EventBatch]) -> None:
        """Count what comes, to the end of the stream."""
        await self._pumps.pump(stream, self._take)
        self.ended = True
        self.begun.set()

    async def _take(self, batch: EventBatch) -> bool:
        if len(batch) <= INLINE_EVENTS:
            self._fold(batch)
        else:
            await anyio.to_thread.run_sync(self._fold, batch)
        self.begun.set()
        return True

    def _fold(self, batch: EventBatch) -> None:
        size = batch.sensor.width, batch.sensor.height
        sensor = self._sensor or batch.sensor
        if size != (sensor.width, sensor.height):
            told = f"{sensor.width}x{sensor.height} to {size[0]}x{size[1]}"
            raise ValueError(f"the sensor changed from {told}: accumulate one at a time")
        for first in range(0, max(1, len(batch)), FOLD_EVENTS):
            piece = batch.cut(first, min(first + FOLD_EVENTS, len(batch)), batch.span)
            with self._lock:
                self._sensor = sensor
                self._frames.add(replace(piece, sensor=sensor))
                start = batch.span.start if self._span is None else self._span.start
                self._span = Span(min(start, batch.span.stop), batch.span.stop)
                self._fresh = True
