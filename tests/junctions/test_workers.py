"""A function over a stream, several items at a time."""

from __future__ import annotations

import threading
import time
from typing import Literal

import anyio
import pytest

from aevents import EventBatch, Failed, workers
from tests.junctions.streams import Live, batches, no_tasks_left

TIMES = list(range(0, 400, 10))


def first_time(batch: EventBatch) -> int:
    return int(batch.t[0])


async def first_time_later(batch: EventBatch) -> int:
    await anyio.sleep(0.0005 * (batch.t[0] % 7))
    return int(batch.t[0])


def slow_at_first(batch: EventBatch) -> int:
    time.sleep(0.01 if batch.t[0] < 20 else 0)
    return int(batch.t[0])


async def test_results_come_in_the_order_of_the_items() -> None:
    async with workers(Live(batches(40)).stream, slow_at_first) as results:
        assert [t async for t in results] == TIMES
    async with workers(Live(batches(40)).stream, first_time_later, where="loop") as results:
        assert [t async for t in results] == TIMES
    assert no_tasks_left()


async def test_or_as_they_are_done() -> None:
    async with workers(Live(batches(40)).stream, slow_at_first, ordered=False) as results:
        times = [t async for t in results]
    assert times != TIMES
    assert sorted(times) == TIMES


async def test_no_more_than_so_many_work_at_a_time_and_are_on_the_way() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(batch: EventBatch) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.001)
        with lock:
            at_work -= 1
        return int(batch.t[0])

    live = Live(batches(200))
    async with workers(live.stream, work, count=3, max_pending=5) as results:
        await anyio.sleep(0.05)
        assert len(list(live.feeds[0].items)) >= 200 - 5 - 2
        assert [t async for t in results]
    assert most == 3


@pytest.mark.parametrize("ordered", [True, False])
async def test_an_error_ends_all_and_comes_out_as_itself(ordered: bool) -> None:
    def fail(batch: EventBatch) -> int:
        if batch.t[0] == 100:
            raise KeyError("this one")
        return int(batch.t[0])

    live = Live(batches(40))
    times = []
    with pytest.raises(KeyError, match="this one"):
        async with workers(live.stream, fail, ordered=ordered) as results:
            async for t in results:
                times.append(t)  # noqa: PERF401  # up to the error
    if ordered:
        assert times == TIMES[:10]
    assert live.closed
    assert no_tasks_left()


async def test_an_error_of_the_stream_comes_behind_the_results() -> None:
    times = []
    with pytest.raises(OSError, match="unplugged"):
        async with workers(
            Live(batches(5), error=OSError("unplugged")).stream, first_time
        ) as results:
            async for t in results:
                times.append(t)  # noqa: PERF401  # up to the error
    assert times == TIMES[:5]


async def test_leaving_early_ends_it() -> None:
    live = Live(batches(1000), silent=True)
    async with workers(live.stream, first_time) as results:
        async for _ in results:
            break
    assert live.closed
    assert no_tasks_left()


def fail_at_100(batch: EventBatch) -> int:
    if batch.t[0] == 100:
        raise KeyError("this one")
    return int(batch.t[0])


@pytest.mark.parametrize("where", ["thread", "process"])
async def test_an_item_that_fails_is_skipped_and_counted(
    where: Literal["thread", "process"],
) -> None:
    async with workers(
        Live(batches(40)).stream, fail_at_100, where=where, count=2, on_error="skip"
    ) as results:
        async with results.open() as run:
            assert [t async for t in run] == [t for t in TIMES if t != 100]
    assert run.report["failed_items"] == run.report.dropped == 1


@pytest.mark.parametrize("where", ["thread", "process"])
async def test_or_comes_in_its_place(where: Literal["thread", "process"]) -> None:
    async with workers(
        Live(batches(40)).stream, fail_at_100, where=where, count=2, on_error="emit"
    ) as results:
        got = await results.take(40).to_list()
    failed = got[10]
    assert isinstance(failed, Failed)
    assert failed.item.t[0] == 100
    assert isinstance(failed.error, KeyError)
    assert [t for t in got if not isinstance(t, Failed)] == [t for t in TIMES if t != 100]


async def test_on_the_loop_too() -> None:
    async def fail(batch: EventBatch) -> int:
        return fail_at_100(batch)

    async with workers(
        Live(batches(40)).stream, fail, where="loop", ordered=False, on_error="skip"
    ) as results:
        assert len([t async for t in results]) == 39


def test_impossible_arguments_are_refused() -> None:
    stream = Live([]).stream
    with pytest.raises(ValueError, match="where is 'thread', 'loop' or 'process', not 'moon'"):
        workers(stream, first_time, where="moon")  # type: ignore[call-overload]  # the point
    with pytest.raises(ValueError, match="at least 1, not 0 and 0"):
        workers(stream, first_time, count=0)
    with pytest.raises(TypeError, match="a coroutine function runs where='loop'"):
        workers(stream, first_time_later)
    with pytest.raises(TypeError, match="any other elsewhere"):
        workers(stream, first_time, where="loop")  # type: ignore[call-overload]  # the point
    with pytest.raises(TypeError, match="a coroutine function runs where='loop'"):
        workers(stream, first_time_later, where="process")
    with pytest.raises(TypeError, match=r"cannot be pickled.*choose where='thread'"):
        workers(stream, lambda batch: len(batch), where="process")
    with pytest.raises(ValueError, match="on_error is 'raise', 'skip' or 'emit', not 'sulk'"):
        workers(stream, first_time, on_error="sulk")  # type: ignore[call-overload]  # the point
