"""What is written on pictures: a title, the time, how fast it is shown, and what models say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import msgspec
import numpy as np

from aevents.operators.colour import SCALE, Look, Paint, Pixels
from aevents.operators.lettering import write
from aevents.operators.results import Result
from aevents.types import Frame, Sensor, Span

LINES = 240
"""Letters of one point a pixel are legible on a picture of so many lines; larger ones have larger
letters.
"""

TIMES = "\u00d7"
"""A cross."""


class Caption(msgspec.Struct, frozen=True):
    """A `title` in the upper left, and in the lower left the time at which the frame begins, if
    wanted (`timecode`), and how fast the video goes, if that is told (`speed`).
    """

    title: str = ""
    timecode: bool = False
    speed: float | None = None

    def on(self, pixels: Pixels, span: Span, /) -> Pixels:
        """Return the RGB pixels of a frame with it written on them; the same where it is empty."""
        if self == Caption(speed=self.speed) and self.speed in (None, 1):
            return pixels
        pixels, size = pixels.copy(), size_on(pixels)
        if self.title:
            write(pixels, [self.title], left=size, top=size, size=size)
        parts = [timecode(span.start)] * self.timecode
        if self.speed is not None and (self.timecode or self.speed != 1):
            parts.append(f"{TIMES}{self.speed:g}")
        if parts:
            write(pixels, ["  ".join(parts)], left=size, top=-2, size=size)
        return pixels


def size_on(pixels: Pixels) -> int:
    """Return how many pixels a point of a letter takes on a picture."""
    height: int = pixels.shape[0]
    return max(1, round(height / LINES))


def tell(frame: Frame, results: Mapping[str, Result[object]], /, **look: Unpack[Look]) -> Frame:
    """Return the frame as a picture on which stands what each model says: for `annotate`.

    A line a model, `name: value`, or `name: error`; numbers with four places. The options are those
    of `Paint`; `scale` is 4 unless given, so that frames are painted alike.

    >>> from aevents import annotate, infer
    >>> async def record(frames, models):
    ...     async with infer(frames, models, with_frames=True) as items:
    ...         await items.through(annotate(tell)).to("seen.mp4")
    """
    alike: Look = {"scale": SCALE, **look}
    pixels = Paint(**alike)(frame).copy()
    lines = [f"{name}: {_said(result)}" for name, result in results.items()]
    size = size_on(pixels)
    write(pixels, lines, left=size, top=size, size=size)
    height, width, _ = pixels.shape
    return Frame(pixels, frame.span, Sensor(width, height, frame.sensor.name), "intensity")


def _said(result: Result[object]) -> str:
    if result.error is not None:
        return type(result.error).__name__
    value = result.value
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def timecode(t: int, /) -> str:
    """Return a time in µs as hours, minutes, seconds and µs.

    >>> timecode(61_000_250)
    '00:01:01.000250'
    """
    seconds, us = divmod(abs(t), 1_000_000)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    return f"{'-' * (t < 0)}{hours:02d}:{m:02d}:{s:02d}.{us:06d}"
