"""Leave out events that tell nothing of the scene: noise, echoes, hot pixels, full lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents._native.checks import BURST_TYPE, LONGEST_TIME, Events
from aevents.operators.pixels import PerSensor, columns_of, picked
from aevents.types import EventBatch, Flags, Sensor


class _Kernel(Protocol):
    """Sets `keep`, moves the table on, and returns how many events lie off the sensor."""

    def __call__(
        self, events: Events, last: npt.NDArray[Any], most: int, keep: Flags, /
    ) -> int: ...


class _Remembering:
    """A filter that decides by what it has seen of each pixel. Events off the sensor are left out
    and counted: `outside_sensor`.
    """

    def __init__(
        self, kernel: _Kernel, most: int, table: Callable[[Sensor], npt.NDArray[Any]]
    ) -> None:
        self.counts: dict[str, int] = {"outside_sensor": 0}
        self._kernel = kernel
        self._most = most
        self._tables = PerSensor(table)

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events to keep."""
        table, keep = self._tables[batch.sensor], np.empty(len(batch), np.bool_)
        outside = self._kernel(columns_of(batch), table, self._most, keep)
        self.counts["outside_sensor"] += outside
        return (picked(batch, keep),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Denoise(_Remembering):
    """The background-activity filter: keep an event if one of the 8 pixels around it has had one
    not more than `duration_us` before; what nothing around supports is noise.

    With `T(q)` the time of the last event at pixel `q`, kept or not, of either polarity, an event
    at `(t, p)` is kept if `min |t - T(q)| <= duration_us` over the neighbours `q` of `p`: Delbruck,
    "Frame-free dynamic digital vision", 2008. (Where time goes back, an event supports earlier ones
    too.) 1000 to 10,000 µs are usual: the busier the scene, the less.

    Events off the sensor are left out and counted: `outside_sensor`. Raises `ValueError` for a
    duration that is negative or above 2^60 µs, and when the sensor size is not known.
    """

    def __init__(self, duration_us: int) -> None:
        _check_time("duration_us", duration_us, 0)
        super().__init__(kernels.background, duration_us, partial(_stamps, border=1))


class Refractory(_Remembering):
    """Let each pixel rest: after an event that is kept, leave out those of the same pixel, of
    either polarity, for `period_us`.

    With `T(p)` the time of the last event that was kept at pixel `p`, an event at `(t, p)` is kept
    if `|t - T(p)| >= period_us`. It is what the refractory period of the pixels themselves does
    (Lichtsteiner, Posch and Delbruck, "A 128 x 128 120 dB 15 µs latency asynchronous temporal
    contrast vision sensor", 2008), only longer.

    Events off the sensor are left out and counted: `outside_sensor`. Raises `ValueError` for a
    period of less than 1 or above 2^60 µs, and when the sensor size is not known.
    """

    def __init__(self, period_us: int) -> None:
        _check_time("period_us", period_us, 1)
        super().__init__(kernels.refractory, period_us - 1, _stamps)


class Contrast(_Remembering):
    """The filter of spatio-temporal contrast: keep an event if the one before it at its pixel had
    the same polarity and was not more than `duration_us` before.

    An edge of contrast gives a burst of events at a pixel, noise gives single ones; so the first
    event of each burst is left out. Without `trail` only the second is kept, so that an edge stays
    thin however strong it is. The idea is that of the filters of this name in Prophesee's cameras.

    Events off the sensor are left out and counted: `outside_sensor`. Raises `ValueError` for a
    duration that is negative or above 2^60 µs, and when the sensor size is not known.
    """

    def __init__(self, duration_us: int, *, trail: bool = True) -> None:
        _check_time("duration_us", duration_us, 0)
        super().__init__(partial(kernels.contrast, trail=trail), duration_us, _bursts)


def _check_time(name: str, time_us: int, least: int) -> None:
    if not least <= time_us <= LONGEST_TIME:
        raise ValueError(f"{name} is from {least} to 2^60 µs, not {time_us}")


def _stamps(sensor: Sensor, border: int = 0) -> npt.NDArray[np.uint64]:
    return np.zeros((sensor.height + 2 * border, sensor.width + 2 * border), np.uint64)


def _bursts(sensor: Sensor) -> npt.NDArray[np.void]:
    return np.zeros((sensor.height, sensor.width), BURST_TYPE)
