"""Histograms of averaged time surfaces (HATS): what the neighbourhood of events looked like."""

from __future__ import annotations

import numpy as np

from aevents._native import kernels
from aevents.operators.order import running_times
from aevents.operators.representation import Whole, cells_of
from aevents.types import EventBatch, Frame

LARGEST_RADIUS = 100
MOST_VALUES = 1 << 28


class Hats(Whole[Frame]):
    """Make histograms of averaged time surfaces: of each window, or one of everything.

    `(2, rows, columns, side, side)` float32, channel 0 OFF and 1 ON: the sensor is cut into cells
    of `cell` pixels a side, and `side = 2 radius + 1`. An event at `(x, y, t)` sees the events
    `(x', y', t')` of its cell and polarity from before it, `t - within_us <= t' < t`, each as
    `exp(-(t - t') / tau_us)` at `[y' - y + radius, x' - x + radius]`, within the radius. A cell's
    histogram is the sum of what its events see, divided by their number. A cell remembers no more
    than `memory` events of each polarity, so that time is bounded too.

    A late event counts at the running time; events off the sensor are left out and counted
    (`outside_frame`). Raises `ValueError` unless `cell`, `memory` and the times are from 1 on and
    `radius` is 0 to 100, and when the sensor size is not known or the histogram would be too large.

    Sironi et al., HATS: Histograms of Averaged Time Surfaces for Robust Event-Based Object
    Classification, CVPR 2018; `cell`, `radius` and `within_us` are theirs.
    """

    def __init__(
        self,
        *,
        cell: int = 10,
        radius: int = 3,
        tau_us: float = 100_000,
        within_us: int = 100_000,
        memory: int = 1_000,
    ) -> None:
        super().__init__()
        if not (cell >= 1 and 1 <= memory < 1 << 31 and 0 <= radius <= LARGEST_RADIUS):
            raise ValueError(f"cell and memory are from 1 on, radius is 0 to {LARGEST_RADIUS}")
        if not (1 <= tau_us < 1 << 63 and 1 <= within_us < 1 << 63):
            raise ValueError("tau_us and within_us are times from 1 µs on")
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._cell = cell
        self._side = 2 * radius + 1
        self._memory = memory
        self._within = within_us
        self._tau = tau_us

    def of(self, window: EventBatch, /) -> Frame:
        """Return the histograms of these events."""
        sensor, side = window.sensor, self._side
        cells_of(sensor, 2)
        rows, columns = -(-sensor.height // self._cell), -(-sensor.width // self._cell)
        cells = 2 * rows * columns
        if cells * side * side > MOST_VALUES:
            raise ValueError(f"{cells} surfaces of {side}x{side} are too large")
        inside = (window.x < sensor.width) & (window.y < sensor.height)
        self.counts["outside_frame"] += len(window) - int(np.count_nonzero(inside))
        times = running_times(window.t, int(window.t[0]))[0] if len(window) else window.t
        x, y = window.x[inside], window.y[inside]
        cell = (y // self._cell).astype(np.uint32) * np.uint32(columns) + x // self._cell
        cell += window.p[inside] * np.uint32(rows * columns)
        order = np.argsort(cell, kind="stable")
        sums = np.zeros((cells, side, side), np.float32)
        kernels.hats(
            sums, cell[order], times[inside][order], x[order], y[order],
            memory=self._memory, within=self._within, tau=self._tau,
        )  # fmt: skip
        sums /= np.maximum(np.bincount(cell, minlength=cells), 1)[:, None, None]
        array = sums.reshape(2, rows, columns, side, side)
        array.flags.writeable = False
        return Frame(array, window.span, sensor, "hats")
