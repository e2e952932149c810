"""Surfaces: against a plain walk over the events, one after the other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aevents.operators.base import Chain
from aevents.operators.surfaces import FADINGS, NEVER, Fading, TimeSurface, Tore
from aevents.operators.window import Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Frame, Sensor, Span

SENSOR = Sensor(24, 16)
EVENTS = example_events(900, sensor=Sensor(26, 16))
EVENTS = EventBatch.from_columns(
    t=EVENTS.t, x=EVENTS.x, y=EVENTS.y, p=EVENTS.p, sensor=SENSOR, span=EVENTS.span
)


def times_of(events: EventBatch) -> dict[tuple[int, int, int], list[int]]:
    """Return the times of each polarity, row and column, newest first."""
    times: dict[tuple[int, int, int], list[int]] = {}
    for t, x, y, p in events:
        if x < SENSOR.width:
            times.setdefault((int(p), y, x), []).insert(0, t)
    return times


def frame_of(operator: TimeSurface | Tore) -> Frame:
    assert operator.feed(EVENTS[:500]) == operator.feed(EVENTS[500:]) == ()
    (frame,) = operator.flush()
    assert operator.counts == {"outside_frame": int((EVENTS.x >= SENSOR.width).sum())}
    assert not frame.array.flags.writeable
    return frame


@pytest.mark.parametrize("fading", FADINGS)
def test_a_surface_is_what_the_formula_says(fading: Fading) -> None:
    frame = frame_of(TimeSurface(fading, tau_us=40_000))
    now, expected = EVENTS.span.stop, np.full((2, 16, 24), NEVER if fading == "times" else 0.0)
    for cell, (latest, *_) in times_of(EVENTS).items():
        age = now - latest
        expected[cell] = {
            "exponential": math.exp(-age / 40_000),
            "linear": max(0, 1 - age / 40_000),
            "times": latest,
        }[fading]
    assert frame.array.dtype == (np.int64 if fading == "times" else np.float32)
    np.testing.assert_allclose(np.asarray(frame.array, np.float64), expected, rtol=1e-5, atol=1e-7)
    assert (frame.span.stop, frame.sensor, frame.mode) == (now, SENSOR, "time_surface")


def test_a_volume_is_what_the_formula_says() -> None:
    frame = frame_of(Tore(3, shortest_us=100, longest_us=200_000))
    now, oldest = EVENTS.span.stop, math.log(200_001) - math.log(101)
    expected = np.full((2, 3, 16, 24), oldest)
    for (p, y, x), times in times_of(EVENTS).items():
        for k, time in enumerate(times[:3]):
            value = math.log(1 + min(now - time, 200_000)) - math.log(101)
            expected[p, k, y, x] = max(0, value)
    assert frame.array.dtype == np.float32
    np.testing.assert_allclose(np.asarray(frame.array, np.float64), expected, rtol=1e-5, atol=1e-5)
    assert len(np.unique(frame.array)) > 50
    assert frame.mode == "tore"


def test_a_surface_goes_on_from_window_to_window() -> None:
    one = EventBatch.from_columns(t=[0, 25], x=[1, 0], y=[0, 0], p=[1, 1], sensor=Sensor(2, 1))
    chain: Chain[EventBatch, Frame] = Chain(
        [Window(duration_us=10), TimeSurface("linear", tau_us=40)]
    )
    frames = [*chain.feed(one), *chain.flush()]
    found = [frame.array[1, 0].tolist() for frame in frames]
    assert found == [[0, 0.75], [0, 0.5], [0.875, 0.25]]
    assert [frame.span for frame in frames] == [Span(0, 10), Span(10, 20), Span(20, 30)]


def test_another_sensor_begins_another_surface() -> None:
    for operator in (TimeSurface("times"), Tore()):
        operator.feed(EVENTS)
        other = EventBatch.from_columns(t=[3], x=[0], y=[0], p=[0], sensor=Sensor(1, 1))
        operator.feed(other)
        assert operator.flush()[0].array.shape[-2:] == (1, 1)


@pytest.mark.parametrize("fading", FADINGS)
def test_however_the_input_is_cut_the_surfaces_are_the_same(fading: Fading) -> None:
    check_operator(lambda: TimeSurface(fading))
    assert len(check_operator(lambda: Chain([Window(duration_us=20_000), TimeSurface(fading)]))) > 3
    check_operator(lambda: Chain([Window(count=50), Tore(2)]), batch=EVENTS)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="a fading is one of"):
        TimeSurface("square")  # type: ignore[arg-type]
    for tau in (0, -1, float("nan"), 2.0**63):
        with pytest.raises(ValueError, match="tau_us is"):
            TimeSurface(tau_us=tau)
    for count in (0, 65):
        with pytest.raises(ValueError, match="count is 1 to 64"):
            Tore(count)
    for shortest, longest in ((-1, 5), (5, 5), (float("nan"), 5)):
        with pytest.raises(ValueError, match="shortest_us"):
            Tore(shortest_us=shortest, longest_us=longest)
    with pytest.raises(ValueError, match="sensor size is not known"):
        TimeSurface().feed(EventBatch.from_columns(t=[0], x=[0], y=[0], p=[0]))
