"""Memory that two processes share: what goes from one to the other is copied into it once."""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
import threading
from collections.abc import Sequence

import numpy as np

from aevents.types import Bytes

Place = tuple[int, int]
"""Where some bytes lie: from, to."""

ALIGNED = 64
"""Bytes: arrays begin where a vector of any instruction set may."""


class Segment:
    """A file in memory, which both processes map; it has no name, and is gone with the last of
    them.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor: int = _unnamed_file() if descriptor is None else descriptor
        self._map: mmap.mmap | None = None
        self._lock = threading.Lock()  # a cancelled call may leave a thread at work on it

    def put(self, item: object, held: Sequence[Place] = ()) -> list[Place]:
        """Copy an item in, where nothing is held, and return the places of its parts."""
        buffers: list[pickle.PickleBuffer] = []
        data = pickle.dumps(item, protocol=5, buffer_callback=buffers.append)
        raw = [memoryview(data), *(buffer.raw() for buffer in buffers)]
        parts = [np.frombuffer(part, np.uint8) for part in raw]
        with self._lock:
            return self._lay(parts, held)

    def views(self, places: Sequence[Place]) -> list[memoryview]:
        """Return what lies at these places, read-only."""
        end = places[-1][1]
        return [self._at(place, end).data.toreadonly() for place in places]

    def take(self, places: Sequence[Place]) -> object:
        """Return the item at these places; what it is made of is its own."""
        data, *buffers = map(bytes, self.views(places))
        return pickle.loads(data, buffers=buffers)

    def close(self) -> None:
        """Let go of the memory, as far as nobody holds a view of it. What is put in after that is
        an `OSError`.
        """
        with self._lock:
            descriptor, self.descriptor, self._map = self.descriptor, -1, None
            os.close(descriptor)

    def _lay(self, parts: Sequence[Bytes], held: Sequence[Place]) -> list[Place]:
        start = _free(sum(_aligned(len(part)) for part in parts), held)
        places = []
        for part in parts:
            places.append((start, start + len(part)))
            start += _aligned(len(part))
        for part, place in zip(parts, places, strict=True):
            self._at(place, start)[:] = part
        return places

    def _at(self, place: Place, end: int) -> Bytes:
        if self._map is None or len(self._map) < end:
            size = max(os.fstat(self.descriptor).st_size, 2 * end)
            os.ftruncate(self.descriptor, size)
            self._map = mmap.mmap(self.descriptor, size)
        return np.frombuffer(self._map, np.uint8, place[1] - place[0], place[0])


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _free(size: int, held: Sequence[Place]) -> int:
    """Return the first place where so many bytes are free."""
    start = 0
    for first, stop in sorted(held):
        if start + size <= first:
            break
        start = max(start, _aligned(stop))
    return start


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aevents")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
