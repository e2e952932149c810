"""Events by chance, at the rates that frames give: spikes from rates."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, isfinite

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents._native.planes import LATEST
from aevents.types import EventBatch, Frame, Sensor, Span

MOST_EVENTS = 1 << 22
"""Expected in one piece; frames that hold more come in several."""
NEXT = 0x9E3779B9
"""From the key of one piece to that of the next."""
HIGHEST_RATE = 1e6
"""Of a pixel, in events a second: more do not fit the microsecond."""


class Poisson:
    """Make events of frames of rates: a Poisson process for each pixel, for the time of each frame.

    A frame is `(height, width)`, and its events are ON, or `(2, height, width)`, channel 0 OFF and
    1 ON. A value of 1 stands for `hz` events a second, so a picture of bytes has up to `rate` with
    `hz=rate / 255`. Events lie in the span of their frame, each at a microsecond of its own
    drawing, in the order of time. The same `seed` makes the same events.

    Raises `ValueError` for an `hz` that is not above 0, and on frames of another shape or size, of
    rates below 0 or above 10^6 a second, longer than 2^30 µs, or that begin before the last ends.
    """

    def __init__(self, *, hz: float = 1.0, seed: int = 0) -> None:
        if not (isfinite(hz) and hz > 0):
            raise ValueError(f"hz is above 0, not {hz!r}")
        if seed < 0:
            raise ValueError(f"seed is a whole number from 0 on, not {seed!r}")
        self._hz = hz
        self._keys: list[int] = np.random.SeedSequence(seed).generate_state(6).tolist()
        self._pieces = 0
        self._stop: int | None = None

    def feed(self, frame: Frame, /) -> Iterator[EventBatch]:
        """Give the events of the frame's time."""
        rates, span = self._rates(frame), frame.span
        if self._stop is not None and span.start < self._stop:
            raise ValueError(f"a frame of {span} begins before the last ends, at {self._stop} µs")
        if not 0 <= span.duration_us <= LATEST:
            raise ValueError(f"a frame lasts 2^30 µs at most, not {span.duration_us}")
        self._stop = span.stop
        height, width = rates.shape[-2:]
        sensor = Sensor(width, height, frame.sensor.name, frame.sensor.serial)
        expected = float(rates.sum(dtype=np.float64)) * span.duration_us / 1e6
        pieces = min(max(ceil(expected / MOST_EVENTS), 1), max(span.duration_us, 1))
        for piece in range(pieces):
            start, stop = (
                span.start + span.duration_us * end // pieces for end in (piece, piece + 1)
            )
            yield self._drawn(rates, Span(start, stop), sensor)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _rates(self, frame: Frame) -> npt.NDArray[np.float32]:
        """Return events a second."""
        array = frame.array
        planes = array.shape[:-2]
        if array.ndim not in (2, 3) or planes not in ((), (2,)) or array.dtype.kind not in "uif":
            raise ValueError(
                "rates are numbers (height, width) or (2, height, width), "
                f"not {array.dtype} {frame.shape}"
            )
        if frame.axes == "xy":
            array = np.swapaxes(array, -1, -2)
        rates = np.ascontiguousarray(array, np.float32) * np.float32(self._hz)
        if not 0 <= rates.min(initial=0) <= rates.max(initial=0) <= HIGHEST_RATE:
            raise ValueError("a rate is from 0 to 10^6 a second: some are not")
        return rates

    def _drawn(self, rates: npt.NDArray[np.float32], span: Span, sensor: Sensor) -> EventBatch:
        if not span.duration_us:
            return EventBatch.empty(sensor, span)
        number = self._pieces * NEXT
        keys = [key if k % 2 == 0 else (key + number) % 2**32 for k, key in enumerate(self._keys)]
        self._pieces += 1
        means = rates * np.float32(span.duration_us / 1e6)
        counts = kernels.poisson_counts(means.reshape(-1), (keys[0], keys[1], keys[2], keys[3]))
        shape = (sensor.height, sensor.width)
        events = kernels.poisson_events(counts, shape, span.duration_us, (keys[4], keys[5]))
        t, x, y, p, _ = columns = kernels.spread(events, span.duration_us, span.start)
        for column in columns:
            column.flags.writeable = False
        return EventBatch(t, x, y, p, sensor, span)
