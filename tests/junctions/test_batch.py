"""Items of several sources, some at a time."""

from __future__ import annotations

import asyncio
import time

import anyio
import pytest

from aevents import NEWEST, EventBatch, Frame, Sourced, Stream, batch
from tests.junctions.streams import Live, batches, no_tasks_left, settle
from tests.junctions.test_infer import Camera, film, number

Some = tuple[Sourced[EventBatch], ...]


def told(some: Some) -> list[tuple[int, int]]:
    """Return source and first time of each item."""
    return [(one.source, int(one.item.t[0])) for one in some]


async def test_sources_take_turns_and_each_item_says_which() -> None:
    left, right = Live(batches(3)), Live(batches(3, start=1_000))
    async with batch(left.stream, right.stream, size=2, wait_us=10**6) as some:
        got = [told(one) async for one in some]
    assert got == [[(0, 0), (1, 1000)], [(0, 10), (1, 1010)], [(0, 20), (1, 1020)]]
    assert left.closed
    assert right.closed
    assert no_tasks_left()


async def test_a_busy_source_does_not_keep_the_others_out() -> None:
    busy, calm = film(1_000), Camera()
    async with batch(busy, calm.stream, size=4, wait_us=10**6) as some, some.open() as run:
        await calm.see(7)
        first = await anext(run)
        assert sum(one.source == 1 for one in first) == 1
        calm.end()
        assert sum([len(one) async for one in run]) == 1_001 - 4


async def test_the_last_ones_come_when_all_have_ended() -> None:
    async with batch(film(5), size=3, wait_us=10**9) as some:
        assert [[number(one.item) for one in many] async for many in some] == [[0, 1, 2], [3, 4]]


async def test_nobody_waits_longer_than_he_wants() -> None:
    camera = Camera()
    async with batch(camera.stream, size=8, wait_us=20_000, capacity=8) as some:
        async with some.open() as run:
            await camera.see(1, 2)
            began = time.monotonic()
            assert [number(one.item) for one in await anext(run)] == [1, 2]
            assert 0.015 < time.monotonic() - began < 5


async def test_without_waiting_what_is_there_comes() -> None:
    camera = Camera()
    async with batch(camera.stream, size=8, wait_us=0, capacity=8) as some, some.open() as run:
        await camera.see(1, 2, 3)
        assert [number(one.item) for one in await anext(run)] == [1, 2, 3]
        await camera.see(4)
        assert [number(one.item) for one in await anext(run)] == [4]


async def test_sources_join_and_leave() -> None:
    first, second = Camera(), Camera()
    async with batch(first.stream, size=1, wait_us=0) as some, some.open() as run:
        async with some.joined(second.stream) as joined:
            assert joined == 1
            await second.see(5)
            [one] = await anext(run)
            assert (one.source, number(one.item)) == (1, 5)
            await second.see(6, 7)
        assert second.closed
        await first.see(8)
        [one] = await anext(run)
        assert (one.source, number(one.item)) == (0, 8)
        first.end()
        assert [one async for one in run] == []
        with pytest.raises(anyio.ClosedResourceError):
            async with some.joined(Camera().stream):
                pass
    assert run.report["queue_dropped_newest"] == 2  # of the one that left: 6 waited, 7 was in hand
    assert no_tasks_left()


async def test_it_may_begin_without_sources() -> None:
    none: list[Stream[Frame]] = []
    async with batch(*none, size=2, wait_us=10**6) as some, some.open() as run:
        async with some.joined(film(2)):
            assert [number(one.item) for one in await anext(run)] == [0, 1]
        async with some.joined(film(2)) as joined:
            assert [one.source for one in await anext(run)] == [joined, joined] == [1, 1]
        reading = asyncio.ensure_future(anext(run))
        await settle()
        assert not reading.done()
        reading.cancel()


async def test_cameras_give_their_newest() -> None:
    one, other = Camera(), Camera()
    async with batch(one.stream, other.stream, size=2, wait_us=10**6, overflow=NEWEST) as some:
        async with some.open() as run:
            await one.see(1, 2, 3)
            await other.see(9)
            assert [number(item.item) for item in await anext(run)] == [3, 9]
    assert run.report["queue_dropped_oldest"] == 2


async def test_a_cancelled_read_loses_nothing() -> None:
    camera = Camera()
    async with batch(camera.stream, size=2, wait_us=10**9) as some, some.open() as run:
        await camera.see(1)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(run), 0.01)
        await camera.see(2)
        assert [number(one.item) for one in await anext(run)] == [1, 2]


async def test_an_error_ends_all_and_comes_behind_what_was_before() -> None:
    calm, broken = Live(batches(1), silent=True), Live(batches(1), error=OSError("unplugged"))
    got: list[Some] = []
    with pytest.raises(OSError, match="unplugged"):
        async with batch(calm.stream, broken.stream, size=2, wait_us=10**9) as some:
            async for one in some:
                got.append(one)  # noqa: PERF401  # up to the error
    assert sum(len(one) for one in got) == 2
    assert calm.closed
    assert no_tasks_left()


async def test_an_error_that_nobody_reads_comes_out_at_the_end() -> None:
    with pytest.raises(OSError, match="unplugged"):
        async with batch(
            Live(batches(1), error=OSError("unplugged")).stream, size=1, wait_us=0, capacity=4
        ):
            await settle()


async def test_it_is_read_once_and_works_like_any_stream() -> None:
    async with batch(film(4), size=2, wait_us=10**6) as some:
        assert await some.map(len).to_list() == [2, 2]
        with pytest.raises(anyio.BusyResourceError):
            await some.first()


async def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="size is at least 1 and wait_us 0, not 0 and 5"):
        async with batch(film(1), size=0, wait_us=5):
            pass
    with pytest.raises(ValueError, match="not 2 and -1"):
        async with batch(film(1), size=2, wait_us=-1):
            pass
