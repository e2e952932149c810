"""The light of a picture, whatever it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aevents.operators.light import light_of
from aevents.types import Frame, Sensor, Span

RAMP = np.array([[0, 100, 255], [1, 2, 3]], np.uint8)


def frame(array: np.ndarray[Any, Any], mode: str = "intensity", axes: str = "yx") -> Frame:
    return Frame(array, Span(0, 1), Sensor(), mode, axes)


def test_bytes_are_light_as_they_are() -> None:
    assert light_of(frame(RAMP)) is not None
    assert light_of(frame(RAMP)).tolist() == RAMP.tolist()
    assert light_of(frame(RAMP)).dtype == np.uint8


def test_any_unsigned_integers_reach_to_255() -> None:
    light = light_of(frame(np.array([[0, 257, 65535]], np.uint16)))
    assert light.dtype == np.float32
    assert light.tolist() == [[0, 1, 255]]


def test_floats_are_light_as_they_are() -> None:
    light = light_of(frame(np.array([[0, 0.5, 300]])))
    assert light.dtype == np.float32
    assert light.tolist() == [[0, 0.5, 300]]


@pytest.mark.parametrize("mode", ["intensity", "bgr"])
def test_colours_become_their_luminance(mode: str) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]]])
    expected = [76, 150, 29, 255, 18]  # 0.299 red + 0.587 green + 0.114 blue
    if mode == "bgr":
        colours = colours[..., ::-1]
    assert light_of(frame(colours.astype(np.uint8), mode)).tolist() == [expected]
    wide = light_of(frame(colours.astype(np.uint16) * 257, mode))
    assert wide[0].tolist() == pytest.approx(expected, abs=0.6)


def test_what_is_transparent_counts_as_it_is() -> None:
    assert light_of(frame(np.full((1, 1, 4), 200, np.uint8))).tolist() == [[200]]


def test_pictures_may_lie_on_their_side() -> None:
    assert light_of(frame(RAMP.T, axes="xy")).tolist() == RAMP.tolist()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3), np.int32),
        np.zeros((2, 3), np.bool_),
        np.zeros((2, 3), np.complex64),
        np.zeros((2, 3, 5), np.uint8),
        np.zeros(3, np.uint8),
    ],
)
def test_what_is_no_picture(array: np.ndarray[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"a picture is \(height, width\) or in colours"):
        light_of(frame(array))


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_what_is_no_light(value: float) -> None:
    with pytest.raises(ValueError, match="the light of a picture is a number from 0 on"):
        light_of(frame(np.array([[1, value]])))
