"""Several streams as one."""

from __future__ import annotations

import anyio
import pytest

import aevents
from aevents import BLOCK, NEWEST, Overflow, buffer, merge
from tests.junctions.streams import Live, batches, no_tasks_left, read, settle


async def test_all_items_come_each_stream_in_its_order() -> None:
    left, right = Live(batches(40)), Live(batches(40, start=10_000))
    async with merge(left.stream, right.stream, capacity=4) as merged:
        times = await read(merged)
    assert [t for t in times if t < 10_000] == list(range(0, 400, 10))
    assert [t for t in times if t >= 10_000] == list(range(10_000, 10_400, 10))
    assert times != sorted(times)  # they come as they come
    assert left.closed
    assert right.closed
    assert no_tasks_left()


async def test_recordings_can_be_merged_and_collected() -> None:
    bar = aevents.open("synthetic:bar?duration_us=20000")
    async with merge(bar, bar) as merged:
        assert len(await merged.collect()) == 2 * len(await bar.collect())


async def test_what_was_odd_in_each_is_reported_once() -> None:
    async with merge(Live(batches(2)).stream, Live(batches(3)).stream) as merged:
        async with merged.open() as run:
            async for _ in run:
                pass
    assert run.report == {"delivered": 5, "events": 15, "odd": 2}


async def test_one_that_fails_ends_all_and_comes_out_as_itself() -> None:
    error = OSError("unplugged")
    failing, silent = Live(batches(3), error=error), Live([], silent=True)
    times = []
    with pytest.raises(OSError, match="unplugged") as caught:
        async with merge(failing.stream, silent.stream) as merged:
            async for batch in merged:
                times.append(int(batch.t[0]))  # noqa: PERF401  # up to the error
    assert caught.value is error
    assert times == [0, 10, 20]
    assert failing.closed
    assert silent.closed
    assert no_tasks_left()


async def test_an_error_that_nobody_reads_comes_out_at_the_end() -> None:
    failing = Live([], error=OSError("unplugged"))
    with pytest.raises(OSError, match="unplugged"):
        async with merge(failing.stream):
            await settle()


async def test_an_error_of_the_body_comes_out_as_itself() -> None:
    live = Live([], silent=True)
    with pytest.raises(KeyError):
        async with merge(live.stream):
            await settle()
            raise KeyError("x")
    assert live.closed


async def test_leaving_early_stops_the_readers() -> None:
    live = Live(batches(1000))
    async with merge(live.stream, capacity=2) as merged:
        async for _ in merged:
            break
        await settle()
        assert live.closed
    assert no_tasks_left()


async def test_it_is_read_once() -> None:
    async with merge(Live(batches(1)).stream) as merged:
        await read(merged)
        with pytest.raises(anyio.BusyResourceError, match="a second time"):
            await read(merged)


async def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        async with merge():
            pass


async def test_a_buffer_reads_ahead_no_further_than_it_holds() -> None:
    live = Live(batches(100))
    async with buffer(live.stream, capacity=5, overflow=BLOCK) as ahead:
        await settle()
        assert len(list(live.feeds[0].items)) == 100 - 5 - 1  # five, and the one in hand
        run = ahead.open()
        assert [int((await anext(run)).t[0]) for _ in range(3)] == [0, 10, 20]
        await run.aclose()


async def test_a_buffer_of_one_gives_the_newest() -> None:
    live = Live(batches(100))
    async with buffer(live.stream, overflow=NEWEST) as newest:
        await settle()
        async with newest.open() as run:
            assert [int(batch.t[0]) async for batch in run] == [990]
    assert run.report["queue_dropped_oldest"] == 99
    assert run.report["queue_dropped_events"] == 297
    assert run.report.dropped == 99


async def test_a_consumer_that_is_too_slow_is_told_so_if_it_asked() -> None:
    live = Live(batches(100))
    async with buffer(live.stream, overflow=Overflow("fail", capacity=3)) as ahead:
        await settle()
        with pytest.raises(aevents.SlowConsumerError):
            await read(ahead)
