"""A voxel grid, in NumPy: the specification of `voxels.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..checks import check_timed, check_voxels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..checks import Coordinates, Polarities

    Times = NDArray[np.int64]


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
    check_timed(t, x, y, p)
    bins, height, width = grid.shape
    inside = (x < width) & (y < height)
    place = np.clip((t - first)[inside] * np.float64(bins_a_us), 0, bins - 1)
    early = place.astype(np.int64)
    late = (place - early).astype(np.float32)
    weight = np.where(p[inside] != 0, np.float32(1), np.float32(-1))
    pixel = y[inside].astype(np.int64) * width + x[inside] + early * (width * height)
    cells = np.stack((pixel, pixel + np.where(late > 0, width * height, 0)), axis=1)
    shares = np.stack((weight * (1 - late), weight * late), axis=1)
    np.add.at(grid.reshape(-1), cells.reshape(-1), shares.reshape(-1))
    return len(t) - int(np.count_nonzero(inside))
