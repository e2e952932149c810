"""One stream into several branches."""

from __future__ import annotations

import anyio
import pytest

from aevents import BLOCK, NEWEST, Chunk, EventBatch, Overflow, Stream, from_chunks, tee
from tests.junctions.streams import Live, batches, no_tasks_left, read


async def test_every_branch_gets_every_item() -> None:
    live = Live(batches(50))
    got: dict[str, list[int]] = {}

    async def keep(name: str, stream: Stream[EventBatch]) -> None:
        got[name] = await read(stream)

    async with tee(live.stream, BLOCK, BLOCK, capacity=3) as (one, other):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, "one", one)
            tasks.start_soon(keep, "other", other)
    assert got["one"] == got["other"] == list(range(0, 500, 10))
    assert len(live.feeds) == 1
    assert no_tasks_left()


async def test_branches_of_several_sizes() -> None:
    data = bytes(range(250)) * 4
    stream = from_chunks([data[at : at + 7] for at in range(0, len(data), 7)], rate_hz=1_000)
    got: dict[str, list[Chunk[bytes]]] = {}

    async def keep(name: str, branch: Stream[Chunk[bytes]]) -> None:
        got[name] = await branch.to_list()

    async with tee(stream, BLOCK, BLOCK, BLOCK, capacity=2) as (one, other, third):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, "5", one.rechunk(5, exact=True))
            tasks.start_soon(keep, "20", other.rechunk(20))
            tasks.start_soon(keep, "half", third.rechunk(100, exact=True).sampled(coverage=0.5))
    assert [chunk.data for chunk in got["5"]] == [data[at : at + 5] for at in range(0, 1_000, 5)]
    assert [len(chunk) for chunk in got["20"]] == [21] * 47 + [13]
    assert [chunk.offset for chunk in got["half"]] == [0, 200, 400, 600, 800]
    assert [chunk.span for chunk in got["half"]][:2] == [(0, 99_001), (200_000, 299_001)]
    assert [chunk.dropped for chunk in got["half"]] == [0, 100, 100, 100, 100]


async def test_what_a_full_branch_dropped_stands_in_the_next_chunk() -> None:
    stream = from_chunks([bytes([i] * 10) for i in range(50)], rate_hz=1_000)
    async with tee(stream, BLOCK, Overflow("drop_oldest", capacity=2)) as (every, newest):
        assert sum([len(chunk) async for chunk in every.rechunk(30)]) == 500
        (last,) = await newest.rechunk(30).to_list()
    assert (last.data, last.offset, last.dropped) == (bytes([48] * 10 + [49] * 10), 480, 480)


async def test_a_slow_branch_drops_and_the_other_loses_nothing() -> None:
    live = Live(batches(50))
    newest: list[int] = []

    async def look(stream: Stream[EventBatch]) -> None:
        async with stream.open() as run:
            async for batch in run:
                newest.append(int(batch.t[0]))
                await anyio.sleep(0.02)
        assert run.report["queue_dropped_oldest"] == 50 - len(newest)

    async with tee(live.stream, BLOCK, NEWEST) as (every, slow):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look, slow)
            assert await read(every) == list(range(0, 500, 10))
    assert newest[-1] == 490
    assert len(newest) < 10


async def test_a_branch_that_is_never_read_costs_nothing_unless_it_blocks() -> None:
    async with tee(Live(batches(50)).stream, BLOCK, NEWEST) as (every, _):
        assert len(await read(every)) == 50
    async with tee(Live(batches(50)).stream, BLOCK, Overflow("block", capacity=5)) as (every, _):
        with anyio.move_on_after(0.05) as scope:
            await read(every)
        assert scope.cancelled_caught  # stalled, by choice


async def test_a_branch_that_is_left_is_no_longer_waited_for() -> None:
    live = Live(batches(50))
    async with tee(live.stream, BLOCK, BLOCK, capacity=2) as (one, other):
        async for _ in one:
            break
        assert len(await read(other)) == 50


async def test_when_all_are_left_the_stream_is_closed() -> None:
    live = Live(batches(500), silent=True)
    async with tee(live.stream, BLOCK, BLOCK, capacity=2) as branches:
        for branch in branches:
            async for _ in branch:
                break
        await anyio.sleep(0.01)
        assert live.closed


async def test_an_error_comes_out_of_every_branch() -> None:
    live = Live(batches(2), error=OSError("unplugged"))
    async with tee(live.stream, BLOCK, BLOCK) as branches:
        for branch in branches:
            with pytest.raises(OSError, match="unplugged"):
                await read(branch)
    assert no_tasks_left()


async def test_a_branch_that_fails_leaves_the_other_alone() -> None:
    live = Live(batches(50))
    async with tee(live.stream, BLOCK, Overflow("fail", capacity=1)) as (every, _):
        assert len(await read(every)) == 50


async def test_a_tee_has_branches() -> None:
    with pytest.raises(ValueError, match="a tee has branches"):
        async with tee(Live([]).stream):
            pass
