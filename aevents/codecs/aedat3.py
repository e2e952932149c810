"""AEDAT 3.1: cAER's packets of little-endian events after a header of `#` lines.

    packet      i16 type, i16 source, i32 size of an event, i32 offset of its time, i32 overflow,
                i32 capacity, i32 number, i32 valid, then `number` events
    0 special   u32 [7:1] kind, 0 valid; i32 time
    1 polarity  u32 [31:17] column, [16:2] row, 1 polarity (1 is ON), 0 valid; i32 time
    2, 3, 4     frames and IMU: `aedat3_kinds.py`
    others      skipped

The time in µs is `overflow << 31` and the event's 31 bits. Edges on an input are special events of
kinds 2 to 4 (rising, falling, pulse), and 6 to 11 for two inputs more. Specified in iniVation's
documentation of AEDAT, and by libcaer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs import aedat3_seek
from aevents.codecs.aedat import AedatHeader
from aevents.codecs.aedat3_kinds import (
    FRAME,
    HEAD,
    IMU6,
    IMU9,
    POLARITY,
    RECORD,
    SPECIAL,
    edges,
    others,
)
from aevents.codecs.base import Buffer, Codec, Jump, ReadAt, Watch
from aevents.codecs.packets import Form, Packet, Packets
from aevents.codecs.rescue import Numbers, good_parts, good_run, mend_times, strays
from aevents.errors import DecodeError, TruncatedError
from aevents.types import (
    Damage,
    EventBatch,
    Frame,
    ImuBatch,
    Sensor,
    Times,
    TriggerBatch,
)

if TYPE_CHECKING:
    from aevents._native.twins import AedatState  # not loaded where there is C

MOST_TYPE, MOST_SOURCE = 31, 255
"""There are 13 types, and cAER numbers its modules from 1 on."""
MOST_BYTES = 16 << 20
"""The largest packet that is accepted: 2 million events; cAER writes some thousand."""
KINDS = {SPECIAL: TriggerBatch, FRAME: Frame, IMU6: ImuBatch, IMU9: ImuBatch}
"""What packets of other types than events hold."""
Item = EventBatch | TriggerBatch | ImuBatch | Frame


def packet_length(head: memoryview) -> int:
    """Return the length of the packet with this head, 0 if it is none."""
    type, source, size, time, overflow, capacity, number, valid = HEAD.unpack(head)
    if not (0 <= type <= MOST_TYPE and 0 <= source <= MOST_SOURCE and overflow >= 0):
        return 0
    if not (time < size == RECORD.itemsize if type in (SPECIAL, POLARITY) else time < size):
        return 0
    if not (0 <= valid <= number <= capacity and number * size <= MOST_BYTES):
        return 0
    return HEAD.size + int(number * size)


# The time of an event stands at byte 4, 8 or 12 of it.
FORM = Form(HEAD.size, packet_length, re.compile(rb"[\x04\x08\x0c]\0\0\0"), 8, 8 * HEAD.size)


class Aedat3Decoder:
    """AEDAT 3.1 bytes to events, triggers, inertial measurements and frames.

    Behind damaged bytes it goes on with the next packet; of a damaged packet it gives what is good.
    """

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("aedat3", strict=strict)
        self._sensor = sensor
        self._header = AedatHeader(self._watch)
        self._packets = Packets(FORM)
        self._clock: AedatState = kernels.aedat_state()
        self._overflow = 0
        self._wanted: type = object
        self._out = kernels.columns()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be: `invalid_events` that somebody has marked so, left out;
        `missing_events` that the last packet promises, and the like.
        """
        return self._watch.counts

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def keep_in(self, room: Room) -> None:
        """Decode into `room`, where the events stay."""
        self._out.keep_in(room)
        self._out.begin()

    def want(self, kind: type) -> None:
        """Leave out, beside events, what is not of this kind."""
        self._wanted = kind

    def feed(self, data: Buffer, /) -> Iterator[Item]:
        """Give the batches that these bytes complete."""
        if not self._header.whole:
            rest = self._header.feed(data)
            if rest is None:
                return
            self._begin()
            data = rest
        self._packets.feed(data)
        yield from self._drained(final=False)

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if not self._header.whole:
            return None
        return aedat3_seek.locate(read, size, self._header.length, start)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        self._watch.resume(jump.time)
        self._packets = Packets(FORM, offset=jump.offset)
        self._clock = kernels.aedat_state()

    def flush(self) -> Iterator[Item]:
        """Count what the last packet lacks; give an empty batch if there were no events at all."""
        if not self._header.whole:
            rest = self._header.feed(b"", final=True) or b""
            self._begin()
            self._packets.feed(rest)
        yield from self._drained(final=True)
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
        self._packets.offset = header.length

    def _drained(self, *, final: bool) -> Iterator[Item]:
        try:
            while (packet := self._packets.next(final=final)) is not None:
                yield from self._packet(packet)
        except DecodeError:
            yield from self._gathered()  # what came before is whole
            raise
        self._packets.keep()
        yield from self._gathered()

    def _packet(self, packet: Packet) -> Iterator[Item]:
        if not packet.length:
            self._lost(packet)
            return
        type, _, size, _, overflow, _, number, _ = HEAD.unpack_from(packet.data)
        self._clock.base = self._base(packet, overflow)
        body = packet.data[HEAD.size : packet.length]
        if packet.mended:
            self._watch.damaged("mended_packets", packet.offset)
        if packet.whole or self._is_intact(packet, type, body):
            self._packets.take(packet.length)
            yield from self._content(type, body, size, packet.offset)
            return
        self._packets.take(len(packet.data))
        torn = not len(self._packets) and len(packet.data) < packet.length
        if torn:
            self._missing(packet, size, number)
        yield from self._rest(type, packet, torn=torn)

    def _base(self, packet: Packet, overflow: int) -> int:
        """Return what is to be added to the times of a packet, its overflow mended if a bit of that
        has flipped: then the packets before and behind it agree on another.
        """
        behind = self._packets.head(packet.length)
        followed = len(behind) == HEAD.size and packet_length(behind) > 0
        after = HEAD.unpack(behind)[4] if followed else overflow
        before = self._overflow
        flipped = (overflow ^ before).bit_count() == 1 and before <= after <= before + 1
        if self._clock.started and flipped and not before <= overflow <= after:
            self._watch.damaged("mended_packets", packet.offset)
            overflow = before
        self._overflow = overflow
        return overflow << 31

    def _lost(self, packet: Packet) -> None:
        self._packets.take(len(packet.data))
        if len(self._packets):
            count = len(packet.data)
            self._watch.damaged("lost_bytes", packet.offset, bytes=count, count=count)
        else:
            self._watch.torn(len(packet.data), packet.offset)

    def _missing(self, packet: Packet, size: int, number: int) -> None:
        """Count what the last packet lacks."""
        there, torn = divmod(len(packet.data) - HEAD.size, size)
        end, missing = packet.offset + len(packet.data), number - there
        self._watch.torn(torn, end - torn)
        reason = f"the last packet promises {missing} events more"
        self._watch.note("missing_events", missing, reason, offset=end, error=TruncatedError)
        self._watch.damaged("missing_events", end, events=missing, count=0)

    def _is_intact(self, packet: Packet, type: int, body: memoryview) -> bool:
        """Say whether this is all of a packet, though nothing known follows it."""
        if packet.length > len(packet.data) or type != POLARITY:
            return packet.length <= len(packet.data)
        run = good_run(*self._columns(body), sensor=self._watch.sensor, last=self._last())
        return run == len(body) // RECORD.itemsize

    def _last(self) -> int | None:
        return self._clock.last if self._clock.started else None

    def _columns(self, body: memoryview) -> tuple[Times, Numbers, Numbers]:
        records = np.frombuffer(body, RECORD)
        t = self._clock.base + records["t"].astype(np.int64)
        return t, records["data"] >> 17, records["data"] >> 2 & 0x7FFF

    def _rest(self, type: int, packet: Packet, *, torn: bool) -> Iterator[Item]:
        """Give what events of a damaged packet are good, as far as it can be told."""
        body = packet.data[HEAD.size :] if type == POLARITY else memoryview(b"")
        sensor, last = self._watch.sensor, self._last()
        parts = good_parts(
            body, RECORD.itemsize, self._columns, sensor=sensor, last=last, torn=torn
        )
        if not torn:
            at = packet.offset + HEAD.size + len(parts[0])
            left = (packet.length - HEAD.size - sum(map(len, parts))) // RECORD.itemsize
            lost = max(0, packet.length - len(packet.data))
            self._watch.damaged("bad_packets", at, bytes=lost, events=max(0, left))
        for part in parts:
            yield from self._events(part, packet.offset)

    def _content(self, type: int, body: memoryview, size: int, offset: int) -> Iterator[Item]:
        if type == POLARITY:
            yield from self._events(body, offset)
        elif type in KINDS and issubclass(KINDS[type], self._wanted):
            yield from self._gathered()
            if type == SPECIAL:
                yield from self._edges(body, offset)
            else:
                yield from self._others(type, body, size, offset)

    def _others(
        self, type: int, body: memoryview, size: int, offset: int
    ) -> Iterator[ImuBatch | Frame]:
        try:
            items, invalid = others(type, body, size, self._clock.base, self._watch.sensor)
        except ValueError as error:
            self._watch.note("bad_packets", 1, str(error), offset=offset)
        else:
            self._invalid(invalid, offset)
            yield from items

    def _events(self, body: memoryview, offset: int) -> Iterator[EventBatch]:
        """Add events to those that wait for their slab to be full: packets may be small."""
        clock, out, at, before = self._clock, self._out, 0, self._clock.invalid
        while at + RECORD.itemsize <= len(body):
            at = kernels.aedat3_decode(body, at, clock, out)
            if out.n == out.capacity:
                yield from self._gathered()
            elif at + RECORD.itemsize <= len(body):  # a leap
                body, at = self._mended(body[at:], offset), 0
                clock.wary = 0
        clock.wary = 1
        self._invalid(clock.invalid - before, offset)

    def _mended(self, rest: memoryview, offset: int) -> memoryview:
        clock = self._clock
        records = np.frombuffer(rest, RECORD, len(rest) // RECORD.itemsize)
        valid = (records["data"] & 1).astype(np.bool_)
        clock.invalid += int((~valid).sum())
        records = records[valid]
        t = clock.base + records["t"].astype(np.int64)
        mended, stray = int(mend_times(t, clock.last).sum()), strays(t)
        records["t"] = (t - clock.base).astype(np.int32)
        for what, count in (("mended_times", mended), ("stray_events", int(stray.sum()))):
            if count:
                self._watch.damaged(what, offset, events=count, count=count)
        return memoryview(records[~stray].tobytes())

    def _invalid(self, count: int, offset: int) -> None:
        self._watch.note("invalid_events", count, "an event is marked invalid", offset=offset)

    def _gathered(self) -> Iterator[EventBatch]:
        if self._out.n:
            columns = self._out.take()
            self._out.begin()
            yield self._watch.batch(*columns)

    def _edges(self, body: memoryview, offset: int) -> Iterator[TriggerBatch]:
        t, id, value, invalid = edges(body, self._clock.base)
        self._invalid(invalid, offset)
        if len(t):
            yield self._watch.triggers(t, id, value)


def _matches(head: bytes) -> bool:
    return head.startswith(b"#!AER-DAT3.")


CODEC = Codec(
    "aedat3",
    suffixes=(".aedat",),
    matches=_matches,
    decoder=Aedat3Decoder,
    unverified="everything but the polarity bit: no recording of a camera was at hand",
    kinds=(EventBatch, TriggerBatch, ImuBatch, Frame),
    seekable=True,
    about="AEDAT 3.1 of cAER (.aedat)",
)
