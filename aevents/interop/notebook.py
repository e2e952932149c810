"""A live view in a notebook: the newest picture of a stream, and how it goes.

Importing this raises `MissingExtraError` without anywidget.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from aevents._contracts import Report
from aevents._display import picture_of
from aevents.codecs.png import encode_png
from aevents.errors import missing_extra
from aevents.junctions.channel import NEWEST
from aevents.junctions.merge import buffer
from aevents.junctions.pump import running
from aevents.operators.colour import Paint
from aevents.stream import Stream
from aevents.types import Span

try:
    from anywidget import AnyWidget
    from IPython.display import display
    from traitlets import Bool, Bytes, Unicode
except ImportError as _missing:
    raise missing_extra("anywidget", "notebook") from _missing

__all__ = ["Live", "watch"]

HZ = 10.0
"""Enough to follow, and no burden on the kernel."""
DROPPED = "queue_dropped_oldest"


class _Page(AnyWidget):
    """What the page knows of a view."""

    _esm = Path(__file__).with_name("live.js").read_text()  # once, and not on a loop
    picture = Bytes(b"").tag(sync=True)
    figures = Unicode("").tag(sync=True)
    running = Bool(False).tag(sync=True)


class Live:
    """A view of the newest picture of a stream of events or frames, at most `hz` a second, figures
    below it, and a button that stops it.

    It has one place for what is to be shown: what comes meanwhile replaces it, so that a slow page
    holds up nobody. Show it, and `await live.run()`: it runs until the stream ends, the cell is
    interrupted, or `stop()` or `close()` is called; or have it run beside other work, with `async
    with live.beside():`. A kernel that handles one cell at a time hears of the button when the cell
    is done. Raises `ValueError` unless `hz` is above 0.
    """

    def __init__(self, stream: Stream[object], *, hz: float = HZ) -> None:
        if not hz > 0:
            raise ValueError(f"hz is above 0, not {hz}")
        self._stream = stream
        self._hz = hz
        self._paint = Paint()
        self._report = Report(0, 0, {})
        self._loop: asyncio.AbstractEventLoop | None = None  # that it runs on
        self._scope: anyio.CancelScope | None = None
        self._page = _Page()
        self._page.on_msg(self._hear)

    @property
    def picture(self) -> bytes:
        """The PNG file that is shown."""
        return bytes(self._page.picture)

    @property
    def figures(self) -> str:
        """What stands below it."""
        return str(self._page.figures)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._loop is not None

    async def run(self) -> Report:
        """Show what comes, until it ends or is stopped, and return what happened.

        Raises what reading the stream raises, and `RuntimeError` while it runs already.
        """
        if self.running:
            raise RuntimeError("this view runs already: make another one")
        self._loop = asyncio.get_running_loop()
        self._scope = scope = anyio.CancelScope()
        self._page.running = True
        try:
            with scope:
                async with buffer(self._stream, overflow=NEWEST) as newest:
                    await self._follow(newest)
        finally:
            self._loop, self._scope, self._page.running = None, None, False
        return self._report

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Let it run while the body does, and end with it. Raises what `run` raises."""
        async with running([self._run]):
            yield

    def stop(self) -> None:
        """Let it end, from any thread; nothing happens where it does not run."""
        loop, scope = self._loop, self._scope
        if loop is not None and scope is not None:
            loop.call_soon_threadsafe(scope.cancel)

    def close(self) -> None:
        """Let it end, and take it off the page."""
        self.stop()
        self._page.close()

    def _repr_mimebundle_(self, **_asked: object) -> object:
        return self._page._repr_mimebundle_()

    async def _run(self) -> None:
        await self.run()

    async def _follow(self, newest: Stream[object]) -> None:
        async with newest.limited(hz=self._hz).open() as items:
            async for item in items:
                self._page.picture = await anyio.to_thread.run_sync(self._drawn, item)
                self._report = items.report
                self._page.figures = _line(item, items.report)

    def _drawn(self, item: object) -> bytes:
        """Return the picture of an item; nothing where it has none. Runs in a worker thread."""
        pixels = picture_of(item, self._paint)
        return b"" if pixels is None else encode_png(pixels, level=1)

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        if content == "stop":
            self.stop()


async def watch(stream: Stream[object], *, hz: float = HZ) -> Report:
    """Show a stream below the cell until it ends or the cell is interrupted; see `Live`."""
    live = Live(stream, hz=hz)
    display(live)  # type: ignore[no-untyped-call]  # IPython's own
    return await live.run()


def _line(item: object, report: Report) -> str:
    """Return how it goes, in one line."""
    span: Span = getattr(item, "span", Span(0, 0))
    replaced = report.get(DROPPED, 0)
    return f"{span.stop / 1e6:,.3f} s   {report.delivered:,} shown, {replaced:,} passed over"
