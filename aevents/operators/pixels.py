"""What operators on pixels share: sensors of known size, events off them, a table for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.types import Coordinates, EventBatch, Flags, Sensor, Times

T = TypeVar("T")
A = TypeVar("A", bound=np.generic)

MOST_PIXELS = 1 << 26
"""Far more than a sensor has, few enough for a table of all."""
LONGEST_SIDE = 65535


class PerSensor(dict[Sensor, T]):
    """What an operator remembers of each sensor, made at its first batch; of known size only.

    Raises `ValueError` at a sensor whose size is not known, or too large.
    """

    def __init__(self, make: Callable[[Sensor], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, sensor: Sensor) -> T:
        check_size(sensor)
        made = self[sensor] = self._make(sensor)
        return made


def check_size(sensor: Sensor) -> None:
    """Raise `ValueError` unless the sensor's size is known, and not too large."""
    width, height = sensor.width, sensor.height
    if not sensor.sized:
        raise ValueError(
            "the sensor size is not known: give sensor=Sensor(640, 480), or --size 640x480"
        )
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise ValueError(f"a sensor of {width}x{height} is too large to look at its pixels")


def columns_of(batch: EventBatch) -> tuple[Times, Coordinates, Coordinates, Flags]:
    """Return the columns as kernels take them: t, x, y, p, each without gaps."""
    columns = map(np.ascontiguousarray, (batch.t, batch.x, batch.y, batch.p))
    return cast("tuple[Times, Coordinates, Coordinates, Flags]", tuple(columns))


def picked(batch: EventBatch, keep: Flags) -> EventBatch:
    """Return the events whose entry in `keep` is true, as `EventBatch.where` does, but faster."""
    if keep.all():
        return batch
    columns = kernels.pick(columns_of(batch), np.ascontiguousarray(keep))
    return with_columns(batch, *columns)


def with_columns(
    batch: EventBatch,
    t: Times,
    x: Coordinates,
    y: Coordinates,
    p: Flags,
    sensor: Sensor | None = None,
) -> EventBatch:
    """Return these events, which nobody else writes to, in place of the batch's."""
    for column in (t, x, y, p):
        column.flags.writeable = False
    return EventBatch(t, x, y, p, sensor or batch.sensor, batch.span, batch.window)


def kept_by(mask: Flags, batch: EventBatch) -> tuple[Flags, int]:
    """Return what the mask (height, width) says of each event, false off the sensor, and how many
    events are off it.
    """
    keep = on_sensor(batch)
    outside = len(batch) - int(np.count_nonzero(keep))
    if not outside:
        return looked_up(mask, batch.x, batch.y), 0
    keep[keep] = looked_up(mask, batch.x[keep], batch.y[keep])
    return keep, outside


def on_sensor(batch: EventBatch) -> Flags:
    """Return which events are on the sensor, whose size is known."""
    return np.less(batch.x, batch.sensor.width) & np.less(batch.y, batch.sensor.height)


def looked_up(table: npt.NDArray[A], x: Coordinates, y: Coordinates) -> npt.NDArray[A]:
    """Return the values of a table (height, width) at these places, all of which are on it."""
    return table.reshape(-1).take(y * np.uint32(table.shape[1]) + x)
