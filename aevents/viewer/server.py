"""uvicorn as a guest: in our tasks, without a hand on the signals and the logging of its host."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import msgspec

from aevents.errors import missing_extra
from aevents.viewer.messages import MOST_BYTES
from aevents.viewer.security import is_loopback
from aevents.viewer.tasks import task_group

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

PORT = 8000
NEXT_PORTS = 100
"""So many ports after that are tried, unless one was asked for."""
POLITE_SECONDS = 1.0
"""How long connections may take to close by themselves."""
FORCED_SECONDS = 0.5
"""... and after being cut off."""
MOST_CONNECTIONS = 128
HEAD_SECONDS = 10.0
"""How long a connection may say nothing at first."""


class Place(msgspec.Struct, frozen=True):
    """Where to listen, and how.

    Without a `port`, 8000 or the next that is free. Off loopback a certificate and its key are
    needed, files as for `ssl`, or to be `insecure`. Raises `ValueError`.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    certificate: str | None = None
    key: str | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        if self.port is not None and not 0 <= self.port < 65_536:
            raise ValueError(f"a port is from 0 to 65535, not {self.port}")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate goes with its key: give both")
        if not (is_loopback(self.host) or self.certificate or self.insecure):
            raise ValueError(
                f"{self.host} can be reached by others: give a certificate and its key, or say "
                "that it may be insecure (everything, the token too, can then be read on the way)"
            )

    @property
    def open(self) -> bool:
        """Whether others than this machine can reach it."""
        return not is_loopback(self.host)

    def url(self, port: int, token: str | None) -> str:
        """Return the address to open."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        host = f"[{host}]" if ":" in host else host
        query = f"/?token={token}" if token else ""
        return f"http{'s' if self.certificate else ''}://{host}:{port}{query}"

    def listen(self) -> socket.socket:
        """Return a socket that listens there. It blocks; raises `OSError`."""
        if self.port is not None:
            return _listening(self.host, self.port)
        for port in range(PORT, PORT + NEXT_PORTS):
            try:
                return _listening(self.host, port)
            except OSError as error:
                if port == PORT + NEXT_PORTS - 1:
                    raise OSError(error.errno, f"no port from {PORT} on is free") from error
        raise AssertionError


@asynccontextmanager
async def serving(
    place: Place, make: Callable[[], ASGIApp], told: Callable[[int], None]
) -> AsyncIterator[None]:
    """Serve an app there while the body runs; `told` gets the port. Then close all connections,
    within 2 s.

    Raises `MissingExtraError` without uvicorn, and what listening and reading a certificate raise.
    """
    server = await anyio.to_thread.run_sync(lambda: _server(place, make()))
    listener = await anyio.to_thread.run_sync(place.listen)
    stopped = anyio.Event()

    async def serve() -> None:
        try:
            with anyio.CancelScope(shield=True):  # it is told to end, below
                await server.serve(sockets=[listener])
        finally:
            listener.close()
            stopped.set()

    async with task_group() as tasks:
        tasks.start_soon(serve)
        try:
            told(listener.getsockname()[1])
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await _end(server, stopped)


async def _end(server: uvicorn.Server, stopped: anyio.Event) -> None:
    server.should_exit = True
    with anyio.move_on_after(POLITE_SECONDS):
        await stopped.wait()
    for connection in [*server.server_state.connections]:
        connection.transport.abort()  # who does not read, does not hold us up
    with anyio.move_on_after(FORCED_SECONDS):
        await stopped.wait()
    server.force_exit = True
    for task in [*server.server_state.tasks]:
        task.cancel()
    await stopped.wait()


def _server(place: Place, app: ASGIApp) -> uvicorn.Server:
    try:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError:
        raise missing_extra("uvicorn", "web") from None

    class Guest(uvicorn.Server):
        """A server that leaves signals to its host."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    class Door(H11Protocol):
        """Lets so many in, and those who say nothing not for long."""

        def connection_made(self, transport: object) -> None:
            super().connection_made(transport)  # type: ignore[arg-type]  # as it is given
            if len(self.connections) > MOST_CONNECTIONS:
                self.transport.write(
                    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                    b"Content-Length: 0\r\n\r\n"
                )
                self.transport.close()
            else:
                self.timeout_keep_alive_task = self.loop.call_later(
                    HEAD_SECONDS, self.timeout_keep_alive_handler
                )

    config = uvicorn.Config(
        app, http=Door, ws="websockets-sansio", ws_max_size=MOST_BYTES,
        ws_per_message_deflate=False, loop="none", lifespan="off", log_config=None,
        access_log=False, proxy_headers=False, server_header=False, date_header=False,
        ssl_certfile=place.certificate, ssl_keyfile=place.key,
    )  # fmt: skip
    config.load()
    return Guest(config)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET
    try:
        if isinstance(ip_address(host), IPv6Address):
            family = socket.AF_INET6
    except ValueError:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
