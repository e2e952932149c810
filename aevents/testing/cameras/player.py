"""What a model of a camera has to say, at the times when it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TypeVar, cast

import numpy as np

from aevents.types import EventBatch, Frame, ImuBatch, TriggerBatch

Item = EventBatch | TriggerBatch | ImuBatch | Frame
Chunk = tuple[int, bytes]
"""A time in µs since the start, and what is said then."""
T = TypeVar("T", bound=Item)

PIECE_US = 1_000
"""In real time, events are sent so often."""


class Player:
    """Chunks that are handed out when they are due, and in pieces of the size that is asked for."""

    def __init__(self) -> None:
        self._chunks: Iterator[Chunk] | None = None
        self._began = 0.0
        self._next: Chunk = (0, b"")

    @property
    def now(self) -> int:
        """The time in µs since the start; negative before."""
        return int((time.monotonic() - self._began) * 1e6)

    @property
    def begun(self) -> bool:
        """Whether chunks are being played, and the start is past."""
        return self._chunks is not None and self.now >= 0

    def play(self, chunks: Iterator[Chunk], after: float = 0) -> None:
        """Play chunks from the beginning, in so many seconds; they may never end."""
        self._began, self._next, self._chunks = time.monotonic() + after, (0, b""), chunks

    def stop(self) -> None:
        """Play no more."""
        self._chunks = None

    def take(self, most: int) -> bytes | None:
        """Return what is due; None if nothing is."""
        if self._chunks is None:
            return None
        room, pieces, now = most, [], self.now
        while room and now >= 0:
            if not self._next[1]:
                self._next = next(self._chunks)
            due, data = self._next
            if due > now:
                break
            pieces.append(data[:room])
            self._next = (due, data[room:])
            room -= len(pieces[-1])
        return b"".join(pieces) or None


def timed(scene: Iterable[T], say: Callable[[T], bytes], *, realtime: bool) -> Iterator[Chunk]:
    """Yield what `say` makes of items, at their times or, if not `realtime`, at once."""
    first = None
    for item in scene:
        first = item.span.start if first is None else first
        for piece in _pieces(item) if realtime else (item,):
            yield piece.span.stop - first if realtime else 0, say(piece)


def _pieces(item: T) -> Iterator[T]:
    """Yield the events of a batch millisecond by millisecond; other items as they are."""
    if not isinstance(item, EventBatch):
        yield item
        return
    (last,) = np.nonzero(np.diff(item.t // PIECE_US, append=-1))
    for start, stop in pairwise([0, *(last + 1).tolist()]):
        yield cast("T", item[start:stop])
