"""Fewer events of the same scene: every n-th, or some by chance."""

from __future__ import annotations

import numpy as np

from aevents.operators.pixels import picked
from aevents.types import EventBatch


class KeepEvery:
    """Keep every `n`-th event, from the first on. Raises `ValueError` for an `n` of less than 1."""

    def __init__(self, n: int, /) -> None:
        if n < 1:
            raise ValueError(f"every n-th event needs an n of 1 or more, not {n}")
        self._n = n
        self._next = 0  # so many events are left out before the next that is kept

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events whose turn it is."""
        keep = np.zeros(len(batch), np.bool_)
        keep[self._next :: self._n] = True
        self._next = (self._next - len(batch)) % self._n
        return (picked(batch, keep),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class DropByChance:
    """Leave out each event with the probability `share`, independently of all others.

    The same `seed` leaves out the same events, however they are cut into batches (with one version
    of NumPy: numbers from 0 to 1 of its `default_rng(seed)`, one an event, and those below `share`
    are dropped). Raises `ValueError` for a share that is not from 0 to 1.
    """

    def __init__(self, share: float, /, *, seed: int = 0) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"a share is from 0 to 1, not {share}")
        self._share = share
        self._chance = np.random.default_rng(seed)

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events that are left."""
        return (picked(batch, self._chance.random(len(batch)) >= self._share),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()
