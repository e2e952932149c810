"""Columns for all events of a recording: decoders fill them in place, so that nothing is copied.

Room is taken beforehand where the number of events can be guessed; it is address space only, until
it is used. Columns that grow instead cost a copy, and fresh pages twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST = 1 << 16
MOST = 1 << 27  # events taken beforehand: 1.7 GB; some systems grant no more than they have memory
SMALL = 1 << 18  # events (3 MB): fewer are copied out, so as not to hold a huge page a column
HUGE_PAGE = 1 << 21  # bytes; columns begin at one, so that the system gives them huge pages

Arrays = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]


class Room:
    """Columns t, x, y, p that hold `length` events, and have room for more.

    `expected` guesses how many there will be; it is asked when the first come.
    """

    __slots__ = ("_arrays", "_expected", "_taken", "length")

    def __init__(self, expected: Callable[[], int] | None = None) -> None:
        self._arrays: Arrays = _empty(0)
        self._expected = expected
        self._taken: deque[object] = deque()
        self.length: int = 0

    def free(self, count: int) -> Arrays:
        """Return `count` free places after the last event, as arrays to write into."""
        size, least = len(self._arrays[0]), self.length + count
        if least > size:
            expected = self._expected() if self._expected and not size else 0
            larger = _empty(max(least, 4 * size, FIRST, min(expected, MOST) + count))
            held, self._arrays = self._part(0, self.length), larger
            _fill(self._part(0, self.length), held)
        return self._part(self.length, least)

    def add(self, events: Arrays) -> None:
        """Copy events in, after the last."""
        count = len(events[0])
        _fill(self.free(count), events)
        self.length += count

    def take(self, count: int) -> Arrays:
        """Make the first `count` free places events; return those, read-only."""
        events = self._part(self.length, self.length + count)
        self.length += count
        self._taken.append(events[0])
        return _read_only(events)

    def holds(self, t: NDArray[np.int64]) -> bool:
        """Say whether `t` is that of the first events taken that have not been asked for yet."""
        here = bool(self._taken) and t is self._taken[0]
        if here:
            self._taken.popleft()
        return here

    def events(self) -> Arrays:
        """Return all events, read-only."""
        events = self._part(0, self.length)
        if self.length < SMALL:
            t, x, y, p = events
            events = t.copy(), x.copy(), y.copy(), p.copy()
        return _read_only(events)

    def _part(self, start: int, stop: int) -> Arrays:
        t, x, y, p = self._arrays
        return t[start:stop], x[start:stop], y[start:stop], p[start:stop]


def _fill(to: Arrays, events: Arrays) -> None:
    t, x, y, p = to
    t[:], x[:], y[:], p[:] = events


def _empty(size: int) -> Arrays:
    """Return columns in one allocation, each from a page of its own on."""
    page = HUGE_PAGE if size > SMALL else 64
    ends = np.cumsum([-(-size * width // page) * page for width in (8, 2, 2, 1)]).tolist()
    memory = np.empty(ends[-1] + page, np.uint8)
    first = -memory.ctypes.data % page
    t, x, y, p = np.split(memory[first : first + ends[-1]], ends[:-1])
    return (
        t.view(np.int64)[:size],
        x.view(np.uint16)[:size],
        y.view(np.uint16)[:size],
        p.view(np.bool_)[:size],
    )


def _read_only(arrays: Arrays) -> Arrays:
    array: NDArray[Any]
    for array in arrays:
        array.flags.writeable = False
    return arrays
