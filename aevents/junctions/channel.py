"""The one bounded channel: many writers, one reader, and a stated policy for when it is full."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Generic, Literal, TypeVar

import anyio
import msgspec

from aevents.errors import SlowConsumerError
from aevents.types import EventBatch, Frame

T = TypeVar("T")

Policy = Literal["block", "drop_oldest", "drop_newest", "fail"]
POLICIES: tuple[Policy, ...] = ("block", "drop_oldest", "drop_newest", "fail")


class Overflow(msgspec.Struct, frozen=True):
    """What a channel does when it is full, and when that is.

    `"block"` makes the writer wait, `"drop_oldest"` and `"drop_newest"` drop an item and count it,
    `"fail"` ends the stream with `SlowConsumerError`. `capacity` is in items, `capacity_bytes` in
    bytes of what the items hold: the first that is reached counts, but one item may always be
    there. Raises `ValueError` for an unknown policy and for a capacity below 1.
    """

    policy: Policy = "block"
    capacity: int | None = None
    capacity_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"overflow is one of {', '.join(POLICIES)}, not {self.policy!r}")
        for name in ("capacity", "capacity_bytes"):
            bound = getattr(self, name)
            if bound is not None and bound < 1:
                raise ValueError(f"{name} is at least 1, not {bound}")


BLOCK = Overflow("block")
"""Wait for the reader: nothing is lost, and the source is slowed."""
NEWEST = Overflow("drop_oldest", capacity=1)
"""Keep only the newest item: the reader is never behind, and slows nobody."""

CAPACITY = 16
"""Items that a channel holds unless told otherwise."""


class Channel(Generic[T]):
    """A bounded queue in one event loop. An item stays in it until the reader takes it.

    At every moment `received == delivered + dropped + len(channel)`, in items.
    """

    __slots__ = (
        "_closed", "_error", "_items", "_most_bytes", "_overflow", "_reader", "_writers",
        "abandoned", "delivered", "dropped", "dropped_events", "held_bytes", "received",
    )  # fmt: skip

    def __init__(self, overflow: Overflow = BLOCK, *, capacity: int = CAPACITY) -> None:
        if overflow.capacity is None:
            overflow = msgspec.structs.replace(overflow, capacity=capacity)
        self.received: int = 0
        self.delivered: int = 0
        self.dropped: int = 0
        self.dropped_events: int = 0
        self.held_bytes: int = 0  # only where bytes are bounded
        self.abandoned: bool = False
        self._overflow = overflow
        self._most_bytes = overflow.capacity_bytes
        self._items: deque[T] = deque()
        self._closed = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writers: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def counts(self) -> dict[str, int]:
        """What was dropped: items by policy, and how many events were in them."""
        name = "oldest" if self._overflow.policy == "drop_oldest" else "newest"
        return {f"queue_dropped_{name}": self.dropped, "queue_dropped_events": self.dropped_events}

    @property
    def error(self) -> Exception | None:
        """What the channel ended with, until the reader has been told."""
        return self._error

    def offer(self, item: T, /) -> bool:
        """Take an item, if there is room for it or the policy makes room; say whether it was taken
        or dropped. False: there is none yet.
        """
        if self._closed or self.abandoned:
            return True
        size = _size(item) if self._most_bytes is not None else 0
        policy = self._overflow.policy
        if policy == "block" and self._full(size):
            return False
        self.received += 1
        while policy == "drop_oldest" and self._full(size):
            self._drop(self._pop())
        if self._full(size):
            self._drop(item)
            if policy == "fail":
                self.close(SlowConsumerError(len(self._items), self.dropped))
            return True
        self._items.append(item)
        self.held_bytes += size
        self._wake_reader()
        return True

    async def send(self, item: T, /) -> bool:
        """Hand over an item; waits for room under `"block"`. Say whether somebody still reads: what
        is sent to nobody is let go. The item of a wait that is cancelled is counted as dropped.
        """
        while not self.offer(item):
            waiting = asyncio.get_running_loop().create_future()
            self._writers.append(waiting)
            try:
                await waiting
            except BaseException:
                if waiting.done() and not waiting.cancelled():
                    self._wake_writer()  # it was this one's turn
                self.lose(item)
                raise
            finally:
                if not waiting.done() or waiting.cancelled():
                    self._writers.remove(waiting)
        return not self.abandoned

    def lose(self, item: T, /) -> None:
        """Count an item as dropped that was to come here, and will not."""
        self.received += 1
        self._drop(item)

    async def receive(self) -> T:
        """Take the first item. Raises `anyio.EndOfStream` behind the last one, or the error that
        the channel was closed with, and `anyio.BusyResourceError` for a second reader.
        """
        if self._reader is not None:
            raise anyio.BusyResourceError("receiving from")
        while not self._items:
            if self._closed:
                error, self._error = self._error, None
                raise error or anyio.EndOfStream
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        self.delivered += 1
        item = self._pop()
        if self._writers:
            self._wake_writer()
        return item

    def close(self, error: Exception | None = None) -> None:
        """Take nothing more: the reader gets what is there, then the end, or this error."""
        if not self._closed:
            self._closed = True
            self._error = error
            self._wake_reader()
            self._wake_writers()

    def abandon(self) -> None:
        """Nobody reads any more: let go what is there, and what is still sent."""
        self.abandoned = True
        while self._items:
            self._drop(self._pop())
        self._wake_writers()

    def _full(self, size: int) -> bool:
        assert self._overflow.capacity is not None
        if len(self._items) >= self._overflow.capacity:
            return True
        most = self._most_bytes
        return most is not None and bool(self._items) and self.held_bytes + size > most

    def _pop(self) -> T:
        item = self._items.popleft()
        if self._most_bytes is not None:
            self.held_bytes -= _size(item)
        return item

    def _drop(self, item: T) -> None:
        self.dropped += 1
        if isinstance(item, EventBatch):
            self.dropped_events += len(item)

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _wake_writer(self) -> None:
        while self._writers:
            waiting = self._writers.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return

    def _wake_writers(self) -> None:
        while self._writers:
            self._wake_writer()


async def send_to_each(channels: Iterable[Channel[T]], item: T) -> None:
    """Hand an item to each channel, to those that have no room last. Where this is cancelled, those
    that have not got it count it as dropped.
    """
    waiting = deque(one for one in channels if not one.offer(item))
    try:
        while waiting:
            await waiting.popleft().send(item)
    finally:
        for channel in waiting:
            channel.lose(item)


def _size(item: object) -> int:
    """Return the bytes that an item holds; 1 for what does not say."""
    if isinstance(item, EventBatch):
        return item.t.nbytes + item.x.nbytes + item.y.nbytes + item.p.nbytes
    if isinstance(item, Frame):
        return int(item.array.nbytes)
    if isinstance(item, bytes | bytearray | memoryview):
        return memoryview(item).nbytes
    return int(getattr(item, "nbytes", 1))
