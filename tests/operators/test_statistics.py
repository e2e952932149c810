"""Rates and intervals: against a plain walk over the events, one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.base import Chain, Map
from aevents.operators.statistics import EventRate, Histogram, IntervalHistogram, Rate
from aevents.operators.window import Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Sensor, Span

SENSOR = Sensor(6, 4)
WIDER = example_events(900, sensor=Sensor(32, 4))
EVENTS = EventBatch.from_columns(t=WIDER.t, x=WIDER.x % 7, y=WIDER.y, p=WIDER.p, sensor=SENSOR)
BACK = EventBatch.from_columns(
    t=[0, 40, 10, 45], x=[0] * 4, y=[0] * 4, p=[1] * 4, sensor=Sensor(1, 1)
)


def test_the_rate_of_each_window_is_a_point_of_the_curve() -> None:
    events = EventBatch.from_columns(
        t=[0, 10, 20, 1_500, 3_001], x=[0] * 5, y=[0] * 5, p=[1, 0, 1, 0, 1], sensor=SENSOR
    )
    chain: Chain[EventBatch, Rate] = Chain([Window(duration_us=1_000), EventRate()])
    rates = [*chain.feed(events), *chain.flush()]
    assert [(rate.off, rate.on, rate.hz) for rate in rates] == [
        (1, 2, 3_000), (1, 0, 1_000), (0, 0, 0), (0, 1, 1_000),
    ]  # fmt: skip
    assert rates[1].span == Span(1_000, 2_000)
    assert Rate(Span(5, 5), 1, 2).hz == 0


def test_intervals_are_counted_between_their_bounds() -> None:
    edges = [5, 700, 9_000, 60_000]
    operator = IntervalHistogram(edges)
    assert operator.feed(EVENTS[:400]) == operator.feed(EVENTS[400:]) == ()
    (histogram,) = operator.flush()
    expected, outside = np.zeros((2, 3), np.int64), 0
    last: dict[tuple[int, int, bool], int] = {}
    for t, x, y, p in EVENTS:
        if x >= SENSOR.width:
            continue
        since = t - last.get((x, y, p), t + 1)
        last[x, y, p] = t
        fitting = [k for k in range(3) if edges[k] <= since < edges[k + 1]]
        outside += since >= 0 and not fitting
        for k in fitting:
            expected[int(p), k] += 1
    assert histogram.counts.tolist() == expected.tolist()
    assert (expected > 5).all()
    assert operator.counts == {
        "outside_frame": int((EVENTS.x >= SENSOR.width).sum()),
        "outside_histogram": outside,
    }
    assert histogram.edges.tolist() == edges
    assert (histogram.span, histogram.sensor) == (EVENTS.span, SENSOR)


def test_an_interval_counts_in_the_window_of_its_end_and_not_backwards() -> None:
    chain: Chain[EventBatch, Histogram] = Chain(
        [Window(duration_us=42), IntervalHistogram([0, 20, 50])]
    )
    found = [one.counts[1].tolist() for one in (*chain.feed(BACK), *chain.flush())]
    assert found == [[0, 1], [0, 1]]  # 40; then 35, as 10 came after 40


def test_another_sensor_begins_anew() -> None:
    operator = IntervalHistogram()
    operator.feed(BACK)
    operator.feed(EventBatch.from_columns(t=[60], x=[0], y=[0], p=[1], sensor=Sensor(2, 2)))
    assert operator.flush()[0].counts.sum() == 2


def test_however_the_input_is_cut_the_numbers_are_the_same() -> None:
    def plain(histogram: Histogram) -> object:
        return histogram.counts.tolist(), histogram.span

    check_operator(EventRate)
    check_operator(lambda: Chain([IntervalHistogram(), Map(plain)]), batch=EVENTS)
    check_operator(lambda: Chain([Window(duration_us=20_000), EventRate()]))
    windows = check_operator(
        lambda: Chain([Window(duration_us=20_000), IntervalHistogram(), Map(plain)]), batch=EVENTS
    )
    assert len(windows) > 3


def test_wrong_arguments_are_refused() -> None:
    for edges in ([1], [2, 1], [[1, 2]], [1, float("nan")]):
        with pytest.raises(ValueError, match="two or more rising"):
            IntervalHistogram(edges)
    with pytest.raises(ValueError, match="sensor size is not known"):
        IntervalHistogram().feed(EventBatch.empty())
