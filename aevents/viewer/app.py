"""The ASGI app: the files of the page, and one WebSocket for all the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from aevents.errors import missing_extra
from aevents.viewer import messages as m
from aevents.viewer.security import Guard
from aevents.viewer.slots import Outbox
from aevents.viewer.viewer import MOST_PAGES, Viewer

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

STATIC = Path(__file__).parent / "static"
UNREADABLE, NO_TEXT, FULL = 1007, 1003, 503


def app_of(viewer: Viewer, *, host: str, token: str | None = None) -> ASGIApp:
    """Return the app of a viewer for a server on `host`. Raises `MissingExtraError` without
    starlette. It blocks: modules are loaded.
    """
    try:
        from starlette.applications import Starlette
        from starlette.routing import Mount, WebSocketRoute
        from starlette.staticfiles import StaticFiles
    except ImportError:
        raise missing_extra("starlette", "web") from None

    async def meet(socket: WebSocket) -> None:
        await _meet(viewer, socket)

    files = StaticFiles(directory=STATIC, html=True)
    routes = [WebSocketRoute("/ws", meet), Mount("/", files)]
    return Guard(Starlette(routes=routes), host=host, token=token)


async def _meet(viewer: Viewer, socket: WebSocket) -> None:
    """Serve one page until it leaves."""
    from starlette.responses import PlainTextResponse

    if len(viewer.pages) >= MOST_PAGES:
        full = PlainTextResponse(f"{MOST_PAGES} pages look already.\n", FULL)
        await socket.send_denial_response(full)
        return
    page = Outbox()
    viewer.pages.add(page)
    try:
        await socket.accept()
        await viewer.join(page)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_write, socket, page)
            await _read(viewer, socket, page)
            tasks.cancel_scope.cancel()
    finally:
        viewer.leave(page)


async def _write(socket: WebSocket, page: Outbox) -> None:
    """Send what there is, as fast as the page takes it."""
    from starlette.websockets import WebSocketDisconnect

    try:
        while True:
            message = await page.next()
            await (
                socket.send_text(message)
                if isinstance(message, str)
                else socket.send_bytes(message)
            )
    except (WebSocketDisconnect, RuntimeError):  # gone, which the reader notices too
        return


async def _read(viewer: Viewer, socket: WebSocket, page: Outbox) -> None:
    """Do what the page asks until it leaves; one that says what no page says, is left."""
    while True:
        got = await socket.receive()
        if got["type"] != "websocket.receive":
            return
        text = got.get("text")
        if text is None:
            await socket.close(NO_TEXT, "a page says everything in text")
            return
        try:
            command = m.read(text)
        except m.MalformedError as error:
            await socket.close(UNREADABLE, str(error)[:100])
            return
        await viewer.do(page, command)
        page.wake()
