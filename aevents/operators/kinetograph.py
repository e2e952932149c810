"""Kinetographs: a whole recording in one picture, in which colour says when."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.operators.pixels import on_sensor, picked
from aevents.operators.representation import Piecewise, cells_of
from aevents.types import EventBatch, Sensor, Span


class Kinetograph(msgspec.Struct, frozen=True, eq=False):
    """When each pixel had its events, and how many: `times` float64 `(height, width)`, their mean
    in µs, NaN where there were none, and `counts` int64 `(height, width)`.
    """

    times: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    span: Span
    sensor: Sensor


class MeanTimes(Piecewise[Kinetograph]):
    """Make kinetographs: of each window, or a single one at the end where there are no windows.

    Of each pixel they have the mean time of its events, of both polarities, and their number.
    Events off the sensor are left out and counted (`outside_frame`). Raises `ValueError` when the
    sensor size is not known.

    Marey, Le mouvement, 1894, put the phases of a movement on one plate; that colour says when is
    as in faery.

    >>> means = MeanTimes()
    >>> pair = EventBatch.from_columns(t=[2, 4], x=[1, 1], y=[0, 0], p=[1, 0], sensor=Sensor(2, 1))
    >>> _ = means.feed(pair)
    >>> means.flush()[0].times.tolist()
    [[nan, 3.0]]
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._sensor = Sensor()
        self._since = 0
        self._sums = np.empty(0, np.float64)
        self._number = np.empty(0, np.int64)

    def add(self, batch: EventBatch, /) -> None:
        """Add these events to their pixels."""
        sensor = batch.sensor
        if sensor != self._sensor or not len(self._sums):
            self._sums = np.zeros(cells_of(sensor, 1) - 1)
            self._number = np.zeros(len(self._sums), np.int64)
            self._sensor, self._since = sensor, batch.span.start
        inside = picked(batch, on_sensor(batch))
        self.counts["outside_frame"] += len(batch) - len(inside)
        cells = inside.y.astype(np.int64) * sensor.width + inside.x
        np.add.at(self._sums, cells, (inside.t - self._since).astype(np.float64))
        np.add.at(self._number, cells, 1)

    def read(self, span: Span) -> Kinetograph:
        """Return the kinetograph of what has come, and start the next."""
        shape = (self._sensor.height, self._sensor.width)
        times = np.full(len(self._sums), np.nan)
        np.divide(self._sums, self._number, out=times, where=self._number > 0)
        times += self._since
        done = Kinetograph(times.reshape(shape), self._number.reshape(shape), span, self._sensor)
        self._sensor, self._sums = Sensor(), np.empty(0, np.float64)
        return done
