"""Small streams for the tests of junctions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aevents import EventBatch, Sensor
from aevents._contracts import Origin
from aevents.stream import Stream, stream_of


def batch_at(t: int, events: int = 3, sensor: Sensor = Sensor(8, 4)) -> EventBatch:  # noqa: B008  # frozen
    times = range(t, t + events)
    zeros = [0] * events
    return EventBatch.from_columns(t=times, x=zeros, y=zeros, p=zeros, sensor=sensor)


class Feed:
    """A live source of these items, with a turn of the loop before each; then its error, if any."""

    def __init__(self, items: Iterable[object], error: Exception | None, *, silent: bool) -> None:
        self.items = iter(items)
        self.error = error
        self.silent = silent
        self.closed = 0
        self.counts = {"odd": 1}

    async def __anext__(self) -> object:
        await asyncio.sleep(0)
        for item in self.items:
            return item
        if self.error is not None:
            raise self.error
        if self.silent:
            await asyncio.sleep(60)
        raise StopAsyncIteration

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.close()


class Live:
    """A stream of a `Feed`, which can be looked at: `feeds` are those that were opened."""

    def __init__(
        self, items: Iterable[object], *, error: Exception | None = None, silent: bool = False
    ) -> None:
        self.feeds: list[Feed] = []
        kept = list(items)

        def open_one() -> Feed:
            self.feeds.append(Feed(kept, error, silent=silent))
            return self.feeds[-1]

        origin: Origin[EventBatch] = Origin("feed", waiting=open_one, live=True)  # type: ignore[arg-type]  # of batches
        self.stream: Stream[EventBatch] = stream_of(origin)

    @property
    def closed(self) -> bool:
        return bool(self.feeds) and all(feed.closed for feed in self.feeds)


def batches(count: int, *, start: int = 0) -> list[EventBatch]:
    return [batch_at(start + 10 * i) for i in range(count)]


async def read(stream: Stream[EventBatch]) -> list[int]:
    """Return the first time of each batch."""
    return [int(batch.t[0]) async for batch in stream]


def no_tasks_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def settle() -> None:
    """Let the tasks of the loop go on until they wait: turns, as time may pass without any."""
    for _ in range(2_000):
        await asyncio.sleep(0)
