"""Background activity, refractory periods, contrast: written-out cases, and the chunking law."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aevents import Contrast, Denoise, EventBatch, Operator, Refractory, Sensor, Span
from aevents.testing import check_operator, example_events

Row = tuple[int, int, int, int]


def batch(*events: Row, sensor: Sensor | None = None) -> EventBatch:
    t, x, y, p = zip(*events, strict=True)
    return EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=sensor or Sensor(10, 8))


def times(operator: Operator[EventBatch, EventBatch], *items: EventBatch) -> list[int]:
    assert operator.flush() == ()
    return [int(t) for item in items for out in operator.feed(item) for t in out.t]


def test_an_event_needs_another_beside_it() -> None:
    events = batch((0, 5, 5, 1), (100, 6, 6, 0), (150, 6, 6, 1), (180, 0, 0, 1), (200, 8, 6, 1))
    assert times(Denoise(100), events) == [100]  # not 150: its own pixel is no neighbour


@pytest.mark.parametrize(("after", "expected"), [(100, [100]), (101, [])])
def test_the_support_of_a_neighbour_lasts(after: int, expected: list[int]) -> None:
    assert times(Denoise(100), batch((0, 5, 5, 1), (after, 4, 5, 1))) == expected


def test_an_event_that_is_left_out_supports_those_after_it() -> None:
    assert times(Denoise(10), batch((0, 0, 0, 1), (5, 1, 1, 1), (12, 2, 2, 1))) == [5, 12]


def test_opposite_borders_are_no_neighbours() -> None:
    assert times(Denoise(10), batch((0, 9, 3, 1), (1, 0, 3, 1), (2, 0, 4, 1), (3, 9, 2, 1))) == [
        2,
        3,
    ]


def test_time_may_go_back() -> None:
    assert times(Denoise(10), batch((1000, 5, 5, 1), (995, 4, 5, 1), (5, 5, 5, 1))) == [995]


def test_a_pixel_rests_after_an_event() -> None:
    events = batch((0, 1, 1, 1), (50, 1, 1, 0), (60, 2, 1, 1), (99, 1, 1, 1), (100, 1, 1, 1))
    assert times(Refractory(100), events) == [0, 60, 100]  # 99 does not prolong the rest


def test_single_events_are_no_contrast() -> None:
    events = batch(
        (0, 1, 1, 1), (50, 1, 1, 1), (60, 1, 1, 1), (70, 1, 1, 0), (80, 1, 1, 0), (200, 1, 1, 0)
    )
    assert times(Contrast(100), events) == [50, 60, 80]
    assert times(Contrast(100, trail=False), events) == [50, 80]


def test_each_sensor_has_pixels_of_its_own() -> None:
    left, right = Sensor(10, 8, "left"), Sensor(10, 8, "right")
    one = batch((0, 1, 1, 1), sensor=left)
    assert times(Refractory(100), one, batch((5, 1, 1, 1), sensor=right), one) == [0, 5]


def test_what_is_not_kept_leaves_the_span() -> None:
    (empty,) = Denoise(10).feed(
        EventBatch.from_columns(t=[5], x=[1], y=[1], p=[1], sensor=Sensor(4, 4), span=Span(0, 30))
    )
    assert (len(empty), empty.span) == (0, Span(0, 30))


MAKES: list[Callable[[], Denoise | Refractory | Contrast]] = [
    lambda: Denoise(5_000),
    lambda: Refractory(50_000),
    lambda: Contrast(100_000),
    lambda: Contrast(100_000, trail=False),
]


@pytest.mark.parametrize("make", MAKES)
def test_events_off_the_sensor_are_counted(make: Callable[[], Denoise]) -> None:
    operator = make()
    operator.feed(batch((0, 10, 1, 1), (1, 2, 8, 1), (2, 65535, 65535, 1)))
    assert operator.counts == {"outside_sensor": 3}
    with pytest.raises(ValueError, match="size is not known"):
        operator.feed(batch((0, 1, 1, 1), sensor=Sensor(0, 0, "new")))


@pytest.mark.parametrize("make", MAKES)
def test_the_chunking_law(make: Callable[[], Denoise]) -> None:
    events = example_events(3_000, sensor=Sensor(26, 12))
    kept = sum(
        len(item) for item in check_operator(make, batch=events) if isinstance(item, EventBatch)
    )
    assert 100 < kept < 2_900


@pytest.mark.parametrize("time_us", [-1, 2**60 + 1])
def test_impossible_times_are_refused(time_us: int) -> None:
    for make in (Denoise, Refractory, Contrast):
        with pytest.raises(ValueError, match=r"2\^60 µs, not"):
            make(time_us)
    with pytest.raises(ValueError, match="period_us is from 1"):
        Refractory(0)
