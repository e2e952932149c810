"""Indexes of times in HDF5 files: which event is the first of each stretch of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents.containers.hdf5_file import Dataset

INDEX = np.dtype([("id", "<u8"), ("ts", "<i8")])
"""A row of Prophesee's index."""
INDEX_US = 2_000
"""The stretch of time that it stands for; the first row stands for none."""
PART = 1 << 16
"""Rows that are written at once."""

Integers = npt.NDArray[np.int64]


class Index:
    """Finds the first event of each stretch of time, from 0 on: that which has its time or a later
    one.
    """

    def __init__(self, period_us: int) -> None:
        self._period = period_us
        self._latest = 0
        self._events = 0
        self._next = 0  # stretch

    def add(self, t: Integers) -> Iterator[tuple[Integers, Integers]]:
        """Give numbers and times of the first events of the stretches that begin with these events:
        in parts.
        """
        running = np.maximum(np.maximum.accumulate(t), self._latest)
        stop = int(running[-1]) // self._period + 1
        for start in range(self._next, stop, PART):
            stretches = np.arange(start, min(start + PART, stop))
            firsts = np.searchsorted(running, stretches * self._period)
            yield self._events + firsts, running[firsts]
        self._latest, self._next = int(running[-1]), stop
        self._events += len(t)


class TimesIndex:
    """An index as Prophesee has it: a row that stands for nothing, then number and time of the
    first event of each 2 ms; where these have none, of those before. Times count from the first
    event of all, whose time is the attribute `offset`, negative.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._index = Index(INDEX_US)
        self._origin: int | None = None
        self._last = np.array((0, -1), INDEX)

    def add(self, t: Integers) -> None:
        """Append the rows of these events."""
        if self._origin is None:
            self._origin = int(t[0])
            self._dataset.attrs["offset"] = str(-self._origin)
            append_rows(self._dataset, self._last[np.newaxis])
        for firsts, times in self._index.add(t - self._origin):
            rows = np.empty(1 + len(firsts), INDEX)
            rows[0], rows["id"][1:], rows["ts"][1:] = self._last, firsts, times
            stretch = len(self._dataset) - 2 + np.arange(len(rows))
            own = np.where(rows["ts"] // INDEX_US == stretch, np.arange(len(rows)), 0)
            rows = rows[np.maximum.accumulate(own)]
            append_rows(self._dataset, rows[1:])
            self._last = rows[-1]


def append_rows(dataset: Dataset, rows: npt.NDArray[np.generic]) -> None:
    """Append rows to a dataset that can grow."""
    start = len(dataset)
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows
