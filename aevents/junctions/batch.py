"""`batch`: the items of several streams, some at a time, each with where it is from."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Generic, TypeVar, cast

import anyio
import msgspec

from aevents._contracts import Origin
from aevents.junctions.channel import BLOCK, Channel, Overflow
from aevents.junctions.pump import Pumps, running
from aevents.operators.base import add_counts
from aevents.stream import Stream
from aevents.types import Damage

T = TypeVar("T")

SECOND_US = 1_000_000


class Sourced(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """An item of a `batch`, and the number of its source: those given, then those that joined."""

    source: int
    item: T


class Batches(Stream[tuple[Sourced[T], ...]], Generic[T], frozen=True, eq=False, kw_only=True):
    """The stream that `batch` gives, which sources may join."""

    table: Table[T]

    def joined(self, stream: Stream[T], /) -> AbstractAsyncContextManager[int]:
        """Have a source join while the body runs, and give its number. At the end of the body it
        leaves: it is closed, and what has come from it and is in no batch yet is dropped. Raises
        `anyio.ClosedResourceError` when all others have ended.
        """
        return self.table.joined(stream)


@asynccontextmanager
async def batch(
    *streams: Stream[T], size: int, wait_us: int, capacity: int = 1, overflow: Overflow = BLOCK
) -> AsyncIterator[Batches[T]]:
    """Gather items of several streams, as they come, into tuples of `Sourced`: as many as `size`,
    or those that have come within `wait_us` of wall time after the first.

    The sources take turns, so that none keeps the others out. For each, `capacity` items wait to be
    gathered; where there is no room, `overflow` says what happens: `NEWEST` for cameras. Others
    join with `batches.joined(stream)`. It ends when all sources have ended; without any at the
    beginning, with the body. An error in one ends all, and is raised behind what came before.

    Raises `ValueError` for a `size` below 1 and a `wait_us` below 0.

    >>> async def watch(left, right, net):
    ...     async with batch(left, right, size=8, wait_us=5_000) as batches:
    ...         async for some in batches:
    ...             answers = net([one.item for one in some])
    """
    if size < 1 or wait_us < 0:
        raise ValueError(f"size is at least 1 and wait_us 0, not {size} and {wait_us}")
    if overflow.capacity is None:
        overflow = msgspec.structs.replace(overflow, capacity=capacity)
    table: Table[T] = Table(size, wait_us / SECOND_US, overflow, endless=not streams)
    live = not streams or any(stream.endless for stream in streams)
    origin = Origin("a batch of streams", waiting=table.open, live=live)
    async with running([partial(table.read, stream, table.seat()) for stream in streams]):
        yield Batches(cast("Origin[object]", origin), endless=live, table=table)
    table.pumps.raise_unread()


class Table(Generic[T]):
    """Where the items of all sources meet: the source of the stream of batches."""

    def __init__(self, size: int, wait: float, overflow: Overflow, *, endless: bool) -> None:
        self.pumps: Pumps = Pumps([])
        self._size = size
        self._wait = wait
        self._overflow = overflow
        self._endless = endless
        self._channels: dict[int, Channel[T]] = {}
        self._turns: deque[int] = deque()
        self._seats = 0
        self._reading = 0
        self._opened = self._ended = False
        self._held: list[Sourced[T]] = []
        self._since = 0.0  # when the first of them was taken
        self._gone: dict[str, int] = {}  # counts of sources that have left
        self._news = anyio.Event()

    @property
    def counts(self) -> Mapping[str, int]:
        """What was dropped here, and what was odd before."""
        before = (report.anomalies for report in self.pumps.reports())
        return add_counts([self._gone, *(one.counts for one in self._channels.values()), *before])

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the inputs are damaged."""
        return [place for report in self.pumps.reports() for place in report.damage]

    def open(self) -> Table[T]:
        """Return itself, once."""
        if self._opened:
            raise anyio.BusyResourceError(
                "reading a second time from a batch of streams, a junction,"
            )
        self._opened = True
        return self

    def seat(self) -> int:
        """Return the number of one more source, for which there is room now."""
        if self._ended:
            raise anyio.ClosedResourceError
        number, self._seats = self._seats, self._seats + 1
        self._channels[number] = Channel(self._overflow)
        self._turns.append(number)
        self._reading += 1
        return number

    @asynccontextmanager
    async def joined(self, stream: Stream[T]) -> AsyncIterator[int]:
        """Read one more source while the body runs."""
        number = self.seat()
        try:
            async with running([partial(self.read, stream, number)]):
                yield number
        finally:
            channel = self._channels.pop(number)
            self._turns.remove(number)
            channel.abandon()
            self._gone = add_counts([self._gone, channel.counts])

    async def read(self, stream: Stream[T], number: int) -> None:
        """Read a source to its end."""
        channel = self._channels[number]

        async def put(item: T) -> bool:
            reads = await channel.send(item)
            self._news.set()
            return reads

        try:
            await self.pumps.pump(stream, put)
        finally:
            self._reading -= 1
            self._news.set()

    async def __anext__(self) -> tuple[Sourced[T], ...]:
        while True:
            self._news = anyio.Event()
            await self._gather()
            over = not self._reading and not self._endless
            if len(self._held) == self._size or (self._held and over):
                break
            if over:
                self._finish()
            with anyio.move_on_after(self._left if self._held else None) as waited:
                await self._news.wait()
            if waited.cancelled_caught:
                break
        batch, self._held = tuple(self._held), []
        return batch

    def close(self) -> None:
        """Read no more: what still comes is let go."""
        self._ended = True
        for channel in self._channels.values():
            channel.abandon()

    async def aclose(self) -> None:
        """Read no more."""
        self.close()

    @property
    def _left(self) -> float:
        return self._since + self._wait - anyio.current_time()

    async def _gather(self) -> None:
        while len(self._held) < self._size:
            ready = next((number for number in self._turns if len(self._channels[number])), None)
            if ready is None:
                return
            self._turns.remove(ready)
            self._turns.append(ready)
            if not self._held:
                self._since = anyio.current_time()
            item = await self._channels[ready].receive()  # without waiting: there is one
            self._held.append(Sourced(ready, item))

    def _finish(self) -> None:
        self._ended = True
        if self.pumps.error is not None:
            self.pumps.told = True
            raise self.pumps.error
        raise StopAsyncIteration
