"""Junctions that are cancelled at any moment: nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from aevents import (
    BLOCK,
    NEWEST,
    EventBatch,
    Hub,
    Stream,
    accumulate,
    buffer,
    merge,
    tee,
    workers,
)
from tests.junctions.streams import Live, batches, no_tasks_left, read

ROUNDS = 200
Streams = tuple[Stream[EventBatch], Stream[EventBatch]]


async def use_merge(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with merge(one, other, capacity=2) as merged:
        await read(merged)


async def use_buffer(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with buffer(one, capacity=2) as ahead, buffer(other, overflow=NEWEST) as newest:
        await read(ahead)
        await read(newest)


async def use_tee(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with tee(one, BLOCK, BLOCK, NEWEST, capacity=2) as (left, right, _):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, left)
            tasks.start_soon(read, right)


async def use_hub(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with Hub(one) as hub, hub.subscribe(BLOCK) as every, hub.subscribe():
        await read(every)


async def use_accumulate(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with accumulate(one) as seen:
        for _ in range(100):
            seen.read()
            await anyio.lowlevel.checkpoint()


async def use_workers(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with workers(one, len, count=2) as lengths:
        async for _ in lengths:
            pass


async def later(batch: EventBatch) -> int:
    await anyio.lowlevel.checkpoint()
    return len(batch)


async def use_workers_on_the_loop(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with workers(one, later, where="loop", ordered=False) as lengths:
        async for _ in lengths:
            pass


USES: list[Callable[..., Awaitable[None]]] = [
    use_merge, use_buffer, use_tee, use_hub, use_accumulate, use_workers, use_workers_on_the_loop,
]  # fmt: skip


@pytest.mark.timeout(120)
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("use", USES)
async def test_cancelled_at_any_moment_it_leaves_nothing(
    use: Callable[..., Awaitable[None]], native: bool
) -> None:
    random = np.random.default_rng(5)
    threads = threading.active_count()
    for _ in range(ROUNDS):
        one, other = Live(batches(20)), Live(batches(20), silent=True)
        await cancelled_after(use(one.stream, other.stream), int(random.integers(60)), native)
        assert all(live.closed or not live.feeds for live in (one, other))
        assert no_tasks_left()
    assert threading.active_count() <= threads + 8  # the workers of anyio, which it keeps


async def cancelled_after(work: Awaitable[None], turns: int, native: bool) -> None:
    if native:
        task = asyncio.ensure_future(work)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return

    async def run() -> None:
        await work

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
