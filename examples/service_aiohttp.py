"""The same inside a service of aiohttp: a stream is an async iterator, and a `Hub` shares it.

python service_aiohttp.py street.raw 8000

ws://127.0.0.1:8000/frames sends a PNG file for each frame, the newest to whoever is slow.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

from aiohttp import web

import aevents
from aevents import Hub, ms

SOURCE = web.AppKey("source", str)
HUB: web.AppKey[Hub[bytes]] = web.AppKey("hub", Hub)


async def shared(app: web.Application) -> AsyncIterator[None]:
    """Read the source while the service runs; each picture is drawn once, for all."""
    events = aevents.open(app[SOURCE]).paced(repeat=True)
    pictures = events.window(duration_us=40 * ms).frames("polarity").map(aevents.png)
    async with Hub(pictures) as app[HUB]:
        yield


async def frames(request: web.Request) -> web.WebSocketResponse:
    """Send pictures until the browser leaves."""
    socket = web.WebSocketResponse(heartbeat=10)
    await socket.prepare(request)
    async with request.app[HUB].subscribe() as newest:
        async for picture in newest:
            await socket.send_bytes(picture)
    return socket


def service(name: str) -> web.Application:
    """Return the application."""
    app = web.Application()
    app[SOURCE] = name
    app.cleanup_ctx.append(shared)
    app.router.add_get("/frames", frames)
    return app


if __name__ == "__main__":
    source, port = sys.argv[1:]
    web.run_app(service(source), host="127.0.0.1", port=int(port), shutdown_timeout=0.5)
