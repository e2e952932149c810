"""Junctions that are cancelled at any moment: nothing is left behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import numpy as np
import pytest
import uvloop

import aevents
from aevents import (
    BLOCK,
    NEWEST,
    EventBatch,
    Hub,
    Overflow,
    Result,
    Stream,
    accumulate,
    batch,
    buffer,
    infer,
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


async def use_infer(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with infer(one, {"a": len, "b": later}, with_frames=True) as items:
        async for _ in items:
            pass


async def use_infer_in_real_time(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with infer(one, {"a": len, "b": later}, workers=2, realtime=True) as results:
        async for _ in results:
            pass


async def use_batch(one: Stream[EventBatch], other: Stream[EventBatch]) -> None:
    async with batch(one, size=3, wait_us=100) as some, some.joined(other):
        async for _ in some:
            pass


USES: list[Callable[..., Awaitable[None]]] = [
    use_merge, use_buffer, use_tee, use_hub, use_accumulate, use_workers, use_workers_on_the_loop,
    use_infer, use_infer_in_real_time, use_batch,
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


@pytest.mark.timeout(120)
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("use", USES)
async def test_cancelled_at_any_moment_its_sockets_are_closed(
    use: Callable[..., Awaitable[None]], native: bool
) -> None:
    random = np.random.default_rng(6)
    one, other = port_of_nobody(), port_of_nobody()
    sending = asyncio.ensure_future(send_on_and_on(one))
    await cancelled_after(use(listening(one), listening(other)), 40, native)
    before = open_descriptors()
    for _ in range(60):  # a port that is not free would be an error
        turns = int(random.integers(60))
        await cancelled_after(use(listening(one), listening(other)), turns, native)
    sending.cancel()
    await asyncio.wait([sending])
    assert open_descriptors() == before - 1  # what sent
    assert no_tasks_left()


def listening(port: int) -> Stream[EventBatch]:
    return aevents.open(f"udp://127.0.0.1:{port}?size=8x4")


async def send_on_and_on(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while True:
            sender.sendto(bytes.fromhex("00000080") * 10, ("127.0.0.1", port))
            await asyncio.sleep(0)


def port_of_nobody() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def open_descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


Opens = Callable[[Stream[EventBatch]], AbstractAsyncContextManager[Stream[object]]]


@asynccontextmanager
async def through_tee(stream: Stream[EventBatch]) -> AsyncIterator[Stream[EventBatch]]:
    async with tee(stream, BLOCK, NEWEST, capacity=2) as (every, _):
        yield every


@asynccontextmanager
async def through_hub(stream: Stream[EventBatch]) -> AsyncIterator[Stream[EventBatch]]:
    async with Hub(stream) as hub, hub.subscribe(Overflow("block", capacity=2)) as every:
        yield every


async def same_later(batch: EventBatch) -> EventBatch:
    await anyio.lowlevel.checkpoint()
    return batch


def same(batch: EventBatch) -> EventBatch:
    return batch


def plain(item: object) -> object:
    """Return the batch in what a junction gives."""
    if isinstance(item, Result):
        return item.value
    return item[0].item if isinstance(item, tuple) else item


READS: dict[str, Opens] = {
    "merge": lambda stream: merge(stream, Live([]).stream, capacity=2),
    "buffer": lambda stream: buffer(stream, capacity=2),
    "tee": through_tee,
    "hub": through_hub,
    "workers": lambda stream: workers(stream, same, count=2),
    "workers on the loop": lambda stream: workers(stream, same_later, where="loop", count=2),
    "infer": lambda stream: infer(stream, same),
    "batch": lambda stream: batch(stream, size=1, wait_us=0),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("name", READS)
async def test_a_thousand_cancelled_reads_lose_nothing(name: str, native: bool) -> None:
    random, items = np.random.default_rng(7), batches(700)
    got: list[int] = []
    cancelled = 0
    async with READS[name](Live(items, silent=True).stream) as stream, stream.open() as run:

        async def take() -> None:
            one = plain(await anext(run))
            assert isinstance(one, EventBatch)
            got.append(int(one.t[0]))

        while len(got) < len(items) or cancelled < 1_000:
            before = len(got)
            await cancelled_after(take(), int(random.integers(5)), native)
            cancelled += len(got) == before
    assert got == [int(batch.t[0]) for batch in items]
    assert no_tasks_left()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("native", [True, False])
async def test_accumulate_cancelled_at_any_moment_has_counted_what_it_took(native: bool) -> None:
    random = np.random.default_rng(8)
    for _ in range(ROUNDS):
        live = Live(batches(30), silent=True)
        seen: list[float] = []

        async def look(live: Live = live, seen: list[float] = seen) -> None:
            async with accumulate(live.stream) as counted:
                try:
                    while True:
                        seen.append(counted.read().array.sum())
                        await anyio.lowlevel.checkpoint()
                finally:
                    seen.append(counted.read().array.sum())

        await cancelled_after(look(), int(random.integers(80)), native)
        taken = 30 - len([*live.feeds[0].items]) if live.feeds else 0
        if seen:
            assert 3 * (taken - 1) <= sum(seen) <= 3 * taken  # one may be on its way
    assert no_tasks_left()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("use", USES)
def test_interrupted_at_any_moment_it_leaves_nothing(
    use: Callable[..., Awaitable[None]], loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    random = np.random.default_rng(9)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.sleep(0))  # some of what a loop opens stays
    threads, before = threading.enumerate(), open_descriptors()
    for _ in range(ROUNDS // 4):
        one, other = Live(batches(20)), Live(batches(20), silent=True)
        with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=loop) as runner:
            runner.run(interrupted_after(use(one.stream, other.stream), int(random.integers(60))))
        assert all(live.closed or not live.feeds for live in (one, other))
    for thread in set(threading.enumerate()) - {*threads}:
        thread.join(10)  # it was told to end
        assert not thread.is_alive()
    assert open_descriptors() == before


async def interrupted_after(work: Awaitable[None], turns: int) -> None:
    async def interrupt() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        signal.raise_signal(signal.SIGINT)

    interrupting = asyncio.ensure_future(interrupt())
    try:
        await work
        await asyncio.sleep(60)  # it may have been quicker
    finally:
        assert asyncio.all_tasks() <= {asyncio.current_task(), interrupting}
