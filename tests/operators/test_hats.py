"""HATS: against a plain walk over all pairs of events."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aevents.operators.base import Chain
from aevents.operators.hats import Hats
from aevents.operators.window import Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Sensor, Span

SENSOR = Sensor(26, 16)
WIDER = example_events(500, sensor=Sensor(28, 16))
EVENTS = EventBatch.from_columns(t=WIDER.t, x=WIDER.x, y=WIDER.y, p=WIDER.p, sensor=SENSOR)


def test_histograms_are_what_the_formula_says() -> None:
    operator = Hats(cell=10, radius=2, tau_us=30_000, within_us=60_000)
    assert operator.feed(EVENTS[:200]) == operator.feed(EVENTS[200:]) == ()
    (frame,) = operator.flush()
    expected, sizes = np.zeros((2, 2, 3, 5, 5)), np.zeros((2, 2, 3))
    events = [event for event in EVENTS if event.x < SENSOR.width]
    for i, (t, x, y, p) in enumerate(events):
        here = int(p), y // 10, x // 10
        sizes[here] += 1
        for before, column, row, q in events[:i]:
            dx, dy = column - x, row - y
            if (int(q), row // 10, column // 10) != here or max(abs(dx), abs(dy)) > 2:
                continue
            if t - 60_000 <= before < t:
                expected[(*here, dy + 2, dx + 2)] += math.exp(-(t - before) / 30_000)
    expected /= np.maximum(sizes, 1)[..., None, None]
    assert (expected > 0.01).sum() > 50
    np.testing.assert_allclose(np.asarray(frame.array, np.float64), expected, atol=1e-5)
    assert operator.counts == {"outside_frame": int((EVENTS.x >= SENSOR.width).sum())}
    assert (frame.mode, frame.span, frame.sensor) == ("hats", EVENTS.span, SENSOR)
    assert not frame.array.flags.writeable


def test_a_cell_remembers_no_more_than_its_memory() -> None:
    events = EventBatch.from_columns(
        t=[0, 1, 2], x=[0] * 3, y=[0] * 3, p=[1] * 3, sensor=Sensor(1, 1)
    ).as_window(Span(0, 3))
    for memory, seen in ((1, 2), (2, 3)):
        (frame,) = Hats(radius=0, tau_us=1e9, memory=memory).feed(events)
        assert frame.array[1, 0, 0, 0, 0] == pytest.approx(seen / 3)


def test_no_events_make_histograms_of_nothing() -> None:
    (frame,) = Hats().feed(EventBatch.empty(SENSOR, Span(0, 5)).as_window(Span(0, 5)))
    assert frame.shape == (2, 2, 3, 7, 7)
    assert not frame.array.any()


def test_however_the_input_is_cut_the_histograms_are_the_same() -> None:
    check_operator(Hats, batch=EVENTS)
    windows = check_operator(lambda: Chain([Window(duration_us=20_000), Hats()]), batch=EVENTS)
    assert len(windows) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": 0}, "cell and memory"),
        ({"memory": 0}, "cell and memory"),
        ({"radius": -1}, "cell and memory"),
        ({"radius": 101}, "cell and memory"),
        ({"tau_us": 0}, "tau_us and within_us"),
        ({"within_us": 0}, "tau_us and within_us"),
    ],
)
def test_numbers_out_of_range_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Hats(**options)


def test_a_sensor_without_a_size_or_of_too_many_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="sensor size is not known"):
        Hats().feed(EventBatch.empty().as_window(Span(0, 1)))
    large = EventBatch.empty(Sensor(8_000, 8_000)).as_window(Span(0, 1))
    with pytest.raises(ValueError, match="surfaces of 7x7 are too large"):
        Hats(cell=1).feed(large)
