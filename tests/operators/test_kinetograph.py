"""Kinetographs: when each pixel had its events, against a plain mean."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.base import Chain, Map
from aevents.operators.kinetograph import Kinetograph, MeanTimes
from aevents.operators.window import Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Sensor, Span

SENSOR = Sensor(6, 4)
WIDER = example_events(900, sensor=Sensor(32, 4))
FAR = 1 << 52
EVENTS = EventBatch.from_columns(
    t=WIDER.t + FAR, x=WIDER.x % 7, y=WIDER.y, p=WIDER.p, sensor=SENSOR
)


def test_each_pixel_has_the_mean_time_of_its_events_and_their_number() -> None:
    means = MeanTimes()
    assert means.feed(EVENTS[:100]) == means.feed(EVENTS[100:]) == ()
    (found,) = means.flush()
    assert means.counts == {"outside_frame": int((EVENTS.x == 6).sum())}
    assert (found.span, found.sensor) == (EVENTS.span, SENSOR)
    for y in range(4):
        for x in range(6):
            t = WIDER.t[(EVENTS.x == x) & (EVENTS.y == y)]
            assert found.counts[y, x] == len(t) > 0
            assert found.times[y, x] - FAR == pytest.approx(t.mean(), abs=1)


def test_each_window_begins_anew() -> None:
    events = EventBatch.from_columns(
        t=[0, 4, 12], x=[0, 0, 1], y=[0, 0, 0], p=[1, 0, 1], sensor=Sensor(2, 1)
    )
    chain: Chain[EventBatch, Kinetograph] = Chain([Window(duration_us=10), MeanTimes()])
    first, second = [*chain.feed(events), *chain.flush()]
    np.testing.assert_array_equal(first.times, [[2, np.nan]])
    np.testing.assert_array_equal(second.times, [[np.nan, 12]])
    assert (first.counts.tolist(), second.counts.tolist()) == ([[2, 0]], [[0, 1]])
    assert second.span == Span(10, 20)


def test_the_law_of_chunks_holds() -> None:
    def told(one: Kinetograph) -> tuple[object, ...]:
        return one.times.round(3).tolist(), one.counts.tolist(), one.span

    near = EventBatch.from_columns(
        t=EVENTS.t - FAR, x=EVENTS.x, y=EVENTS.y, p=EVENTS.p, sensor=SENSOR
    )
    check_operator(lambda: Chain([MeanTimes(), Map(told)]), batch=near)


def test_the_sensor_must_be_known() -> None:
    with pytest.raises(ValueError, match="sensor size is not known"):
        MeanTimes().feed(EventBatch.from_columns(t=[0], x=[0], y=[0], p=[0]))
