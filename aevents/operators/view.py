"""How a picture is wanted: how large, which part of it, and in which colours."""

from __future__ import annotations

import re
from fractions import Fraction
from math import isfinite
from typing import Literal, Self, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.types import Frame, Sensor, Span

Colour = Literal["gray", "rgb", "bgr", "rgba", "r", "g", "b"]
Array = npt.NDArray[np.generic]

GEOMETRY = re.compile(r"(\d+)x(\d+)(?:\+(\d+)\+(\d+))?")
"""As X11 and ImageMagick write a region."""
SECOND_US = 1_000_000


class View(msgspec.Struct, frozen=True):
    """A picture is first scaled to `size` (width, height), then cut to `crop` (width, height, left,
    top; the middle where left and top are None).
    """

    colour: Colour = "rgb"
    size: tuple[int, int] | None = None
    crop: tuple[int, int, int | None, int | None] | None = None

    @classmethod
    def parse(cls, colour: Colour, size: str | None, crop: str | None) -> Self:
        """Return the view that `"640x480"` and `"320x240+10+20"` describe; a crop without `+10+20`
        is of the middle. Raises `ValueError` for what is none, and for an unknown colour.
        """
        if colour not in get_args(Colour):
            raise ValueError(f"colour is one of {', '.join(get_args(Colour))}, not {colour!r}")
        sensor = None if size is None else Sensor.parse(size)
        scaled = None if sensor is None else (sensor.width, sensor.height)
        return cls(colour, scaled, _region(crop))

    @property
    def mode(self) -> str:
        """The mode of its frames."""
        return "bgr" if self.colour == "bgr" else "intensity"

    def cut(self, pixels: Array) -> Array:
        """Return the part that is wanted, without a copy. Raises `ValueError` where the picture,
        `(height, width, …)`, does not have it.
        """
        if self.crop is None:
            return pixels
        width, height, left, top = self.crop
        if left is None or top is None:
            left, top = (pixels.shape[1] - width) // 2, (pixels.shape[0] - height) // 2
        if min(left, top) < 0 or left + width > pixels.shape[1] or top + height > pixels.shape[0]:
            raise ValueError(
                f"a crop of {width}x{height} at {left}, {top} reaches beyond a picture of "
                f"{pixels.shape[1]}x{pixels.shape[0]}"
            )
        return pixels[top : top + height, left : left + width]


def frame_of(array: Array, span: Span, mode: str = "intensity") -> Frame:
    """Return the frame of an array, which becomes read-only and contiguous: `(…, height, width)`,
    or of pixels with three or four samples each.
    """
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    in_colour = array.ndim == 3 and array.shape[-1] in (3, 4)
    height, width = array.shape[:2] if in_colour else array.shape[-2:]
    return Frame(array, span, Sensor(width, height), mode)


def rate_of(rate_hz: float | Fraction, /) -> Fraction:
    """Return a rate of frames a second as a fraction. Raises `ValueError` unless it is above 0."""
    rate = Fraction(rate_hz).limit_denominator(1001) if isfinite(rate_hz) else Fraction(0)
    if rate <= 0:
        raise ValueError(f"rate_hz is a number of frames a second greater than 0, not {rate_hz!r}")
    return rate


def slot(number: int, rate: Fraction) -> Span:
    """Return the span of the frame of this number, from 0 on, at a steady rate."""
    start, stop = (
        at * SECOND_US * rate.denominator // rate.numerator for at in (number, number + 1)
    )
    return Span(start, stop)


def _region(text: str | None) -> tuple[int, int, int | None, int | None] | None:
    if text is None:
        return None
    found = GEOMETRY.fullmatch(text)
    if found is None or not (int(found[1]) and int(found[2])):
        raise ValueError(f"a crop is WIDTHxHEIGHT+LEFT+TOP or WIDTHxHEIGHT, not {text!r}")
    left, top = (None if one is None else int(one) for one in found.group(3, 4))
    return int(found[1]), int(found[2]), left, top
