"""Flip, rotate, transpose, downsample, scale: a frame of the result is the frame, so moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from aevents import (
    Downsample,
    Event,
    EventBatch,
    Flip,
    Frames,
    Operator,
    Rotate,
    Scale,
    Sensor,
    Span,
    Transpose,
)
from aevents.testing import check_operator

DICE = np.random.default_rng(0)
EVENTS = EventBatch.from_columns(
    t=range(500),
    x=DICE.integers(0, 13, 500),
    y=DICE.integers(0, 7, 500),
    p=DICE.integers(0, 2, 500),
    sensor=Sensor(13, 7, "left"),
    span=Span(0, 600),
)
Picture = np.ndarray[Any, np.dtype[Any]]


def frame(batch: EventBatch) -> Picture:
    frames = Frames("polarity")
    frames.feed(batch)
    return frames.flush()[0].array


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Flip("x"), lambda array: array[..., ::-1]),
        (lambda: Flip("y"), lambda array: array[..., ::-1, :]),
        (Transpose, lambda array: array.swapaxes(-1, -2)),
        (lambda: Rotate(0), lambda array: array),
        (lambda: Rotate(90), lambda array: np.rot90(array, -1, (1, 2))),
        (lambda: Rotate(180), lambda array: np.rot90(array, 2, (1, 2))),
        (lambda: Rotate(270), lambda array: np.rot90(array, 1, (1, 2))),
        (lambda: Rotate(-90), lambda array: np.rot90(array, 1, (1, 2))),
    ],
)
def test_a_frame_moves_with_its_events(
    make: Callable[[], Operator[EventBatch, EventBatch]], expected: Callable[[Picture], Picture]
) -> None:
    (moved,) = make().feed(EVENTS)
    assert np.array_equal(frame(moved), expected(frame(EVENTS)))
    assert (moved.span, moved.sensor.name) == (EVENTS.span, "left")
    assert np.array_equal(moved.t, EVENTS.t)


def test_a_rotation_is_clockwise() -> None:
    corner = EventBatch.from_columns(t=[1], x=[0], y=[0], p=[1], sensor=Sensor(4, 3))
    (turned,) = Rotate(90).feed(corner)
    assert list(turned) == [Event(1, 2, 0, True)]
    assert turned.sensor == Sensor(3, 4)


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 20, 65536])
def test_downsampling_adds_up_what_pixels_count(factor: int) -> None:
    (small,) = Downsample(factor).feed(EVENTS)
    before, after = frame(EVENTS), frame(small)
    assert after.shape[1:] == (-(-7 // factor), -(-13 // factor))
    for (_, row, column), count in np.ndenumerate(after):
        block = before[
            :, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor
        ]
        assert after[:, row, column].tolist() == block.sum(axis=(1, 2)).tolist()
        assert count >= 0
    assert after.sum() == 500


@pytest.mark.parametrize(("width", "height"), [(13, 7), (5, 3), (26, 14), (65535, 2), (1, 1)])
def test_scaling_fits_the_picture_into_another_sensor(width: int, height: int) -> None:
    (scaled,) = Scale(width=width, height=height).feed(EVENTS)
    assert scaled.x.tolist() == [x * width // 13 for x in EVENTS.x.tolist()]
    assert scaled.y.tolist() == [y * height // 7 for y in EVENTS.y.tolist()]
    assert scaled.sensor == Sensor(width, height, "left")


MAKES: list[Callable[[], Flip | Rotate | Transpose | Downsample | Scale]] = [
    lambda: Flip("x"),
    lambda: Flip("y"),
    lambda: Rotate(90),
    Transpose,
    lambda: Downsample(3),
    lambda: Scale(width=5, height=9),
]


@pytest.mark.parametrize("make", MAKES)
def test_events_off_the_sensor_are_counted(make: Callable[[], Flip]) -> None:
    operator = make()
    far = EventBatch.from_columns(
        t=[1, 2, 3], x=[13, 3, 0], y=[0, 7, 0], p=[1] * 3, sensor=EVENTS.sensor
    )
    assert [event.t for event in operator.feed(far)[0]] == [3]
    assert operator.counts == {"outside_sensor": 2}
    assert operator.flush() == ()
    with pytest.raises(ValueError, match="size is not known"):
        operator.feed(EventBatch.from_columns(t=[1], x=[1], y=[1], p=[1]))


@pytest.mark.parametrize("make", MAKES)
def test_the_chunking_law(make: Callable[[], Flip]) -> None:
    (moved,) = check_operator(make)
    assert isinstance(moved, EventBatch)
    assert len(moved) == 600


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="along 'x' or 'y', not 'z'"):
        Flip("z")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="multiple of 90 degrees, not 45"):
        Rotate(45)
    for factor in (0, 65537):
        with pytest.raises(ValueError, match="a factor is from 1 to 65536"):
            Downsample(factor)
    for width, height in ((0, 3), (3, 0), (65536, 3), (3, 65536)):
        with pytest.raises(ValueError, match="from 1 to 65535 columns"):
            Scale(width=width, height=height)
