"""Pixels that integrate: as convis documents its motion sensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aevents.operators.integrate import Integrate, Measure
from aevents.types import Frame, Sensor, Span
from tests.truth import CONVIS


def frame(array: np.ndarray[Any, Any], t: int = 0, axes: str = "yx") -> Frame:
    return Frame(array, Span(t, t + 10), Sensor(name="eye"), "intensity", axes)


def fired(operator: Integrate, values: list[float]) -> list[int]:
    """Return for each picture of one pixel: 1 ON, -1 OFF, 0 nothing."""
    signs = []
    for t, value in enumerate(values):
        (batch,) = operator.feed(frame(np.array([[value]]), t))
        assert len(batch) <= 1
        signs.append(0 if not len(batch) else 1 if batch.p[0] else -1)
    return signs


def test_a_linear_pixel_adds_up() -> None:
    assert fired(Integrate(1.0), [0.6, 0.6, 0.6, 3, 0, 0]) == [0, 1, 0, 1, 1, 1]
    assert fired(Integrate(1.0), [-0.6, -0.6, 0.2, -0.9]) == [0, -1, 0, 0]


def test_a_logarithmic_pixel_compares() -> None:
    assert fired(Integrate(2, "log"), [0.9, 1.1, 1.1, 0.4, 0.1, 0]) == [0, 1, 0, -1, -1, -1]


def test_events_have_the_time_and_place_of_their_pixel() -> None:
    operator = Integrate(1.0)
    (first,) = operator.feed(frame(np.array([[0, 2, 0], [0, 0, -2]]), 500))
    assert [tuple(event) for event in first] == [(500, 1, 0, True), (500, 2, 1, False)]
    assert (first.span, first.sensor) == (Span(500, 501), Sensor(3, 2, "eye"))
    (second,) = operator.feed(frame(np.zeros((3, 2)), 600, "xy"))
    assert second.span == Span(501, 601)
    assert operator.flush() == ()


@pytest.mark.skipif(not CONVIS.exists(), reason="no truth of convis here")
@pytest.mark.parametrize(
    ("pictures", "name", "threshold", "measure"),
    [
        ("x", "lin_pos", 2.5, "linear"),
        ("x_signed", "lin_signed", 1.0, "linear"),
        ("x_log", "log", 1.2, "log"),
    ],
)
def test_all_is_as_convis_documents_it(
    pictures: str, name: str, threshold: float, measure: Measure
) -> None:
    truth, operator = (
        np.load(CONVIS / "integrative_motion_sensor.npz"),
        Integrate(threshold, measure),
    )
    planes = np.zeros_like(truth[f"{name}_ideal"][0])
    for t, array in enumerate(truth[pictures][0, 0]):
        (batch,) = operator.feed(frame(array, t))
        planes[np.where(batch.p, 0, 1), t, batch.y, batch.x] = 1
    assert planes.tolist() == truth[f"{name}_ideal"][0].tolist()
    assert not (planes == truth[name][0]).all()  # what convis itself gave: the first pixels' values


@pytest.mark.parametrize(
    ("threshold", "measure", "message"),
    [
        (0, "linear", "a linear threshold is above 0, not 0"),
        (1, "log", "a log threshold is above 1, not 1"),
        (float("nan"), "linear", "a linear threshold"),
        (1, "square", "a measure is 'linear' or 'log', not 'square'"),
    ],
)
def test_arguments_that_are_none(threshold: float, measure: Measure, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Integrate(threshold, measure)


def test_pictures_that_are_none() -> None:
    operator = Integrate(1.0)
    with pytest.raises(ValueError, match=r"a picture is \(height, width\), not uint8 \(1, 2, 3\)"):
        operator.feed(frame(np.zeros((1, 2, 3), np.uint8)))
    operator.feed(frame(np.zeros((1, 2)), 5))
    with pytest.raises(ValueError, match=r"pictures are \(1, 2\), not \(2, 1\)"):
        operator.feed(frame(np.zeros((2, 1)), 6))
    with pytest.raises(ValueError, match="a picture at 5 µs comes after one at 5 µs"):
        operator.feed(frame(np.zeros((1, 2)), 5))
