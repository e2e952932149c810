"""The shows, the pages that look at them, and who may ask for what."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from aevents.viewer import messages as m
from aevents.viewer.folder import Folder
from aevents.viewer.packing import FAR_EVENTS, NEAR_EVENTS
from aevents.viewer.shows import RefusedError, Show
from aevents.viewer.slots import Outbox
from aevents.viewer.tasks import task_group
from aevents.viewer.words import line_of

MOST_PAGES = 32
MOST_SHOWS = 16
STATS_SECONDS = 0.25
LAG_SECONDS = 0.02

Make = Callable[[int, str], Show]
"""Makes the show of a recording in the folder: from its number, and its name there."""


class Viewer:
    """Shows, and the pages that look at them. Enter it with `async with`: the shows run while the
    body runs.

    `make` opens what a page asks to be opened, from `folder`; without them nothing is opened. Pages
    are `near` where they are on this machine.
    """

    def __init__(
        self, folder: Folder | None = None, make: Make | None = None, *, near: bool = True
    ) -> None:
        self.shows: dict[int, Show] = {}
        self.pages: set[Outbox] = set()
        self.server: str = secrets.token_hex(8)
        self.folder: Folder | None = folder
        self._make = make
        self._near = near
        self._names: tuple[str, ...] = ()
        self._tasks: TaskGroup | None = None
        self._numbers = 0
        self._lag = 0.0
        self._told: dict[int, m.Status] = {}
        self._scopes: dict[int, anyio.CancelScope] = {}

    @asynccontextmanager
    async def running(self, shows: Iterable[Show] = ()) -> AsyncIterator[None]:
        """Run the shows, these and those to come, while the body runs."""
        async with task_group() as self._tasks:
            self._tasks.start_soon(self._measure)
            self._tasks.start_soon(self._tell_figures)
            for show in shows:
                self.add(show)
            yield

    def number(self) -> int:
        """Return the number of a show to come. Raises `RefusedError` if there are too many."""
        if len(self.shows) >= MOST_SHOWS:
            raise RefusedError(f"{MOST_SHOWS} sources are shown: close one first")
        while self._numbers in self.shows:
            self._numbers = (self._numbers + 1) % 256
        return self._numbers

    def add(self, show: Show) -> None:
        """Show this to every page, and run it."""
        assert self._tasks is not None, "enter running() first"
        show.told, show.changed = self._tell_all, self._greet_all
        show.packer.most_sparse = NEAR_EVENTS if self._near else FAR_EVENTS
        self.shows[show.id] = show
        self._numbers = (show.id + 1) % 256
        self._greet_all()
        for page in self.pages:
            show.attach(page)
        self._tasks.start_soon(self._run, show)

    def remove(self, show: Show) -> None:
        """Show this no more."""
        if self.shows.pop(show.id, None) is not None:
            if (scope := self._scopes.pop(show.id, None)) is not None:
                scope.cancel()
            self._told.pop(show.id, None)
            for page in self.pages:
                show.detach(page)
            self._greet_all()

    async def join(self, page: Outbox) -> None:
        """Show everything to this page. The caller has seen that there is room for it."""
        self.pages.add(page)
        await self.look_again()
        page.tell(self.hello(), "hello")
        for show in self.shows.values():
            show.attach(page)

    def leave(self, page: Outbox) -> None:
        """Show nothing more to this page."""
        self.pages.discard(page)
        for show in self.shows.values():
            show.detach(page)

    def hello(self) -> m.Hello:
        """Return what there is."""
        shows = [show.about() for show in self.shows.values()]
        can = m.Can(self.folder is not None, self._make is not None)
        return m.Hello(m.VERSION, self.server, shows, can, self._names)

    async def look_again(self) -> None:
        """See what is in the folder."""
        if self.folder is not None:
            self._names = await anyio.to_thread.run_sync(self.folder.names)

    async def do(self, page: Outbox, command: m.Command) -> None:
        """Do what a page asks, or tell it why not."""
        number = getattr(command, "show", None)
        try:
            if isinstance(command, m.Open):
                await self._open(command.name)
            elif number not in self.shows:
                raise RefusedError("this is not shown any more")
            elif isinstance(command, m.Credit):
                now = asyncio.get_running_loop().time()
                page.slots[number].credit(command.seq, command.count, now)
            elif isinstance(command, m.Close):
                self._close(self.shows[number])
            else:
                await _ask(self.shows[number], command)
        except (RefusedError, ValueError, OSError) as error:
            page.tell(m.Problem(number, line_of(error)))

    async def _open(self, name: str) -> None:
        if self.folder is None or self._make is None:
            raise RefusedError("there is no folder to open anything from: start it with --folder")
        known = next((show for show in self.shows.values() if show.name == name), None)
        if known is not None:
            raise RefusedError(f"{name} is shown already")
        path = await anyio.to_thread.run_sync(self.folder.path_of, name)
        show = await anyio.to_thread.run_sync(self._make, self.number(), str(path))
        show.name = name
        self.add(show)

    def _close(self, show: Show) -> None:
        if show.live or len(self.shows) < 2:
            raise RefusedError(f"{show.name} stays: only recordings beside others can be closed")
        self.remove(show)

    async def _run(self, show: Show) -> None:
        with anyio.CancelScope() as self._scopes[show.id]:
            async with task_group() as tasks:
                tasks.start_soon(show.asker.run)
                try:
                    await show.run()
                except Exception as error:  # the others go on
                    show.stand("failed", line_of(error))

    def _tell_all(self, message: m.ToPage, key: object) -> None:
        if isinstance(message, m.Saved):
            assert self._tasks is not None
            self._tasks.start_soon(self._saved)
        for page in self.pages:
            page.tell(message, key)

    async def _saved(self) -> None:
        await self.look_again()
        self._greet_all()

    def _greet_all(self) -> None:
        hello = self.hello()
        for page in self.pages:
            page.tell(hello, "hello")

    async def _measure(self) -> None:
        """Note how late the event loop is, at most."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_SECONDS
            await anyio.sleep(LAG_SECONDS)
            self._lag = max(self._lag, loop.time() - due)

    async def _tell_figures(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await anyio.sleep(STATS_SECONDS)
            now, lag = loop.time(), self._lag
            seconds, before, self._lag = now - before, now, 0.0
            for show in self.shows.values():
                self._tell_figures_of(show, seconds, lag)

    def _tell_figures_of(self, show: Show, seconds: float, lag: float) -> None:
        events, on = show.figures.taken()
        drops = show.drops()
        figures = partial(
            m.Stats, show.id, events / seconds, on, events - on, drops, lag * 1e3,
            clients=len(self.pages),
        )  # fmt: skip
        status = show.status()
        news = self._told.get(show.id) != status
        self._told[show.id] = status
        for page in self.pages:
            slot = page.slots.get(show.id)
            if slot is not None:
                age = None if slot.age is None else slot.age * 1e3
                stats = figures(
                    age_ms=age, skipped=slot.skipped, skipped_events=slot.skipped_events
                )
                page.tell(stats, ("stats", show.id))
            if news:
                page.tell(status, ("state", show.id))


async def _ask(show: Show, command: m.Command) -> None:
    """Ask a show what a page has asked. Raises what that raises."""
    answer = ASKS[type(command)](show, command)
    if isinstance(answer, Awaitable):
        await answer


ASKS: Mapping[type, Callable[[Show, Any], object]] = {
    m.Play: lambda show, _: show.play(),
    m.Pause: lambda show, _: show.pause(),
    m.Step: lambda show, ask: show.step(ask.direction * ask.duration_us, ask.window_us),
    m.Seek: lambda show, ask: show.seek(ask.time_us, ask.window_us),
    m.Speed: lambda show, ask: show.set_speed(ask.value),
    m.Record: lambda show, ask: show.record(on=ask.on),
    m.SetBias: lambda show, ask: show.set_bias(ask.name, ask.value),
    m.SetRoi: lambda show, ask: show.set_roi((ask.x, ask.y, ask.width, ask.height)),
    m.Run: lambda show, ask: show.ask(ask.model, ask.every_us, on=ask.on),
}
"""What each message asks of a show."""
