"""Readers that are slow, stop, or never begin: what a junction holds is bounded, what it drops is
counted, and nobody else notices.

Nothing here is measured in time: turns of the loop, items and bytes are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import (
    BLOCK,
    NEWEST,
    EventBatch,
    Hub,
    Overflow,
    SlowConsumerError,
    Stream,
    buffer,
    merge,
    tee,
)
from aevents.junctions.channel import POLICIES, Channel, Policy
from tests.junctions.streams import Live, batch_at, no_tasks_left, settle

EVENT_BYTES = 13
SIZES = st.lists(st.integers(0, 40), max_size=60)  # events of a batch; 0: the reader takes one


@given(st.sampled_from(POLICIES), st.integers(1, 5), st.integers(1, 60), SIZES)
def test_a_channel_keeps_to_its_bytes_and_its_counts_at_every_moment(
    policy: Policy, capacity: int, events: int, sizes: list[int]
) -> None:
    most = EVENT_BYTES * events
    channel: Channel[EventBatch] = Channel(Overflow(policy, capacity, most))
    offered = delivered = 0

    async def run() -> None:
        nonlocal offered, delivered
        for size in sizes:
            if size:
                offered += size * channel.offer(batch_at(0, size))
            elif len(channel):
                delivered += len(await channel.receive())
            assert channel.received == channel.delivered + channel.dropped + len(channel)
            assert channel.held_bytes <= most or len(channel) == 1
            assert len(channel) <= capacity
            held = channel.held_bytes // EVENT_BYTES
            if channel.error is None:  # after that, what is offered is let go
                assert offered == delivered + channel.dropped_events + held
            if policy == "block":
                assert channel.dropped == 0

    asyncio.run(run())


def uneven(count: int) -> list[EventBatch]:
    sizes = np.random.default_rng(2).integers(1, 30, count)
    return [batch_at(10 * i, int(size)) for i, size in enumerate(sizes)]


Junction = Callable[[Stream[EventBatch], Overflow], AbstractAsyncContextManager[Stream[EventBatch]]]


@asynccontextmanager
async def by_buffer(
    stream: Stream[EventBatch], overflow: Overflow
) -> AsyncIterator[Stream[EventBatch]]:
    async with buffer(stream, overflow=overflow) as ahead:
        yield ahead


@asynccontextmanager
async def by_merge(
    stream: Stream[EventBatch], overflow: Overflow
) -> AsyncIterator[Stream[EventBatch]]:
    async with merge(stream, Live([]).stream, overflow=overflow) as merged:
        yield merged


@asynccontextmanager
async def by_tee(
    stream: Stream[EventBatch], overflow: Overflow
) -> AsyncIterator[Stream[EventBatch]]:
    async with tee(stream, overflow) as (branch,):
        yield branch


@asynccontextmanager
async def by_hub(
    stream: Stream[EventBatch], overflow: Overflow
) -> AsyncIterator[Stream[EventBatch]]:
    async with Hub(stream) as hub, hub.subscribe(overflow) as subscription:
        yield subscription


@pytest.mark.parametrize("junction", [by_buffer, by_merge, by_tee, by_hub])
@pytest.mark.parametrize("policy", POLICIES)
async def test_what_a_slow_reader_misses_is_counted_to_the_event(
    junction: Junction, policy: Policy
) -> None:
    items = uneven(200)
    overflow = Overflow(policy, capacity=7, capacity_bytes=100 * EVENT_BYTES)
    random = np.random.default_rng(3)
    got: list[EventBatch] = []
    async with junction(Live(items).stream, overflow) as stream, stream.open() as run:
        with pytest.raises((SlowConsumerError, StopAsyncIteration)) as ended:
            while True:
                got.append(await anext(run))
                for _ in range(random.integers(12)):
                    await asyncio.sleep(0)
    missed, events = run.report.dropped, run.report.get("queue_dropped_events", 0)
    if policy == "fail":
        assert isinstance(ended.value, SlowConsumerError)
        assert missed == ended.value.dropped == 1
        assert [int(one.t[0]) for one in got] == [int(one.t[0]) for one in items[: len(got)]]
        assert events == len(items[len(got)])
        return
    assert isinstance(ended.value, StopAsyncIteration)
    assert len(got) + missed == len(items)
    assert sum(map(len, got)) + events == sum(map(len, items))
    assert (missed == 0) == (policy == "block")


NEVER_READ = [NEWEST, *(Overflow(policy, capacity=3) for policy in POLICIES if policy != "block")]


@asynccontextmanager
async def beside_in_tee(
    stream: Stream[EventBatch], others: list[Overflow]
) -> AsyncIterator[Stream[EventBatch]]:
    async with tee(stream, BLOCK, *others, capacity=4) as (every, *_):
        yield every


@asynccontextmanager
async def beside_in_hub(
    stream: Stream[EventBatch], others: list[Overflow]
) -> AsyncIterator[Stream[EventBatch]]:
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Hub(stream))
        for overflow in others:
            await stack.enter_async_context(hub.subscribe(overflow))
        yield await stack.enter_async_context(hub.subscribe(Overflow("block", capacity=4)))


@pytest.mark.parametrize("beside", [beside_in_tee, beside_in_hub])
async def test_who_never_reads_costs_the_others_no_turn_of_the_loop(
    beside: Callable[
        [Stream[EventBatch], list[Overflow]], AbstractAsyncContextManager[Stream[EventBatch]]
    ],
) -> None:
    turns = []
    for others in ([], NEVER_READ, 16 * NEVER_READ):
        live = Live(uneven(300), silent=True)
        async with beside(live.stream, others) as every:
            turns.append(await turns_of(every))
    assert turns[0] == turns[1] == turns[2]
    assert no_tasks_left()


async def turns_of(stream: Stream[EventBatch]) -> int:
    """Return how many turns of the loop it takes to read 300 batches of a stream."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.ensure_future(count())
    async with stream.open() as run:
        for _ in range(300):
            await anext(run)
    counting.cancel()
    await asyncio.wait([counting])
    return turns


async def test_the_newest_batch_or_frame_is_there_when_it_is_asked_for() -> None:
    times = [*range(0, 1_000, 10)]
    live = Live([batch_at(t) for t in times], silent=True)
    async with buffer(live.stream, overflow=NEWEST) as newest, newest.open() as run:
        await settle()
        assert int((await anext(run)).t[0]) == times[-1]
        with anyio.move_on_after(0) as scope:
            await anext(run)  # nothing newer: it waits
        assert scope.cancelled_caught
    assert run.report["queue_dropped_oldest"] == len(times) - 1

    live = Live([batch_at(t) for t in times], silent=True)
    frames = live.stream.window(duration_us=10, origin_us=0).frames("count")
    async with buffer(frames, overflow=NEWEST) as looks, looks.open() as seen:
        await settle()
        frame = await anext(seen)
    assert (frame.span.start, frame.span.stop, int(frame.array.sum())) == (980, 990, 3)
    assert seen.report["queue_dropped_oldest"] == 98
