"""Time that may go back: what the running time of each event is."""

from __future__ import annotations

import numpy as np

from aevents.types import Times


def running_times(t: Times, running: int) -> tuple[Times, int]:
    """Return the running maximum of `t` (µs) from `running` on, and how many events came late.

    In a run in time order, which is the rule, this is `t` itself, without a copy.
    """
    if not len(t) or (t[0] >= running and bool((t[1:] >= t[:-1]).all())):
        return t, 0
    times = np.maximum.accumulate(np.maximum(t, running))
    return times, int(np.count_nonzero(t < times))
