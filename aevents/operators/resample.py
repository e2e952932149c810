"""Frames at a steady rate: those shown at its times, or what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents.operators.view import Array, rate_of, slot
from aevents.types import Frame, Span

Floats = npt.NDArray[np.float32]

SECOND_US = 1_000_000
CLOCK_US = 500
"""Some files keep times in whole milliseconds: a frame may be so much late for its slot."""


class Resample:
    """Give frames at `rate_hz`, at the times 0, 1 / rate, 2 / rate … seconds, as long as there is a
    frame: that which is shown then, so that frames are repeated or left out.

    With `interpolate`, values are mixed of the two frames around that time, by how near each is; in
    the span of the last frame, and before a gap, they go on as before. They are float32, or of the
    type of the frames where those have floating point.

    The times of frames are the beginnings of their spans. A rate is a number or a `Fraction`, as
    `Fraction(30_000, 1001)`. Raises `ValueError` unless it is above 0, and, interpolating, for
    frames that change their shape.
    """

    def __init__(self, rate_hz: float | Fraction, /, *, interpolate: bool = False) -> None:
        self._rate = rate_of(rate_hz)
        self._period = SECOND_US / self._rate
        self._late = Fraction(0) if interpolate else min(Fraction(CLOCK_US), self._period / 2)
        self._interpolate = interpolate
        self._next: int | None = None  # number of the next slot
        self._before: Frame | None = None
        self._slope: tuple[Frame, Frame] | None = None  # the last two that mixed

    def feed(self, frame: Frame, /) -> Iterator[Frame]:
        """Give the frames of the slots that this one settles."""
        if not self._interpolate:
            for span in self._slots(frame.span.start, frame.span.stop):
                yield replace(frame, span=span)
            return
        before, self._before = self._before, frame
        if before is None:
            return
        if before.array.shape != frame.array.shape:
            raise ValueError(f"frames of {before.shape} and {frame.shape} cannot be mixed")
        if frame.span.start > before.span.stop:
            yield from self._going_on(before)
            return
        self._slope = before, frame
        for span in self._slots(before.span.start, frame.span.start):
            yield _mixed(before, frame, span)

    def flush(self) -> Iterator[Frame]:
        """Give those of the last frame."""
        if self._before is not None:
            yield from self._going_on(self._before)

    def _going_on(self, last: Frame) -> Iterator[Frame]:
        slope, self._slope = self._slope, None
        first, second = slope or (last, last)
        for span in self._slots(last.span.start, last.span.stop):
            yield _mixed(first, second, span)

    def _slots(self, start: int, stop: int) -> Iterator[Span]:
        """Yield the slots that begin in this stretch of time."""
        first = -((self._late - start) * self._rate // SECOND_US)
        number = first if self._next is None else max(first, self._next)
        while number * self._period + self._late < stop:
            self._next = number + 1
            yield slot(number, self._rate)
            number += 1


def _mixed(first: Frame, second: Frame, span: Span) -> Frame:
    start, stop = first.span.start, second.span.start
    part = (span.start - start) / (stop - start) if stop > start else 0.0
    return replace(first, span=span, array=_blend(first.array, second.array, part))


def _blend(first: Array, second: Array, part: float) -> Array:
    kind = first.dtype if first.dtype.kind == "f" else np.dtype(np.float32)
    one, other = (cast("Floats", array.astype(kind)) for array in (first, second))
    blend = one + (other - one) * part
    blend.flags.writeable = False
    return blend
