"""An even choice of the events of a recording of any length, in bounded memory."""

from __future__ import annotations

import msgspec

from aevents.types import EventBatch


class Excerpt(msgspec.Struct, frozen=True, eq=False):
    """Every `every`-th of `total` events."""

    events: EventBatch
    every: int
    total: int


class TakeExcerpt:
    """Take in all events, and give an `Excerpt` of them at the end; nothing where there were none.

    Kept are the first event and every `n`-th after it, where `n` is 1, 2, 4, 8 …: as few as leave
    at most `limit` events. Raises `ValueError` for a limit below 1.

    >>> excerpt = TakeExcerpt(limit=3)
    >>> _ = excerpt.feed(EventBatch.from_columns(t=range(5), x=[0] * 5, y=[0] * 5, p=[1] * 5))
    >>> excerpt.flush()[0].events.t.tolist()
    [0, 2, 4]
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"an excerpt is of one event or more, not {limit}")
        self._limit = limit
        self._every = 1
        self._total = 0
        self._kept = 0
        self._parts: list[EventBatch] = []

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Keep some of these events."""
        if not len(batch):
            return ()
        self._keep(_each(batch, -self._total % self._every, self._every))
        self._total += len(batch)
        while self._kept > self._limit:
            whole = EventBatch.concat(self._parts)
            self._parts, self._kept = [], 0
            self._keep(_each(whole, 0, 2))
            self._every *= 2
        return ()

    def flush(self) -> tuple[Excerpt, ...]:
        """Give what was kept."""
        if not self._parts:
            return ()
        return (Excerpt(EventBatch.concat(self._parts), self._every, self._total),)

    def _keep(self, part: EventBatch) -> None:
        if len(part):
            self._parts.append(part)
            self._kept += len(part)


def _each(batch: EventBatch, first: int, every: int) -> EventBatch:
    """Return a copy of every so many-th event: a view would hold on to all of them."""
    return EventBatch.concat([batch[first::every]])
