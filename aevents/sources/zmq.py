"""ZeroMQ: messages of aevents, and of a Speck, as batches of events."""

from __future__ import annotations

from collections import deque
from typing import Generic, Literal, Protocol, TypeVar

import anyio.lowlevel

from aevents._contracts import Origin
from aevents._zmq import Options, link_of, opened, options_of
from aevents._zmq_link import MAX_MESSAGE, Link
from aevents.codecs.message import MessageDecoder
from aevents.codecs.speck import HEADER, SpeckDecoder, SpikeBatch, SpikeDecoder
from aevents.operators.base import add_counts
from aevents.types import EventBatch, Sensor

TURN_BYTES = 1 << 18
"""So much, or a message more, is taken in one turn of the loop: in 0.3 ms."""


class SourceOptions(Options, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a source."""

    size: str | None = None
    socket: Literal["sub", "pull"] = "sub"
    max_message: int = MAX_MESSAGE
    record: Literal["camera", "spikes", "viz"] = "camera"


T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

Come = deque[list[bytes]]


class Reader(Protocol[T_co]):
    """What is made of messages."""

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""

    def take(self, come: Come, /) -> T_co | None:
        """Return what the first messages say, and take them out; None if that is nothing."""


def open_url(
    transport: str, rest: str, /, *, sensor: Sensor | None = None, **options: object
) -> Origin[EventBatch | SpikeBatch]:
    """Return the source that a URL names, as in `zmq+tcp://127.0.0.1:40001?size=128x128`.

    It connects, unless the address has a `*` or `bind` is `yes`. `socket` is `sub` (what somebody
    publishes) or `pull` (a share of what somebody hands out). `record` is `spikes` or `viz` for
    what the layers of a Speck say: `SpikeBatch`, and no events. `queue` messages of up to
    `max_message` bytes wait from each peer. `server` and `key` are keys of CURVE, as `Keys` has
    them. Raises `ValueError` for an address, a key or an option that is none, and `OSError` for a
    file of keys. Opening raises `OSError` where the address is taken, or cannot be had.
    """
    found = options_of(SourceOptions, options)
    if found.max_message <= 0:
        raise ValueError(f"zmq: max_message is a number of bytes, not {found.max_message}")
    link = link_of((transport, rest), found.socket, found, max_message=found.max_message)
    known = sensor or (None if found.size is None else Sensor.parse(found.size))

    def source() -> ZmqSource[EventBatch] | ZmqSource[SpikeBatch]:
        if found.record != "camera":
            return ZmqSource(link, Spikes(found.record, known))
        return ZmqSource(link, Events(known, gaps=link.kind == "sub"))

    return Origin(f"zmq+{transport}:{rest}", waiting=source, blocking=source, live=True)


class Events:
    """Events of messages: one of aevents is a batch; those of a Speck that have come together are
    one.
    """

    def __init__(self, sensor: Sensor | None = None, *, gaps: bool = True) -> None:
        self._messages = MessageDecoder(sensor, gaps=gaps)
        self._speck = SpeckDecoder(sensor)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return add_counts((self._messages.counts, self._speck.counts))

    def take(self, come: Come, /) -> EventBatch | None:
        """Return the next batch, and take its messages out; None if they were rubbish."""
        if not _of_speck(come[0]):
            return self._messages.decode(come.popleft())
        run = []
        while come and _of_speck(come[0]):
            run.append(come.popleft())
        batch = self._speck.decode(run)
        return batch if len(batch) else None


class Spikes:
    """Spikes of a Speck's layers; what has come together is a batch."""

    def __init__(self, record: str, sensor: Sensor | None = None) -> None:
        self._spikes = SpikeDecoder(record, sensor)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._spikes.counts

    def take(self, come: Come, /) -> SpikeBatch | None:
        """Return all that has come as a batch; None if that is nothing."""
        batch = self._spikes.decode(come)
        come.clear()
        return batch if len(batch) else None


class ZmqSource(Generic[T]):
    """A socket, and what is read of the messages that come to it, with `async for` or with `for`.

    `endpoint` is where it is bound, or connects to.
    """

    def __init__(self, link: Link, reader: Reader[T], /) -> None:
        self._port = opened(link)
        self.endpoint: str = self._port.endpoint
        self._reader = reader
        self._come: Come = deque()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        counts = dict(self._reader.counts)
        if broken := self._port.broken_connections:
            counts["broken_connections"] = broken
        return counts

    async def __anext__(self) -> T:
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

    def __next__(self) -> T:
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

    def _take(self) -> T | None:
        """Return the next batch of what has come; None if there is none, or it was rubbish."""
        if not self._come:
            self._receive()
        return self._reader.take(self._come) if self._come else None

    def _receive(self) -> None:
        room = TURN_BYTES
        while room > 0 and (message := self._port.receive()) is not None:
            self._come.append(message[:3])  # more parts than two are too many
            room -= 64 + sum(map(len, message))


def _of_speck(message: list[bytes]) -> bool:
    return message[0] == HEADER
