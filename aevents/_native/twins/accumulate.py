"""Counting events into a frame, in NumPy: the specification of `accumulate.c` and `readout.c`.

A table has a counter for each pixel, row by row, and one extra slot at its end, for events off the
sensor. With two planes the first counts OFF, the second ON. Narrow counters wrap; what they lose
goes to the same slot of a second table, the spill, whose last slot says whether anything has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counters = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]
    Coordinates = NDArray[np.uint16]
    Polarities = NDArray[np.bool_] | NDArray[np.uint8]

MOST_COUNTERS = 2**31  # indices are 32 bits wide in C
LONGEST_SIDE = 65535
COUNTER_TYPES = ("uint8", "uint16", "uint32")
FRAME_TYPES = ("float32", "int32")


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


def check_table(counts: Counters, spill: NDArray[np.uint32] | None, counters: int) -> None:
    """Raise unless these tables have that many counters and the extra slot."""
    if str(counts.dtype) not in COUNTER_TYPES or counts.shape != (counters + 1,):
        raise ValueError(
            f"counts must be {counters} + 1 of {', '.join(COUNTER_TYPES)}, "
            f"not {counts.dtype} {counts.shape}"
        )
    if spill is None and counts.dtype != np.uint32:
        raise ValueError(f"counters of {counts.dtype} need a spill")
    if spill is not None and (spill.dtype != np.uint32 or spill.shape != counts.shape):
        raise ValueError(f"spill must be uint32 {counts.shape}, not {spill.dtype} {spill.shape}")
    if not counts.flags.c_contiguous or not (spill is None or spill.flags.c_contiguous):
        raise ValueError("counts and spill must be contiguous")


def check_sensor(width: int, height: int, planes: int) -> None:
    """Raise unless a frame of this size can be counted."""
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE and planes in (1, 2)):
        raise ValueError(f"no frame is {width}x{height} in {planes} planes")
    if planes * width * height >= MOST_COUNTERS:
        raise ValueError(f"{planes} planes of {width}x{height} are too many counters: 2^31 or more")


def check_events(x: Coordinates, y: Coordinates, p: Polarities) -> None:
    """Raise unless these are columns of one length."""
    types = [str(column.dtype) for column in (x, y, p)]
    if types[:2] != ["uint16", "uint16"] or types[2] not in ("bool", "uint8"):
        raise TypeError(f"x, y, p must be uint16, uint16, bool, not {', '.join(types)}")
    if not x.shape == y.shape == p.shape == (len(x),):
        raise ValueError("x, y, p must be of one length")


def check_frame(
    counts: Counters,
    spill: NDArray[np.uint32] | None,
    out: NDArray[np.float32] | NDArray[np.int32],
    signed: bool,
) -> None:
    """Raise unless the table can be read out into `out`."""
    check_table(counts, spill, out.size * (2 if signed else 1))
    if str(out.dtype) not in FRAME_TYPES or not out.flags.c_contiguous:
        raise ValueError(f"out must be contiguous {' or '.join(FRAME_TYPES)}, not {out.dtype}")
