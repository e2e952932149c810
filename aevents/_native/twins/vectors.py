"""What EVT2.1 and EVT4 in NumPy share: vectors, of which bit i of a mask is an event at x + i."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .words import Flags, Integers


def bits(masks: Integers) -> tuple[Integers, Integers]:
    """Return the index of the mask and the number of the bit, for each bit that is set."""
    indices, numbers = np.nonzero(masks[:, None] >> np.arange(32) & 1)
    return indices.astype(np.int64), numbers.astype(np.int64)


def counted(masks: Integers) -> Integers:
    """Return how many bits of each mask are set."""
    return np.bitwise_count(masks).astype(np.int64)


def groups(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> tuple[Integers, Integers]:
    """Return where vectors begin among the events, and their masks.

    A vector holds events that follow on each other: of one time, row and polarity, in ascending
    columns, in the same 32 from a multiple of 32 on, as cameras write them.
    """
    if not len(t):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    one: Flags = (t[1:] == t[:-1]) & (y[1:] == y[:-1]) & ((p[1:] != 0) == (p[:-1] != 0))
    one &= (x[1:] > x[:-1]) & (x[1:] >> 5 == x[:-1] >> 5)
    starts = np.flatnonzero(np.concatenate(([True], ~one)))
    masks = np.bitwise_or.reduceat(np.int64(1) << (x.astype(np.int64) & 31), starts)
    return starts.astype(np.int64), masks
