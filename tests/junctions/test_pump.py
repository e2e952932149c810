"""The tasks of junctions."""

from __future__ import annotations

from functools import partial

import anyio
import anyio.lowlevel
import pytest

from aevents.junctions.channel import Channel
from aevents.junctions.pump import Pumps, running
from tests.junctions.streams import Live, batches, no_tasks_left


async def test_a_pump_reads_to_the_end_and_closes_the_channel() -> None:
    channel: Channel[object] = Channel(capacity=10)
    pumps, live = Pumps([channel]), Live(batches(4))
    await pumps.pump(live.stream, channel.send)
    assert len(channel) == 4
    channel.abandon()
    with pytest.raises(anyio.EndOfStream):
        await channel.receive()
    assert [report.delivered for report in pumps.reports()] == [4]
    assert live.closed


async def test_the_channel_is_closed_when_the_last_pump_ends() -> None:
    channel: Channel[object] = Channel(capacity=100)
    pumps = Pumps([channel])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pumps.pump, Live(batches(2)).stream, channel.send)
        tasks.start_soon(pumps.pump, Live(batches(40)).stream, channel.send)
    assert channel.received == 42


async def test_an_error_that_nobody_was_told_of_is_raised() -> None:
    channel: Channel[object] = Channel(capacity=10)
    pumps = Pumps([channel])
    await pumps.pump(Live([], error=OSError("unplugged")).stream, channel.send)
    with pytest.raises(OSError, match="unplugged"):
        pumps.raise_unread()


async def test_tasks_end_with_the_body() -> None:
    async with running([partial(anyio.sleep, 60), partial(anyio.sleep, 60)]):
        await anyio.lowlevel.checkpoint()
    assert no_tasks_left()


async def test_a_lone_error_comes_out_as_itself_and_several_as_a_group() -> None:
    async def fail(what: str) -> None:
        raise KeyError(what)

    with pytest.raises(KeyError, match="one"):
        async with running([partial(fail, "one")]):
            await anyio.sleep(1)
    with pytest.raises(ExceptionGroup) as caught:
        async with running([partial(fail, "one"), partial(fail, "two")]):
            await anyio.sleep(1)
    assert len(caught.value.exceptions) == 2
