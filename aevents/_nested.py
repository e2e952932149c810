"""Waiting sources around a stream that is running: what happens in wall time, one item after the
other, in no task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import anyio
import numpy as np
from msgspec.structs import replace

from aevents._driver import AsyncRun
from aevents.operators.order import running_times
from aevents.types import PICTURES, Damage, EventBatch, Frame, Span, Times

T = TypeVar("T")
U = TypeVar("U")

SECOND_US = 1_000_000
STEP_SECONDS = 0.001
"""Played events come in pieces of at least a millisecond: an asleep loop wakes no finer."""


class Nested(Generic[T]):
    """A running stream as the source of another; a base for what goes around it.

    An item that was read stays in `held` until it is handed on, so that a cancelled read loses
    none.
    """

    def __init__(self, inner: AsyncRun[T]) -> None:
        self.inner = inner
        self.held: list[T] = []

    @property
    def counts(self) -> Mapping[str, int]:
        """What was odd so far."""
        return self.inner.report.anomalies

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the input is damaged."""
        return self.inner.report.damage

    async def peek(self) -> T:
        """Return the next item, and hold it. Raises `StopAsyncIteration`."""
        if not self.held:
            self.held.append(await anext(self.inner))
        return self.held[0]

    def close(self) -> None:
        """Close the stream."""
        self.inner.close()

    async def aclose(self) -> None:
        """Close the stream, and wait until it is closed."""
        await self.inner.aclose()


class MapAsync(Nested[T], Generic[T, U]):
    """Each item through a coroutine function, one at a time, on the loop."""

    def __init__(self, inner: AsyncRun[T], function: Callable[[T], Awaitable[U]]) -> None:
        super().__init__(inner)
        self._function = function

    async def __anext__(self) -> U:
        result = await self._function(await self.peek())
        self.held.clear()
        return result


class Tap(Nested[T]):
    """Items as they are, each shown to a function, which may be a coroutine function, on the
    loop.
    """

    def __init__(self, inner: AsyncRun[T], function: Callable[[T], object]) -> None:
        super().__init__(inner)
        self._function = function

    async def __anext__(self) -> T:
        item = await self.peek()
        shown = self._function(item)
        if isinstance(shown, Awaitable):
            await shown
        self.held.clear()
        return item


class Limited(Nested[T]):
    """Items with at least so much wall time between them."""

    def __init__(self, inner: AsyncRun[T], hz: float) -> None:
        super().__init__(inner)
        self._seconds = 1 / hz
        self._next = 0.0

    async def __anext__(self) -> T:
        item = await self.peek()
        await _sleep_until(self._next)
        late = _now() - self._next
        self._next += self._seconds + (late if late > self._seconds else 0)
        self.held.clear()
        return item


class Marked(Nested[EventBatch]):
    """Batches, and an empty one when none has come for so long: its span goes on with wall time."""

    def __init__(self, inner: AsyncRun[EventBatch], timeout_us: int) -> None:
        super().__init__(inner)
        self._seconds = timeout_us / SECOND_US
        self._last: EventBatch | None = None
        self._came = 0.0  # wall time of the last batch that was none of ours
        self._stop = 0  # of the last span handed on

    async def __anext__(self) -> EventBatch:
        if self._last is None:
            return self._take(await self.peek())
        with anyio.move_on_after(self._seconds):
            return self._take(await self.peek())
        waited = int((_now() - self._came) * SECOND_US)
        start, self._stop = self._stop, max(self._stop, self._last.span.stop + waited)
        return EventBatch.empty(self._last.sensor, Span(start, self._stop))

    def _take(self, batch: EventBatch) -> EventBatch:
        self.held.clear()
        self._last, self._came = batch, _now()
        start, stop = batch.span
        if self._stop > start:  # a mark was ahead of it
            batch = replace(batch, span=Span(max(start, self._stop), max(stop, self._stop)))
        self._stop = batch.span.stop
        return batch


class Paced(Nested[T]):
    """Events, or whatever has a span, as they happened: not before their time has come, at `speed`.

    Batches come in pieces of about a millisecond; what is behind comes at once. A picture comes at
    the beginning of its span, all else when its span is over; the stream ends with the last span.
    In each of the `rounds` after the first, times go on where they ended.
    """

    def __init__(self, open_inner: Callable[[], AsyncRun[T]], speed: float, rounds: float) -> None:
        super().__init__(open_inner())
        self._open = open_inner
        self._speed = speed
        self._rounds = rounds
        self._wall: float | None = None  # when it began
        self._first = 0  # time that it began with
        self._stop = 0  # of the last span
        self._shift = 0  # of times, in later rounds
        self._at = 0  # first event of the held batch that has not been handed on
        self._running: Times = np.empty(0, np.int64)  # running times of the held batch
        self._awake = 0.0

    async def __anext__(self) -> T:
        if not self.held:
            await self._fetch()
        item = self.held[0]
        if isinstance(item, EventBatch):
            return cast("T", await self._piece(item))
        await self._until(_due(item))
        self.held.clear()
        return item

    async def _fetch(self) -> None:
        try:
            item = await anext(self.inner)
        except StopAsyncIteration:
            await self._begin_again()
            item = await anext(self.inner)
        item, span = _shifted(item, self._shift)
        if self._wall is None:
            self._wall, self._first = _now(), span.start
        if isinstance(item, EventBatch):
            self._at, (self._running, _) = 0, running_times(item.t, span.start)
        self._stop = max(self._stop, span.stop)
        self.held.append(item)

    async def _begin_again(self) -> None:
        if self._wall is None:
            raise StopAsyncIteration
        await self._until(self._stop)
        self._rounds -= 1
        if self._rounds < 1:
            raise StopAsyncIteration
        await self.inner.aclose()
        self.inner = self._open()
        self._shift = self._stop - self._first

    async def _piece(self, batch: EventBatch) -> EventBatch:
        """Return the events whose time has come, after waiting for at least one; at the end of the
        batch, all that are left and its span.
        """
        left = self._at < len(batch)
        await self._until(int(self._running[self._at]) if left else batch.span.stop)
        reached = self._first + int((_now() - (self._wall or 0)) * SECOND_US * self._speed)
        first, start = self._at, self._reached_before(batch)
        self._at = int(np.searchsorted(self._running, reached, side="right"))
        if self._at >= len(batch) and reached >= batch.span.stop:
            self.held.clear()
            return batch.cut(first, len(batch), Span(start, batch.span.stop))
        stop = min(max(reached, start), batch.span.stop)
        return batch.cut(first, self._at, Span(start, stop))

    def _reached_before(self, batch: EventBatch) -> int:
        return int(self._running[self._at - 1]) if self._at else batch.span.start

    async def _until(self, time: int) -> None:
        wall = (self._wall or 0) + (time - self._first) / SECOND_US / self._speed
        behind = wall < _now() - STEP_SECONDS
        await _sleep_until(wall if behind else max(wall, self._awake + STEP_SECONDS))
        self._awake = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _sleep_until(wall: float) -> None:
    if wall > _now():
        await anyio.sleep_until(wall)


def _span_of(item: object) -> Span:
    span = getattr(item, "span", None)
    if not isinstance(span, Span):
        raise TypeError(f"a {type(item).__name__} has no span: it cannot be played by time")
    return span


def _due(item: object) -> int:
    """Return when an item is complete: a frame of events when these have come."""
    start, stop = _span_of(item)
    return start if isinstance(item, Frame) and item.mode in PICTURES else stop


def _shifted(item: T, shift: int) -> tuple[T, Span]:
    """Return an item whose times are `shift` µs later, and its span."""
    start, stop = _span_of(item)
    span = Span(start + shift, stop + shift)
    if not shift:
        return item, span
    times = {"t": item.t + shift} if hasattr(item, "t") else {}
    return cast("T", replace(cast("Any", item), span=span, **times)), span
