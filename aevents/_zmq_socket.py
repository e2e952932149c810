"""A socket of ZeroMQ that is waited for on the running loop.

ZeroMQ works in threads of its own. Its file says that something has happened, and falls silent when
the socket is asked what: so the socket is asked first, and the file is awaited only then.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import zmq

from aevents._zmq import Keys, Link
from aevents.codecs.base import Buffer

LINGER_MS = 4_000
"""How long what was sent may take to leave, after the close."""


class Port:
    """A socket in a context of its own, so that closing it frees everything.

    `endpoint` is where it is bound, or connects to. Raises `OSError` where the address is taken or
    cannot be had, and `ValueError` for keys that are none.
    """

    def __init__(self, link: Link, /) -> None:
        self.closed: bool = False
        self._waits = False
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(getattr(zmq, link.kind.upper()))
        try:
            _prepare(self._socket, link)
            self.endpoint: str = _joined(self._socket, link)
        except BaseException:
            self.close()
            raise
        self._file = int(self._socket.get(zmq.FD))

    def receive(self) -> list[bytes] | None:
        """Return the parts of the next message that has come, or None."""
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    async def send(self, message: Sequence[Buffer], /) -> None:
        """Send one message when there is room. A cancelled call has sent nothing.

        Raises `anyio.ClosedResourceError` when it is closed.
        """
        await anyio.lowlevel.checkpoint()
        while not self._sent(message):
            await self._ready(zmq.POLLOUT)

    async def readable(self) -> None:
        """Await a message, or the close."""
        await anyio.lowlevel.checkpoint()
        with contextlib.suppress(anyio.ClosedResourceError):
            await self._ready(zmq.POLLIN)

    def wait(self) -> None:
        """Block until there is a message."""
        self._socket.poll()

    def close(self) -> None:
        """Free everything at once, and forget what has not left. May be called twice."""
        self._shut(0)
        self._context.term()

    async def aclose(self) -> None:
        """Free everything when what was sent has left, or has not for 4 s."""
        self._shut(LINGER_MS)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._context.term)

    def _shut(self, linger_ms: int) -> None:
        if not self.closed:
            self.closed = True
            if self._waits:
                anyio.notify_closing(self._file)
            self._socket.close(linger_ms)

    def _sent(self, message: Sequence[Buffer]) -> bool:
        if self.closed:
            raise anyio.ClosedResourceError
        try:
            self._socket.send_multipart(message, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    async def _ready(self, wanted: int) -> None:
        self._waits = True
        try:
            while not (self.closed or self._socket.get(zmq.EVENTS) & wanted):
                await anyio.wait_readable(self._file)
        finally:
            self._waits = False


def _prepare(one: zmq.Socket[bytes], link: Link) -> None:
    sends = link.kind not in ("sub", "pull")
    one.setsockopt(zmq.IPV6, 1)
    one.setsockopt(zmq.LINGER, LINGER_MS if sends else 0)
    one.setsockopt(zmq.IMMEDIATE, sends)  # nothing waits for a peer that was never there
    one.setsockopt(zmq.MAXMSGSIZE, link.max_message)
    one.setsockopt(zmq.SNDHWM, link.queue)
    one.setsockopt(zmq.RCVHWM, link.queue)
    if link.kind == "sub":
        one.setsockopt(zmq.SUBSCRIBE, b"")
    if link.kind == "xpub":
        one.setsockopt(zmq.XPUB_VERBOSER, 1)  # tell of every one who comes, not of the first only
    if link.keys:
        _secure(one, link.keys)


def _secure(one: zmq.Socket[bytes], keys: Keys) -> None:
    try:
        public, secret = zmq.curve_keypair() if not keys.secret else (b"", keys.secret)
        public = public or zmq.curve_public(secret)
        one.setsockopt(zmq.CURVE_SECRETKEY, secret)
        one.setsockopt(zmq.CURVE_PUBLICKEY, public)
        if keys.server:
            one.setsockopt(zmq.CURVE_SERVERKEY, keys.server)
        else:
            one.setsockopt(zmq.CURVE_SERVER, 1)
    except zmq.ZMQError:
        raise ValueError("zmq: a key is no key of CURVE") from None


def _joined(one: zmq.Socket[bytes], link: Link) -> str:
    """Bind or connect; return the address, with the port that the system chose."""
    try:
        if not link.bind:
            one.connect(link.endpoint)
            return link.endpoint
        _refuse_taken(link.endpoint)
        one.bind(link.endpoint)
    except OSError as error:
        raise OSError(error.errno, f"zmq+{link.endpoint}: {error.strerror}") from error
    except zmq.ZMQError as error:
        raise OSError(error.errno, f"zmq+{link.endpoint}: {error.strerror}") from error
    return one.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0")


def _refuse_taken(endpoint: str) -> None:
    """Raise `OSError` where somebody has the path: ZeroMQ itself would delete the file there."""
    path = Path(endpoint.removeprefix("ipc://"))
    if not endpoint.startswith("ipc://") or str(path).startswith("@") or not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX) as other:
        other.setblocking(False)
        if other.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
