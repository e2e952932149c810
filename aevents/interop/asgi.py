"""ASGI: a stream inside a service of FastAPI or Starlette, for browsers and other programs.

Importing this raises `MissingExtraError` without Starlette or Pillow. The loop, the signals and
the logging of the service are left alone.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import anyio
import msgspec

from aevents._contracts import Report
from aevents.codecs.base import Encoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.errors import AeventsError, missing_extra
from aevents.interop.jpeg import Pictures, jpeg
from aevents.junctions.channel import NEWEST, Overflow
from aevents.junctions.hub import Hub
from aevents.stream import Stream
from aevents.types import EventBatch

try:
    from starlette.applications import Starlette
    from starlette.responses import Response, StreamingResponse
    from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
    from starlette.types import Receive, Scope, Send
    from starlette.websockets import WebSocket, WebSocketDisconnect
except ImportError as _missing:
    raise missing_extra("starlette", "web") from _missing

__all__ = ["Live", "figures", "jpeg", "mjpeg", "mount", "raw", "send_pictures"]

WINDOW_US = 33_333
BOUNDARY = "aevents"
MJPEG = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
RAW = Overflow("drop_oldest", capacity=1024, capacity_bytes=1 << 26)
"""What waits for a client that takes raw events; what it is too slow for is dropped and counted."""
SOON = Overflow("drop_oldest", capacity=64, capacity_bytes=1 << 24)
"""What waits to be made a picture."""
FOREIGN_ORIGIN, FAILED = 1008, 1011


def mjpeg(pictures: Hub[bytes]) -> Response:
    """Return a response that shows JPEG files one after the other, the newest alone to a client
    that is slow: what an `<img>` shows as a film (`multipart/x-mixed-replace`).
    """
    return _Following(pictures, lambda live: live.map(_part), media_type=MJPEG)


def raw(events: Hub[Any], encoder: Callable[[], Encoder[EventBatch]] = Evt3Encoder) -> Response:
    """Return a response of the bytes of a recording that goes on, EVT 3.0 unless another encoder is
    given: what `curl … > street.raw` keeps, and `aevents.open` reads.

    A client that is slower than the events for long loses the oldest, at most 64 MiB behind.
    """
    return _Following(
        events,
        lambda live: live.through(partial(_Encoded, encoder)),
        overflow=RAW,
        media_type="application/octet-stream",
    )


def figures(hub: Hub[Any] | Live, *, every_s: float = 1.0) -> Response:
    """Return a response of server-sent events, one every so many seconds: a JSON object with
    `events`, `items`, `rate_hz` (events a second since the last), `counts` by name, `subscribers`.
    """
    return StreamingResponse(
        _Figures(hub, every_s), media_type="text/event-stream", headers=NO_STORE
    )


async def send_pictures(websocket: WebSocket, pictures: Hub[bytes]) -> None:
    """Accept a WebSocket and send pictures until the stream ends (it is closed with 1000, after an
    error with 1011 and its text) or the client leaves. One that is slow gets the newest alone.
    """
    await websocket.accept()
    try:
        async with (
            pictures.subscribe() as live,
            live.open() as newest,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(_until_gone, websocket, tasks.cancel_scope)
            try:
                async for picture in newest:
                    await websocket.send_bytes(picture)
                await websocket.close()
            except AeventsError as error:
                await websocket.close(FAILED, str(error)[:120])
            tasks.cancel_scope.cancel()
    except* WebSocketDisconnect:
        pass


class Live:
    """A stream that a service gives out: `items` is the hub of what it holds, `pictures` one of
    JPEG files of its frames; events are made frames of `window_us` each. Enter it with `async
    with`, as `mount` does while the service runs; it can be entered again when it has been left.

    The stream is read from then on, whether somebody asks for it or not; no picture is made while
    nobody looks. Its error, where it fails, comes out of each subscription, and where this is left.
    """

    def __init__(self, stream: Stream[Any], *, window_us: int = WINDOW_US) -> None:
        self._stream = stream
        self._window_us = window_us
        self._open = AsyncExitStack()
        self.items: Hub[Any] = Hub(stream)
        self.pictures: Hub[bytes] = Hub(stream)

    @property
    def report(self) -> Report:
        """What has happened so far in the stream."""
        return self.items.report

    @property
    def subscribers(self) -> int:
        """How many take its items or its pictures now."""
        return max(self.items.subscribers - 1, 0) + self.pictures.subscribers

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            self.items = await opening.enter_async_context(Hub(self._stream))
            items = await opening.enter_async_context(self.items.subscribe(SOON))
            pictures = items.through(partial(Pictures, self._window_us, self._seen))
            self.pictures = await opening.enter_async_context(Hub(pictures))
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.__aexit__(exc_type, exc, traceback)  # noqa: ASYNC102  # the hubs cancel

    def _seen(self) -> bool:
        return self.pictures.subscribers > 0


def mount(
    app: Starlette,
    stream: Stream[Any],
    path: str = "/events",
    *,
    window_us: int = WINDOW_US,
    origins: tuple[str, ...] = (),
) -> Live:
    """Give out a stream under `path` of a FastAPI or Starlette application while that runs.

    `path/frames` is a WebSocket of JPEG pictures, `path/frames.mjpeg` the same for an `<img>`,
    `path/figures` are figures as server-sent events, `path/events.raw` is a recording in EVT 3.0
    that goes on. Any number of clients share one reading of the stream, and a slow one holds up
    nobody. Pages of other origins than the service's own, and `origins`, get no WebSocket (1008).

    The application's own lifespan goes on as it was, within that of the stream.
    """
    live = Live(stream, window_us=window_us)

    async def frames(websocket: WebSocket) -> None:
        if not _same_origin(websocket, origins):
            await websocket.close(FOREIGN_ORIGIN)
            return
        await send_pictures(websocket, live.pictures)

    routes: list[BaseRoute] = [
        WebSocketRoute("/frames", frames),
        Route("/frames.mjpeg", lambda _: mjpeg(live.pictures)),
        Route("/figures", lambda _: figures(live)),
        Route("/events.raw", lambda _: raw(live.items)),
    ]
    app.router.routes.append(Mount(path, routes=routes))
    app.router.lifespan_context = partial(_both, live, app.router.lifespan_context)
    return live


@asynccontextmanager
async def _both(
    live: Live, lifespan: Callable[[Any], AbstractAsyncContextManager[Any]], app: object
) -> AsyncIterator[Any]:
    async with live, lifespan(app) as state:
        yield state


class _Following(StreamingResponse):
    """A body that goes on as long as a subscription."""

    def __init__(
        self,
        hub: Hub[Any],
        pieces: Callable[[Stream[Any]], Stream[bytes]],
        *,
        overflow: Overflow = NEWEST,
        media_type: str,
    ) -> None:
        super().__init__((), media_type=media_type, headers=NO_STORE)
        self._hub = hub
        self._pieces = pieces
        self._overflow = overflow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._hub.subscribe(self._overflow) as live, self._pieces(live).open() as body:
            self.body_iterator = _Whole(body)
            await super().__call__(scope, receive, send)


class _Whole:
    """Pieces of a body, which ends where the stream fails: its error is the hub's to tell."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except AeventsError:
            raise StopAsyncIteration from None


class _Figures:
    """Figures as server-sent events, the first at once."""

    def __init__(self, hub: Hub[Any] | Live, every_s: float) -> None:
        self._hub = hub
        self._every_s = every_s
        self._told: tuple[float, int] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        rate = 0.0
        if self._told is not None:
            await anyio.sleep(self._every_s)
            before, events = self._told
            rate = (self._hub.report.events - events) / (time.monotonic() - before)
        report = self._hub.report
        self._told = time.monotonic(), report.events
        told = {
            "events": report.events,
            "items": report.delivered,
            "rate_hz": round(rate, 1),
            "counts": dict(report.anomalies),
            "subscribers": self._hub.subscribers,
        }
        return b"data: " + msgspec.json.encode(told) + b"\n\n"


class _Encoded:
    """Batches to the bytes of a recording."""

    def __init__(self, encoder: Callable[[], Encoder[EventBatch]]) -> None:
        self._encoder = encoder()

    def feed(self, item: object, /) -> Iterator[bytes]:
        """Give the bytes of a batch of events."""
        if isinstance(item, EventBatch):
            yield from (piece for piece in self._encoder.feed(item) if isinstance(piece, bytes))

    def flush(self) -> Iterator[bytes]:
        """Give the end."""
        yield from (piece for piece in self._encoder.flush() if isinstance(piece, bytes))


def _part(picture: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + b"\r\n"


async def _until_gone(websocket: WebSocket, scope: anyio.CancelScope) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel()


def _same_origin(websocket: WebSocket, others: tuple[str, ...]) -> bool:
    origin = websocket.headers.get("origin")
    own = origin is None or urlsplit(origin).netloc == websocket.headers.get("host")
    return own or origin in others
