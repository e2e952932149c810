"""Runs of events as one, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..checks import Events, check_runs
from ..columns import Columns, checked


class Runs:
    """`k` runs of events in the order of time, each empty until it is `put`; at most 64."""

    def __init__(self, k: int) -> None:
        check_runs(k)
        zeros = np.empty(0, np.uint16)
        nothing = np.empty(0, np.int64), zeros, zeros, np.empty(0, np.bool_)
        self.events: list[Events] = [nothing] * k
        self.keys: list[NDArray[np.int64]] = [nothing[0]] * k
        self.at = [0] * k

    def __len__(self) -> int:
        return len(self.at)

    def put(self, which: int, events: Events, key: NDArray[np.int64] | None = None) -> None:
        """Let run `which` be these columns t, x, y, p, in the order of `key`, or of t."""
        checked(*events)
        self.keys[which] = events[0] if key is None else key
        checked(self.keys[which], *events[1:])
        self.events[which], self.at[which] = events, 0

    def left(self, which: int) -> int:
        """Return how many events of run `which` have not been merged yet."""
        return len(self.events[which][0]) - self.at[which]


def merge(runs: Runs, until: int, out: Columns) -> None:
    """Write into `out`, as far as there is room, the events of all runs that are earlier than
    `until`, in the order of time, equal ones in the order of the runs.
    """
    out.begin()
    if not len(runs):
        return
    ends = [
        max(at, int(np.searchsorted(key, until)))
        for key, at in zip(runs.keys, runs.at, strict=True)
    ]
    keys = [key[at:end] for key, at, end in zip(runs.keys, runs.at, ends, strict=True)]
    parts = [
        [column[at:end] for column in one]
        for one, at, end in zip(runs.events, runs.at, ends, strict=True)
    ]
    order = np.argsort(np.concatenate(keys), kind="stable")[: out.capacity]
    n = len(order)
    t, x, y, p = (np.concatenate([part[place] for part in parts])[order] for place in range(4))
    out.t[:n], out.x[:n], out.y[:n], out.p[:n] = t, x, y, p
    out.n = n
    which = np.repeat(np.arange(len(runs)), [len(part[0]) for part in parts])[order]
    taken = np.bincount(which, minlength=len(runs))
    runs.at = [at + int(count) for at, count in zip(runs.at, taken, strict=True)]
