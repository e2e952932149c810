"""Speck over ZeroMQ: messages as Samna's streamer sends them for SynSense's Speck, and as AEStream
reads them.

A message has two parts: the byte `V`, then 8 bytes an event, little-endian:

    0  polarity, 1 is ON    1  row    2  column    3  nothing    4  u32, time in µs

Nothing says which sensor it was, and no number tells what was lost. From the layout of `DvsEvent`
in Samna 0.7, and from AEStream 0.6.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from aevents.codecs.base import Buffer, Watch
from aevents.errors import EncodeError
from aevents.types import EventBatch, Sensor, Times

HEADER = b"V"
"""The first part of a message."""
SENSOR = Sensor(128, 128, "Speck")
"""What a Speck has."""
RECORD = np.dtype([("p", "u1"), ("y", "u1"), ("x", "u1"), ("pad", "u1"), ("t", "<u4")])
"""An event."""
MOST_EVENTS = 4_096
"""In a message that is sent: 32 KiB."""
ROLL = 1 << 32
"""The clock goes round after so many µs: 71.6 minutes."""


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
        self._last = 0
        self._rounds: int | None = None

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
        events = np.frombuffer(b"".join(map(self._whole, messages)), RECORD)
        events = self._checked(events)
        p = events["p"] != 0
        x, y = events["x"].astype(np.uint16), events["y"].astype(np.uint16)
        return self._watch.batch(self._unwrapped(events["t"].astype(np.int64)), x, y, p)

    def _whole(self, message: Sequence[Buffer]) -> Buffer:
        """Return the whole events of a message."""
        if len(message) != 2 or message[0] != HEADER:
            self._watch.note("bad_messages", 1, "no message of a Speck")
            return b""
        body = message[1]
        torn = len(body) % RECORD.itemsize
        self._watch.note("torn_bytes", torn, "a part of an event")
        return body[: len(body) - torn]

    def _checked(self, events: NDArray[np.void]) -> NDArray[np.void]:
        """Return the events that can be, and count the others."""
        sensor = self._watch.sensor
        on = (events["x"] < sensor.width) & (events["y"] < sensor.height) | (not sensor.sized)
        valid = events["p"] <= 1
        if (on & valid).all():
            return events
        self._watch.note("invalid_events", int((~valid).sum()), "polarities that are none")
        self._watch.note("off_sensor", int((valid & ~on).sum()), "events off the sensor")
        return events[on & valid]

    def _unwrapped(self, t: Times) -> Times:
        """Return times that go on past the range of the clock; they are never below 0."""
        if not len(t):
            return t
        if self._rounds is None:
            self._rounds, self._last = 0, int(t[0])
        steps = np.diff(t, prepend=self._last)
        rounds = self._rounds + np.cumsum((steps < -ROLL // 2) * 1 - (steps > ROLL // 2))
        self._rounds, self._last = int(rounds[-1]), int(t[-1])
        unwrapped: Times = t + np.maximum(rounds, 0) * ROLL
        return unwrapped


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
    events = np.zeros(len(batch), RECORD)
    for name in "pyx":
        events[name] = getattr(batch, name)
    events["t"] = batch.t & (ROLL - 1)
    return events.tobytes()
