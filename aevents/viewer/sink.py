"""`view:` as a sink: what is written into it is shown on a page, for as long as it is open."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import anyio
import anyio.lowlevel
import msgspec

from aevents.operators.results import Result
from aevents.types import EventBatch, Frame, Sensor
from aevents.viewer.live import PushedShow
from aevents.viewer.results import said
from aevents.viewer.serve import Served
from aevents.viewer.server import Place
from aevents.viewer.viewer import MOST_SHOWS


class Options(Place, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a URL says: where to listen; a token of one's own; and whether to be silent."""

    token: str | None = None
    quiet: bool = False


def create_url(rest: str, /, **options: object) -> ViewSink:
    """Return the sink of a URL like `view:?port=8080`; options are those of `ViewSink`. Raises
    `ValueError`.
    """
    if rest:
        raise ValueError(f"view: takes options only, as in view:?port=8080, and no {rest!r}")
    words = {"yes": True, "no": False}
    given = {name: words.get(str(value), value) for name, value in options.items()}
    try:
        asked = msgspec.convert(given, Options, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(Options.__struct_fields__)
        raise ValueError(f"view: {error}; known: {known}") from None
    return ViewSink(asked)


class ViewSink:
    """Shows events, frames and results of models on a page in the browser, that of each sensor by
    itself. It waits for nobody: what no page could show is let go.

    The first item has it listen at `host` and `port`, and say once, on standard error unless
    `quiet`, where that is. Without `port` it is 8000 or the next that is free. Others than this
    machine need a `token`, made unless given, and `certificate` and `key`, or `insecure`.
    Raises `ValueError` for options that do not fit together; writing raises `MissingExtraError`
    without starlette and uvicorn, and `OSError` for a port that is taken.
    """

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._served = Served(self._options, token=self._options.token)
        self._shows: dict[Sensor, PushedShow] = {}
        self._task: asyncio.Task[None] | None = None
        self._begun = anyio.Event()
        self._end = anyio.Event()
        self._closed = False

    @property
    def url(self) -> str:
        """Where to watch, once something has been written."""
        return self._served.url

    async def write(self, item: object, /) -> None:
        """Show one item. Raises `TypeError` for what is no events, frame or result, and after the
        close `anyio.ClosedResourceError`.
        """
        await anyio.lowlevel.checkpoint()
        if self._closed:
            raise anyio.ClosedResourceError
        if not isinstance(item, EventBatch | Frame | Result):
            raise TypeError(f"a page shows events, frames and results, not a {type(item).__name__}")
        await self._listen()
        if isinstance(item, Result):
            result = cast("Result[object]", item)
            show = next(iter(self._shows.values()), None) or self._show_of(Sensor())
            show.told(said(show.id, result), ("result", show.id, result.model))
        else:
            self._show_of(item.sensor).put(item)

    async def aclose(self) -> None:
        """Close the page, and wait until all connections are closed, even when cancelled."""
        self._closed = True
        self._end.set()
        if self._task is None:
            return
        cancelled: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait((self._task,))
            except asyncio.CancelledError as error:  # a shield does not keep out a native one
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _listen(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        if not self._begun.is_set():
            await self._begun.wait()
        if self._task.done():
            self._task.result()

    async def _serve(self) -> None:
        try:
            async with self._served.running() as url:
                if not self._options.quiet:
                    sys.stderr.write(f"aevents: watch at {url}\n")
                self._begun.set()
                await self._end.wait()
        finally:
            self._begun.set()

    def _show_of(self, sensor: Sensor) -> PushedShow:
        """Return the show of a sensor, made for its first item; for too many, the first."""
        show = self._shows.get(sensor)
        if show is None and len(self._shows) < MOST_SHOWS:
            name = " ".join(part for part in (sensor.name, sensor.serial) if part)
            show = PushedShow(self._served.viewer.number(), name or "stream", "view:")
            self._shows[sensor] = show
            self._served.viewer.add(show)
        return show or next(iter(self._shows.values()))
