"""AEDAT 3.1: cAER's packets of little-endian events after a header of `#` lines.

    packet      i16 type, i16 source, i32 size of an event, i32 offset of its time, i32 overflow,
                i32 capacity, i32 number, i32 valid, then `number` events
    0 special   u32 [7:1] kind, 0 valid; i32 time
    1 polarity  u32 [31:17] column, [16:2] row, 1 polarity (1 is ON), 0 valid; i32 time
    others      frames, IMU and more: skipped

The time in µs is `overflow << 31` and the event's 31 bits. Edges on an input are special events of
kinds 2 to 4 (rising, falling, pulse), and 6 to 11 for two inputs more. Specified in iniVation's
documentation of AEDAT, and by libcaer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.codecs import aedat3_seek
from aevents.codecs.aedat import AedatHeader
from aevents.codecs.base import Buffer, ByteBuffer, Codec, Jump, ReadAt, Watch
from aevents.codecs.table import SLAB
from aevents.errors import DecodeError, TruncatedError
from aevents.types import EventBatch, Sensor, TriggerBatch

PACKET = struct.Struct("<hhiiiiii")
RECORD = np.dtype([("data", "<u4"), ("t", "<i4")])
SPECIAL, POLARITY = 0, 1
EDGES = {2: (0, True), 3: (0, False), 4: (0, True)} | {
    6: (1, True), 7: (1, False), 8: (1, True), 9: (2, True), 10: (2, False), 11: (2, True),
}  # fmt: skip
"""Input, and whether it rose, by the kind of a special event; a pulse counts as rising."""
NO_EDGE = 255

Records = npt.NDArray[np.void]

INPUTS = np.full(128, NO_EDGE, np.uint8)
INPUTS[list(EDGES)] = [number for number, _ in EDGES.values()]
RISING = np.zeros(128, np.bool_)
RISING[list(EDGES)] = [rising for _, rising in EDGES.values()]


class Aedat3Decoder:
    """AEDAT 3.1 bytes to events and triggers."""

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("aedat3", strict=strict)
        self._sensor = sensor
        self._header = AedatHeader(self._watch)
        self._at = 0  # byte offset of the next byte of the data
        self._head = bytearray()  # of the packet that comes
        self._type = 0
        self._base = 0  # µs to add to the times of this packet
        self._size = 1  # of its events, in bytes
        self._left = 0  # bytes of it to come
        self._events = ByteBuffer()
        self._out = kernels.columns()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be: `invalid_events` that somebody has marked so, left out;
        `missing_events` that the last packet promises, and the like.
        """
        return self._watch.counts

    def feed(self, data: Buffer, /) -> Iterator[EventBatch | TriggerBatch]:
        """Give the batches that these bytes complete."""
        if not self._header.whole:
            rest = self._header.feed(data)
            if rest is None:
                return
            self._begin()
            data = rest
        try:
            yield from self._packets(memoryview(data))
        except DecodeError:
            yield from self._gathered()  # what came before is whole
            raise
        yield from self._gathered()

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if not self._header.whole:
            return None
        return aedat3_seek.locate(read, size, self._header.length, start)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        self._watch.resume(jump.time)
        self._at, self._left = jump.offset, 0
        self._head.clear()
        self._events = ByteBuffer()

    def flush(self) -> Iterator[EventBatch | TriggerBatch]:
        """Count what the last packet lacks; give an empty batch if there were no events at all."""
        if not self._header.whole:
            rest = self._header.feed(b"", final=True) or b""
            self._begin()
            yield from self.feed(rest)
        torn = len(self._head) + len(self._events)
        self._watch.torn(torn, self._at - torn)
        missing = -(-self._left // self._size)
        reason = f"the last packet promises {missing} events more"
        self._watch.note("missing_events", missing, reason, offset=self._at, error=TruncatedError)
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _begin(self) -> None:
        header = self._header
        if header.version != "3.1":
            self._watch.fail(f"version {header.version} is another format", offset=0)
        packing = header.fields.get("format", "RAW")
        if packing != "RAW":
            self._watch.fail(f"packets in the format {packing} are not read, only RAW ones")
        self._watch.use(self._sensor or header.sensor(header.fields.get("source 1", "")))
        self._at = header.length

    def _packets(self, view: memoryview) -> Iterator[EventBatch | TriggerBatch]:
        while len(view):
            if self._left:
                body = view[: self._left]
                self._left -= len(body)
                yield from self._decode(body)
            else:
                body = view[: PACKET.size - len(self._head)]
                self._open(body)
            self._at += len(body)
            view = view[len(body) :]

    def _open(self, data: memoryview) -> None:
        """Read the head of a packet, once it is all there."""
        self._head += data
        if len(self._head) < PACKET.size:
            return
        type, _, size, _, overflow, _, number, _ = PACKET.unpack(self._head)
        known = size == RECORD.itemsize if type in (SPECIAL, POLARITY) else size > 0
        if not known or min(type, overflow, number) < 0:
            offset = self._at + len(data) - PACKET.size
            what = f"no packet: type {type}, {number} events of {size} bytes, overflow {overflow}"
            self._watch.fail(what, offset=offset)
        self._type, self._size, self._left = type, size, size * number
        self._base = overflow << 31
        self._head.clear()

    def _decode(self, body: memoryview) -> Iterator[EventBatch | TriggerBatch]:
        if self._type not in (SPECIAL, POLARITY):
            return
        for run in self._events.records(body, RECORD.itemsize):
            records = self._valid(np.frombuffer(run, RECORD))
            if self._type == SPECIAL:
                yield from self._gathered()
                yield from self._triggers(records)
            else:
                yield from self._gather(records)

    def _valid(self, records: Records) -> Records:
        valid = (records["data"] & 1).astype(np.bool_)
        if valid.all():
            return records
        invalid = len(valid) - int(valid.sum())
        self._watch.note("invalid_events", invalid, "an event is marked invalid", offset=self._at)
        return records[valid]

    def _gather(self, records: Records) -> Iterator[EventBatch]:
        """Add events to those that wait for their slab to be full: packets may be small."""
        out, at = self._out, 0
        while at < len(records):
            n = out.n
            part = records[at : at + SLAB - n]
            at += len(part)
            out.n = stop = n + len(part)
            data = part["data"]
            np.add(part["t"], np.int64(self._base), out=out.t[n:stop])
            np.right_shift(data, 17, out=out.x[n:stop], casting="unsafe")
            np.bitwise_and(data >> 2, 0x7FFF, out=out.y[n:stop], casting="unsafe")
            np.bitwise_and(data >> 1, 1, out=out.p[n:stop], casting="unsafe")
            if out.n == SLAB:
                yield from self._gathered()

    def _gathered(self) -> Iterator[EventBatch]:
        if self._out.n:
            columns = self._out.take()
            self._out.begin()
            yield self._watch.batch(*columns)

    def _triggers(self, records: Records) -> Iterator[TriggerBatch]:
        kinds = records["data"] >> 1 & 0x7F
        records, kinds = records[INPUTS[kinds] != NO_EDGE], kinds[INPUTS[kinds] != NO_EDGE]
        if len(records):
            t = records["t"] + np.int64(self._base)
            yield self._watch.triggers(t, INPUTS[kinds], RISING[kinds])


def _matches(head: bytes) -> bool:
    return head.startswith(b"#!AER-DAT3.")


CODEC = Codec(
    "aedat3",
    suffixes=(".aedat",),
    matches=_matches,
    decoder=Aedat3Decoder,
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="AEDAT 3.1 of cAER (.aedat)",
)
