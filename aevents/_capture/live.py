"""A camera or a stream of the network as frames: opened again whenever it is lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from math import inf

import anyio
import anyio.to_thread

from aevents._capture.film import Capture, Opener, Shot
from aevents.errors import DecodeError
from aevents.operators.base import add_counts
from aevents.operators.view import View, frame_of
from aevents.types import Frame, Span

SECOND_US = 1_000_000
FIRST_WAIT = 0.1
"""Seconds before what was lost is opened again ..."""
LONGEST_WAIT = 2.0
"""... and twice as many after each time in vain, up to these."""


class LiveVideo:
    """The frames of something live, as a waiting source: the first at 0 µs, each for as long as the
    one before, or its nominal time if that is shorter.

    Each is read in a worker, of which this source has its own; a cancelled read leaves it at work,
    and the next one takes what it brings. What is lost, ends or does not answer in time is opened
    again, for `reconnect_us` of wall time; then the times of frames go on by the wall time that has
    passed. `counts` has `gaps`, how often that was, and `gap_us`, how long altogether.

    An error before the first frame is raised at once, and so is one when there is no more time to
    try again.
    """

    def __init__(self, open_capture: Opener, view: View, reconnect_us: int | None) -> None:
        self._view = view
        self._patience = inf if reconnect_us is None else reconnect_us / SECOND_US
        self._reader = _Reader(open_capture)
        self._limiter = anyio.CapacityLimiter(1)
        self._ahead: asyncio.Future[Shot | Exception] | None = None
        self._clock = _Clock()
        self._wait = FIRST_WAIT
        self._lost: float | None = None  # when it was lost
        self._closed = False

    @property
    def counts(self) -> Mapping[str, int]:
        """What was not as it should be, by name."""
        return add_counts((self._clock.counts, self._reader.counts))

    async def __anext__(self) -> Frame:
        """Return the next frame. A cancelled call loses none."""
        while not self._closed:
            if self._ahead is None:
                self._ahead = asyncio.ensure_future(
                    anyio.to_thread.run_sync(
                        self._reader.read, abandon_on_cancel=True, limiter=self._limiter
                    )
                )
            await asyncio.wait((self._ahead,))  # cancelling this leaves it alone
            if self._ahead.cancelled():  # by the close
                break
            found, self._ahead = self._ahead.result(), None
            if isinstance(found, Shot):
                self._lost, self._wait = None, FIRST_WAIT
                return self._frame(found)
            await self._try_again(found)
        raise StopAsyncIteration

    def close(self) -> None:
        """Close it at once, or when the read that is under way has ended."""
        self._closed = True
        if self._ahead is not None:
            self._ahead.cancel()
        self._reader.close()

    async def aclose(self) -> None:
        """Close it."""
        self.close()

    async def _try_again(self, error: Exception) -> None:
        now = anyio.current_time()
        if self._lost is None:
            self._lost = now
        self._clock.lost()
        if not self._clock.running or now + self._wait - self._lost > self._patience:
            raise error
        wait, self._wait = self._wait, min(2 * self._wait, LONGEST_WAIT)
        await anyio.sleep(wait)

    def _frame(self, shot: Shot) -> Frame:
        span = self._clock.span(shot.time_us, anyio.current_time(), self._reader.period)
        return frame_of(shot.pixels, span, self._view.mode)


class _Reader:
    """Opens and reads, in a worker; nothing that it has opened is left behind."""

    def __init__(self, open_capture: Opener) -> None:
        self._open = open_capture
        self._capture: Capture | None = None
        self._before: Mapping[str, int] = {}  # what was counted before it was opened
        self._closed = False
        self._lock = threading.Lock()
        self.counts: Mapping[str, int] = {}
        self.period = 0.0

    def read(self) -> Shot | Exception:
        """Return the next picture, or why there is none; then the next read opens it anew."""
        with self._lock:
            try:
                return self._read()
            except (OSError, DecodeError) as error:
                self._close()
                return error
            finally:
                if self._closed:
                    self._close()

    def close(self) -> None:
        """Close it, now or at the end of the read that is under way."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    def _read(self) -> Shot:
        if self._capture is None:
            self._capture = self._open()
            self._before = self.counts
            self.period = float(SECOND_US / self._capture.rate)
        shot = self._capture.read()
        self.counts = add_counts((self._before, self._capture.counts))
        if shot is None:
            raise ConnectionError("what is live has ended")
        return shot

    def _close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.close()


class _Clock:
    """Times of frames, from 0 on: by the source's own clock, and over gaps by wall time."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {"gaps": 0, "gap_us": 0}
        self._begun: float | None = None  # wall time of the first frame
        self._offset: int | None = None  # of the source's clock
        self._last: Span | None = None

    @property
    def running(self) -> bool:
        """Whether there has been a frame."""
        return self._begun is not None

    def lost(self) -> None:
        """Forget the source's clock: the next frame is of another one."""
        self._offset = None

    def span(self, time: int | None, now: float, period: float) -> Span:
        """Return the span of a frame that has this time, and comes now."""
        if self._begun is None:
            self._begun = now
        wall = int((now - self._begun) * SECOND_US)
        if self._offset is None:
            self._offset = wall - (time or 0)
            self._note_gap(wall)
        start = wall if time is None else time + self._offset
        last, length = self._last, max(1, int(period))
        if last is not None:
            length = max(1, min(length, start - last.start))
            start = max(start, last.stop)
        self._last = Span(start, start + length)
        return self._last

    def _note_gap(self, wall: int) -> None:
        if self._last is not None:
            self.counts["gaps"] += 1
            self.counts["gap_us"] += max(0, wall - self._last.stop)
