"""A socket of ZeroMQ that is waited for on the running loop.

ZeroMQ works in threads of its own. Its file says that something has happened, and falls silent when
the socket is asked what: so the socket is asked first, and the file is awaited only then.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sys
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import zmq

from aevents._zmq_link import Keys, Link
from aevents.codecs.base import Buffer

LINGER_MS = 4_000
"""How long what was sent may take to leave, after the close."""
AGAIN_MS = 100
"""After so long a connection that was ended is made anew, as ZeroMQ itself does."""
IPV4 = re.compile(r"tcp://[\d.]+:")
"""Other addresses may be of IPv6, too."""


class Port:
    """A socket in a context of its own, so that closing it frees everything.

    `endpoint` is where it is bound, or connects to. Raises `OSError` where the address is taken or
    cannot be had, and `ValueError` for keys that are none.
    """

    def __init__(self, link: Link, /) -> None:
        self.closed: bool = False
        self._waits = False
        self._place = _Place(link.endpoint if link.bind else "")
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(getattr(zmq, link.kind.upper()))
        self._connection = _Connection(self._socket, link)
        self._free = weakref.finalize(self, _destroy, self._context, self._socket)
        try:
            _prepare(self._socket, link)
            self.endpoint: str = self._joined(link)
        except BaseException:
            self.close()
            raise
        self._file = int(self._socket.get(zmq.FD))

    @property
    def broken_connections(self) -> int:
        """How often a connection that we had made was ended by what came."""
        return self._connection.broken

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
        while not self._socket.poll(AGAIN_MS):
            self._connection.make_anew()

    def close(self) -> None:
        """Free everything at once, and forget what has not left. May be called twice."""
        self._shut(0)
        self._free()

    async def aclose(self) -> None:
        """Free everything when what was sent has left, or has not for 4 s."""
        self._shut(LINGER_MS)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._free)

    def _joined(self, link: Link) -> str:
        """Bind or connect; return the address, with the port that the system chose."""
        try:
            if not link.bind:
                self._socket.connect(link.endpoint)
                return link.endpoint
            self._place.check()
            self._socket.bind(link.endpoint)
            self._place.take()
        except (OSError, zmq.ZMQError) as error:
            number = error.errno or 0
            what = f"zmq+{link.endpoint}: {zmq.strerror(number)}"
            raise OSError(number, what) from error
        return self._socket.get_string(zmq.LAST_ENDPOINT)

    def _shut(self, linger_ms: int) -> None:
        if not self.closed:
            self.closed = True
            if self._waits:
                anyio.notify_closing(self._file)
            self._place.leave()
            self._connection.close()
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
            while not (self.closed or _events(self._socket) & wanted):
                if self._connection.lost():
                    await anyio.sleep(AGAIN_MS / 1_000)
                    self._connection.make_anew()
                else:
                    await anyio.wait_readable(self._file)
        finally:
            self._waits = False


def _events(one: zmq.Socket[bytes]) -> int:
    """Return what the socket is ready for."""
    return int(one.get(zmq.EVENTS))


def _destroy(context: zmq.Context[zmq.Socket[bytes]], one: zmq.Socket[bytes]) -> None:
    """Free what a socket needs; close it first if nobody has."""
    if not one.closed:
        warnings.warn("a socket of ZeroMQ was not closed", ResourceWarning, stacklevel=2)
    context.destroy(0)


def _prepare(one: zmq.Socket[bytes], link: Link) -> None:
    sends = link.kind not in ("sub", "pull")
    one.setsockopt(zmq.IPV6, not IPV4.match(link.endpoint))
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


class _Connection:
    """The connection of what receives, if it was not bound. ZeroMQ makes one that was cut anew, but
    not one that it ended itself: when a message was too large, or keys did not fit.
    """

    def __init__(self, one: zmq.Socket[bytes], link: Link) -> None:
        self.broken = 0
        self._socket = one
        self._endpoint = link.endpoint
        self._lost = False
        self._told: zmq.Socket[bytes] | None = None
        if link.kind in ("sub", "pull") and not link.bind:
            told = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED
            self._told = one.get_monitor_socket(told)

    def lost(self) -> bool:
        """Whether there is none, and ZeroMQ does not try to make it anew."""
        while self._told is not None and _events(self._told) & zmq.POLLIN:
            event = self._told.recv_multipart(zmq.NOBLOCK)[0][:2]  # and a value, and the address
            self._lost = int.from_bytes(event, sys.byteorder) == zmq.EVENT_DISCONNECTED
        return self._lost

    def make_anew(self) -> None:
        """Connect again, if it is still lost."""
        if self.lost():
            self.broken += 1
            self._lost = False
            with contextlib.suppress(zmq.ZMQError):  # it may have forgotten it already
                self._socket.disconnect(self._endpoint)
            self._socket.connect(self._endpoint)

    def close(self) -> None:
        """Listen no more."""
        if self._told is not None:
            self._socket.disable_monitor()
            self._told.close(0)
            self._told = None


class _Place:
    """The path of a socket that is bound, if it has one. ZeroMQ would delete any file that is
    there, and leaves its own behind.
    """

    def __init__(self, endpoint: str) -> None:
        scheme, _, path = endpoint.partition("://")
        self._path = Path(path) if scheme == "ipc" and not path.startswith("@") else None
        self._inode = 0

    def check(self) -> None:
        """Raise `OSError` where somebody has it; what was left behind there is nobody's."""
        if self._path is None or not self._path.exists():
            return
        if not self._path.is_socket():
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        with socket.socket(socket.AF_UNIX) as other:
            other.setblocking(False)
            if other.connect_ex(str(self._path)) != errno.ECONNREFUSED:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    def take(self) -> None:
        """Note that it is ours."""
        if self._path is not None:
            self._inode = self._path.stat().st_ino

    def leave(self) -> None:
        """Remove it, if it is ours still."""
        if self._path is not None and self._inode:
            with contextlib.suppress(OSError):
                if self._path.stat().st_ino == self._inode:
                    self._path.unlink()
