"""Surfaces: when each pixel and polarity last had events, and how that fades."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.operators.representation import Piecewise, cells_of
from aevents.types import EventBatch, Frame, Sensor, Span

Fading = Literal["exponential", "linear", "times"]
FADINGS: tuple[Fading, ...] = ("exponential", "linear", "times")

NEVER = int(np.iinfo(np.int64).min)
"""The time of a pixel that has had no event."""

MOST_TIMES = 64
"""Times that TORE keeps of a pixel: more would not fit the memory of a large sensor."""


class TimeSurface(Piecewise[Frame]):
    """Make time surfaces: one at the end of each window, or a single one at the end of the stream.

    `(2, height, width)`, channel 0 OFF and 1 ON. With `T` the time of the last event of a pixel and
    polarity, late or not, and `now` the end of the window, `"exponential"` is
    `exp(-(now - T) / tau_us)` and `"linear"` is `max(0, 1 - (now - T) / tau_us)`, both float32 and
    0 where no event has been; `"times"` is `T` itself, int64 in µs, with -2^63 there. The surface
    goes on from window to window: it is what the pixels remember, not what the window holds.

    Events off the sensor are left out and counted (`outside_frame`). Raises `ValueError` for
    another fading, a `tau_us` below 1, and when the sensor size is not known.

    Lagorce et al., HOTS: A Hierarchy of Event-Based Time-Surfaces for Pattern Recognition, TPAMI
    2017.

    >>> surface = TimeSurface("linear", tau_us=10)
    >>> line = Sensor(3, 1)
    >>> events = EventBatch.from_columns(t=[0, 4], x=[0, 1], y=[0, 0], p=[1, 1], sensor=line)
    >>> _ = surface.feed(events)
    >>> surface.flush()[0].array[1].round(1).tolist()
    [[0.5, 0.8999999761581421, 0.0]]
    """

    def __init__(self, fading: Fading = "exponential", *, tau_us: float = 50_000) -> None:
        if fading not in FADINGS:
            raise ValueError(f"a fading is one of {', '.join(FADINGS)}, not {fading!r}")
        if not 1 <= tau_us < 1 << 63:
            raise ValueError(f"tau_us is a time from 1 µs on, not {tau_us!r}")
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._fading = fading
        self._tau = tau_us
        self._sensor = Sensor()
        self._table = np.empty(0, np.int64)

    def add(self, batch: EventBatch, /) -> None:
        """Note the times of these events."""
        sensor = batch.sensor
        if not len(self._table) or sensor != self._sensor:
            self._table = np.full(cells_of(sensor, 2), NEVER)
            self._sensor = sensor
        self.counts["outside_frame"] += kernels.last_times(
            self._table, batch.t, batch.x, batch.y, batch.p, sensor.width, sensor.height
        )

    def read(self, span: Span) -> Frame:
        """Return the surface as it is at the end of the span."""
        shape = (2, self._sensor.height, self._sensor.width)
        array: npt.NDArray[np.generic]
        if self._fading == "times":
            array = self._table[:-1].reshape(shape).copy()
        else:
            faded = np.empty(shape, np.float32)
            kernels.decay(self._table, faded, span.stop, self._tau, self._fading == "linear")
            array = faded
        array.flags.writeable = False
        return Frame(array, span, self._sensor, "time_surface")


class Tore(Piecewise[Frame]):
    """Make TORE volumes: the times of the most recent events of each pixel, on a logarithmic scale.

    `(2, count, height, width)` float32: channel 0 OFF and 1 ON, of each the `count` most recent
    events, newest first. With `age = now - T`, `T` the time of an event and `now` the end of the
    window, the value is `ln(1 + min(age, longest_us)) - ln(1 + shortest_us)`, and 0 below that; an
    event that has not been is `longest_us` old. The volume goes on from window to window.

    Events off the sensor are left out and counted (`outside_frame`). Raises `ValueError` for a
    `count` that is not 1 to 64, unless `0 <= shortest_us < longest_us`, and when the sensor size is
    not known.

    Baldwin et al., Time-Ordered Recent Event (TORE) Volumes for Event Cameras, TPAMI 2022; the
    times are theirs.
    """

    def __init__(
        self, count: int = 3, *, shortest_us: float = 150, longest_us: float = 5_000_000
    ) -> None:
        if not 1 <= count <= MOST_TIMES:
            raise ValueError(f"count is 1 to {MOST_TIMES} events of a pixel, not {count}")
        if not 0 <= shortest_us < longest_us:
            raise ValueError("shortest_us is from 0 on, and below longest_us")
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._count = count
        self._shortest = shortest_us
        self._longest = longest_us
        self._sensor = Sensor()
        self._table = np.empty((0, count), np.int64)

    def add(self, batch: EventBatch, /) -> None:
        """Note the times of these events."""
        sensor = batch.sensor
        if not len(self._table) or sensor != self._sensor:
            self._table = np.full((cells_of(sensor, 2), self._count), NEVER)
            self._sensor = sensor
        self.counts["outside_frame"] += kernels.recent_times(
            self._table, batch.t, batch.x, batch.y, batch.p, sensor.width, sensor.height
        )

    def read(self, span: Span) -> Frame:
        """Return the volume as it is at the end of the span."""
        height, width = self._sensor.height, self._sensor.width
        volume = np.empty((2, self._count, height, width), np.float32)
        newest_first = self._table[:-1].reshape(2, height * width, self._count)
        ages = volume.reshape(2, self._count, height * width)
        np.subtract(span.stop, newest_first.transpose(0, 2, 1), out=ages, casting="unsafe")
        ages[newest_first.transpose(0, 2, 1) == NEVER] = self._longest
        np.clip(volume, 0, self._longest, out=volume)
        np.log1p(volume, out=volume)
        volume -= np.float32(np.log1p(self._shortest))
        np.maximum(volume, 0, out=volume)
        volume.flags.writeable = False
        return Frame(volume, span, self._sensor, "tore")
