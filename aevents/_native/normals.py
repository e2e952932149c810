"""Normal numbers of random bits: the table by which kernels make them, in C or not."""

from __future__ import annotations

from functools import cache
from math import erfc, exp, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OCTAVES = 31
STEPS = 16  # of an octave
NORMALS = OCTAVES * STEPS + 2  # the last two are 0: what is next to half of all is looked up


@cache
def normal_table() -> NDArray[np.float32]:
    """Return how far up a normal number is that chance exceeds by `v / 2^32`, in deviations.

    Entry `16 e + s` is for `v = 2^e (1 + s / 16)`, float32. Between two it is a straight line to
    within 2e-4, and none is beyond 6.23: one in 2^30 should be. Newton's method, on logarithms.
    """
    table = np.zeros(NORMALS, np.float32)
    for at in range(OCTAVES * STEPS):
        table[at] = _exceeded(2.0 ** (at // STEPS) * (1 + at % STEPS / STEPS) / 2**32)
    table.flags.writeable = False
    return table


def _exceeded(share: float) -> float:
    """Return what this share of normal numbers exceeds; it is half at most."""
    x = sqrt(2 * log(0.5 / share))
    for _ in range(8):
        above = erfc(x / sqrt(2)) / 2
        x += log(above / share) * above * sqrt(2 * pi) * exp(x * x / 2)
    return x
