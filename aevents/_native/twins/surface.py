"""What the events of a pixel and polarity leave behind, in NumPy: the specification of `surface.c`.

A table has a cell for each pixel of two planes, OFF and ON, row by row, and one more at its end,
for events off the sensor. `NEVER` is the time of a cell that has had no event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..checks import NEVER, check_cells, check_decay, check_sensor, check_since, check_timed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..checks import Coordinates, Polarities

    Times = NDArray[np.int64]


def last_times(  # noqa: PLR0913 - the columns and the frame
    table: Times, t: Times, x: Coordinates, y: Coordinates, p: Polarities, width: int, height: int
) -> int:
    """Set each cell to the time (us) of its last event; return how many lie off the sensor.

    `table` is int64, of 2 * width * height + 1 cells. Raises `ValueError` for other tables, columns
    of unequal length, and a sensor that is too large.
    """
    index = _cells(table, 1, t, x, y, p, width, height)
    table[index] = t
    return int(np.count_nonzero(index == len(table) - 1))


def recent_times(  # noqa: PLR0913 - the columns and the frame
    table: Times, t: Times, x: Coordinates, y: Coordinates, p: Polarities, width: int, height: int
) -> int:
    """Put the time (us) of each event before those of its cell, whose eldest goes; return how many
    events lie off the sensor.

    `table` is int64, of 2 * width * height + 1 rows, one a cell. Raises what `last_times` raises.
    """
    depth = table.shape[-1]
    index = _cells(table, depth, t, x, y, p, width, height)
    order = np.argsort(index, kind="stable")
    cells, sizes = np.unique(index[order], return_counts=True)
    for cell, times in zip(cells, np.split(t[order], np.cumsum(sizes)[:-1]), strict=False):
        table[cell] = np.concatenate((times[::-1], table[cell]))[:depth]
    return int(np.count_nonzero(index == len(table) - 1))


def intervals(  # noqa: PLR0913 - the columns and the frame
    table: Times,
    since: Times,
    t: Times,
    x: Coordinates,
    y: Coordinates,
    p: Polarities,
    width: int,
    height: int,
) -> int:
    """Do as `last_times`, and write to `since` how long (us) before each event its cell's last was:
    negative where there was none, or none before it.

    Raises what `last_times` raises, and `ValueError` unless `since` has a place for each event.
    """
    check_since(since, t)
    index = _cells(table, 1, t, x, y, p, width, height)
    order = np.argsort(index, kind="stable")
    cells, times = index[order], t[order]
    before = np.where(cells[1:] == cells[:-1], times[:-1], table[cells[1:]])
    before = np.concatenate((table[cells[:1]], before))
    known = (before != NEVER) & (before <= times) & (cells < len(table) - 1)
    since[order] = np.where(known, times - before, -1)
    table[index] = t
    if len(t):
        table[-1] = NEVER
    return int(np.count_nonzero(index == len(table) - 1))


def decay(table: Times, out: NDArray[np.float32], now: int, tau: float, linear: bool) -> None:
    """Write `exp(-age / tau)`, or with `linear` `max(0, 1 - age / tau)`, of `age = now - table`.

    All are in us. An age is not below 0; it has no end, and the value is 0, where the time is
    `NEVER`. `out` is float32, with a value for each cell but the last. The exponential is within
    1e-5 of its value, and 0 from 87 `tau` on. Raises `ValueError` for other arrays, and for a `tau`
    below 1 or from 2^63 on.
    """
    rate = check_decay(table, out, tau)
    times = table[:-1]
    lived = np.minimum(np.uint64(now % (1 << 64)) - times.view(np.uint64), np.uint64((1 << 63) - 1))
    age = np.where(times == NEVER, np.inf, np.where(times >= now, 0.0, lived.astype(np.float64)))
    x = age.astype(np.float32) * rate
    faded = np.where(x < 1, 1 - x, 0) if linear else exp_minus(x)
    out.reshape(-1)[:] = faded


def exp_minus(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return exp(-x) of x >= 0 by its series around the nearest power of two; 0 from 87 on."""
    f = np.float32
    near = np.minimum(x, f(87))
    power = near * f(-1.44269504) + f(12582912) - f(12582912)  # rounds to an integer
    rest = -near - power * f(0.693359375) + power * f(2.12194440e-4)
    total = f(1) / f(5040) * rest + f(1) / f(720)
    for term in (f(1) / f(120), f(1) / f(24), f(1) / f(6), f(0.5), f(1), f(1)):
        total = total * rest + term
    scale = ((power.astype(np.int32) + 127) << 23).view(np.float32)
    return np.asarray(total * scale * (x <= 87), np.float32)


def _cells(  # noqa: PLR0913 - the columns and the frame
    table: Times,
    depth: int,
    t: Times,
    x: Coordinates,
    y: Coordinates,
    p: Polarities,
    width: int,
    height: int,
) -> NDArray[np.int64]:
    check_cells(table, 2 * width * height, depth)
    check_sensor(width, height, 2)
    check_timed(t, x, y, p)
    inside = (x < width) & (y < height)
    index = y.astype(np.int64) * width + x + (p != 0) * (width * height)
    return np.asarray(np.where(inside, index, len(table) - 1))
