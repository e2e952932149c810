"""Counting events into a frame, in NumPy: the specification of `accumulate.c` and `readout.c`.

A table has a counter for each pixel, row by row, and one extra slot at its end, for events off the
sensor. With two planes the first counts OFF, the second ON. Narrow counters wrap; what they lose
goes to the same slot of a second table, the spill, whose last slot says whether anything has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..checks import check_events, check_frame, check_sensor, check_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..checks import Coordinates, Counters, Polarities


def accumulate(  # noqa: PLR0913 - the columns and the frame
    counts: Counters,
    spill: NDArray[np.uint32] | None,
    x: Coordinates,
    y: Coordinates,
    p: Polarities,
    width: int,
    height: int,
    planes: int,
) -> int:
    """Count the events into the table; return how many lie off the sensor.

    `counts` are uint8, uint16 or uint32 and planes * width * height + 1 of them, as is `spill`,
    which only uint32 counters can do without. Raises `ValueError` for other tables, columns of
    unequal length, and a sensor that is too large.
    """
    check_table(counts, spill, planes * width * height)
    check_sensor(width, height, planes)
    check_events(x, y, p)
    extra = len(counts) - 1
    inside = (x < width) & (y < height)
    index = y.astype(np.int64) * width + x + (p != 0) * (width * height * (planes - 1))
    totals = counts + np.bincount(np.where(inside, index, extra), minlength=extra + 1)
    counts[:] = (totals % (1 << 8 * counts.itemsize)).astype(counts.dtype)
    if spill is not None:
        lost = (totals - counts).astype(np.uint32)
        spill += lost
        spill[extra] = 1 if lost.any() else spill[extra]
    return len(x) - int(np.count_nonzero(inside))


def readout(
    counts: Counters,
    spill: NDArray[np.uint32] | None,
    out: NDArray[np.float32] | NDArray[np.int32],
    signed: bool = False,
) -> None:
    """Write the counts, or with `signed` ON - OFF of two planes, to `out`, and clear the table.

    `out` is float32 or int32, of any shape with as many values as the table, or half as many.
    """
    check_frame(counts, spill, out, signed)
    values = counts.astype(np.uint32)[:-1]
    if spill is not None:
        values += spill[:-1]
        spill[:] = 0
    if signed:
        off, on = np.split(values, 2)
        out.reshape(-1)[:] = (on - off).view(np.int32)
    else:
        out.reshape(-1)[:] = values.view(np.int32) if out.dtype == np.int32 else values
    counts[:] = 0
