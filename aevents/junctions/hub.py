"""`Hub`: one stream, and subscribers that come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio

from aevents._contracts import Report
from aevents.junctions.channel import NEWEST, Channel, Overflow, send_to_each
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps, running
from aevents.stream import Stream

T = TypeVar("T")


class Hub(Generic[T]):
    """Reads a stream in one task, from the first subscription on, and gives each item to all who
    are subscribed then. Enter it with `async with`.

    A subscriber that does not read costs nobody anything: unless it asks for `"block"`, what it
    cannot hold is dropped and counted. While nobody is subscribed, items are let go.

    >>> async def serve(frames):
    ...     async with Hub(frames) as hub, hub.subscribe() as newest:
    ...         async for frame in newest:
    ...             ...
    """

    def __init__(self, stream: Stream[T]) -> None:
        self._stream = stream
        self._channels: list[Channel[T]] = []
        self._pumps = Pumps(self._channels)
        self._begin = anyio.Event()
        self._ended = False
        self._tasks = AsyncExitStack()

    @property
    def subscribers(self) -> int:
        """How many are subscribed now."""
        return len(self._channels)

    @property
    def report(self) -> Report:
        """What has happened so far in the stream."""
        reports = self._pumps.reports()
        return reports[0] if reports else Report(0, 0, {})

    async def __aenter__(self) -> Self:
        await self._tasks.enter_async_context(running([self._pump]))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._tasks.__aexit__(exc_type, exc, traceback)  # noqa: ASYNC102  # the group cancels
        if exc is None:
            self._pumps.raise_unread()

    @asynccontextmanager
    async def subscribe(self, overflow: Overflow = NEWEST) -> AsyncIterator[Stream[T]]:
        """Give the stream of what comes from now on, the newest item alone unless told otherwise;
        the end of the body ends the subscription. After the stream has ended there is nothing.
        """
        channel: Channel[T] = Channel(overflow)
        if self._ended:
            channel.close()
        self._channels.append(channel)
        self._begin.set()
        try:
            live = self._stream.endless
            yield outlet(channel, "a subscription", self._pumps, live=live)
        finally:
            channel.abandon()
            self._channels.remove(channel)

    async def _pump(self) -> None:
        await self._begin.wait()
        await self._pumps.pump(self._stream, self._to_each)
        self._ended = True

    async def _to_each(self, item: T) -> bool:
        await send_to_each(self._channels, item)
        return True
