"""A recording is read to a time, to the event, and no further."""

from __future__ import annotations

from aevents.types import EventBatch
from aevents.viewer.player import MOST_EVENTS
from aevents.viewer.reader import Reader
from tests.viewer.pages import some_events
from tests.viewer.test_player import EVENTS, stream_of_events


async def test_parts_to_any_time_are_all_events_once() -> None:
    reader = Reader(stream_of_events(), None)
    assert await reader.begin() == EVENTS.t[0]
    parts: list[EventBatch] = []
    for stop in (1_500, 1_501, 90_000, 90_000, 250_000, 500_000):
        read = await reader.until(stop, most=MOST_EVENTS)
        assert all(int(batch.t[-1]) < stop for batch in read.batches if len(batch))
        parts += read.batches
    assert reader.ended
    assert read.reached == EVENTS.t[-1] + 1
    assert EventBatch.concat(parts).t.tolist() == EVENTS.t.tolist()
    await reader.aclose()


async def test_more_than_a_piece_holds_makes_time_go_slower() -> None:
    many = some_events(2 * MOST_EVENTS, stop=1_000)
    reader = Reader(stream_of_events(many), None)
    read = await reader.until(2_000, most=MOST_EVENTS)
    assert read.reached < 600
    assert MOST_EVENTS < sum(map(len, read.batches)) < MOST_EVENTS + 3_001
    rest = await reader.until(2_000, most=2 * MOST_EVENTS)
    assert sum(map(len, (*read.batches, *rest.batches))) == 2 * MOST_EVENTS
    await reader.aclose()
    newest = Reader(stream_of_events(many), None)
    read = await newest.until(2_000, most=10_000, newest=True)
    assert read.batches[-1].t[-1] == many.t[-1]
    assert sum(map(len, read.batches)) <= 10_000
    await newest.aclose()
