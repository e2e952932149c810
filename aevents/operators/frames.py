"""Frames: events counted into a dense picture, one frame a window."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.operators.representation import Piecewise, cells_of
from aevents.types import EventBatch, Frame, Sensor, Span

Mode = Literal["count", "signed", "polarity", "binary"]
Axes = Literal["yx", "xy"]
MODES: tuple[Mode, ...] = ("count", "signed", "polarity", "binary")


class Accumulator:
    """A table of counters, one a pixel (two where polarities are kept apart), filled by the C
    kernels.

    Counters are a byte wide, so that the table of a large sensor stays in the cache; what wraps is
    carried over exactly into a second table. Reading clears.
    """

    __slots__ = ("_counters", "_planes", "_spill", "sensor")

    def __init__(self, sensor: Sensor, planes: int) -> None:
        size = cells_of(sensor, planes)
        self.sensor: Sensor = sensor
        self._planes = planes
        self._counters = np.zeros(size, np.uint8)
        self._spill = np.zeros(size, np.uint32)

    def add(self, batch: EventBatch, /) -> int:
        """Count these events; return how many lie off the sensor and were left out."""
        width, height = self.sensor.width, self.sensor.height
        return kernels.accumulate(
            self._counters, self._spill, batch.x, batch.y, batch.p, width, height, self._planes
        )

    def read(self, dtype: npt.DTypeLike, *, signed: bool = False) -> npt.NDArray[np.generic]:
        """Return the counts as `(planes, height, width)`, or ON minus OFF as `(1, height, width)`,
        and clear.
        """
        planes = 1 if signed else self._planes
        out = _room((planes, self.sensor.height, self.sensor.width), np.dtype(dtype))
        kernels.readout(self._counters, self._spill, out, signed)
        return out


class Frames(Piecewise[Frame]):
    """Make frames of events: one for each window, or a single one at the end where there are no
    windows.

    `"count"` is `(height, width)`; `"signed"` is ON minus OFF; `"polarity"` is `(2, height,
    width)`, channel 0 OFF and 1 ON; `"binary"` is 1 where an event was. `dtype` is float32 unless
    given; an integer one that is too narrow saturates, which is counted (`saturated`, in pixels);
    events off the sensor are left out and counted (`outside_frame`). `axes="xy"` gives `(…, width,
    height)`. Raises `ValueError` for an unknown mode or axes, and when the sensor size is not
    known.
    """

    def __init__(
        self, mode: Mode = "count", *, dtype: npt.DTypeLike = np.float32, axes: Axes = "yx"
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"a frame mode is one of {', '.join(MODES)}, not {mode!r}")
        if axes not in ("yx", "xy"):
            raise ValueError(f"axes are 'yx' (height, width) or 'xy' (width, height), not {axes!r}")
        self.counts: dict[str, int] = {"outside_frame": 0, "saturated": 0}
        self._mode: Mode = mode
        self._dtype = np.dtype(dtype)
        self._axes: Axes = axes
        self._table: Accumulator | None = None

    def add(self, batch: EventBatch, /) -> None:
        """Count the events of this batch into the frame to come."""
        if self._table is None or self._table.sensor != batch.sensor:
            self._table = Accumulator(
                batch.sensor, 2 if self._mode in ("signed", "polarity") else 1
            )
        self.counts["outside_frame"] += self._table.add(batch)

    def read(self, span: Span) -> Frame:
        """Return the frame counted so far, and start the next."""
        assert self._table is not None, "a batch comes before its frame"
        array = self._values(self._table)
        if self._mode != "polarity":
            array = array[0]
        if self._axes == "xy":
            array = np.ascontiguousarray(np.swapaxes(array, -1, -2))
        array.flags.writeable = False
        return Frame(array, span, self._table.sensor, self._mode, self._axes)

    def _values(self, table: Accumulator) -> npt.NDArray[np.generic]:
        signed = self._mode == "signed"
        if self._dtype == np.float32 and self._mode != "binary":
            return table.read(np.float32, signed=signed)
        exact = table.read(np.int32, signed=signed)
        if self._mode == "binary":
            return np.asarray(np.greater(exact, 0), self._dtype)
        if self._dtype.kind not in "iu":
            return np.asarray(exact, self._dtype)
        limits = np.iinfo(self._dtype)
        fitting = np.clip(exact, max(limits.min, -(2**31)), min(limits.max, 2**31 - 1))
        self.counts["saturated"] += int(np.count_nonzero(fitting != exact))
        return np.asarray(fitting, self._dtype)


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array that begins at a multiple of 64 bytes: jax shares no other memory."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + 64, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size].view(dtype).reshape(shape)
