"""Histograms of averaged time surfaces, in NumPy: the specification of `hats.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..checks import check_hats
from .surface import exp_minus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..checks import Coordinates

    Times = NDArray[np.int64]


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
    radius = sums.shape[1] // 2
    starts = np.searchsorted(cell, cell)  # where each event's cell begins
    for i in range(len(t)):
        if cell[i] >= len(sums):
            continue
        before = slice(max(int(starts[i]), i - memory), i)
        age = (t[i : i + 1].view(np.uint64) - t[before].view(np.uint64))[::-1]
        dx, dy = (c[before][::-1].astype(np.int64) - int(c[i]) for c in (x, y))
        seen = (age > 0) & (age <= within) & (abs(dx) <= radius) & (abs(dy) <= radius)
        faded = exp_minus(age[seen].astype(np.float32) * rate)
        np.add.at(sums[cell[i]], (dy[seen] + radius, dx[seen] + radius), faded)
