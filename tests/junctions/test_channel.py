"""The bounded channel: its policies, its counts, and who waits for whom."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import EventBatch, SlowConsumerError
from aevents.junctions.channel import (
    BLOCK,
    NEWEST,
    POLICIES,
    Channel,
    Overflow,
    Policy,
    send_to_each,
)


def batch(events: int) -> EventBatch:
    return EventBatch.from_columns(t=range(events), x=[0] * events, y=[0] * events, p=[0] * events)


async def drain(channel: Channel[Any]) -> list[Any]:
    items = []
    try:
        while True:
            items.append(await channel.receive())
    except anyio.EndOfStream:
        return items


def full(policy: Policy, *, capacity: int = 2) -> Channel[int]:
    channel: Channel[int] = Channel(Overflow(policy, capacity=capacity))
    for item in range(capacity):
        assert channel.offer(item)
    return channel


def test_block_takes_nothing_when_full() -> None:
    channel = full("block")
    assert not channel.offer(9)
    assert (channel.received, channel.dropped, len(channel)) == (2, 0, 2)


async def test_drop_oldest_keeps_the_newest() -> None:
    channel = full("drop_oldest")
    assert channel.offer(9)
    channel.close()
    assert await drain(channel) == [1, 9]
    assert channel.counts == {"queue_dropped_oldest": 1, "queue_dropped_events": 0}


async def test_drop_newest_keeps_the_oldest() -> None:
    channel = full("drop_newest")
    assert channel.offer(9)
    channel.close()
    assert await drain(channel) == [0, 1]
    assert channel.counts == {"queue_dropped_newest": 1, "queue_dropped_events": 0}


async def test_fail_ends_with_an_error_behind_what_is_there() -> None:
    channel = full("fail")
    assert channel.offer(9)
    assert channel.offer(10)  # it is closed: this is let go
    assert [await channel.receive(), await channel.receive()] == [0, 1]
    with pytest.raises(SlowConsumerError, match="2 items wait, 1 were dropped") as caught:
        await channel.receive()
    assert (caught.value.capacity, caught.value.dropped) == (2, 1)


async def test_dropped_events_are_counted() -> None:
    channel: Channel[EventBatch] = Channel(NEWEST)
    for events in (3, 4, 5):
        channel.offer(batch(events))
    assert channel.counts == {"queue_dropped_oldest": 2, "queue_dropped_events": 7}


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_bytes_are_bounded_as_items_are(policy: Policy) -> None:
    channel: Channel[object] = Channel(Overflow(policy, capacity=100, capacity_bytes=13 * 10))
    for item in (batch(4), batch(6), batch(3), np.zeros(30, np.uint8), b"12345"):
        channel.offer(item)
        assert channel.held_bytes <= 130
    assert channel.received == channel.dropped + len(channel) == 5


async def test_one_item_may_always_be_there_however_large() -> None:
    channel: Channel[bytes] = Channel(Overflow("block", capacity_bytes=4))
    assert channel.offer(bytes(100))
    assert not channel.offer(b"1")
    await channel.receive()
    assert channel.offer(b"1")


async def test_a_writer_waits_for_room() -> None:
    channel = full("block")
    writing = asyncio.ensure_future(channel.send(9))
    await asyncio.sleep(0)
    assert not writing.done()
    assert await channel.receive() == 0
    assert await writing is True
    channel.close()
    assert await drain(channel) == [1, 9]


async def test_a_reader_waits_for_an_item() -> None:
    channel: Channel[int] = Channel()
    reading = asyncio.ensure_future(channel.receive())
    await asyncio.sleep(0)
    channel.offer(5)
    assert await reading == 5


async def test_a_second_reader_is_refused() -> None:
    channel: Channel[int] = Channel()
    reading = asyncio.ensure_future(channel.receive())
    await asyncio.sleep(0)
    with pytest.raises(anyio.BusyResourceError):
        await channel.receive()
    reading.cancel()
    await asyncio.wait([reading])
    channel.offer(5)
    assert await channel.receive() == 5


async def test_a_cancelled_writer_hands_its_turn_on() -> None:
    channel = full("block", capacity=1)
    first, second = (asyncio.ensure_future(channel.send(item)) for item in (8, 9))
    await asyncio.sleep(0)
    assert await channel.receive() == 0  # wakes the first
    first.cancel()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert await channel.receive() == 9


async def test_what_a_cancelled_writer_had_in_hand_is_counted() -> None:
    channel = full("block", capacity=1)
    writing = asyncio.ensure_future(channel.send(9))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])
    assert await channel.receive() == 0
    channel.close()
    assert await drain(channel) == []
    assert (channel.received, channel.delivered, channel.dropped) == (2, 1, 1)


async def test_what_is_sent_to_each_is_counted_by_those_that_do_not_get_it() -> None:
    channels = [full("block", capacity=1) for _ in range(3)]
    assert await channels[0].receive() == 0
    sending = asyncio.ensure_future(send_to_each(channels, 9))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.wait([sending])
    assert [(one.received, one.dropped, len(one)) for one in channels] == [
        (2, 0, 1),
        (2, 1, 1),
        (2, 1, 1),
    ]


async def test_leaving_lets_go_and_wakes_the_writers() -> None:
    channel = full("block")
    writing = asyncio.ensure_future(channel.send(9))
    await asyncio.sleep(0)
    channel.abandon()
    assert await writing is False
    assert (channel.received, channel.dropped, len(channel)) == (2, 2, 0)


async def test_an_error_is_told_once() -> None:
    channel: Channel[int] = Channel()
    channel.close(KeyError("x"))
    channel.close()
    with pytest.raises(KeyError):
        await channel.receive()
    with pytest.raises(anyio.EndOfStream):
        await channel.receive()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "wait"}, "overflow is one of block, drop_oldest, drop_newest, fail"),
        ({"capacity": 0}, "capacity is at least 1, not 0"),
        ({"capacity_bytes": -1}, "capacity_bytes is at least 1, not -1"),
    ],
)
def test_impossible_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Overflow(**options)


STEPS = st.lists(st.sampled_from(["offer", "take", "offer", "leave"]), max_size=60)


@given(st.sampled_from(POLICIES), st.integers(1, 4), STEPS)
def test_at_every_moment_the_counts_add_up(policy: Policy, capacity: int, steps: list[str]) -> None:
    channel: Channel[int] = Channel(Overflow(policy, capacity=capacity))
    model: deque[int] = deque()

    async def run() -> None:
        for number, step in enumerate(steps):
            if step == "offer":
                channel.offer(number)
            elif step == "take" and len(channel):
                await channel.receive()
            elif step == "leave" and number % 20 == 19:
                channel.abandon()
            assert channel.received == channel.delivered + channel.dropped + len(channel)
            assert len(channel) <= capacity

    asyncio.run(run())
    assert not model


async def test_many_writers_and_cancelled_reads_lose_nothing() -> None:
    channel: Channel[tuple[int, int]] = Channel(BLOCK, capacity=3)
    random = np.random.default_rng(1)

    async def write(writer: int) -> None:
        for item in range(50):
            await channel.send((writer, item))

    writers = [asyncio.ensure_future(write(writer)) for writer in range(5)]
    got: list[tuple[int, int]] = []
    while len(got) < 250:
        reading = asyncio.ensure_future(channel.receive())
        for _ in range(random.integers(0, 4)):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            got.append(reading.result())
    for writer in range(5):
        assert [item for one, item in got if one == writer] == list(range(50))
    await asyncio.wait(writers)
    assert channel.received == channel.delivered == 250
