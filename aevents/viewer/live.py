"""What is live as a show: it can stand still, while it is read on and recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio
from anyio.abc import TaskGroup

from aevents._contracts import Report
from aevents._driver import AsyncRun
from aevents.stream import Stream
from aevents.viewer.feed import Feed
from aevents.viewer.messages import Problem, Saved
from aevents.viewer.recorder import Item, Recorder
from aevents.viewer.shows import RefusedError, Show
from aevents.viewer.words import line_of


class PushedShow(Show):
    """What is put into it as it comes. It can stand still, and then goes on with what comes."""

    def __init__(self, id: int, name: str, url: str) -> None:
        super().__init__(id, name, url)
        self._feed = Feed(self)

    def put(self, item: Item) -> None:
        """Show this too. It waits for nobody."""
        self._feed.add(item)

    def drops(self) -> Mapping[str, int]:
        """Return what was lost so far, by cause."""
        return {"unshown_events": self._feed.unshown} if self._feed.unshown else {}

    async def run(self) -> None:
        """Show what comes, until cancelled."""
        await self._feed.run()

    def play(self) -> None:
        """Show what comes from now on."""
        self.stand("playing")

    def pause(self) -> None:
        """Show nothing new."""
        if self.state == "playing":
            self.stand("paused")


class LiveShow(PushedShow):
    """A source that comes as it comes. A recorder beside the page gets all of it, and is waited
    for.
    """

    def __init__(
        self,
        id: int,
        name: str,
        url: str,
        open: Callable[[], Stream[Item]],
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(id, name, url)
        self._open = open
        self._recorder = recorder
        self._run: AsyncRun[Item] | None = None
        self._again = anyio.Event()
        self._tasks: TaskGroup | None = None
        self._reading: anyio.CancelScope | None = None

    @property
    def can_record(self) -> bool:
        """Whether there is a folder to record into."""
        return self._recorder is not None

    def drops(self) -> Mapping[str, int]:
        """Return what was lost so far, by cause."""
        anomalies = self._run.report.anomalies if self._run else {}
        lost = {name: count for name, count in anomalies.items() if name in Report.LOSSES}
        return {**lost, **super().drops()}

    async def run(self) -> None:
        """Read it until cancelled; when it has ended or failed, again when a page asks."""
        async with anyio.create_task_group() as self._tasks:
            self._tasks.start_soon(self._feed.run)
            while True:
                self._again = anyio.Event()
                with anyio.CancelScope() as self._reading:
                    await self._read()
                await self._feed.flush()
                if self._recorder is not None:
                    self._recorder.end()
                if not self._reading.cancel_called:
                    await self._again.wait()
                    self.stand("playing")

    def play(self) -> None:
        """Show what comes from now on; open again what has ended or failed."""
        if self.state in ("ended", "failed"):
            self._again.set()
        else:
            super().play()

    def reopen(self) -> None:
        """Close the source, and open it anew."""
        if self.state in ("ended", "failed"):
            self._again.set()
        elif self._reading is not None:
            self._reading.cancel()

    async def record(self, *, on: bool) -> None:
        """Begin a recording of all that comes from now on, or end it. Raises `RefusedError`."""
        if self._recorder is None:
            raise RefusedError("there is no folder to record into: start it with --folder DIR")
        if not on:
            self._recorder.end()
        elif self.recording is None:
            if self.state in ("ended", "failed") or self._tasks is None:
                raise RefusedError(f"nothing comes from {self.name} that could be recorded")
            self.recording = await self._recorder.begin(self.name)
            self._tasks.start_soon(self._write, self._recorder, self.recording)
            self.tell_status()

    async def _read(self) -> None:
        self._feed.begin()
        try:
            async with self._open().open() as self._run:
                async for item in self._run:
                    self.put(item)
                    if self._recorder is not None:
                        await self._recorder.take(item)
        except Exception as error:  # a person is told, and may try again
            self.stand("failed", line_of(error))
        else:
            self.stand("ended")

    async def _write(self, recorder: Recorder, name: str) -> None:
        try:
            await recorder.write(name)
        except Exception as error:  # the page goes on without
            self.tell(Problem(self.id, f"{name} could not be written: {line_of(error)}"))
        else:
            self.tell(Saved(self.id, "recording", name))
        finally:
            self.recording = None
            self.tell_status()
