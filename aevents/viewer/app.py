"""The ASGI app: the files of the page, and one WebSocket for all the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aevents.errors import missing_extra
from aevents.viewer import messages as m
from aevents.viewer.security import Guard
from aevents.viewer.slots import Outbox
from aevents.viewer.tasks import task_group
from aevents.viewer.viewer import MOST_PAGES, Viewer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

STATIC = Path(__file__).parent / "static"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
UNREADABLE, NO_TEXT, FULL = 1007, 1003, 503


def app_of(viewer: Viewer, *, host: str, token: str | None = None) -> ASGIApp:
    """Return the app of a viewer for a server on `host`. Raises `MissingExtraError` without
    starlette. It blocks: modules are loaded.
    """
    try:
        import isal  # noqa: F401  # deflates what is sent
        import websockets  # noqa: F401  # uvicorn speaks by it
        from starlette.applications import Starlette
        from starlette.responses import Response
        from starlette.routing import Route, WebSocketRoute
    except ImportError as error:
        raise missing_extra(error.name or "starlette", "web") from None

    async def meet(socket: WebSocket) -> None:
        await _meet(viewer, socket)

    files = _files()

    async def give(request: Request) -> Response:
        content, kind = files[request.url.path]
        return Response(content, media_type=kind)

    routes = [WebSocketRoute("/ws", meet), *(Route(path, give) for path in files)]
    return Guard(Starlette(routes=routes), host=host, token=token)


def _files() -> dict[str, tuple[bytes, str]]:
    """Return what the page is made of, by path: read once, so that no path of a request is ever
    opened.
    """
    files = {
        f"/{path.relative_to(STATIC).as_posix()}": (path.read_bytes(), KINDS[path.suffix])
        for path in STATIC.rglob("*")
        if path.suffix in KINDS
    }
    return {"/": files["/index.html"], **files}


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
        async with task_group() as tasks:
            tasks.start_soon(_write, socket, page)
            await _read(viewer, socket, page)
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
