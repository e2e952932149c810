"""`merge_sorted`: several streams as one, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Generic, TypeVar

import anyio

from aevents._contracts import Origin
from aevents._driver import AsyncRun, BlockingRun
from aevents._native import kernels
from aevents.operators.base import add_counts
from aevents.operators.order import running_times
from aevents.stream import Stream, stream_of
from aevents.types import Damage, EventBatch, Sensor, Span

AT_THE_END = (1 << 63) - 1
"""Behind every time."""

R = TypeVar("R", AsyncRun[EventBatch], BlockingRun[EventBatch])


def merge_sorted(*streams: Stream[EventBatch]) -> Stream[EventBatch]:
    """Return several streams as one, in the order of time; events of equal time in the order of the
    streams.

    No task is started: the streams are read in turn, each as far as the order asks for, so that one
    that is silent holds up the others (`marked` helps). A stream whose own time goes back counts at
    its latest time so far; the times of its events stay, and they are counted: `late_events`.
    Batches carry the sensor of the streams, or if these differ one that is as wide and as high as
    any. Raises `ValueError` when there is nothing to merge, or more than 64 streams.

    >>> import aevents
    >>> both = merge_sorted(aevents.open("synthetic:bar"), aevents.open("synthetic:disk"))
    >>> bool((next(both.blocking()).t[1:] >= next(both.blocking()).t[:-1]).all())
    True
    """
    if not streams:
        raise ValueError("nothing to merge: no stream was given")
    _Front(len(streams))  # are there too many?
    origin: Origin[EventBatch] = Origin(
        "merged streams",
        waiting=partial(_Waiting, streams),
        blocking=partial(_Blocking, streams),
        live=any(stream.endless for stream in streams),
    )
    return stream_of(origin)


class _Front:
    """What has been read of each stream, and how far the order is settled."""

    def __init__(self, k: int) -> None:
        self.counts: dict[str, int] = {"late_events": 0}
        self._runs = kernels.Runs(k)
        self._out = kernels.columns()
        self._batches: list[EventBatch | None] = [None] * k
        self._running = [-AT_THE_END] * k
        self._settled = [-AT_THE_END] * k  # all before this has been read
        self._sensor = Sensor()
        self._start: int | None = None

    @property
    def next(self) -> int | None:
        """The stream to read from next; None when all have ended."""
        settled = min(self._settled)
        return None if settled == AT_THE_END else self._settled.index(settled)

    def take(self, which: int, batch: EventBatch | None) -> Iterator[EventBatch]:
        """Take the next batch of a stream, None at its end; give what is settled now."""
        if batch is None:
            self._settled[which] = AT_THE_END
        else:
            self._put(which, batch)
        until = min(self._settled)
        while True:
            kernels.merge(self._runs, until, self._out)
            if not self._out.n:
                break
            yield self._batch(self._out.take())

    def _put(self, which: int, batch: EventBatch) -> None:
        left = self._runs.left(which)
        before = self._batches[which]
        if left and before is not None:
            batch = EventBatch.concat([before[len(before) - left :], batch])
        key, late = running_times(batch.t, self._running[which])
        self.counts["late_events"] += late
        self._runs.put(which, (batch.t, batch.x, batch.y, batch.p), key)
        self._running[which] = int(key[-1]) if len(key) else self._running[which]
        self._settled[which] = max(self._settled[which], batch.span.stop)
        self._batches[which] = batch
        self._sensor = _wider(self._sensor, batch.sensor)

    def _batch(self, columns: tuple[object, ...]) -> EventBatch:
        t, x, y, p = columns
        stop = int(t.max())  # type: ignore[attr-defined]  # an array
        start = self._start if self._start is not None else int(t.min())  # type: ignore[attr-defined]  # an array
        self._start = max(start, stop)
        return EventBatch(t, x, y, p, self._sensor, Span(start, self._start))  # type: ignore[arg-type]  # arrays


class _Merged(Generic[R]):
    """Streams that are running, and what has been merged of them."""

    def __init__(
        self, streams: Sequence[Stream[EventBatch]], run: Callable[[Stream[EventBatch]], R]
    ) -> None:
        self._open = ExitStack()
        with self._open:
            self.runs: list[R] = [run(stream) for stream in streams]
            for one in self.runs:
                self._open.callback(one.close)
            self._open = self._open.pop_all()
        self.front = _Front(len(streams))
        self.ready: Iterator[EventBatch] = iter(())

    @property
    def counts(self) -> Mapping[str, int]:
        """What was odd here and in each stream."""
        return add_counts([self.front.counts, *(run.report.anomalies for run in self.runs)])

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the inputs are damaged."""
        return [place for run in self.runs for place in run.report.damage]

    def close(self) -> None:
        """Close all streams."""
        self._open.close()


class _Blocking(_Merged[BlockingRun[EventBatch]]):
    def __init__(self, streams: Sequence[Stream[EventBatch]]) -> None:
        super().__init__(streams, lambda stream: stream.blocking())

    def __next__(self) -> EventBatch:
        while True:
            for batch in self.ready:
                return batch
            which = self.front.next
            if which is None:
                raise StopIteration
            self.ready = self.front.take(which, next(self.runs[which], None))


class _Waiting(_Merged[AsyncRun[EventBatch]]):
    def __init__(self, streams: Sequence[Stream[EventBatch]]) -> None:
        super().__init__(streams, lambda stream: stream.open())

    async def __anext__(self) -> EventBatch:
        while True:
            for batch in self.ready:  # some 0.2 ms each
                return batch
            which = self.front.next
            if which is None:
                raise StopAsyncIteration
            try:
                batch = await anext(self.runs[which])
            except StopAsyncIteration:
                self.ready = self.front.take(which, None)
            else:
                self.ready = self.front.take(which, batch)

    async def aclose(self) -> None:
        """Close all streams, and wait until they are closed."""
        with anyio.CancelScope(shield=True):
            for run in self.runs:
                await run.aclose()


def _wider(one: Sensor, other: Sensor) -> Sensor:
    if one == Sensor() or one == other:
        return other
    return Sensor(max(one.width, other.width), max(one.height, other.height))
