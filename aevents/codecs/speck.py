"""Speck over ZeroMQ: messages as Samna's streamer sends them for SynSense's Speck, and as AEStream
reads them.

A message has two parts: the byte `V`, then 8 bytes an event, little-endian:

    0  polarity, 1 is ON    1  row    2  column    3  nothing    4  u32, time in µs

Nothing says which sensor it was, and no number tells what was lost. From the layout of `DvsEvent`
in Samna 0.7, and from AEStream 0.6.4.

What the layers of the chip say comes in records of two other forms, after a first part of 1 or 8
bytes, of which the value says nothing:

    `spikes`, 12 bytes: u8 layer, u8 nothing, u16 feature, u8 row, u8 column, u16 nothing, u32 time
    `viz`, 40 bytes: u64 source, u64 row, u64 column, u64 feature, u32 time, u32 value

The first is the layout of `Spike` in Samna 0.7, of which no message was at hand; the second is what
Samna's VizEventStreamer sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from aevents.codecs.base import Buffer, Watch
from aevents.errors import EncodeError
from aevents.types import EventBatch, Flags, Sensor, Span, Times, span_of

Words = NDArray[np.uint32]

HEADER = b"V"
"""The first part of a message."""
SENSOR = Sensor(128, 128, "Speck")
"""What a Speck has."""
EVENT_BYTES = 8
MOST_EVENTS = 4_096
"""In a message that is sent: 32 KiB."""
ROLL = 1 << 32
"""The clock goes round after so many µs: 71.6 minutes."""
LAYERED: Mapping[str, np.dtype[Any]] = {
    "spikes": np.dtype(
        {
            "names": ["layer", "feature", "y", "x", "t"],
            "formats": ["u1", "<u2", "u1", "u1", "<u4"],
            "offsets": [0, 2, 4, 5, 8],
            "itemsize": 12,
        }
    ),
    "viz": np.dtype(
        {
            "names": ["layer", "y", "x", "feature", "t"],
            "formats": ["<u8", "<u8", "<u8", "<u8", "<u4"],
            "offsets": [0, 8, 16, 24, 32],
            "itemsize": 40,
        }
    ),
}
"""Records of the chip's layers, by name."""
HEADER_SIZES = (1, 8)


class SpikeBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Spikes of the layers of a neuromorphic chip: `t` int64 (µs), and `layer`, `feature`, `x` and
    `y`, unsigned integers as wide as in the messages. Each layer has its own size, which nothing
    tells.
    """

    t: Times
    layer: NDArray[np.unsignedinteger[Any]]
    feature: NDArray[np.unsignedinteger[Any]]
    x: NDArray[np.unsignedinteger[Any]]
    y: NDArray[np.unsignedinteger[Any]]
    sensor: Sensor
    span: Span

    def __len__(self) -> int:
        return len(self.t)


class SpeckDecoder:
    """Messages to events: an operator, and `decode` for many messages at a time.

    Times are unwrapped past 2³² µs; the first is taken as it is. Messages of other than two parts
    or with another first part are `bad_messages`; what is left of a message after the last whole
    event is `torn_bytes`; events whose polarity is neither 0 nor 1 are `invalid_events`. They are
    left out, as are events off the sensor.
    """

    def __init__(self, sensor: Sensor | None = None, /) -> None:
        self._watch = Watch("speck", strict=False)
        self._watch.use(sensor or SENSOR)
        self._clock = _Clock()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    def feed(self, message: Sequence[Buffer], /) -> Iterator[EventBatch]:
        """Give the events of one message, which is the sequence of its parts, if there are any."""
        batch = self.decode((message,))
        if len(batch):
            yield batch

    def flush(self) -> tuple[()]:
        """Give nothing: a message is whole."""
        return ()

    def decode(self, messages: Iterable[Sequence[Buffer]], /) -> EventBatch:
        """Return the events of these messages as one batch, perhaps of none."""
        words = np.frombuffer(b"".join(map(self._whole, messages)), "<u4").reshape(-1, 2)
        where = words[:, 0].copy()
        p, y, x = (where >> np.uint32(shift) & np.uint32(0xFF) for shift in (0, 8, 16))
        t = words[:, 1].astype(np.int64)
        sound = self._sound(x, y, p)
        if sound is not None:
            x, y, p, t = x[sound], y[sound], p[sound], t[sound]
        columns = x.astype(np.uint16), y.astype(np.uint16), p.astype(np.bool_)
        return self._watch.batch(self._clock.unwrapped(t), *columns)

    def _whole(self, message: Sequence[Buffer]) -> Buffer:
        """Return the whole events of a message."""
        if len(message) != 2 or message[0] != HEADER:
            self._watch.note("bad_messages", 1, "no message of a Speck")
            return b""
        body = message[1]
        torn = len(body) % EVENT_BYTES
        self._watch.note("torn_bytes", torn, "a part of an event")
        return body[: len(body) - torn]

    def _sound(self, x: Words, y: Words, p: Words) -> Flags | None:
        """Return which events can be, and count the others; None if all can."""
        width, height = self._watch.sensor.width or 256, self._watch.sensor.height or 256
        if x.max(initial=0) < width and y.max(initial=0) < height and p.max(initial=0) <= 1:
            return None
        valid, on = p <= 1, (x < width) & (y < height)
        self._watch.note("invalid_events", int((~valid).sum()), "polarities that are none")
        self._watch.note("off_sensor", int((valid & ~on).sum()), "events off the sensor")
        return valid & on


class SpikeDecoder:
    """Messages of the chip's layers to batches: an operator, and `decode` for many messages at a
    time. `record` is `spikes` or `viz`.

    Times are unwrapped past 2³² µs. Messages of other than two parts, with a first part of another
    size, or that are not whole records are `bad_messages`, and left out.
    """

    def __init__(self, record: str, sensor: Sensor | None = None, /) -> None:
        self.counts: dict[str, int] = {}
        self._record = LAYERED[record]
        self._sensor = sensor or Sensor(0, 0, SENSOR.name)
        self._clock = _Clock()

    def feed(self, message: Sequence[Buffer], /) -> Iterator[SpikeBatch]:
        """Give the spikes of one message, which is the sequence of its parts, if there are any."""
        batch = self.decode((message,))
        if len(batch):
            yield batch

    def flush(self) -> tuple[()]:
        """Give nothing: a message is whole."""
        return ()

    def decode(self, messages: Iterable[Sequence[Buffer]], /) -> SpikeBatch:
        """Return the spikes of these messages as one batch, perhaps of none."""
        spikes = np.frombuffer(b"".join(map(self._whole, messages)), self._record)
        t = self._clock.unwrapped(spikes["t"].astype(np.int64))
        t.flags.writeable = False
        layer, feature, x, y = (spikes[name] for name in ("layer", "feature", "x", "y"))
        return SpikeBatch(t, layer, feature, x, y, self._sensor, span_of(t))

    def _whole(self, message: Sequence[Buffer]) -> Buffer:
        sound = len(message) == 2 and len(message[0]) in HEADER_SIZES
        if sound and len(message[1]) % self._record.itemsize == 0:
            return message[1]
        self.counts["bad_messages"] = self.counts.get("bad_messages", 0) + 1
        return b""


class _Clock:
    """Times of 32 bits, unwrapped."""

    def __init__(self) -> None:
        self._begun = False
        self._last = 0
        self._rounds = 0

    def unwrapped(self, t: Times) -> Times:
        """Return times that go on past the range of the clock; they are never below 0."""
        if not len(t):
            return t
        if not self._begun:
            self._begun, self._last = True, int(t[0])
        before, self._last = self._last, int(t[-1])
        if max(before, t.max()) - min(before, t.min()) > ROLL // 2:
            steps = np.diff(t, prepend=before)
            rounds = self._rounds + np.cumsum((steps < -ROLL // 2) * 1 - (steps > ROLL // 2))
            self._rounds = int(rounds[-1])
            t += np.maximum(rounds, 0) * ROLL
        elif self._rounds > 0:
            t += self._rounds * ROLL
        return t


class SpeckEncoder:
    """Events to messages of at most 4096 events, with the low 32 bits of their times."""

    def feed(self, batch: EventBatch, /) -> Iterator[tuple[bytes, bytes]]:
        """Give the messages of these events, as pairs of parts. Raises `EncodeError` as `bodies`
        does.
        """
        for piece, body in self.bodies(batch):
            yield self.message(piece, body)

    def flush(self) -> tuple[()]:
        """Give nothing: every batch has been sent to its end."""
        return ()

    def bodies(self, batch: EventBatch, /) -> Iterator[tuple[EventBatch, bytes]]:
        """Give pieces of this batch, each a message's worth, and their records.

        Raises `EncodeError` for what is no batch of events, and before anything is given for an
        event outside 128x128 or before time 0.
        """
        if not isinstance(batch, EventBatch):
            raise EncodeError("speck", f"holds events, not {type(batch).__name__}")
        odd = (batch.x >= SENSOR.width) | (batch.y >= SENSOR.height) | (batch.t < 0)
        if odd.any():
            t, x, y, _ = next(iter(batch.where(odd)))
            raise EncodeError("speck", f"an event at t={t}, x={x}, y={y} does not fit 128x128")
        for start in range(0, len(batch), MOST_EVENTS):
            piece = batch.cut(start, start + MOST_EVENTS, batch.span)
            yield piece, _records(piece)

    def message(self, _piece: EventBatch, body: bytes, /) -> tuple[bytes, bytes]:
        """Return the message of a piece."""
        return HEADER, body

    def sent(self, _piece: EventBatch, /) -> None:
        """Do nothing: no messages are counted."""


def _records(batch: EventBatch) -> bytes:
    words = np.empty((len(batch), 2), "<u4")
    words[:, 0] = batch.x.astype(np.uint32) << 16 | batch.y << 8 | batch.p
    words[:, 1] = batch.t & (ROLL - 1)
    return words.tobytes()
