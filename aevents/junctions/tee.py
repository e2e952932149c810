"""`tee`: one stream into several branches, each with its own policy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from aevents.junctions.channel import CAPACITY, Channel, Overflow, send_to_each
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps, running
from aevents.stream import Stream

T = TypeVar("T")


@asynccontextmanager
async def tee(
    stream: Stream[T], *policies: Overflow, capacity: int = CAPACITY
) -> AsyncIterator[tuple[Stream[T], ...]]:
    """Read a stream once, in a task of its own, and give every item to each branch: one a policy.

    A branch of policy `"block"` that is not read stalls all, by choice; the others drop, and count,
    what they cannot hold. A branch that is left early is no longer waited for; when all have been
    left, the stream is closed. Items are shared, not copied. Raises `ValueError` without a policy.

    >>> async def record(camera):
    ...     async with tee(camera, BLOCK, NEWEST) as (every, newest):
    ...         ...
    """
    if not policies:
        raise ValueError("a tee has branches: give a policy for each")
    channels = [Channel[T](policy, capacity=capacity) for policy in policies]
    pumps = Pumps(channels)
    async with running([partial(pumps.pump, stream, partial(_to_each, channels))]):
        yield tuple(
            outlet(one, "a branch of a tee", pumps, live=stream.endless) for one in channels
        )
    pumps.raise_unread()


async def _to_each(channels: Sequence[Channel[Any]], item: object) -> bool:
    await send_to_each(channels, item)
    return not all(one.abandoned for one in channels)
