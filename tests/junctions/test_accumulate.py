"""Everything since the last look."""

from __future__ import annotations

from itertools import pairwise

import anyio
import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor, Span, accumulate
from tests.junctions.streams import Live, batch_at, batches, no_tasks_left, settle


async def test_each_event_is_in_exactly_one_frame() -> None:
    stream = aevents.open("synthetic:bar?rate=2e6&duration_us=200000")
    whole = await stream.frames().one()
    total = np.zeros_like(whole.array)
    spans: list[Span] = []
    async with accumulate(stream) as seen:
        while not seen.ended:
            frame = seen.read()
            total += frame.array
            spans.append(frame.span)
            await anyio.sleep(0.001)
        total += seen.read().array
        assert seen.report.events == int(whole.array.sum())
    np.testing.assert_array_equal(total, whole.array)
    assert len(spans) > 3
    assert all(one.stop == next.start for one, next in pairwise(spans))
    assert no_tasks_left()


async def test_a_look_never_waits_and_may_see_nothing() -> None:
    live = Live([batch_at(100)], silent=True)
    async with accumulate(live.stream, "signed") as seen:
        first, second = seen.read(), seen.read()
    assert (int(first.array.sum()), first.span) == (-3, Span(100, 103))
    assert (int(second.array.sum()), second.span) == (0, Span(103, 103))
    assert live.closed


async def test_with_a_sensor_it_does_not_wait_for_the_first_batch() -> None:
    async with accumulate(Live([], silent=True).stream, sensor=Sensor(8, 4)) as seen:
        assert seen.read().array.shape == (4, 8)


async def test_the_rest_is_read_before_the_error() -> None:
    live = Live(batches(2), error=OSError("unplugged"))
    async with accumulate(live.stream) as seen:
        await settle()
        assert int(seen.read().array.sum()) == 6
        with pytest.raises(OSError, match="unplugged"):
            seen.read()
    with pytest.raises(OSError, match="unplugged"):
        async with accumulate(Live(batches(2), error=OSError("unplugged")).stream):
            await settle()


async def test_a_stream_without_batches_has_no_frame() -> None:
    async with accumulate(Live([]).stream) as seen:
        assert seen.ended
        with pytest.raises(anyio.EndOfStream):
            seen.read()


async def test_a_sensor_of_another_size_is_refused() -> None:
    items = [
        batch_at(0),
        batch_at(10, sensor=Sensor(8, 4, "other")),
        batch_at(20, sensor=Sensor(9, 4)),
    ]
    async with accumulate(Live(items).stream) as seen:
        await settle()
        assert int(seen.read().array.sum()) == 6
        with pytest.raises(ValueError, match="the sensor changed from 8x4 to 9x4"):
            seen.read()


async def test_large_batches_are_counted_off_the_loop() -> None:
    events = 200_000
    zeros = np.zeros(events, np.uint16)
    large = EventBatch.from_columns(
        t=np.arange(events), x=zeros, y=zeros, p=zeros, sensor=Sensor(8, 4)
    )
    async with accumulate(Live([large]).stream) as seen:
        with anyio.fail_after(10):
            while not seen.ended:
                await settle()
        assert seen.read().array[0, 0] == events
