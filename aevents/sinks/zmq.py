"""ZeroMQ: batches as messages of aevents, or as those of a Speck; results as JSON."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Literal, Protocol, cast

import anyio
import anyio.lowlevel
import anyio.to_thread

from aevents._json import json_of
from aevents._zmq import Options, link_of, opened, options_of
from aevents._zmq_link import Link
from aevents.codecs.message import STREAM_BYTES, MessageEncoder
from aevents.codecs.speck import SpeckEncoder
from aevents.operators.results import Result
from aevents.types import EventBatch

SMALL = 2_048
"""Events that are packed on the loop: a hop to a worker would take longer."""


class SinkOptions(Options, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a sink."""

    socket: Literal["pub", "push"] = "pub"
    format: Literal["aevents", "speck", "json"] = "aevents"
    packing: Literal["", "lz4", "zstd"] = ""
    subscribers: int = 0


class Encoder(Protocol):
    """Makes messages of two parts."""

    def bodies(self, batch: EventBatch, /) -> Iterator[tuple[EventBatch, bytes]]:
        """Give the pieces of a batch, and the second part of the message of each."""

    def message(self, piece: EventBatch, body: bytes, /) -> tuple[bytes, bytes]:
        """Return the message of a piece."""

    def sent(self, piece: EventBatch, /) -> None:
        """Count a message as sent."""


class JsonEncoder:
    """Makes messages of results: the name of the model, for who subscribes to one, and JSON. What
    is no result has an empty name.
    """

    def bodies(self, item: object, /) -> Iterator[tuple[EventBatch, bytes]]:
        """Give the item, and its JSON. Raises `EncodeError` for what JSON has no word for."""
        yield cast("EventBatch", item), json_of(item)  # whatever it is, it comes back to `message`

    def message(self, piece: object, body: bytes, /) -> tuple[bytes, bytes]:
        """Return the message of an item."""
        return piece.model.encode() if isinstance(piece, Result) else b"", body

    def sent(self, piece: object, /) -> None:
        """Count nothing."""


def create_url(transport: str, rest: str, /, **options: object) -> ZmqSink:
    """Return the sink that a URL names, as in `zmq+tcp://*:40001?subscribers=1`.

    It is bound at once, or connects if `bind` is `no`. `socket` is `pub` (everybody gets
    everything, and who is slow loses some) or `push` (each message goes to one, and is waited for).
    `format` is `aevents`, `speck`, or `json` for results, and `packing` `lz4` or `zstd`. The first
    write waits until so many `subscribers` are there. `queue` messages wait for each peer. `key`
    and `server` are keys of CURVE, as `Keys` has them. Raises `ValueError` for an address, a key or
    an option that is none, and `OSError` for a file of keys, and where the address is taken or
    cannot be had.
    """
    found = options_of(SinkOptions, options)
    if found.subscribers < 0 or (found.subscribers and found.socket == "push"):
        raise ValueError("zmq: subscribers is how many of a pub to wait for")
    if found.packing and found.format != "aevents":
        raise ValueError("zmq: only messages of aevents are packed, not those of a Speck or JSON")
    encoder: Encoder = JsonEncoder() if found.format == "json" else SpeckEncoder()
    if found.format == "aevents":
        encoder = MessageEncoder(secrets.token_bytes(STREAM_BYTES), packing=found.packing)
    kind = "xpub" if found.subscribers else found.socket
    link = link_of((transport, rest), kind, found)
    return ZmqSink(link, encoder, subscribers=found.subscribers, hops=bool(found.packing))


class ZmqSink:
    """Sends every batch at once. What is left of a batch when a write is cancelled is not sent.

    `endpoint` is where it is bound, or connects to. With `hops` messages are made in a worker
    thread, where they are large.
    """

    def __init__(
        self, link: Link, encoder: Encoder, *, subscribers: int = 0, hops: bool = False
    ) -> None:
        self._port = opened(link)
        self.endpoint: str = self._port.endpoint
        self._encoder = encoder
        self._hops = hops
        self._wanted = subscribers
        self._subscribed = 0
        self._hears = subscribers > 0

    async def write(self, batch: EventBatch, /) -> None:
        """Send the events of one batch.

        Raises `EncodeError` for what does not fit; after the close, `anyio.ClosedResourceError`.
        """
        await anyio.lowlevel.checkpoint()
        await self._until_subscribed()
        bodies = self._encoder.bodies(batch)
        while (made := await self._made(bodies, batch)) is not None:
            await self._port.send(self._encoder.message(*made))
            self._encoder.sent(made[0])

    async def aclose(self) -> None:
        """Close the socket, when what was written has left it, or has not for 4 s."""
        await self._port.aclose()

    async def _until_subscribed(self) -> None:
        self._listen()
        while self._subscribed < self._wanted:
            await self._port.readable()
            self._listen()
        self._wanted = 0

    def _listen(self) -> None:
        """Count who comes and goes."""
        if self._port.closed:
            raise anyio.ClosedResourceError
        while self._hears and (told := self._port.receive()) is not None:
            self._subscribed += {b"\1": 1, b"\0": -1}.get(told[0][:1], 0)

    async def _made(
        self, bodies: Iterator[tuple[EventBatch, bytes]], batch: EventBatch
    ) -> tuple[EventBatch, bytes] | None:
        if self._hops and len(batch) > SMALL:
            return await anyio.to_thread.run_sync(next, bodies, None)
        return next(bodies, None)
