"""The messages of aevents: batches of events with all that a batch says, and numbers that tell what
was lost.

A message has two parts. The first is MessagePack of an array:

    "aevents1"  stream: 16 bytes, other for each sender  number: of the message, from 0
    before: events sent before this message  events: in it, at most 32768
    width  height  name  serial: the sensor  start  stop: the span, µs
    packing: of the second part, "", "lz4" or "zstd"

The second is the columns t (i64, µs), x, y (u16) and p (u8, 0 or 1), one after the other,
little-endian, 13 bytes an event; perhaps packed as one LZ4 frame or one Zstandard frame. More
elements at the end of the array are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from aevents.codecs.base import Buffer
from aevents.codecs.compression import Lz4, Plain, Unpacker, Zstd, lz4_packer, zstd_packer
from aevents.errors import EncodeError
from aevents.types import EventBatch, Sensor, Span

MOST_EVENTS = 32_768
"""In a message: they stay in the cache, and no message takes long."""
MOST_STREAMS = 64
"""Senders whose numbers are remembered; of more, those heard last."""
EVENT_BYTES = 13
STREAM_BYTES = 16
NAME_LENGTH = 255

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Extent = Annotated[int, msgspec.Meta(ge=0, le=1 << 16)]
Name = Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)]
Time = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Head(msgspec.Struct, frozen=True, array_like=True, tag="aevents1"):
    """The first part of a message."""

    stream: Annotated[bytes, msgspec.Meta(min_length=STREAM_BYTES, max_length=STREAM_BYTES)]
    number: Count
    before: Count
    events: Annotated[int, msgspec.Meta(ge=0, le=MOST_EVENTS)]
    width: Extent
    height: Extent
    name: Name
    serial: Name
    start: Time
    stop: Time
    packing: Literal["", "lz4", "zstd"]


class MessageDecoder:
    """Messages to batches, each with the sensor and the span that its sender gave it: an operator.

    A message that is no message, or not what its first part says, is one of `bad_messages`.
    `lost_messages` and `lost_events` are what a sender sent between two messages that came;
    messages that come again, or late, are `repeated_messages`. With `gaps=False` numbers are not
    looked at: others may get the messages between. Events off the sensor are left out. `sensor`
    overrides what messages say.
    """

    def __init__(self, sensor: Sensor | None = None, /, *, gaps: bool = True) -> None:
        self.counts: dict[str, int] = {}
        self._sensor = sensor
        self._gaps = gaps
        self._next: dict[bytes, tuple[int, int]] = {}  # by stream: number, and events before it
        self._heads = msgspec.msgpack.Decoder(Head)
        self._unpackers: Mapping[str, Unpacker] = {"": Plain(), "lz4": Lz4(), "zstd": Zstd()}

    def feed(self, message: Sequence[Buffer], /) -> Iterator[EventBatch]:
        """Give the batch of one message, which is the sequence of its parts, if it is one."""
        batch = self.decode(message)
        if batch is not None:
            yield batch

    def flush(self) -> tuple[()]:
        """Give nothing: a message is whole."""
        return ()

    def decode(self, message: Sequence[Buffer], /) -> EventBatch | None:
        """Return the batch of one message, or None for one that is bad or came before."""
        head = self._head(message)
        if head is None:
            self._note("bad_messages")
            return None
        if self._gaps and not self._follows(head):
            return None
        batch = self._batch(head, message[1])
        if batch is None:
            self._note("bad_messages")
        return batch

    def _head(self, message: Sequence[Buffer]) -> Head | None:
        if len(message) != 2:
            return None
        try:
            head = self._heads.decode(message[0])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
        return head if head.start <= head.stop else None

    def _follows(self, head: Head) -> bool:
        """Count what is missing in front of this message; say whether it may be handed on."""
        number, before = self._next.pop(head.stream, (head.number, head.before))
        missing, lost = head.number - number, head.before - before
        sound = 0 <= lost <= missing * MOST_EVENTS
        if sound:
            self._note("lost_messages", missing)
            self._note("lost_events", lost)
            number, before = head.number + 1, head.before + head.events
        else:
            self._note("repeated_messages" if missing < 0 else "bad_messages")
        self._next[head.stream] = number, before
        if len(self._next) > MOST_STREAMS:
            del self._next[next(iter(self._next))]
        return sound

    def _batch(self, head: Head, body: Buffer) -> EventBatch | None:
        size = EVENT_BYTES * head.events
        try:
            data = self._unpackers[head.packing].whole(body, size) if size else b""
        except ValueError:
            return None
        if len(data) != size or (not head.packing and len(body) != size):
            return None
        n = head.events
        t = np.frombuffer(data, "<i8", n)
        x, y = np.frombuffer(data, "<u2", n, 8 * n), np.frombuffer(data, "<u2", n, 10 * n)
        p = np.frombuffer(data, np.uint8, n, 12 * n)
        if p.max(initial=0) > 1:
            return None
        sensor = self._sensor or Sensor(head.width, head.height, head.name, head.serial)
        span = Span(head.start, head.stop)
        batch = EventBatch.from_columns(t=t, x=x, y=y, p=p.view(np.bool_), sensor=sensor, span=span)
        return self._on_sensor(batch)

    def _on_sensor(self, batch: EventBatch) -> EventBatch:
        width, height = batch.sensor.width, batch.sensor.height
        inside = batch.x.max(initial=0) < width and batch.y.max(initial=0) < height
        if inside or not batch.sensor.sized:
            return batch
        on = (batch.x < width) & (batch.y < height)
        self._note("off_sensor", int((~on).sum()))
        return batch.where(on)

    def _note(self, name: str, count: int = 1) -> None:
        if count:
            self.counts[name] = self.counts.get(name, 0) + count


class MessageEncoder:
    """Batches to messages of at most 32768 events, numbered from 0.

    `stream` is 16 bytes that no other sender has. `packing` is `""`, `"lz4"` or `"zstd"`. Raises
    `ValueError` for anything else.
    """

    def __init__(self, stream: bytes, /, *, packing: str = "") -> None:
        if len(stream) != STREAM_BYTES:
            raise ValueError(f"a stream is named by {STREAM_BYTES} bytes, not {len(stream)}")
        if packing not in _PACKERS:
            raise ValueError(f"messages are packed with lz4 or zstd, not {packing!r}")
        self._stream = stream
        self._packing = packing
        self._number = 0
        self._events = 0

    def feed(self, batch: EventBatch, /) -> Iterator[tuple[bytes, bytes]]:
        """Give the messages of this batch, as pairs of parts; one for a batch without events.

        Raises `EncodeError` as `bodies` does.
        """
        for piece, body in self.bodies(batch):
            yield self.message(piece, body)
            self.sent(piece)

    def flush(self) -> tuple[()]:
        """Give nothing: every batch has been sent to its end."""
        return ()

    def bodies(self, batch: EventBatch, /) -> Iterator[tuple[EventBatch, bytes]]:
        """Give pieces of this batch, each a message's worth, and their columns, packed. It may run
        in a thread.

        Raises `EncodeError` for what is no batch of events, and for a sensor with a name too long.
        """
        if not isinstance(batch, EventBatch):
            raise EncodeError("message", f"holds events, not {type(batch).__name__}")
        if max(len(batch.sensor.name), len(batch.sensor.serial)) > NAME_LENGTH:
            raise EncodeError("message", f"a sensor's name has up to {NAME_LENGTH} characters")
        pack = _PACKERS[self._packing]()
        for piece in _pieces(batch):
            yield piece, pack(_columns(piece))

    def message(self, piece: EventBatch, body: bytes, /) -> tuple[bytes, bytes]:
        """Return the message of a piece, with the number that is next."""
        sensor, span = piece.sensor, piece.span
        head = Head(
            stream=self._stream, number=self._number, before=self._events, events=len(piece),
            width=sensor.width, height=sensor.height, name=sensor.name, serial=sensor.serial,
            start=span.start, stop=span.stop, packing=self._packing,  # type: ignore[arg-type]  # checked
        )  # fmt: skip
        return msgspec.msgpack.encode(head), body

    def sent(self, piece: EventBatch, /) -> None:
        """Count a message as sent."""
        self._number += 1
        self._events += len(piece)


def _pieces(batch: EventBatch) -> Iterator[EventBatch]:
    """Give a message's worth of events at a time; their spans follow on from each other."""
    first, last = batch.span
    for start in range(0, len(batch) or 1, MOST_EVENTS):
        stop = min(start + MOST_EVENTS, len(batch))
        latest = int(batch.t[start:stop].max(initial=first))
        reached = last if stop == len(batch) else min(last, latest)
        yield batch.cut(start, stop, Span(first, reached))
        first = reached


def _columns(batch: EventBatch) -> bytes:
    columns = (batch.t, "<i8"), (batch.x, "<u2"), (batch.y, "<u2"), (batch.p, "u1")
    return b"".join(np.ascontiguousarray(column, kind).data for column, kind in columns)


_PACKERS: Mapping[str, Callable[[], Callable[[bytes], bytes]]] = {
    "": lambda: bytes,
    "lz4": lz4_packer,
    "zstd": zstd_packer,
}
