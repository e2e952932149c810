"""A curve in one line of text, for terminals."""

from __future__ import annotations

import sys

import numpy as np

from aevents.cli.figures import mev
from aevents.operators.curve import Curve

BLOCKS = " ▁▂▃▄▅▆▇█"
COLUMNS = 48
"""It stands beside a name and before a number, on 80 columns."""


def drawable() -> bool:
    """Say whether standard output is a terminal that knows these characters."""
    try:
        BLOCKS.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return sys.stdout.isatty()


def sparkline(curve: Curve, /) -> str:
    """Return the rate of events over time, from 0 to its peak, and the peak."""
    merged = curve.coarser(COLUMNS)
    hz = merged.hz.sum(axis=0)
    heights = np.ceil(hz * (8 / hz.max())).astype(int)
    return f"{''.join(BLOCKS[height] for height in heights)}  peak {mev(float(hz.max()))} Mev/s"
