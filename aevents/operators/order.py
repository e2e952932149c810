"""Time that may go back, or begin elsewhere: running times; sort, shift and rezero."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from aevents.types import EventBatch, Span, Times


def running_times(t: Times, running: int) -> tuple[Times, int]:
    """Return the running maximum of `t` (µs) from `running` on, and how many events came late.

    In a run in time order, which is the rule, this is `t` itself, without a copy.
    """
    if not len(t) or (t[0] >= running and bool((t[1:] >= t[:-1]).all())):
        return t, 0
    times = np.maximum.accumulate(np.maximum(t, running))
    return times, int(np.count_nonzero(t < times))


class Shift:
    """Move all times by so many µs."""

    def __init__(self, by_us: int, /) -> None:
        self._by = by_us

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the batch at its new time."""
        t = batch.t + self._by
        t.flags.writeable = False
        span = Span(batch.span.start + self._by, batch.span.stop + self._by)
        return (replace(batch, t=t, span=span),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Rezero:
    """Move all times so that the first span begins at 0."""

    def __init__(self) -> None:
        self._shift: Shift | None = None

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the batch at its new time."""
        if self._shift is None:
            self._shift = Shift(-batch.span.start)
        return self._shift.feed(batch)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Sort:
    """Put events in the order of time, those of one time in the order in which they came.

    An event may come up to `horizon_us` behind the latest: so long each is held back. What comes
    later still is handed on at once, out of order, and counted: `late_events`. Raises `ValueError`
    for a negative horizon.
    """

    def __init__(self, horizon_us: int) -> None:
        if horizon_us < 0:
            raise ValueError(f"a horizon is not negative: {horizon_us}")
        self.counts: dict[str, int] = {"late_events": 0}
        self._horizon = horizon_us
        self._held: EventBatch | None = None
        self._done: int | None = None  # all before this has been handed on

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch, ...]:
        """Give the events that nothing can come before any more."""
        held = batch if self._held is None else EventBatch.concat([self._held, batch])
        if self._done is not None:
            self.counts["late_events"] += int(np.count_nonzero(batch.t < self._done))
        start = batch.span.start if self._done is None else self._done
        latest = max(held.span.stop, int(held.t.max(initial=held.span.stop)))
        self._done = max(start, latest - self._horizon)
        return self._given(_sorted(held), start, self._done)

    def flush(self) -> tuple[EventBatch, ...]:
        """Give the rest."""
        if self._held is None or self._done is None:
            return ()
        return (self._held.cut(0, len(self._held), Span(self._done, self._held.span.stop)),)

    def _given(self, held: EventBatch, start: int, stop: int) -> tuple[EventBatch, ...]:
        end = int(np.searchsorted(held.t, stop))
        self._held = held.cut(end, len(held), held.span)
        return (held.cut(0, end, Span(start, stop)),)


def _sorted(batch: EventBatch) -> EventBatch:
    if bool((batch.t[1:] >= batch.t[:-1]).all()):
        return batch
    order = np.argsort(batch.t, kind="stable")
    columns = (batch.t[order], batch.x[order], batch.y[order], batch.p[order])
    for column in columns:
        column.flags.writeable = False
    return EventBatch(*columns, batch.sensor, batch.span)
