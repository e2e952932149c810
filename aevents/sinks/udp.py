"""UDP: events as datagrams of SPIF, many to a call of the system (sendmmsg) where that is there."""

from __future__ import annotations

import socket
from math import inf

import anyio
import anyio.lowlevel

from aevents._native import mmsg
from aevents._udp import Address, address_of, refuse, value_of
from aevents.codecs.spif import SpifEncoder
from aevents.types import EventBatch

AT_ONCE = 64
"""Datagrams of a turn of the loop: 0.15 ms."""
STEP_SECONDS = 0.001
"""A pace is kept in steps of this length ..."""
LAG_SECONDS = 0.01
"""... and where the loop was late by no more than this, it is caught up."""


def create_url(
    rest: str,
    /,
    *,
    datagram: object = 512,
    rate: object = inf,
    timestamps: object = False,
    **unknown: object,
) -> UdpSink:
    """Return the sink that a URL names, as in `udp://10.0.0.1:3333?rate=1e6&timestamps=yes`.

    `datagram` is how many bytes go into one at most, `rate` how many events a second are sent at
    most. Raises `ValueError` for an address or an option that is none.
    """
    refuse(unknown, ("datagram", "rate", "timestamps"))
    address = address_of(rest)
    if not address.host:
        raise ValueError(
            f"udp: a sink needs a host to send to, like udp://127.0.0.1:{address.port}"
        )
    encoder = SpifEncoder(
        datagram=value_of("datagram", datagram, int),
        timestamps=value_of("timestamps", timestamps, bool),
    )
    return UdpSink(address, encoder, rate=value_of("rate", rate, float))


class UdpSink:
    """Sends every batch at once, its last datagram perhaps shorter than the others.

    A full socket is waited for. Whether anybody listens is not known. What is left of a batch when
    a write is cancelled is not sent. Raises `ValueError` for a rate that is not above 0.
    """

    def __init__(
        self, address: Address, encoder: SpifEncoder | None = None, *, rate: float = inf
    ) -> None:
        if not rate > 0:
            raise ValueError(f"udp: rate is a number of events a second above 0, not {rate}")
        self._address = address
        self._encoder = encoder or SpifEncoder()
        self._rate = rate
        self._due = 0.0
        self._socket: socket.socket | None = None
        self._closed = False
        a_datagram = self._encoder.datagram // self._encoder.event_bytes
        steps = min(AT_ONCE, max(1, int(min(rate * STEP_SECONDS, 1e6) / a_datagram)))
        self._step = steps * a_datagram

    async def write(self, batch: EventBatch, /) -> None:
        """Send the events of one batch.

        Raises `EncodeError` for events that do not fit, and `OSError`; after the close,
        `anyio.ClosedResourceError`.
        """
        if self._closed:
            raise anyio.ClosedResourceError
        await anyio.lowlevel.checkpoint()
        words = memoryview(self._encoder.encode(batch))
        if self._socket is None:
            self._socket = await self._connected()
        self._due = max(self._due, anyio.current_time())
        step = self._step * self._encoder.event_bytes
        for start in range(0, len(words), step):
            part = words[start : start + step]
            await self._until_due(len(part) // self._encoder.event_bytes)
            await self._send(self._socket, part)

    async def aclose(self) -> None:
        """Close the socket: what was written has left it."""
        self._closed = True
        if self._socket is not None:
            self._socket.close()

    async def _connected(self) -> socket.socket:
        found = await anyio.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)
        family, _, _, _, where = found[0]
        connected = socket.socket(family, socket.SOCK_DGRAM)
        try:
            connected.setblocking(False)
            connected.connect(where)
        except OSError:
            connected.close()
            raise
        return connected

    async def _until_due(self, events: int) -> None:
        now = anyio.current_time()
        self._due = max(self._due, now - LAG_SECONDS)
        if self._due > now:
            await anyio.sleep_until(self._due)
        self._due += events / self._rate

    async def _send(self, to: socket.socket, words: memoryview) -> None:
        while words:
            try:
                words = words[self._send_some(to, words) :]
            except BlockingIOError:
                await anyio.wait_writable(to)
            except ConnectionRefusedError:
                pass  # about a datagram before: nobody listened there then
        await anyio.lowlevel.checkpoint()

    def _send_some(self, to: socket.socket, words: memoryview) -> int:
        """Return how many bytes have gone."""
        if mmsg.available:
            return mmsg.send(to.fileno(), words, self._encoder.datagram)
        return to.send(words[: self._encoder.datagram])
