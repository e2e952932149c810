"""Undistortion: against the formula of the lens, one point at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aevents import EventBatch, Sensor, Undistort
from aevents.testing import check_operator

SENSOR = Sensor(64, 48)
CAMERA = [[50.0, 0.0, 31.0], [0.0, 52.0, 24.5], [0.0, 0.0, 1.0]]
LENSES = {
    "barrel": (-0.25, 0.05, 0.0, 0.0),
    "pincushion": (0.2, 0.02, 0.0, 0.0, 0.01),
    "decentred": (-0.1, 0.02, 0.01, -0.015, -0.001),
}


def all_pixels(sensor: Sensor = SENSOR) -> EventBatch:
    y, x = np.divmod(np.arange(sensor.width * sensor.height), sensor.width)
    return EventBatch.from_columns(t=np.arange(len(x)), x=x, y=y, p=x % 2, sensor=sensor)


def seen_at(x: float, y: float, terms: tuple[float, ...]) -> tuple[float, float]:
    """Return where the lens puts the pixel (x, y) of a camera without distortion."""
    k1, k2, p1, p2, k3 = (*terms, 0.0)[:5]
    u, v = (x - 31.0) / 50.0, (y - 24.5) / 52.0
    r = math.hypot(u, v)
    radial = 1 + k1 * r**2 + k2 * r**4 + k3 * r**6
    u, v = (
        u * radial + 2 * p1 * u * v + p2 * (r**2 + 2 * u**2),
        v * radial + p1 * (r**2 + 2 * v**2) + 2 * p2 * u * v,
    )
    return u * 50.0 + 31.0, v * 52.0 + 24.5


@pytest.mark.parametrize("lens", LENSES)
def test_the_lens_puts_events_back_where_they_were(lens: str) -> None:
    terms = LENSES[lens]
    (straight,) = Undistort(CAMERA, terms).feed(all_pixels())
    assert straight.sensor == SENSOR
    assert len(straight) > 1_500
    moved = 0
    for event in straight:
        y, x = divmod(event.t, 64)
        # Rounding takes half a pixel at most; the lens stretches that by its slope, up to 2 here.
        seen = seen_at(event.x, event.y, terms)
        assert math.dist(seen, (x, y)) < 2 * math.hypot(0.5, 0.5)
        moved += (event.x, event.y) != (x, y)
    assert moved > 500


def test_points_are_rounded_to_the_nearest_pixel() -> None:
    (straight,) = Undistort(CAMERA, (-0.25, 0, 0, 0)).feed(all_pixels())
    # Of pixel (51, 24): u (1 - 0.25 u²) = 0.4 has u = 0.4174 (v is nearly 0), so x = 51.87.
    (event,) = [event for event in straight if event.t == 24 * 64 + 51]
    assert (event.x, event.y) == (52, 24)


def test_a_lens_without_distortion_moves_nothing() -> None:
    events = all_pixels()
    (straight,) = Undistort(CAMERA, [0, 0, 0, 0]).feed(events)
    assert list(straight) == list(events)


def test_what_leaves_the_picture_is_left_out() -> None:
    operator = Undistort(CAMERA, LENSES["barrel"])
    (straight,) = operator.feed(all_pixels())
    assert 0 not in straight.t  # a barrel is straightened by pulling the corners out
    assert operator.counts == {"outside_sensor": 0}
    assert operator.flush() == ()


def test_pixels_that_no_point_is_put_to_are_left_out() -> None:
    # With k1 = -3, u (1 - 3 u²) is at most 0.222 (at u = 1/3): 11.1 pixels from the centre.
    (straight,) = Undistort(CAMERA, (-3, 0, 0, 0)).feed(all_pixels())
    row = [event.t % 64 for event in straight if event.t // 64 == 24]
    assert {*range(20, 43)} >= {*row} >= {*range(21, 42)}


def test_events_off_the_sensor_are_counted() -> None:
    operator = Undistort(CAMERA, (0, 0, 0, 0))
    far = EventBatch.from_columns(t=[1, 2], x=[64, 63], y=[0, 47], p=[1, 1], sensor=SENSOR)
    assert [event.t for event in operator.feed(far)[0]] == [2]
    assert operator.counts == {"outside_sensor": 1}
    with pytest.raises(ValueError, match="size is not known"):
        operator.feed(EventBatch.from_columns(t=[1], x=[1], y=[1], p=[1]))


def test_the_chunking_law() -> None:
    check_operator(
        lambda: Undistort([[300, 0, 160], [0, 300, 120], [0, 0, 1]], (-0.3, 0.1, 0, 0.001))
    )


@pytest.mark.parametrize(
    "camera",
    [
        [[1, 0], [0, 1]],
        [[1, 0.1, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [0, -1, 0], [0, 0, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 2]],
        [[1, 0, float("nan")], [0, 1, 0], [0, 0, 1]],
    ],
)
def test_other_matrices_are_refused(camera: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="a camera matrix is"):
        Undistort(camera, (0, 0, 0, 0))


@pytest.mark.parametrize("terms", [(), (0.1, 0.2), (0,) * 8, (0, 0, 0, float("inf"))])
def test_other_coefficients_are_refused(terms: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="distortion is"):
        Undistort(CAMERA, terms)
