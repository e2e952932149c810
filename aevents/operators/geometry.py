"""Move events to other pixels: flip, rotate, transpose, downsample, scale, undistort.

`Crop` is in `select`. Columns count from the left and rows from the top.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import msgspec
import numpy as np

from aevents.operators.pixels import (
    check_size,
    on_sensor,
    picked,
    with_columns,
)
from aevents.types import Coordinates, EventBatch, Sensor


class _Geometry(ABC):
    """What is alike in all: a sensor of known size, and the events on it at other places. Events
    off the sensor are left out and counted: `outside_sensor`.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {"outside_sensor": 0}

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events at their new places."""
        check_size(batch.sensor)
        inside = on_sensor(batch)
        self.counts["outside_sensor"] += len(batch) - int(np.count_nonzero(inside))
        return (self._moved(picked(batch, inside)),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _moved(self, batch: EventBatch) -> EventBatch:
        x, y, sensor = self._places(batch)
        return with_columns(batch, batch.t, x, y, batch.p, sensor)

    @abstractmethod
    def _places(self, batch: EventBatch) -> tuple[Coordinates, Coordinates, Sensor]:
        """Return the new columns and rows, and the sensor that they are of."""


class Flip(_Geometry):
    """Mirror the picture: `"x"` swaps left and right, `"y"` top and bottom.

    `x' = width - 1 - x`, or `y' = height - 1 - y`. Events off the sensor are left out and counted:
    `outside_sensor`. Raises `ValueError` for another axis, and when the sensor size is not known.
    """

    def __init__(self, axis: Literal["x", "y"], /) -> None:
        if axis not in ("x", "y"):
            raise ValueError(f"a picture is flipped along 'x' or 'y', not {axis!r}")
        super().__init__()
        self._axis = axis

    def _places(self, batch: EventBatch) -> tuple[Coordinates, Coordinates, Sensor]:
        if self._axis == "x":
            return _mirrored(batch.x, batch.sensor.width), batch.y, batch.sensor
        return batch.x, _mirrored(batch.y, batch.sensor.height), batch.sensor


class Rotate(_Geometry):
    """Turn the picture clockwise by 0, 90, 180 or 270 degrees, or by -90, and so on; the sensor's
    width and height change places with 90 and 270.

    By 90 degrees, `x' = height - 1 - y` and `y' = x`. Events off the sensor are left out and
    counted: `outside_sensor`. Raises `ValueError` for other angles, and when the sensor size is not
    known.
    """

    def __init__(self, degrees: int, /) -> None:
        if degrees % 90:
            raise ValueError(f"a picture is rotated by a multiple of 90 degrees, not {degrees}")
        super().__init__()
        self._turns = int(degrees // 90) % 4

    def _places(self, batch: EventBatch) -> tuple[Coordinates, Coordinates, Sensor]:
        x, y, sensor = batch.x, batch.y, batch.sensor
        if self._turns in (2, 3):
            x = _mirrored(x, sensor.width)
        if self._turns in (1, 2):
            y = _mirrored(y, sensor.height)
        if self._turns % 2:
            return y, x, _resized(sensor, sensor.height, sensor.width)
        return x, y, sensor


class Transpose(_Geometry):
    """Swap columns with rows: `x' = y`, `y' = x`; the sensor's width and height change places.

    Events off the sensor are left out and counted: `outside_sensor`. Raises `ValueError` when the
    sensor size is not known.
    """

    def _places(self, batch: EventBatch) -> tuple[Coordinates, Coordinates, Sensor]:
        sensor = batch.sensor
        return batch.y, batch.x, _resized(sensor, sensor.height, sensor.width)


class Downsample(_Geometry):
    """Make one pixel of `factor` times `factor`: `x' = x // factor`, `y' = y // factor`.

    All events stay, so that a pixel of a frame counts those of all the pixels it is made of. A rest
    at the right and at the bottom makes pixels of its own: the sensor becomes `ceil(width /
    factor)` wide and `ceil(height / factor)` high. Events off the sensor are left out and counted:
    `outside_sensor`. Raises `ValueError` for a factor of less than 1, and when the sensor size is
    not known.
    """

    def __init__(self, factor: int, /) -> None:
        if not 1 <= factor <= 1 << 16:
            raise ValueError(f"a factor is from 1 to 65536, not {factor}")
        super().__init__()
        self._factor = factor

    def _places(self, batch: EventBatch) -> tuple[Coordinates, Coordinates, Sensor]:
        factor, sensor = self._factor, batch.sensor
        small = _resized(sensor, -(-sensor.width // factor), -(-sensor.height // factor))
        x, y = (column // np.uint32(factor) for column in (batch.x, batch.y))
        return x.astype(np.uint16), y.astype(np.uint16), small


class Scale(_Geometry):
    """Fit the picture into a sensor of `width` times `height`: `x' = x * width // (old width)`, and
    `y` likewise.

    All events stay: where the new sensor is smaller a pixel gets those of several, where it is
    larger there are pixels that get none. Events off the sensor are left out and counted:
    `outside_sensor`. Raises `ValueError` for a width or height that is not from 1 to 65535, and
    when the sensor size is not known.
    """

    def __init__(self, *, width: int, height: int) -> None:
        if not (0 < width <= 65535 and 0 < height <= 65535):
            raise ValueError(f"a sensor has from 1 to 65535 columns and rows, not {width}x{height}")
        super().__init__()
        self._width = width
        self._height = height

    def _places(self, batch: EventBatch) -> tuple[Coordinates, Coordinates, Sensor]:
        sensor = batch.sensor
        x = batch.x * np.uint32(self._width) // np.uint32(sensor.width)
        y = batch.y * np.uint32(self._height) // np.uint32(sensor.height)
        return x.astype(np.uint16), y.astype(np.uint16), _resized(sensor, self._width, self._height)


def _mirrored(column: Coordinates, size: int) -> Coordinates:
    return np.uint16(size - 1) - column


def _resized(sensor: Sensor, width: int, height: int) -> Sensor:
    return msgspec.structs.replace(sensor, width=width, height=height)
