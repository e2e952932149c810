"""One stream, subscribers that come and go."""

from __future__ import annotations

import anyio
import pytest

from aevents import BLOCK, EventBatch, Hub, Overflow
from tests.junctions.streams import Live, batches, no_tasks_left, read, settle

ALL = Overflow("drop_oldest", capacity=1000)


async def test_it_begins_with_the_first_subscription() -> None:
    live = Live(batches(20))
    async with Hub(live.stream) as hub:
        await settle()
        assert not live.feeds
        async with hub.subscribe(ALL) as one:
            assert await read(one) == list(range(0, 200, 10))
    assert live.closed
    assert no_tasks_left()


async def test_all_who_are_there_get_each_item() -> None:
    live = Live(batches(20))
    async with Hub(live.stream) as hub, hub.subscribe(ALL) as one, hub.subscribe(ALL) as other:
        assert hub.subscribers == 2
        assert await read(one) == await read(other) == list(range(0, 200, 10))


async def test_who_comes_later_gets_what_comes_later() -> None:
    async with Hub(Live(batches(50), silent=True).stream) as hub:
        async with hub.subscribe(BLOCK) as first:
            run = first.open()
            assert int((await anext(run)).t[0]) == 0
            async with hub.subscribe(ALL) as late:
                assert int((await late.first()).t[0]) > 0
            await run.aclose()
        assert hub.subscribers == 0


async def test_who_never_reads_costs_nobody_anything() -> None:
    async with Hub(Live(batches(50)).stream) as hub, hub.subscribe(), hub.subscribe(ALL) as one:
        assert len(await read(one)) == 50


async def test_the_newest_is_kept_unless_told_otherwise() -> None:
    async with Hub(Live(batches(50)).stream) as hub, hub.subscribe() as newest:
        await settle()
        assert await read(newest) == [490]


async def test_after_the_end_there_is_nothing() -> None:
    async with Hub(Live(batches(3)).stream) as hub:
        async with hub.subscribe(ALL) as one:
            assert len(await read(one)) == 3
        async with hub.subscribe() as late:
            assert await read(late) == []
        assert hub.report == {"delivered": 3, "events": 9, "odd": 1}


async def test_leaving_the_hub_ends_a_subscription() -> None:
    live = Live(batches(3), silent=True)
    async with anyio.create_task_group() as tasks:

        async def reader(hub: Hub[EventBatch]) -> None:
            async with hub.subscribe(ALL) as one:
                times.extend(await read(one))
            tasks.cancel_scope.cancel()

        times: list[int] = []
        async with Hub(live.stream) as hub:
            tasks.start_soon(reader, hub)
            await anyio.sleep(0.02)
        await anyio.sleep(5)
    assert times == [0, 10, 20]


async def test_an_error_comes_out_of_a_subscription_or_of_the_hub() -> None:
    async with Hub(Live(batches(2), error=OSError("unplugged")).stream) as hub:
        async with hub.subscribe(ALL) as one:
            with pytest.raises(OSError, match="unplugged"):
                await read(one)
    with pytest.raises(OSError, match="unplugged"):
        async with Hub(Live([], error=OSError("unplugged")).stream) as hub, hub.subscribe():
            await settle()
