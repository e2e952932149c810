"""A recording as a show: it plays, stands still, steps, and goes to any time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

import anyio
import anyio.to_thread
import msgspec
from anyio.abc import TaskGroup

from aevents._contracts import Report
from aevents._driver import CLOSE_SECONDS
from aevents.stream import Stream
from aevents.types import Sensor, Span
from aevents.viewer.messages import Rates, State
from aevents.viewer.packing import Piece
from aevents.viewer.reader import Item, Read, Reader
from aevents.viewer.shows import PIECE_SECONDS, Show
from aevents.viewer.slots import Outbox
from aevents.viewer.survey import last_of, survey
from aevents.viewer.words import line_of

SECOND_US = 1_000_000
SPEEDS = (0.001, 1000.0)
MOST_EVENTS = 500_000
"""So many events are read for a piece that is played: where there are more, time goes slower."""
MOST_LOOKED_AT = 8_000_000
"""So many, the newest, for the picture of a moment."""
LONGEST_WINDOW_US = 1_000_000
MOST_ACTS = 32


class Act(msgspec.Struct, frozen=True):
    """What a page has asked: go to a time, or on by some, and show what is in a window before."""

    to: int | None = None
    by: int = 0
    window_us: int = 0


class RecordingShow(Show):
    """A recording. It plays while somebody looks; all pages see the same moment."""

    live: bool = False
    seekable: bool = True
    sensor: Sensor
    speed: float
    time_us: int
    first_us: int | None
    last_us: int | None

    def __init__(self, id: int, name: str, url: str, open: Callable[[], Stream[Item]]) -> None:
        super().__init__(id, name, url)
        self._open = open
        self.rates: Rates | None = None
        self._reader: Reader | None = None
        self._tasks: TaskGroup | None = None
        self._acts: deque[Act] = deque(maxlen=MOST_ACTS)
        self._work: anyio.CancelScope | None = None
        self._wake = anyio.Event()
        self._wall = 0.0  # when time was `_from`, in seconds of the loop
        self._from = 0.0
        self._due = 0.0  # when the next piece is

    def attach(self, page: Outbox) -> None:
        """Show it to this page too."""
        super().attach(page)
        if self.rates is not None:
            page.tell(self.rates, ("rates", self.id))
        self._wake.set()

    def drops(self) -> Mapping[str, int]:
        """Return what was lost since it was opened, by cause."""
        anomalies = self._reader.run.report.anomalies if self._reader else {}
        return {name: count for name, count in anomalies.items() if name in Report.LOSSES}

    def play(self) -> None:
        """Go on; from the beginning where it has ended, and open again what has failed."""
        if self.state == "ended":
            self.seek(self.first_us or 0, 0)
        elif self.state == "failed":
            self.seek(self.time_us, 0)
        self._go("playing")

    def pause(self) -> None:
        """Stand still."""
        if self.state == "playing":
            self._go("paused")

    def step(self, by_us: int, window_us: int) -> None:
        """Go on by so much, or back, and stand still."""
        self._acts.append(Act(by=by_us, window_us=window_us))
        self._go("paused")

    def seek(self, time_us: int, window_us: int) -> None:
        """Go there: nothing is read that lies before, where the format allows it."""
        self._acts.clear()
        self._acts.append(Act(time_us, 0, window_us))
        if self._work is not None:
            self._work.cancel()
        self._go("playing" if self.state == "playing" else "paused")

    def set_speed(self, value: float) -> None:
        """Play so much faster than it happened."""
        slowest, fastest = SPEEDS
        self.speed = min(max(value, slowest), fastest)
        self._anchor()
        self.tell_status()

    async def run(self) -> None:
        """Show it, until cancelled."""
        async with anyio.create_task_group() as self._tasks:
            try:
                while True:
                    with anyio.CancelScope() as self._work:
                        await self._move()
            finally:
                with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                    await self._close()

    async def _move(self) -> None:
        """Do one thing: what a page has asked, or a piece, or wait."""
        try:
            if self._acts:
                await self._do(self._acts.popleft())
            elif self.state == "playing" and self.watched:
                await self._advance()
            else:
                self._wake = anyio.Event()
                await self._wake.wait()
                self._anchor()
        except Exception as error:  # a person is told, and may try again
            await self._close()
            self.stand("failed", line_of(error))

    async def _do(self, act: Act) -> None:
        if act.to is None and act.by >= 0 and self._reader is not None:
            read = await self._reader.until(self.time_us + act.by, most=MOST_LOOKED_AT, newest=True)
            await self._show(read, Span(self.time_us, read.reached))
            return
        to = self.time_us + act.by if act.to is None else act.to
        await self._jump(to, min(max(0, act.window_us), LONGEST_WINDOW_US))

    async def _jump(self, to: int, window_us: int) -> None:
        """Be at this time, and show what was right before."""
        if self.first_us is None:
            await self._begin()
        first = self.first_us or 0
        to = max(to if self.last_us is None else min(to, self.last_us + 1), first)
        start = max(to - window_us, first)
        await self._close()
        self._reader = Reader(self._open(), start)
        read = await self._reader.until(to, most=MOST_LOOKED_AT, newest=True)
        await self._show(read, Span(start, to), jump=True)
        self._anchor()

    async def _begin(self) -> None:
        """Be at the beginning."""
        await self._close()
        self._reader = Reader(self._open(), None)
        self.time_us = self.first_us = await self._reader.begin()
        self.sensor = getattr(await self._reader.peek(), "sensor", self.sensor)
        self.changed()
        self._anchor()
        if self._tasks is not None:
            self._tasks.start_soon(self._survey, self.first_us)

    async def _survey(self, first: int) -> None:
        """Find out how far it reaches, and its rates; what goes wrong there, playing tells."""
        with suppress(Exception):
            self._reaches(await last_of(self._open()))
            await survey(self._open(), first, self.id, self._tell_rates)

    def _tell_rates(self, rates: Rates, last: int | None) -> None:
        self.rates = rates
        self.told(rates, ("rates", self.id))
        self._reaches(last)

    def _reaches(self, last: int | None) -> None:
        if last is not None and last != self.last_us:
            self.last_us = last
            self.changed()

    async def _advance(self) -> None:
        """Show the next piece when it is due."""
        if self._reader is None:
            await (self._begin() if self.first_us is None else self._jump(self.time_us, 0))
        assert self._reader is not None
        now = _now()
        self._due = max(self._due + PIECE_SECONDS, now)
        await anyio.sleep_until(self._due)
        stop = int(self._from + (_now() - self._wall) * SECOND_US * self.speed)
        if stop <= self.time_us:
            return
        read = await self._reader.until(stop, most=MOST_EVENTS)
        await self._show(read, Span(self.time_us, max(self.time_us, read.reached)))
        if read.reached < stop:  # it is slower than that
            self._anchor()
        if self._reader.ended:
            self._end()

    def _end(self) -> None:
        if self.state == "playing":
            self.stand("ended")

    async def _show(self, read: Read, span: Span, *, jump: bool = False) -> None:
        pieces = await anyio.to_thread.run_sync(self._packed, read, span, jump, _now())
        for piece in pieces:
            self.publish(piece)
        if jump:
            self.asker.jump()
        for batch in read.batches:
            self.asker.put(batch)
        if read.frame is not None:
            self.asker.put(read.frame)
        self.time_us = span.stop

    def _packed(self, read: Read, span: Span, jump: bool, now: float) -> list[Piece]:
        pieces = []
        if read.batches or read.frame is None or jump:
            pieces.append(self.packer.events(read.batches, span, jump=jump, arrived=now))
        if read.frame is not None:
            pieces.append(self.packer.picture(read.frame, arrived=now))
        return pieces

    def _go(self, state: State) -> None:
        self._anchor()
        self.stand(state)
        self._wake.set()

    def _anchor(self) -> None:
        """Have time go on from here and now."""
        self._wall, self._from = _now(), float(self.time_us)

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.aclose()


def _now() -> float:
    return asyncio.get_running_loop().time()
