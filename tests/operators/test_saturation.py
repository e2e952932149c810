"""Full lines: left out whole, however they are cut."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EventBatch, Sensor, Span, WithoutLines
from aevents.testing import check_operator

SENSOR = Sensor(8, 6)


def line(t: int, y: int, count: int) -> list[tuple[int, int, int]]:
    return [(t, x, y) for x in range(count)]


def batch(*rows: tuple[int, int, int], span: Span | None = None) -> EventBatch:
    t, x, y = zip(*rows, strict=True)
    return EventBatch.from_columns(t=t, x=x, y=y, p=[1] * len(t), sensor=SENSOR, span=span)


def rows_of(items: tuple[EventBatch, ...]) -> list[tuple[int, int, int]]:
    return [(event.t, event.x, event.y) for item in items for event in item]


def test_a_row_that_is_too_full_at_one_time_is_left_out() -> None:
    rows = [*line(1, 2, 4), *line(2, 2, 5), (2, 0, 3), *line(3, 2, 4)]
    kept = WithoutLines(0.5).feed(batch(*rows))
    assert rows_of(kept) == [*line(1, 2, 4), (2, 0, 3), *line(3, 2, 4)]


def test_columns_are_lines_too() -> None:
    events = batch(*[(1, 3, y) for y in range(4)], (1, 4, 0))
    assert rows_of(WithoutLines(0.5, along="y").feed(events)) == [(1, 4, 0)]


def test_the_last_time_is_held_back_while_more_of_it_may_come() -> None:
    operator = WithoutLines(0.5)
    (first,) = operator.feed(batch((0, 0, 0), *line(5, 1, 3), span=Span(0, 5)))
    assert (rows_of((first,)), first.span) == ([(0, 0, 0)], Span(0, 5))
    (second,) = operator.feed(batch((5, 7, 1), (5, 6, 1), (6, 0, 0), span=Span(5, 6)))
    assert (rows_of((second,)), second.span) == ([], Span(5, 6))
    assert rows_of(operator.flush()) == [(6, 0, 0)]
    assert operator.flush() == ()


def test_a_span_beyond_an_event_says_that_no_more_of_its_time_comes() -> None:
    operator = WithoutLines()
    operator.feed(batch((5, 1, 1), span=Span(0, 5)))
    (given,) = operator.feed(EventBatch.empty(SENSOR, Span(5, 9)))
    assert (rows_of((given,)), given.span) == ([(5, 1, 1)], Span(5, 9))
    assert operator.flush() == ()


def test_windows_stay_whole() -> None:
    window = batch(*line(5, 1, 8), (6, 0, 0), span=Span(0, 6)).as_window(Span(0, 6))
    (kept,) = WithoutLines().feed(window)
    assert (rows_of((kept,)), kept.window) == ([(6, 0, 0)], True)


def test_an_event_that_is_late_is_held_as_well() -> None:
    operator = WithoutLines()
    (first,) = operator.feed(batch((9, 0, 0), (3, 1, 1), span=Span(0, 10)))
    assert rows_of((first,)) == [(9, 0, 0)]
    assert rows_of(operator.flush()) == [(3, 1, 1)]


def test_what_is_held_is_bounded() -> None:
    operator = WithoutLines(0.5)
    for _ in range(200):
        operator.feed(batch(*line(5, 1, 8), *line(5, 2, 8), span=Span(5, 5)))
    assert sum(map(len, operator._held.values())) <= 2 * 5 * 6 + 16
    operator.feed(batch((5, 3, 3), span=Span(5, 5)))
    assert rows_of(operator.flush()) == [(5, 3, 3)]


def test_events_off_the_sensor_are_counted() -> None:
    operator = WithoutLines()
    assert rows_of(operator.feed(batch((1, 8, 0), (1, 0, 6), (1, 0, 0)))) == [(1, 0, 0)]
    assert operator.counts == {"outside_sensor": 2}


@pytest.mark.parametrize("along", ["x", "y"])
def test_the_chunking_law(along: str) -> None:
    dice = np.random.default_rng(3)
    t = np.cumsum(dice.integers(0, 30, 800) == 0)
    late = dice.integers(0, 50, 800) == 0
    x, y = dice.integers(0, 8, 800), dice.integers(0, 2, 800) + dice.integers(0, 5, 800) // 2
    events = EventBatch.from_columns(t=t - 3 * late, x=x, y=y, p=x % 2, sensor=SENSOR)
    items = check_operator(
        lambda: WithoutLines(0.9, along="x" if along == "x" else "y"), batch=events
    )
    assert 100 < sum(len(item) for item in items if isinstance(item, EventBatch)) < 700


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"share from 0 to 1, not 1\.5"):
        WithoutLines(1.5)
    with pytest.raises(ValueError, match="not 'z'"):
        WithoutLines(along="z")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="size is not known"):
        WithoutLines().feed(EventBatch.from_columns(t=[1], x=[1], y=[1], p=[1]))
