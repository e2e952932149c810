"""What does a junction cost an item, and who pays for who does not read?

A channel with a writer and a reader, against `asyncio.Queue` and anyio's stream. Then items that
are there already through each junction, with 1 to 8 branches and 1 to 64 subscribers, in CPU time
of the process. Then a branch that makes frames, beside branches that are never read. Last,
`accumulate`: the counting, and a look.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Literal

import anyio
import uvloop

from aevents import (
    BLOCK,
    NEWEST,
    EventBatch,
    Hub,
    Overflow,
    Sensor,
    Stream,
    accumulate,
    buffer,
    merge,
    tee,
    workers,
)
from aevents._contracts import Origin
from aevents.junctions.channel import CAPACITY, Channel
from aevents.sources.synthetic import poisson
from aevents.stream import stream_of
from benchmarks.measure import Answer, Gate, Options, Table, race

Read = Callable[[Stream[EventBatch]], Awaitable[None]]

SENSOR = Sensor(640, 480)
ITEMS = 20_000
BRANCHES, SUBSCRIBERS = (1, 2, 4, 8), (1, 2, 4, 8, 16, 32, 64)
BATCH, BATCHES = 10_000, 200  # where something is done with the events
IDLE = 4  # branches that are never read
CHANNEL = "Channel"


def run(options: Options) -> Answer:
    """Measure all four."""
    parts = [hops(options), junctions(options), bystanders(options), counting(options)]
    tables = [table for part in parts for table in part.tables]
    return Answer(tables, [gate for part in parts for gate in part.gates])


def hops(options: Options) -> Answer:
    """Measure an item's way from one task to another."""
    count = 500 if options.smoke else ITEMS
    ways = {CHANNEL: through_channel, "asyncio.Queue": through_queue, "anyio": through_anyio}
    race_of = {name: partial(on_loop, partial(way, count)) for name, way in ways.items()}
    best = race(race_of, options.rounds(9))
    each = {name: seconds / count * 1e6 for name, seconds in best.items()}
    title = f"an item from task to task, room for {CAPACITY}"
    rows: list[tuple[str | float | None, ...]] = [
        (name, us, us / each[CHANNEL]) for name, us in each.items()
    ]
    gate = Gate("a hop through a channel, us CPU", each[CHANNEL], at_most=2)
    return Answer([Table(title, ("way", "us CPU", "of a Channel"), rows)], [gate])


async def through_channel(count: int) -> None:
    """Send and receive."""
    channel: Channel[int] = Channel(capacity=CAPACITY)
    await beside(channel.send, channel.receive, count)


async def through_queue(count: int) -> None:
    """Put and get."""
    queue: asyncio.Queue[int] = asyncio.Queue(CAPACITY)
    await beside(queue.put, queue.get, count)


async def through_anyio(count: int) -> None:
    """Send and receive."""
    there, here = anyio.create_memory_object_stream[int](CAPACITY)
    with there, here:
        await beside(there.send, here.receive, count)


async def beside(
    put: Callable[[int], Awaitable[object]], get: Callable[[], Awaitable[object]], count: int
) -> None:
    """Put in one task, get in another."""

    async def write() -> None:
        for item in range(count):
            await put(item)

    writing = asyncio.ensure_future(write())
    for _ in range(count):
        await get()
    await writing


def junctions(options: Options) -> Answer:
    """Measure an item's way through each junction."""
    items = [EventBatch.empty(SENSOR)] * (200 if options.smoke else ITEMS // 4)
    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "no junction": lambda: read(given(items)),
        "buffer": partial(by_buffer, items),
        "merge of 2": partial(by_merge, items),
        "accumulate": partial(by_accumulate, items),
        "workers on the loop, 4": partial(by_workers, items, later, "loop"),
        "workers in threads, 4": partial(by_workers, items, len, "thread"),
    }
    ways |= {f"tee, {n}": partial(by_tee, items, n) for n in BRANCHES}
    ways |= {f"hub, {n}": partial(by_hub, items, n) for n in SUBSCRIBERS}
    race_of = {name: partial(on_loop, way) for name, way in ways.items()}
    best = race(race_of, options.rounds(5), time.process_time)
    rows: list[tuple[str | float | None, ...]] = []
    for name, seconds in best.items():
        us = seconds / len(items) * 1e6
        fan = int(name.split()[1]) if name.startswith(("tee", "hub")) else 1
        rows.append((name, us, us / fan))
    columns = ("junction, readers", "us CPU an item", "us CPU an item and reader")
    return Answer([Table("items that are there already", columns, rows)], [])


async def by_buffer(items: Sequence[EventBatch]) -> None:
    """Read ahead."""
    async with buffer(given(items)) as stream:
        await read(stream)


async def by_merge(items: Sequence[EventBatch]) -> None:
    """Merge two halves."""
    half = len(items) // 2
    async with merge(given(items[:half]), given(items[half:])) as stream:
        await read(stream)


async def by_tee(items: Sequence[EventBatch], branches: int) -> None:
    """Read every branch to its end."""
    async with tee(given(items), *[BLOCK] * branches) as streams:
        await all_of(streams, read)


async def by_hub(items: Sequence[EventBatch], subscribers: int) -> None:
    """Read every subscription to its end."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Hub(given(items)))
        overflow = Overflow("block", capacity=CAPACITY)
        streams = [
            await stack.enter_async_context(hub.subscribe(overflow)) for _ in range(subscribers)
        ]
        await all_of(streams, read)


async def by_accumulate(items: Sequence[EventBatch]) -> None:
    """Count to the end."""
    end = asyncio.Event()
    async with accumulate(given(items, end), sensor=SENSOR):
        await end.wait()


async def by_workers(
    items: Sequence[EventBatch], function: Callable[..., object], where: Literal["thread", "loop"]
) -> None:
    """Have each item worked on."""
    async with workers(given(items), function, where=where) as results:  # type: ignore[call-overload]  # either kind
        async for _ in results:
            pass


async def later(item: EventBatch) -> int:
    """Work on the loop."""
    return len(item)


def bystanders(options: Options) -> Answer:
    """Measure what branches cost that nobody reads, beside one that makes frames."""
    one = made(BATCH)
    items = [one] * (10 if options.smoke else BATCHES)
    policies = {
        "none": None,
        "drop_oldest, 1": NEWEST,
        "drop_oldest": Overflow("drop_oldest"),
        "drop_newest": Overflow("drop_newest"),
        "fail": Overflow("fail"),
    }
    ways = {
        f"{junction}, {name}": partial(on_loop, partial(way, items, policy))
        for junction, way in (("tee", framed_by_tee), ("hub", framed_by_hub))
        for name, policy in policies.items()
    }
    best = race(ways, options.rounds(25), time.process_time)
    rows: list[tuple[str | float | None, ...]] = []
    worst = 0.0
    for name, seconds in best.items():
        more = seconds / best[f"{name.partition(',')[0]}, none"] - 1
        rows.append((name, len(items) * BATCH / seconds / 1e6, 100 * more))
        worst = max(worst, more)
    title = f"a branch that makes frames of batches of {BATCH}, beside {IDLE} that are not read"
    columns = ("junction, policy of those", "Mev a CPU second", "% more time than alone")
    gate = Gate("a branch beside others that are not read, % more time", 100 * worst, at_most=5)
    return Answer([Table(title, columns, rows)], [gate])


async def framed_by_tee(items: Sequence[EventBatch], policy: Overflow | None) -> None:
    """Make frames in the first branch."""
    idle = [] if policy is None else [policy] * IDLE
    async with tee(given(items), BLOCK, *idle) as streams:
        await read_frames(streams[0])


async def framed_by_hub(items: Sequence[EventBatch], policy: Overflow | None) -> None:
    """Make frames in the first subscription."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Hub(given(items)))
        for _ in range(0 if policy is None else IDLE):
            await stack.enter_async_context(hub.subscribe(policy or BLOCK))
        blocking = Overflow("block", capacity=CAPACITY)
        await read_frames(await stack.enter_async_context(hub.subscribe(blocking)))


async def read_frames(stream: Stream[EventBatch]) -> None:
    """Make a frame of every batch."""
    async for _ in stream.window(count=BATCH).frames("signed"):
        pass


def counting(options: Options) -> Answer:
    """Measure what `accumulate` takes an event, and a look."""
    one = made(BATCH)
    items = [one] * (10 if options.smoke else BATCHES)
    looks = 20 if options.smoke else 500

    async def look() -> None:
        async with accumulate(given([one]), sensor=SENSOR) as seen:
            for _ in range(looks):
                seen.read()

    ways = {"fold": lambda: by_accumulate(items), "look": look}
    race_of = {name: partial(on_loop, way) for name, way in ways.items()}
    best = race(race_of, options.rounds(7), time.process_time)
    rows: list[tuple[str | float | None, ...]] = [
        (f"counting batches of {BATCH}, Mev a CPU second", len(items) * BATCH / best["fold"] / 1e6),
        (f"a look, {SENSOR.width}x{SENSOR.height}, us CPU", best["look"] / looks * 1e6),
    ]
    return Answer([Table("accumulate", ("what", "figure"), rows)], [])


class Given:
    """A waiting source of items that are there already."""

    def __init__(self, items: Iterable[EventBatch], end: asyncio.Event | None) -> None:
        self._items = iter(items)
        self._end = end

    async def __anext__(self) -> EventBatch:
        for item in self._items:
            return item
        if self._end is not None:
            self._end.set()
        raise StopAsyncIteration

    def close(self) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Nothing is open."""


def given(items: Iterable[EventBatch], end: asyncio.Event | None = None) -> Stream[EventBatch]:
    """Return a live stream of these items, which tells when all of them have been taken."""
    return stream_of(Origin("given", waiting=lambda: Given(items, end), live=True))


def made(events: int) -> EventBatch:
    """Return a batch of random events."""
    return next(poisson(SENSOR, rate=1e9).blocking())[:events]


async def read(stream: Stream[EventBatch]) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass


async def all_of(streams: Iterable[Stream[EventBatch]], each: Read) -> None:
    """Read streams side by side."""
    async with anyio.create_task_group() as tasks:
        for stream in streams:
            tasks.start_soon(each, stream)


def on_loop(work: Callable[[], Awaitable[object]]) -> None:
    """Run what awaits, on uvloop."""

    async def main() -> None:
        await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
