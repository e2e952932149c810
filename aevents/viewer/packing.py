"""Pieces: the events of a stretch of time, or a picture, as the bytes that pages get.

A piece is packed once, whoever looks. Few events are four bytes each; more than `most_sparse` are
counted in planes of bytes, OFF and ON, and deflated. docs/reference/viewer.md has the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.operators.colour import Paint
from aevents.operators.representation import cells_of
from aevents.types import PICTURES, EventBatch, Frame, Sensor, Span

SPARSE, DENSE, PICTURE = 1, 2, 3
JUMP = 1
"""Flag: time has jumped, what was drawn before is to be forgotten."""
HEADER = struct.Struct("<BBHHHIIddII")
FAR_EVENTS, NEAR_EVENTS = 100_000, 250_000
"""More events than this in one piece go dense: to pages elsewhere that is less to send, and to
those of this machine less to draw.
"""
SPARSE_PIXELS = 1 << 21
"""Of larger sensors an index has no room for the pixels: they always go dense."""
TICKS = 1024
"""A sparse event's time is in so many parts of its piece."""
POLARITY_BIT, TIME_BIT = 21, 22

Words = npt.NDArray[np.uint32]
Planes = npt.NDArray[np.uint8]


class Piece(msgspec.Struct, frozen=True, eq=False):
    """What pages get of one stretch of a show: `data`, with `events` events, `on` of them ON.
    `jump` says that
    time has jumped before it, `arrived` is when its newest event came, in seconds of the loop.
    """

    seq: int
    data: bytes
    span: Span
    sensor: Sensor
    events: int = 0
    on: int = 0
    jump: bool = False
    arrived: float = 0.0

    @property
    def is_picture(self) -> bool:
        """Whether it is a frame, not events."""
        return self.data[0] == PICTURE

    def jumped(self) -> Piece:
        """Return it as one that time has jumped before."""
        flags = int.from_bytes(self.data[2:4], "little") | JUMP
        data = self.data[:2] + flags.to_bytes(2, "little") + self.data[4:]
        return msgspec.structs.replace(self, data=data, jump=True)


class Packer:
    """Makes the pieces of one show, numbered from 0 on; not in two threads at once."""

    def __init__(self, show: int) -> None:
        self.seq: int = 0
        self.outside: int = 0
        self.most_sparse: int = FAR_EVENTS
        self._show = show
        self._size = Sensor()
        self._counters = np.zeros(0, np.uint8)
        self._spill = np.zeros(0, np.uint32)
        self._paint = Paint()

    def events(
        self, batches: Sequence[EventBatch], span: Span, *, jump: bool = False, arrived: float = 0.0
    ) -> Piece:
        """Return the piece of these events, of one sensor, that stands for `span`."""
        batch = _joined(batches, span)
        sensor = self._sized(batch)
        batch = self._inside(batch, sensor)
        if len(batch) > self.most_sparse or sensor.width * sensor.height > SPARSE_PIXELS:
            plain: npt.NDArray[np.generic] = self._planes(batch, sensor)
            kind = DENSE
        else:
            plain, kind = _words(batch, span, sensor.width), SPARSE
        on = int(np.count_nonzero(batch.p))
        data = self._headed(kind, sensor, len(batch), span, plain, jump=jump)
        return Piece(self._next(), data, span, sensor, len(batch), on, jump, arrived)

    def picture(self, frame: Frame, *, jump: bool = False, arrived: float = 0.0) -> Piece:
        """Return the piece of a frame: pictures as they are, others in the colours that
        `aevents.png` gives them. Raises `ValueError` for what is no picture.
        """
        pixels = self._paint(frame)
        height, width, channels = pixels.shape
        if frame.mode in PICTURES and frame.array.ndim == 2:
            pixels, channels = pixels[..., 0], 1
        sensor = Sensor(width, height)
        plain = np.ascontiguousarray(pixels)
        data = self._headed(PICTURE, sensor, channels, frame.span, plain, jump=jump)
        return Piece(self._next(), data, frame.span, sensor, jump=jump, arrived=arrived)

    def _next(self) -> int:
        seq, self.seq = self.seq, (self.seq + 1) & 0xFFFF_FFFF
        return seq

    def _headed(
        self, kind: int, sensor: Sensor, count: int, span: Span, plain: npt.NDArray[np.generic],
        *, jump: bool,
    ) -> bytes:  # fmt: skip
        head = HEADER.pack(
            kind, self._show, JUMP if jump else 0, sensor.width, sensor.height, self.seq, count,
            span.start, span.stop, plain.nbytes, 0,
        )  # fmt: skip
        return head + (plain.tobytes() if kind == SPARSE else deflated(plain))

    def _sized(self, batch: EventBatch) -> Sensor:
        """Return the size to show: that of the sensor; else what holds all that was ever seen."""
        if batch.sensor.sized:
            self._size = Sensor(batch.sensor.width, batch.sensor.height)
        elif len(batch):
            width = max(self._size.width, int(batch.x.max()) + 1)
            height = max(self._size.height, int(batch.y.max()) + 1)
            self._size = Sensor(width, height)
        return self._size

    def _inside(self, batch: EventBatch, sensor: Sensor) -> EventBatch:
        if not len(batch):
            return batch
        if int(batch.x.max()) < sensor.width and int(batch.y.max()) < sensor.height:
            return batch
        inside = batch.where((batch.x < sensor.width) & (batch.y < sensor.height))
        self.outside += len(batch) - len(inside)
        return inside

    def _planes(self, batch: EventBatch, sensor: Sensor) -> Planes:
        """Return the counts of OFF and of ON events, `(2, height, width)`, at most 255."""
        size = cells_of(sensor, 2)
        if len(self._counters) != size:
            self._counters, self._spill = np.zeros(size, np.uint8), np.zeros(size, np.uint32)
        self._counters.fill(0)
        kernels.accumulate(
            self._counters, self._spill, batch.x, batch.y, batch.p, sensor.width, sensor.height, 2
        )
        if self._spill[-1]:  # some have wrapped
            self._counters[self._spill > 0] = 255
            self._spill.fill(0)
        return self._counters[:-1]


def deflated(plain: npt.NDArray[np.generic]) -> bytes:
    """Return bytes deflated, without a header, by igzip: ten times as fast as zlib at its fastest,
    for planes as small.
    """
    from isal import isal_zlib

    deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    return deflate.compress(plain.data) + deflate.flush()


def _joined(batches: Sequence[EventBatch], span: Span) -> EventBatch:
    if len(batches) == 1:
        return batches[0]
    return EventBatch.concat(batches) if batches else EventBatch.empty(span=span)


def _words(batch: EventBatch, span: Span, width: int) -> Words:
    """Return an event in 32 bits: pixel, polarity, time within the piece."""
    words: Words = batch.y.astype("<u4")
    words *= np.uint32(width)
    words += batch.x
    words |= batch.p.astype(np.uint32) << np.uint32(POLARITY_BIT)
    ticks = batch.t - span.start
    ticks *= TICKS
    ticks //= max(1, span.duration_us)
    np.clip(ticks, 0, TICKS - 1, out=ticks)
    words |= ticks.astype(np.uint32) << np.uint32(TIME_BIT)
    return words
