"""Events by chance, at the rates of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import aevents
from aevents._contracts import Origin
from aevents.operators import poisson
from aevents.operators.poisson import Poisson
from aevents.stream import stream_of
from aevents.types import EventBatch, Frame, Sensor, Span
from tests.truth import CONVIS


def frame(
    rates: np.ndarray[Any, Any], start: int = 0, stop: int = 1_000_000, axes: str = "yx"
) -> Frame:
    return Frame(rates, Span(start, stop), Sensor(name="retina"), "rates", axes)


def drawn(operator: Poisson, *frames: Frame) -> EventBatch:
    return EventBatch.concat([batch for one in frames for batch in operator.feed(one)])


def test_pixels_fire_at_their_rates() -> None:
    rates = np.zeros((40, 50))
    rates[:, 25:] = 100
    events = drawn(Poisson(seed=1), frame(rates))
    assert len(events) == pytest.approx(100 * 1000, rel=0.01)
    assert events.x.min() == 25
    counts = np.bincount(events.y * np.int64(50) + events.x, minlength=2000).reshape(40, 50)
    assert counts[:, 25:].var() == pytest.approx(100, rel=0.15)  # of a Poisson process: its mean
    assert events.p.all()
    assert (events.span, events.sensor) == (Span(0, 1_000_000), Sensor(50, 40, "retina"))


def test_times_are_in_order_and_even_over_the_span() -> None:
    events = drawn(Poisson(), frame(np.full((20, 20), 50, np.float32), 10**12, 10**12 + 10**6))
    assert (np.diff(events.t) >= 0).all()
    assert (events.t.min() >= 10**12, events.t.max() < 10**12 + 10**6) == (True, True)
    gaps = np.diff(events.t[(events.x == 3) & (events.y == 4)])
    assert gaps.mean() == pytest.approx(20_000, rel=0.5)
    histogram, _ = np.histogram(events.t - 10**12, bins=10)
    assert np.sum((histogram - 2000.0) ** 2 / 2000) < 28  # chi squared, 9 degrees of freedom: 0.1 %


def test_two_planes_are_off_and_on() -> None:
    rates = np.zeros((2, 3, 4))
    rates[0, 1, 2], rates[1, 2, 3] = 1000, 500
    events = drawn(Poisson(), frame(rates))
    assert set(zip(events.x[~events.p].tolist(), events.y[~events.p].tolist(), strict=True)) == {
        (2, 1)
    }
    assert set(zip(events.x[events.p].tolist(), events.y[events.p].tolist(), strict=True)) == {
        (3, 2)
    }
    assert np.count_nonzero(events.p) == pytest.approx(500, rel=0.2)


def test_values_may_stand_for_any_rate_and_lie_on_their_side() -> None:
    values = np.zeros((4, 2), np.uint8)
    values[3, 1] = 255
    events = drawn(Poisson(hz=200 / 255), frame(values, axes="xy"))
    assert len(events) == pytest.approx(200, rel=0.3)
    assert (set(events.x.tolist()), set(events.y.tolist())) == ({3}, {1})


def test_the_same_seed_makes_the_same_events() -> None:
    frames = [frame(np.full((5, 5), 900), k * 1000, (k + 1) * 1000) for k in range(4)]
    one, two, other = (drawn(Poisson(seed=seed), *frames) for seed in (3, 3, 4))
    assert np.asarray(one).tolist() == np.asarray(two).tolist() != np.asarray(other).tolist()
    (first,), (second,) = (list(Poisson(seed=3).feed(one)) for one in (frames[0], frames[1]))
    assert (first.t + 1000).tolist() == second.t.tolist()  # the first of a run has the first dice


def test_many_events_come_in_several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poisson, "MOST_EVENTS", 1000)
    batches = list(Poisson().feed(frame(np.full((10, 10), 100))))
    assert len(batches) == 10
    assert max(map(len, batches)) < 1200
    spans = [batch.span for batch in batches]
    assert spans == [Span(100_000 * k, 100_000 * (k + 1)) for k in range(10)]
    events = EventBatch.concat(batches)
    assert (np.diff(events.t) >= 0).all()
    assert len(events) == pytest.approx(10_000, rel=0.05)


def test_a_frame_of_no_time_has_no_events() -> None:
    (batch,) = Poisson().feed(frame(np.full((2, 2), 100), 7, 7))
    assert (len(batch), batch.span, batch.sensor) == (0, Span(7, 7), Sensor(2, 2, "retina"))


def test_a_stream_of_rates_is_a_stream_of_events() -> None:
    frames = [frame(np.full((4, 4), 100.0), k * 10**5, (k + 1) * 10**5) for k in range(5)]
    rates = stream_of(Origin("rates", blocking=lambda: (one for one in frames)))
    batches = list(rates.poisson(hz=2, seed=5).window(duration_us=250_000, origin_us=0).blocking())
    assert [batch.span for batch in batches] == [
        Span(0, 250_000), Span(250_000, 500_000),
    ]  # fmt: skip
    assert sum(map(len, batches)) == pytest.approx(1600, rel=0.1)
    assert aevents.Poisson is Poisson


@pytest.mark.skipif(not CONVIS.exists(), reason="no truth of convis here")
def test_pixels_that_fire_in_half_of_the_frames_are_those_of_convis() -> None:
    theirs = np.load(CONVIS / "poisson_layer.npz")["out"]  # of 0.5: whether each fires in a frame
    assert (theirs.shape[-3:], theirs.dtype) == ((3, 4, 5), np.bool_)
    hz = np.log(2) * 1000  # in a millisecond: no event in half of all
    operator, fired = Poisson(hz=hz), 0
    for k in range(1000):
        batch = drawn(operator, frame(np.ones((4, 5)), k * 1000, (k + 1) * 1000))
        fired += len(set(zip(batch.x.tolist(), batch.y.tolist(), strict=True)))
    assert fired / 20_000 == pytest.approx(0.5, abs=0.015)
    assert theirs.mean() == pytest.approx(0.5, abs=0.25)  # 60 of theirs: four standard deviations


@pytest.mark.parametrize("options", [{"hz": 0}, {"hz": float("inf")}, {"seed": -1}])
def test_arguments_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"hz is above 0|seed is a whole number"):
        Poisson(**options)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            frame(np.zeros((3, 2, 2))),
            r"rates are numbers \(height, width\) or \(2, height, width\)",
        ),
        (frame(np.zeros((2, 2), np.bool_)), "rates are numbers"),
        (frame(np.full((2, 2), -1.0)), "a rate is from 0 to 10\\^6 a second"),
        (frame(np.full((2, 2), np.nan)), "a rate is from 0"),
        (frame(np.full((2, 2), 1.1e6)), "a rate is from 0"),
        (frame(np.zeros((2, 2)), 0, 1 << 30), "a frame lasts 2\\^30 µs at most"),
        (frame(np.zeros((2, 2)), 5, 4), "a frame lasts"),
    ],
)
def test_frames_that_are_none(bad: Frame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(Poisson().feed(bad))


def test_frames_that_begin_too_early() -> None:
    operator = Poisson()
    list(operator.feed(frame(np.zeros((2, 2)), 0, 100)))
    with pytest.raises(ValueError, match="begins before the last ends, at 100 µs"):
        list(operator.feed(frame(np.zeros((2, 2)), 99, 200)))
    assert operator.flush() == ()
