"""The reading end of a junction."""

from __future__ import annotations

import anyio
import pytest

from aevents.junctions.channel import Channel
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps


async def test_what_comes_through_the_channel_comes_out() -> None:
    channel: Channel[int] = Channel(capacity=3)
    stream = outlet(channel, "a test", Pumps([channel]), live=False)
    for item in range(3):
        channel.offer(item)
    channel.close()
    assert await stream.map(lambda item: item * item).to_list() == [0, 1, 4]


async def test_it_tells_how_many_items_wait() -> None:
    channel: Channel[int] = Channel()
    queued = outlet(channel, "a test", Pumps([channel]), live=True).origin.queued
    assert queued is not None
    assert queued() == 0
    channel.offer(1)
    assert queued() == 1


async def test_leaving_it_lets_the_channel_go() -> None:
    channel: Channel[int] = Channel()
    stream = outlet(channel, "a test", Pumps([channel]), live=True)
    channel.offer(1)
    channel.offer(2)
    assert await stream.first() == 1
    assert channel.abandoned
    assert channel.dropped == 1
    with pytest.raises(anyio.BusyResourceError, match="reading a second time from a test"):
        await stream.first()


async def test_an_error_that_is_read_is_known() -> None:
    channel: Channel[int] = Channel()
    pumps = Pumps([channel])
    stream = outlet(channel, "a test", pumps, live=True)
    pumps.fail(KeyError("x"))
    with pytest.raises(KeyError):
        await stream.first()
    pumps.raise_unread()
