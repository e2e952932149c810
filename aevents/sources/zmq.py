"""ZeroMQ: messages of aevents, and of a Speck, as batches of events."""

from __future__ import annotations

from collections import deque
from typing import Literal

import anyio.lowlevel

from aevents._contracts import Origin
from aevents._zmq import Options, link_of, opened, options_of
from aevents._zmq_link import MAX_MESSAGE, Link
from aevents.codecs.message import MessageDecoder
from aevents.codecs.speck import HEADER, SpeckDecoder
from aevents.types import EventBatch, Sensor

TURN_BYTES = 1 << 18
"""So much, or a message more, is taken in one turn of the loop: in 0.3 ms."""


class SourceOptions(Options, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a source."""

    size: str | None = None
    socket: Literal["sub", "pull"] = "sub"
    max_message: int = MAX_MESSAGE


def open_url(
    transport: str, rest: str, /, *, sensor: Sensor | None = None, **options: object
) -> Origin[EventBatch]:
    """Return the source that a URL names, as in `zmq+tcp://127.0.0.1:40001?size=128x128`.

    It connects, unless the address has a `*` or `bind` is `yes`. `socket` is `sub` (what somebody
    publishes) or `pull` (a share of what somebody hands out). `queue` messages of up to
    `max_message` bytes wait from each peer. `server` and `key` are keys of CURVE, as `Keys` has
    them. Raises `ValueError` for an address, a key or an option that is none, and `OSError` for a
    file of keys. Opening raises `OSError` where the address is taken, or cannot be had.
    """
    found = options_of(SourceOptions, options)
    if found.max_message <= 0:
        raise ValueError(f"zmq: max_message is a number of bytes, not {found.max_message}")
    link = link_of((transport, rest), found.socket, found, max_message=found.max_message)
    known = sensor or (None if found.size is None else Sensor.parse(found.size))
    return Origin(
        f"zmq+{transport}:{rest}",
        waiting=lambda: ZmqSource(link, known),
        blocking=lambda: ZmqSource(link, known),
        live=True,
    )


class ZmqSource:
    """A socket, and the events that come to it; read with `async for` or with `for`.

    A message of aevents is a batch; those of a Speck that have come together are one. `endpoint` is
    where it is bound, or connects to.
    """

    def __init__(self, link: Link, sensor: Sensor | None = None) -> None:
        self._port = opened(link)
        self.endpoint: str = self._port.endpoint
        self._messages = MessageDecoder(sensor, gaps=link.kind == "sub")
        self._speck = SpeckDecoder(sensor)
        self._come: deque[list[bytes]] = deque()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        counts = dict(self._messages.counts)
        for name, count in self._speck.counts.items():
            counts[name] = counts.get(name, 0) + count
        if broken := self._port.broken_connections:
            counts["broken_connections"] = broken
        return counts

    async def __anext__(self) -> EventBatch:
        """Return a batch of what has come, or await some. A cancelled call loses none."""
        while not self._port.closed:
            batch = self._take()
            if batch is not None:
                return batch
            if self._come:
                await anyio.lowlevel.checkpoint()  # that was rubbish, and perhaps a flood of it
            else:
                await self._port.readable()
        raise StopAsyncIteration

    def __next__(self) -> EventBatch:
        """Return a batch of what has come, or block until there is some."""
        while not self._port.closed:
            batch = self._take()
            if batch is not None:
                return batch
            if not self._come:
                self._port.wait()
        raise StopIteration

    def close(self) -> None:
        """Free the address at once. A read that waits ends."""
        self._port.close()

    async def aclose(self) -> None:
        """Free the address."""
        self.close()

    def _take(self) -> EventBatch | None:
        """Return the next batch of what has come; None if there is none, or it was rubbish."""
        if not self._come:
            self._receive()
        if not self._come:
            return None
        if not _of_speck(self._come[0]):
            return self._messages.decode(self._come.popleft())
        run = []
        while self._come and _of_speck(self._come[0]):
            run.append(self._come.popleft())
        batch = self._speck.decode(run)
        return batch if len(batch) else None

    def _receive(self) -> None:
        room = TURN_BYTES
        while room > 0 and (message := self._port.receive()) is not None:
            self._come.append(message[:3])  # more parts than two are too many
            room -= 64 + sum(map(len, message))


def _of_speck(message: list[bytes]) -> bool:
    return message[0] == HEADER
