"""What streams of events come to in numbers: their rate, and the intervals between them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.operators.representation import Piecewise, cells_of
from aevents.operators.surfaces import NEVER
from aevents.types import EventBatch, Sensor, Span

DECADES = np.geomspace(10, 10_000_000, 61)
"""Bounds of intervals in µs, ten to a decade, from 10 µs to 10 s."""


class Rate(NamedTuple):
    """How many OFF and ON events a stretch of time had, and so many a second."""

    span: Span
    off: int
    on: int

    @property
    def hz(self) -> float:
        """Events a second; 0 where the stretch has no length."""
        return 1e6 * (self.off + self.on) / self.span.duration_us if self.span.duration_us else 0.0


class EventRate(Piecewise[Rate]):
    """Give the rate of events: of each window, which makes the event-rate curve, or a single one at
    the end where there are no windows.

    `Rate(span, off, on)` has the number of events of each polarity, and `hz`, events a second.

    >>> events = EventBatch.from_columns(t=[0, 1, 2], x=[0] * 3, y=[0] * 3, p=[1, 0, 1])
    >>> _ = (rate := EventRate()).feed(events)
    >>> rate.flush()
    (Rate(span=Span(start=0, stop=3), off=1, on=2),)
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._on = self._all = 0

    def add(self, batch: EventBatch, /) -> None:
        """Count these events."""
        self._on += int(np.count_nonzero(batch.p))
        self._all += len(batch)

    def read(self, span: Span) -> Rate:
        """Return the rate of this span, and start the next."""
        rate = Rate(span, self._all - self._on, self._on)
        self._on = self._all = 0
        return rate


class Histogram(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """How many values lie between bounds: `counts` int64 `(2, n)`, OFF and ON, and `edges` float64
    `(n + 1,)`; column `k` counts `edges[k] <= value < edges[k + 1]`.
    """

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    span: Span
    sensor: Sensor


class IntervalHistogram(Piecewise[Histogram]):
    """Make inter-spike histograms: of each window, or a single one at the end where there are none.

    An interval is the time from an event to the next of the same pixel and polarity; it counts in
    the window of the later one. `edges` are the bounds, in µs and rising; 10 a decade from 10 µs to
    10 s unless given. Intervals outside of them are counted as `outside_histogram`, events off the
    sensor as `outside_frame`; an event that is earlier than the last of its pixel ends no interval.

    Raises `ValueError` for edges that are not two or more rising numbers, and when the sensor size
    is not known.
    """

    def __init__(self, edges: npt.ArrayLike = DECADES) -> None:
        bounds = np.array(edges, np.float64)
        if bounds.ndim != 1 or len(bounds) < 2 or not (np.diff(bounds) > 0).all():
            raise ValueError("edges are two or more rising numbers of µs")
        bounds.flags.writeable = False
        self.counts: dict[str, int] = {"outside_frame": 0, "outside_histogram": 0}
        self._edges = bounds
        self._sensor = Sensor()
        self._table = np.empty(0, np.int64)
        self._found = np.zeros((2, len(bounds) + 1), np.int64)

    def add(self, batch: EventBatch, /) -> None:
        """Count the intervals that these events end."""
        sensor = batch.sensor
        if not len(self._table) or sensor != self._sensor:
            self._table = np.full(cells_of(sensor, 2), NEVER)
            self._sensor = sensor
        since = np.empty(len(batch), np.int64)
        self.counts["outside_frame"] += kernels.intervals(
            self._table, since, batch.t, batch.x, batch.y, batch.p, sensor.width, sensor.height
        )
        known = since >= 0
        column = np.searchsorted(self._edges, since[known], side="right")
        column += batch.p[known] * self._found.shape[1]
        self._found += np.bincount(column, minlength=self._found.size).reshape(2, -1)

    def read(self, span: Span) -> Histogram:
        """Return the histogram of this span, and start the next."""
        inside = self._found[:, 1:-1].copy()
        inside.flags.writeable = False
        self.counts["outside_histogram"] += int(self._found.sum() - inside.sum())
        self._found[:] = 0
        return Histogram(inside, self._edges, span, self._sensor)
