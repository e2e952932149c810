"""Services run as a test wants them: by a real uvicorn, in the test's own loop; and streams that a
test feeds by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import anyio
import uvicorn

from aevents._contracts import Origin
from aevents.stream import Stream, stream_of


class Quiet(uvicorn.Server):
    """A server that leaves the signals of the process alone."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]  # a context, as there
        return nullcontext()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until this holds."""
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110  # of anything
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:  # noqa: ANN401  # of any framework
    """Serve an ASGI application on a free port of this machine; give host and port."""
    config = uvicorn.Config(
        app, "127.0.0.1", 0, log_level="critical", lifespan="on", timeout_graceful_shutdown=1
    )
    server = Quiet(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the service did not start"
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        await serving


class Fed:
    """A live stream of what a test puts into it: an exception fails it, None ends it."""

    def __init__(self) -> None:
        self._give, self._take = anyio.create_memory_object_stream[object](1000)
        self.stream: Stream[Any] = stream_of(Origin("fed", waiting=lambda: self, live=True))
        self.counts = {"odd": 1}
        self.opened = asyncio.Event()

    def put(self, *items: object) -> None:
        """Have these come next."""
        for item in items:
            self._give.send_nowait(item)

    async def __anext__(self) -> object:
        self.opened.set()
        item = await self._take.receive()
        if isinstance(item, Exception):
            raise item
        if item is None:
            raise StopAsyncIteration
        return item

    def close(self) -> None:
        """Nothing is left open."""
        self._give.close()
        self._take.close()

    async def aclose(self) -> None:
        """The same."""
        self.close()
