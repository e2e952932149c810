"""Several streams in the order of time."""

from __future__ import annotations

from collections.abc import Generator

import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor, Span, merge_sorted
from aevents._contracts import Origin
from aevents.stream import Stream, stream_of
from tests.junctions.streams import Live, batches, no_tasks_left


def recorded(*items: EventBatch) -> Stream[EventBatch]:
    origin: Origin[EventBatch] = Origin("recorded", blocking=lambda: iter_of(items))
    return stream_of(origin)


def iter_of(items: tuple[EventBatch, ...]) -> Generator[EventBatch, None, None]:
    yield from items


def batch_of(*times: int, x: int = 0, span: Span | None = None) -> EventBatch:
    zeros = [0] * len(times)
    return EventBatch.from_columns(
        t=times, x=[x] * len(times), y=zeros, p=zeros, sensor=Sensor(8, 4), span=span
    )


async def both_ways(stream: Stream[EventBatch]) -> list[tuple[int, int]]:
    """Return time and x of each event, read async and blocking."""

    def blocking() -> list[EventBatch]:
        return list(stream.blocking())

    items = await stream.to_list()
    again = await anyio.to_thread.run_sync(blocking)
    rows = [(int(t), int(x)) for item in items for t, x, _, _ in item]
    assert rows == [(int(t), int(x)) for item in again for t, x, _, _ in item]
    return rows


@pytest.mark.parametrize("k", [1, 2, 5, 16])
async def test_events_come_in_the_order_of_time(k: int) -> None:
    random = np.random.default_rng(k)
    rows, streams = [], []
    for which in range(k):
        times = np.cumsum(random.integers(1, 9, 3000)).tolist()
        rows += [(t, which) for t in times]
        cuts = sorted(random.integers(0, 3000, 7).tolist())
        parts = [times[a:b] for a, b in zip([0, *cuts], [*cuts, 3000], strict=True)]
        streams.append(recorded(*(batch_of(*part, x=which) for part in parts if part)))
    assert await both_ways(merge_sorted(*streams)) == sorted(rows)


async def test_events_of_one_time_come_in_the_order_of_the_streams() -> None:
    one = recorded(batch_of(5, x=1, span=Span(0, 5)), batch_of(5, 6, x=1))
    other = recorded(batch_of(5, 5, x=2), batch_of(7, x=2))
    rows = [(5, 1), (5, 1), (5, 2), (5, 2), (6, 1), (7, 2)]
    assert await both_ways(merge_sorted(one, other)) == rows


async def test_it_merges_recordings() -> None:
    bar = aevents.open("synthetic:bar?rate=1e6&duration_us=100000")
    disk = aevents.open("synthetic:disk?rate=1e6&duration_us=100000")
    merged = await merge_sorted(bar, disk).collect()
    times = np.concatenate([(await one.collect()).t for one in (bar, disk)])
    np.testing.assert_array_equal(merged.t, np.sort(times, kind="stable"))
    assert no_tasks_left()


async def test_spans_follow_on_from_each_other() -> None:
    items = await merge_sorted(
        recorded(batch_of(1, 5), batch_of(9)), recorded(batch_of(3, 20))
    ).to_list()
    assert [item.span.stop for item in items[:-1]] == [item.span.start for item in items[1:]]


async def test_late_events_count_at_the_latest_time_and_keep_theirs() -> None:
    stream = merge_sorted(recorded(batch_of(5, 2, 9, x=1)), recorded(batch_of(4, 6, x=2)))
    assert await both_ways(stream) == [(4, 2), (5, 1), (2, 1), (6, 2), (9, 1)]
    async with stream.open() as run:
        async for _ in run:
            pass
    assert run.report["late_events"] == 1


async def test_sensors_that_differ_become_one_that_holds_both() -> None:
    wide = EventBatch.from_columns(t=[1], x=[0], y=[0], p=[0], sensor=Sensor(100, 4))
    [*_, last] = await merge_sorted(recorded(batch_of(2)), recorded(wide)).to_list()
    assert last.sensor == Sensor(100, 4)


async def test_leaving_early_closes_all() -> None:
    lives = [Live(batches(50)), Live(batches(50, start=5))]
    async for _ in merge_sorted(*(live.stream for live in lives)):
        break
    assert all(live.closed for live in lives)


async def test_an_error_comes_out_as_itself_and_closes_all() -> None:
    failing, other = Live(batches(2), error=OSError("unplugged")), Live(batches(50))
    with pytest.raises(OSError, match="unplugged"):
        async for _ in merge_sorted(failing.stream, other.stream):
            pass
    assert failing.closed
    assert other.closed


async def test_cancelled_reads_lose_nothing() -> None:
    merged = merge_sorted(Live(batches(30)).stream, Live(batches(30, start=5)).stream)
    rows: list[int] = []
    async with merged.open() as run:
        for turns in range(40):
            with anyio.move_on_after(0) if turns % 2 else anyio.CancelScope():
                rows += (await anext(run)).t.tolist()
        async for batch in run:
            rows += batch.t.tolist()
    assert rows == sorted(
        t for start in (0, 5) for one in batches(30, start=start) for t in one.t.tolist()
    )


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        merge_sorted()
    with pytest.raises(ValueError, match="at most 64 runs"):
        merge_sorted(*[recorded()] * 65)
