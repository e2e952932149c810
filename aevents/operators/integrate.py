"""Events of pixels that add up what they see, one a picture at most."""

from __future__ import annotations

from math import isfinite
from typing import Literal

import numpy as np
import numpy.typing as npt

from aevents.types import EventBatch, Frame, Sensor, Span

Measure = Literal["linear", "log"]

FIRST_LIGHT = 0.5
"""What a pixel of the logarithmic kind compares the first picture with."""


class Integrate:
    """Make events of pictures by pixels that integrate: the motion sensor of convis, as documented.

    `measure="linear"`: a pixel adds up the values that it sees; above `threshold` it sends an ON
    event and takes the threshold off, below `-threshold` an OFF event and adds it. `"log"`: it
    compares the value with a reference, 0.5 at first; where it is more than `threshold` times that,
    it sends an ON event and multiplies the reference, where it is less than 1 by that, an OFF event
    and divides. A pixel sends one event a picture at most, at the start of the picture's span.

    Pictures are `(height, width)`, of any numbers; they are taken as they are. Raises `ValueError`
    for a threshold that is not above 0 (`"log"`: above 1), and on pictures of another shape, of
    another size than the first, or not in the order of time.

    Huth, Masquelier, Arleo, Convis: A Toolbox to Fit and Simulate Filter-Based Models of Early
    Visual Processing, Frontiers in Neuroinformatics 2018. There, all events of a picture get the
    values of its first pixels; here each has its own.
    """

    def __init__(self, threshold: float, measure: Measure = "linear") -> None:
        if measure not in ("linear", "log"):
            raise ValueError(f"a measure is 'linear' or 'log', not {measure!r}")
        least = 1 if measure == "log" else 0
        if not (isfinite(threshold) and threshold > least):
            raise ValueError(f"a {measure} threshold is above {least}, not {threshold!r}")
        self._threshold = threshold
        self._log = measure == "log"
        self._state: npt.NDArray[np.float64] | None = None
        self._t: int | None = None

    def feed(self, frame: Frame, /) -> tuple[EventBatch]:
        """Give the events of this picture."""
        values, t = self._values(frame), frame.span.start
        if self._t is not None and t <= self._t:
            raise ValueError(f"a picture at {t} µs comes after one at {self._t} µs")
        if self._state is None:
            self._state = np.full(values.shape, FIRST_LIGHT if self._log else 0.0)
        if values.shape != self._state.shape:
            raise ValueError(f"pictures are {self._state.shape}, not {values.shape}")
        on, off = self._look(values, self._state)
        y, x = np.nonzero(on | off)
        height, width = values.shape
        sensor = Sensor(width, height, frame.sensor.name, frame.sensor.serial)
        span = Span(t if self._t is None else self._t + 1, t + 1)
        self._t = t
        times = np.full(len(x), t)
        return (EventBatch.from_columns(t=times, x=x, y=y, p=on[y, x], sensor=sensor, span=span),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _values(self, frame: Frame) -> npt.NDArray[np.float64]:
        array = frame.array.T if frame.axes == "xy" else frame.array
        if array.ndim != 2 or array.dtype.kind not in "buif":
            raise ValueError(f"a picture is (height, width), not {array.dtype} {frame.shape}")
        return np.asarray(array, np.float64)

    def _look(
        self, values: npt.NDArray[np.float64], state: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which pixels send ON events, and which OFF events."""
        threshold = self._threshold
        if self._log:
            on, off = values > state * threshold, values < state / threshold
            state[on] *= threshold
            state[off] /= threshold
        else:
            state += values
            on, off = state > threshold, state < -threshold
            state[on] -= threshold
            state[off] += threshold
        return on, off
