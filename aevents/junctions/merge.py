"""`merge` and `buffer`: several streams as one, or one stream that is read ahead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TypeVar

from aevents.junctions.channel import BLOCK, CAPACITY, Channel, Overflow
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps, running
from aevents.stream import Stream

T = TypeVar("T")


@asynccontextmanager
async def merge(
    *streams: Stream[T], capacity: int = CAPACITY, overflow: Overflow = BLOCK
) -> AsyncIterator[Stream[T]]:
    """Read several streams at once, as they come, into one; it ends when all have ended.

    Each is read by a task of its own into one channel of `capacity` items; where it is full,
    `overflow` says what happens. An error in one stream ends the others, and is raised by the
    merged one behind what came before. Raises `ValueError` when there is nothing to merge.

    >>> async def both(left, right):
    ...     async with merge(left, right) as merged:
    ...         async for batch in merged:
    ...             print(batch.sensor.name, len(batch))
    """
    if not streams:
        raise ValueError("nothing to merge: no stream was given")
    channel: Channel[T] = Channel(overflow, capacity=capacity)
    pumps = Pumps([channel])
    live = any(stream.endless for stream in streams)
    async with running(partial(pumps.pump, one, channel.send) for one in streams):
        yield outlet(channel, "merged streams", pumps, live=live)
    pumps.raise_unread()


def buffer(
    stream: Stream[T], *, capacity: int = CAPACITY, overflow: Overflow = BLOCK
) -> AbstractAsyncContextManager[Stream[T]]:
    """Read a stream ahead, in a task of its own, into a channel; see `merge`.

    `buffer(stream, overflow=NEWEST)` gives the newest item each time one is asked for.
    """
    return merge(stream, capacity=capacity, overflow=overflow)
