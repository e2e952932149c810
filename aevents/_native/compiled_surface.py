"""The kernels of surfaces and voxels in C: the twins have the same names, and the same results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._kernels import ffi, lib
from .checks import (
    check_cells,
    check_decay,
    check_hats,
    check_sensor,
    check_since,
    check_timed,
    check_voxels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .checks import Coordinates, Polarities

    Times = NDArray[np.int64]


def _cells(table: Times, depth: int, width: int, height: int) -> object:
    check_cells(table, 2 * width * height, depth)
    check_sensor(width, height, 2)
    return ffi.from_buffer("int64_t[]", table, require_writable=True)


def _columns(t: Times, x: Coordinates, y: Coordinates, p: Polarities) -> tuple[object, ...]:
    check_timed(t, x, y, p)
    return (
        ffi.from_buffer("int64_t[]", t),
        ffi.from_buffer("uint16_t[]", x),
        ffi.from_buffer("uint16_t[]", y),
        ffi.from_buffer("uint8_t[]", p),
        len(t),
    )


def last_times(  # noqa: PLR0913 - the columns and the frame
    table: Times, t: Times, x: Coordinates, y: Coordinates, p: Polarities, width: int, height: int
) -> int:
    """Set each cell to the time (us) of its last event; return how many lie off the sensor.

    `table` is int64, of 2 * width * height + 1 cells. Raises `ValueError` for other tables, columns
    of unequal length, and a sensor that is too large.
    """
    cells = _cells(table, 1, width, height)
    return int(lib.ae_last_times(cells, *_columns(t, x, y, p), width, height))


def recent_times(  # noqa: PLR0913 - the columns and the frame
    table: Times, t: Times, x: Coordinates, y: Coordinates, p: Polarities, width: int, height: int
) -> int:
    """Put the time (us) of each event before those of its cell, whose eldest goes; return how many
    events lie off the sensor.

    `table` is int64, of 2 * width * height + 1 rows, one a cell. Raises what `last_times` raises.
    """
    depth = table.shape[-1]
    cells = _cells(table, depth, width, height)
    return int(lib.ae_recent_times(cells, depth, *_columns(t, x, y, p), width, height))


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
    cells = _cells(table, 1, width, height)
    to = ffi.from_buffer("int64_t[]", since, require_writable=True)
    return int(lib.ae_intervals(cells, to, *_columns(t, x, y, p), width, height))


def decay(table: Times, out: NDArray[np.float32], now: int, tau: float, linear: bool) -> None:
    """Write `exp(-age / tau)`, or with `linear` `max(0, 1 - age / tau)`, of `age = now - table`.

    All are in us. An age is not below 0; it has no end, and the value is 0, where the time is
    `NEVER`. `out` is float32, with a value for each cell but the last. The exponential is within
    1e-5 of its value, and 0 from 87 `tau` on. Raises `ValueError` for other arrays, and for a `tau`
    below 1 or from 2^63 on.
    """
    rate = check_decay(table, out, tau)
    cells = ffi.from_buffer("int64_t[]", table)
    to = ffi.from_buffer("float[]", out, require_writable=True)
    lib.ae_decay(cells, to, out.size, now, rate, linear)


def voxels(  # noqa: PLR0913 - the columns, the grid and its times
    grid: NDArray[np.float32],
    t: Times,
    x: Coordinates,
    y: Coordinates,
    p: Polarities,
    first: int,
    bins_a_us: float,
) -> int:
    """Add 1 of ON, -1 of OFF to the two bins before and after the event's time, `(t - first) *
    bins_a_us`, each the more the nearer it is; return how many events lie off the sensor.

    `grid` is float32 `(bins, height, width)`. Times outside of it go to its first and last bin.
    Raises `ValueError` for another grid, and columns of unequal length.
    """
    check_voxels(grid)
    bins, height, width = grid.shape
    cells = ffi.from_buffer("float[]", grid, require_writable=True)
    events = _columns(t, x, y, p)
    return int(lib.ae_voxels(cells, *events, width, height, bins, first, bins_a_us))


def hats(  # noqa: PLR0913 - the sums, the columns and the view
    sums: NDArray[np.float32],
    cell: NDArray[np.uint32],
    t: Times,
    x: Coordinates,
    y: Coordinates,
    *,
    memory: int,
    within: int,
    tau: float,
) -> None:
    """Add to the surface of each event's cell the `exp(-age / tau)` of the events that the cell
    remembers from before it, where they are as seen from it.

    `sums` is float32 `(cells, side, side)`, with the event in the middle. Events come cell by cell,
    each in the order of time; `cell` is uint32, and events of no such cell are left out. A cell
    remembers up to `memory` events, for `within` us. Raises `ValueError` for other arrays, and for
    numbers out of range.
    """
    rate = check_hats(sums, cell, t, x, y, memory, within, tau)
    view = {"radius": sums.shape[1] // 2, "memory": memory, "within": within, "rate": rate}
    lib.ae_hats(
        ffi.from_buffer("float[]", sums, require_writable=True),
        len(sums),
        ffi.from_buffer("uint32_t[]", cell),
        ffi.from_buffer("int64_t[]", t),
        ffi.from_buffer("uint16_t[]", x),
        ffi.from_buffer("uint16_t[]", y),
        len(t),
        ffi.new("ae_hats_view *", view),
    )
