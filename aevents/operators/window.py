"""Windows: cut a stream by event time, by count, by both, or sliding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aevents.operators.order import running_times
from aevents.types import EventBatch, Sensor, Span, Times

MAX_GAP_US = 10_000_000
"""Silence longer than this is not filled with empty windows: one wild timestamp must not make a
million.
"""


class Window:
    """Cut a stream into windows that follow one another; each comes out as one whole batch.

    By time (`duration_us`): windows are `[origin + k·d, origin + (k+1)·d)`; `origin_us` is the
    first event's time unless given. Empty windows are emitted, but silence of more than
    `max_gap_us` is not filled: the grid restarts at the next event (counted as `gaps`). By count
    (`count`): exactly so many events. By both: whichever comes first, and the next window starts at
    that cut. The last, incomplete window is emitted unless `partial` is false. The span of a window
    by time is its bounds; by count, what its events cover.

    A late event counts at the running time; its `t` is untouched, and it is counted as
    `late_events`. Raises `ValueError` when neither a duration nor a count is given, or one is not
    positive.
    """

    def __init__(
        self,
        *,
        duration_us: int | None = None,
        count: int | None = None,
        partial: bool = True,
        origin_us: int | None = None,
        max_gap_us: int = MAX_GAP_US,
    ) -> None:
        if duration_us is None and count is None:
            raise ValueError("a window needs duration_us, count, or both")
        if (duration_us is not None and duration_us <= 0) or (count is not None and count <= 0):
            raise ValueError("duration_us and count of a window are greater than zero")
        self.counts: dict[str, int] = {"late_events": 0, "gaps": 0}
        self._duration = duration_us
        self._limit = count
        self._partial = partial
        self._origin = origin_us
        self._max_gap = max_gap_us
        self._start: int | None = None  # of the window that is open
        self._inside = 0  # events in it so far
        self._running: int | None = None  # the latest time of an event, or promised
        self._latest = 0  # the latest time of an event
        self._sensor = Sensor()
        self._held: list[EventBatch] = []

    def feed(self, batch: EventBatch, /) -> Iterator[EventBatch]:
        """Give each window that this batch completes."""
        for piece, closed in self.cuts(batch):
            if len(piece):
                self._held.append(piece)
            if closed is not None:
                yield self._whole(closed)

    def flush(self) -> Iterator[EventBatch]:
        """Give the last, incomplete window."""
        closed = self.last()
        if closed is not None:
            yield self._whole(closed)

    def cuts(self, batch: EventBatch, /) -> Iterator[tuple[EventBatch, Span | None]]:
        """Yield the batch in pieces, each with the span of the window that closes after it, or
        None.

        This is how `Frames` takes windows, without ever gathering their events.
        """
        self._sensor = batch.sensor
        times = self._times(batch)
        at = 0
        while True:
            if self._start is None:
                if at == len(times):
                    return
                self._open(int(times[at]))
            stop, closed = self._next_cut(times, at, batch.span.stop)
            if stop > at or closed is not None:
                self._inside += stop - at
                yield batch.cut(at, stop, batch.span), closed
            at = stop
            if closed is None:
                return
            self._advance(closed, int(times[at]) if at < len(times) else None)

    def last(self) -> Span | None:
        """Return the span of the window that the end of the stream leaves incomplete, or None."""
        start, running = self._start, self._running
        self._start = None
        if start is None or running is None or not self._partial:
            return None
        if not self._inside and running <= start:
            return None
        return Span(start, start + self._duration if self._duration else self._latest + 1)

    def _times(self, batch: EventBatch) -> Times:
        first = int(batch.t[0]) if len(batch) else batch.span.stop
        running = first if self._running is None else self._running
        times, late = running_times(batch.t, running)
        self.counts["late_events"] += late
        self._latest = int(times[-1]) if len(times) else self._latest
        self._running = max(running, self._latest, batch.span.stop)
        return times

    def _open(self, time: int) -> None:
        """Open the window that holds this time."""
        behind = 0
        if self._duration and self._origin is not None:
            behind = (time - self._origin) % self._duration
        self._start = time - behind
        self._inside = 0

    def _next_cut(self, times: Times, at: int, promised: int) -> tuple[int, Span | None]:
        """Return where the open window takes its leave of these times, and its span if it closes
        there.
        """
        assert self._start is not None
        full = len(times) + 1 if self._limit is None else at + self._limit - self._inside
        stop, end = len(times), None
        if self._duration is not None:
            end = self._start + self._duration
            stop = at + int(np.searchsorted(times[at:], end))
        if full <= stop:
            return full, Span(self._start, int(times[full - 1]) + 1)
        if end is not None and (stop < len(times) or promised >= end):
            return stop, Span(self._start, end)
        return stop, None

    def _advance(self, closed: Span, upcoming: int | None) -> None:
        """Open the next window, or none if the next event is far away."""
        self._start, self._inside = closed.stop, 0
        if self._duration is None:
            self._start = None
        elif upcoming is not None and upcoming - closed.stop > self._max_gap:
            self.counts["gaps"] += 1
            self._start = None

    def _whole(self, span: Span) -> EventBatch:
        held, self._held = self._held, []
        if not held:
            return EventBatch.empty(self._sensor, span).as_window(span)
        return (held[0] if len(held) == 1 else EventBatch.concat(held)).as_window(span)


class SlidingWindow:
    """Windows of `duration_us` that start every `hop_us`; they overlap when the hop is the shorter.

    Starts, empty windows, late events, gaps and the end are as for `Window`; at the end, every
    window that an event had opened is emitted unless `partial` is false. Raises `ValueError` when a
    number is not positive.
    """

    def __init__(
        self,
        *,
        duration_us: int,
        hop_us: int,
        partial: bool = True,
        origin_us: int | None = None,
        max_gap_us: int = MAX_GAP_US,
    ) -> None:
        if duration_us <= 0 or hop_us <= 0:
            raise ValueError("duration_us and hop_us of a window are greater than zero")
        self._duration = duration_us
        self._hop = hop_us
        self._partial = partial
        self._origin = origin_us
        self._max_gap = max_gap_us
        self.counts: dict[str, int] = {"late_events": 0, "gaps": 0}
        self._held: EventBatch | None = None
        self._times: Times = np.empty(0, np.int64)
        self._start: int | None = None
        self._running: int | None = None

    def feed(self, batch: EventBatch, /) -> Iterator[EventBatch]:
        """Give each window that this batch completes."""
        self._hold(batch)
        promised = batch.span.stop
        while self._start is not None or len(self._times):
            if self._start is None:
                self._open(int(self._times[0]))
            start = self._start
            assert start is not None
            reached = max(promised, int(self._times[-1]) if len(self._times) else promised)
            if reached < start + self._duration:
                return
            yield self._window(start)
            self._move(start + self._hop)

    def flush(self) -> Iterator[EventBatch]:
        """Give every window that is open."""
        while self._partial and self._start is not None and len(self._times):
            if int(self._times[-1]) < self._start:
                return
            yield self._window(self._start)
            self._move(self._start + self._hop)

    def _hold(self, batch: EventBatch) -> None:
        first = int(batch.t[0]) if len(batch) else batch.span.stop
        times, late = running_times(batch.t, first if self._running is None else self._running)
        self.counts["late_events"] += late
        self._running = int(times[-1]) if len(times) else self._running
        self._held = batch if self._held is None else EventBatch.concat((self._held, batch))
        self._times = np.concatenate((self._times, times))

    def _open(self, time: int) -> None:
        behind = 0 if self._origin is None else (time - self._origin) % self._hop
        self._start = time - behind

    def _window(self, start: int) -> EventBatch:
        assert self._held is not None
        span = Span(start, start + self._duration)
        first, last = np.searchsorted(self._times, span)
        return self._held.cut(int(first), int(last), span).as_window(span)

    def _move(self, start: int) -> None:
        """Let go of the events before `start`, and open the window there unless the next event is
        far away.
        """
        assert self._held is not None
        first = int(np.searchsorted(self._times, start))
        self._held = self._held.cut(first, len(self._held), self._held.span)
        self._times = self._times[first:]
        self._start = start
        if len(self._times) and int(self._times[0]) - (start + self._duration) > self._max_gap:
            self.counts["gaps"] += 1
            self._start = None
