"""Hot pixels: found, listed, learned."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EventBatch, Sensor, WithoutHotPixels, hot_pixels
from aevents.testing import check_operator

SENSOR = Sensor(12, 9)


def scene(*, hot: tuple[tuple[int, int], ...], count: int = 2_000, seed: int = 0) -> EventBatch:
    """Return events all over the sensor, and as many of these pixels each, in 1 ms."""
    dice = np.random.default_rng(seed)
    x = np.concatenate([dice.integers(0, 12, count), np.repeat([x for x, _ in hot], count)])
    y = np.concatenate([dice.integers(0, 9, count), np.repeat([y for _, y in hot], count)])
    order = dice.permutation(len(x))
    t = np.sort(dice.integers(0, 1_000, len(x)))
    return EventBatch.from_columns(t=t, x=x[order], y=y[order], p=x % 2, sensor=SENSOR)


def on(batch: EventBatch, pixels: list[tuple[int, int]]) -> int:
    return sum((event.x, event.y) in pixels for event in batch)


def test_hot_pixels_stand_out_from_those_around_them() -> None:
    assert hot_pixels(scene(hot=())) == []
    hot = ((11, 0), (4, 4), (5, 4), (0, 8))
    assert hot_pixels(scene(hot=hot)) == sorted(hot, key=lambda pixel: pixel[::-1])


def test_an_edge_is_not_hot_but_for_its_ends() -> None:
    y = np.tile(np.arange(9), 1_000)
    edge = EventBatch.from_columns(t=y * 0, x=y * 0 + 4, y=y, p=y, sensor=SENSOR)
    assert hot_pixels(edge) == [(4, 0), (4, 8)]


def test_a_busy_corner_is_not_hot() -> None:
    x, y = np.tile([0, 1, 0, 1, 2, 2], 1_000), np.tile([0, 0, 1, 1, 0, 1], 1_000)
    corner = EventBatch.from_columns(t=x * 0, x=x, y=y, p=x, sensor=SENSOR)
    assert hot_pixels(corner) == []


def test_a_few_events_in_the_dark_are_hot_if_the_factor_says_so() -> None:
    dark = EventBatch.from_columns(t=range(4), x=[3] * 4, y=[2] * 4, p=[1] * 4, sensor=SENSOR)
    assert hot_pixels(dark) == []
    assert hot_pixels(dark, factor=3.9) == [(3, 2)]
    assert hot_pixels(dark, factor=4) == []


def test_listed_pixels_are_left_out_from_the_first_event_on() -> None:
    events = scene(hot=((3, 3),))
    operator = WithoutHotPixels([(3, 3), (0, 0)])
    (kept,) = operator.feed(events)
    assert len(events) - len(kept) == on(events, [(3, 3), (0, 0)]) > 2_000
    assert on(kept, [(3, 3), (0, 0)]) == 0
    assert operator.feed(kept) == (kept,)
    assert operator.flush() == ()


def test_learned_pixels_are_left_out_once_they_are_learned() -> None:
    events = scene(hot=((3, 3), (9, 7)))
    first = int(events.t[0])
    operator = WithoutHotPixels(learn_us=400)
    (kept,) = operator.feed(events)
    early, late = kept.where(kept.t < first + 400), kept.where(kept.t >= first + 400)
    assert list(early) == list(events.where(events.t < first + 400))
    assert on(late, [(3, 3), (9, 7)]) == 0
    cold = events.where((events.t >= first + 400) & ((events.x != 3) | (events.y != 3)))
    assert list(late) == [event for event in cold if (event.x, event.y) != (9, 7)]


def test_nothing_is_learned_of_nothing() -> None:
    empty = EventBatch.empty(SENSOR)
    assert WithoutHotPixels().feed(empty) == (empty,)


def test_events_off_the_sensor_are_counted() -> None:
    operator = WithoutHotPixels([])
    far = EventBatch.from_columns(t=[1, 2], x=[12, 3], y=[0, 1], p=[0, 0], sensor=SENSOR)
    assert [event.t for event in operator.feed(far)[0]] == [2]
    assert operator.counts == {"outside_sensor": 1}


def test_the_chunking_law() -> None:
    events = scene(hot=((3, 3),), count=300)
    check_operator(lambda: WithoutHotPixels([(2, 2)]), batch=events)
    (whole,) = check_operator(lambda: WithoutHotPixels(learn_us=300, factor=5), batch=events)
    assert isinstance(whole, EventBatch)
    assert on(events, [(3, 3)]) > on(whole, [(3, 3)]) > 0


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="learn_us is above 0"):
        WithoutHotPixels(learn_us=0)
    with pytest.raises(ValueError, match="factor is above 0, not -1"):
        WithoutHotPixels(factor=-1)
    with pytest.raises(ValueError, match="factor is above 0, not nan"):
        hot_pixels(EventBatch.empty(SENSOR), factor=float("nan"))
    with pytest.raises(ValueError, match=r"\(12, 0\) is not on the sensor of 12x9"):
        WithoutHotPixels([(12, 0)]).feed(EventBatch.empty(SENSOR))
    for operator in (WithoutHotPixels([]), WithoutHotPixels()):
        with pytest.raises(ValueError, match="size is not known"):
            operator.feed(EventBatch.from_columns(t=[1], x=[1], y=[1], p=[1]))
