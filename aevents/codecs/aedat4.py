r"""AEDAT4: the files of iniVation's DV, with events, triggers, inertial measurements and frames.

    #!AER-DAT4.0\r\n             14 bytes
    header                       u32 size, FlatBuffer "IOHE": i32 compression (0 none, 1 LZ4, 2 LZ4
                                 high, 3 Zstd, 4 Zstd high), i64 place of the table or -1, string
                                 description (XML)
    packets                      i32 stream, i32 size, then so many bytes: an LZ4 or Zstandard
                                 frame, or neither, of a FlatBuffer (see aedat4_streams.py)
    table                        compressed likewise: FlatBuffer "FTAB", where each packet is

Little-endian; times are int64 in µs, mostly of the Unix epoch. Packets are read one after the
other: the table is not needed, and a file whose writer was interrupted has none. Specified in
iniVation's documentation of AEDAT 4.0 and in dv-processing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs import aedat4_seek
from aevents.codecs.aedat4_streams import (
    EVENT,
    EVENTS,
    FRAMES,
    IMU,
    MOST_BYTES,
    TRIGGERS,
    StreamInfo,
    describe,
    event_columns,
    event_structs,
    frame,
    imu,
    triggers,
)
from aevents.codecs.aedat4_write import BY_EDGE, MAGIC, MOST, Aedat4Encoder
from aevents.codecs.base import Buffer, Codec, Jump, ReadAt, Watch
from aevents.codecs.compression import Lz4, Plain, Unpacker, Zstd
from aevents.codecs.flatbuffer import BODY, PREFIX, Table, root, unprefixed
from aevents.codecs.limits import Limits
from aevents.codecs.packets import Form, Packet, Packets
from aevents.codecs.rescue import good_parts, good_run, mend_times, strays
from aevents.errors import DecodeError
from aevents.types import Damage, EventBatch, Frame, ImuBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import AedatState  # not loaded where there is C

Item = EventBatch | TriggerBatch | ImuBatch | Frame
Part = memoryview | TriggerBatch | ImuBatch | Frame

KINDS: dict[str, type] = {EVENTS: EventBatch, TRIGGERS: TriggerBatch, IMU: ImuBatch, FRAMES: Frame}
HEAD = struct.Struct("<ii")
MOST_HEADER = 1 << 20
UNPACKERS: tuple[type[Unpacker], ...] = (Plain, Lz4, Lz4, Zstd, Zstd)
"""By the number of the compression."""
LETTERS = 16
"""Where the letters are in a packet that is not compressed."""
SLAB = 61_440
"""Events that are read before they are given: six packets of 10,000, as most have."""
ROOM = 1 << 20
"""Bytes that two packets are unpacked in; it is touched only as far as they are large."""


def packet_form(unpacker: Unpacker, kinds: set[str]) -> Form:
    """Return how packets of this compression are told; streams of these kinds are described."""
    letters = "|".join(re.escape(kind) for kind in sorted({*KINDS, *kinds})).encode()
    mark = re.compile(re.escape(unpacker.magic) or letters)
    at = HEAD.size if unpacker.magic else LETTERS

    def length(head: memoryview) -> int:
        id, size = HEAD.unpack_from(head)
        if not (id >= 0 and 4 <= size <= MOST_BYTES and mark.match(head, at)):
            return 0
        if not unpacker.magic and int.from_bytes(head[8:12], "little") != size - PREFIX:
            return 0
        return HEAD.size + int(size)

    return Form(at + 4, length, mark, at, bits=8 * (at + 4))


class Aedat4Decoder:
    """AEDAT4 bytes to events, triggers, inertial measurements and frames.

    `stream` picks one stream, by its number or by its name (`"events"`); others are not unpacked.
    Otherwise all are read. Each stream is watched by itself: batches carry their stream's sensor,
    and spans follow on from each other within a stream.

    Behind damaged bytes it goes on with the next packet; of a damaged packet it gives what is good.
    """

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        stream: int | str | None = None,
    ) -> None:
        self._watch = Watch("aedat4", strict=strict)
        self._watches: dict[int, Watch] = {}
        self._clocks: dict[int, AedatState] = {}
        self._strict = strict
        self._sensor = sensor
        self._wanted = stream
        self._kind: type = object
        self._streams: dict[int, StreamInfo] = {}
        self._unpack: Unpacker = Plain()
        self._head = b""
        self._body = 0  # where the packets begin
        self._packets: Packets | None = None
        self._out = kernels.columns(SLAB)
        self._room = np.empty(ROOM, np.uint8)
        self._gathering = StreamInfo(-1)  # whose events are in there

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
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
        """Leave out, where that is possible, what is of other kinds."""
        self._kind = kind

    def feed(self, data: Buffer, /) -> Iterator[Item]:
        """Give what the packets that these bytes complete hold, a slab of events at a time."""
        if self._packets is None:
            self._head += bytes(data)
            data = self._begin()
        if self._packets is not None and self._packets.offset != self._packets.end:
            self._packets.feed(data)
            yield from self._drained(self._packets, final=False)

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if self._packets is None:
            return None
        packets = aedat4_seek.Packets(
            self._body,
            self._packets.end,
            unpack=lambda data: bytes(self._unpack.whole(data, MOST_BYTES)),
            wanted=self._has_events,
            first_time=self._first_time,
        )
        return aedat4_seek.locate(read, size, packets, start)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        for watch in (self._watch, *self._watches.values()):
            watch.resume(jump.time)
        if self._packets is not None:
            self._packets = Packets(self._form(), offset=jump.offset, end=self._packets.end)
        self._clocks.clear()

    def flush(self) -> Iterator[Item]:
        """Count a torn packet; give an empty batch with the sensor if there were no events."""
        if self._packets is None:
            self._watch.fail("the header is not whole", offset=len(self._head))
        yield from self._drained(self._packets, final=True)
        if not any(watch.started for watch in self._watches.values()):
            first = next((one for one in self._streams.values() if one.kind == EVENTS), None)
            yield EventBatch.empty(self._sensor or (first.sensor if first else Sensor()))

    def _begin(self) -> Buffer:
        """Read the header once it is there; return what follows it."""
        head = self._head[: len(MAGIC) + 4]
        if not MAGIC.startswith(head[: len(MAGIC)]):
            self._watch.fail("the first bytes are not #!AER-DAT4.0", offset=0)
        size = int.from_bytes(head[len(MAGIC) :], "little")
        if size > MOST_HEADER:
            self._watch.fail(f"a header of {size} bytes is too large", offset=len(MAGIC))
        length = len(MAGIC) + 4 + size
        if len(head) < len(MAGIC) + 4 or len(self._head) < length:
            return b""
        try:
            end = self._read_header(root(unprefixed(self._head[len(MAGIC) : length])))
        except ValueError as error:
            self._watch.fail(f"the header cannot be read: {error}", offset=len(MAGIC))
        self._check_wanted()
        self._body = length
        self._packets = Packets(self._form(), offset=length, end=end)
        rest, self._head = memoryview(self._head)[length:], b""
        return rest

    def _form(self) -> Form:
        return packet_form(self._unpack, {one.kind for one in self._streams.values()})

    def _read_header(self, header: Table) -> int:
        compression = header.number(0, "i")
        if not 0 <= compression < len(UNPACKERS):
            raise ValueError(f"compression {compression} is not known")
        self._unpack = UNPACKERS[compression]()
        self._streams = describe(header.bytes(2).decode("utf-8", "replace"))
        return header.number(1, "q")

    def _check_wanted(self) -> None:
        if self._wanted is None or any(map(self._is_wanted, self._streams)):
            return
        held = ", ".join(f"{id} ({one.name})" for id, one in self._streams.items()) or "none"
        self._watch.fail(f"there is no stream {self._wanted!r}; the file has {held}")

    def _is_wanted(self, id: int) -> bool:
        if self._wanted is None:
            return True
        name = self._streams[id].name if id in self._streams else None
        return self._wanted in (id, str(id), name)

    def _has_events(self, id: int) -> bool:
        return self._is_wanted(id) and self._streams.get(id, StreamInfo(id)).kind in ("", EVENTS)

    def _first_time(self, id: int, packed: bytes) -> int | None:
        parts = self._parts(self._streams.get(id, StreamInfo(id)), memoryview(packed))
        part = next(parts, None)
        if not isinstance(part, memoryview) or not len(part):
            return None
        return int(event_columns(part)[0][0])

    def _drained(self, packets: Packets, *, final: bool) -> Iterator[Item]:
        """Give what the packets hold that are there, then the events gathered of them."""
        try:
            while (packet := packets.next(final=final)) is not None:
                if not (size := self._taken(packets.ahead)):
                    yield from self._packet(packets, packet)
                while size:
                    packets.take(size)
                    if 2 * self._out.n > self._out.capacity:
                        yield from self._gathered()
                    size = self._taken(packets.ahead)
        except DecodeError:
            yield from self._gathered()  # what came before is whole
            raise
        packets.keep()
        yield from self._gathered()

    def _taken(self, data: memoryview) -> int:
        """Return how many bytes of packets a kernel has taken: those like the last, as most are."""
        if self._gathering.id < 0:
            return 0
        id, clock = self._gathering.id, self._clock_of(self._gathering)
        if self._is_plain:
            return kernels.aedat4_packets(data, id, clock, self._out)
        if isinstance(self._unpack, Lz4):
            return kernels.aedat4_lz4(data, id, clock, self._out, self._room)
        return 0

    def _packet(self, packets: Packets, packet: Packet) -> Iterator[Item]:
        id = HEAD.unpack_from(packet.data)[0] if packet.length else -1
        stream = self._streams.get(id, StreamInfo(id))
        content = packet.data[HEAD.size : packet.length]
        if packet.whole or self._is_intact(stream, packet, content):
            packets.take(packet.length)
            if packet.mended:
                self._watch.damaged("mended_packets", packet.offset)
            if self._is_wanted(id) and self._is_asked_for(stream):
                yield from self._content(stream, packet, content)
            return
        packets.take(len(packet.data))
        if packet.length:
            at_end = not len(packets) and len(packet.data) < packet.length
            yield from self._rest(stream, packet, "it is damaged", torn=at_end)
        else:
            self._lost(packet, at_end=not len(packets))

    def _is_asked_for(self, stream: StreamInfo) -> bool:
        if not stream.kind:
            return True  # the packets will tell
        return stream.kind in KINDS and issubclass(KINDS[stream.kind], self._kind)

    def _is_intact(self, stream: StreamInfo, packet: Packet, content: memoryview) -> bool:
        """Say whether this is all of a packet, though nothing known follows it."""
        if not 0 < packet.length <= len(packet.data):
            return False
        try:
            for part in self._parts(stream, content):
                if isinstance(part, memoryview) and self._is_plain:
                    sensor, last = self._sensor or stream.sensor, self._last(stream)
                    run = good_run(*event_columns(part), sensor=sensor, last=last)
                    return run == len(part) // EVENT.itemsize
        except ValueError:
            return False
        return True

    def _content(self, stream: StreamInfo, packet: Packet, content: memoryview) -> Iterator[Item]:
        parts = self._parts(stream, content)
        while True:
            part, fault = None, ""
            try:
                part = next(parts, None)
            except ValueError as error:
                fault = str(error)  # the error itself keeps alive what has been unpacked
            if fault:
                yield from self._rest(stream, packet, fault)
            if part is None:
                return
            if isinstance(part, memoryview):
                yield from self._events(stream, part, packet.offset)
            else:
                yield from self._gathered()
                yield part

    def _parts(self, stream: StreamInfo, packed: memoryview) -> Iterator[Part]:
        """Yield what a packet holds. Raises `ValueError` where it is damaged."""
        data = memoryview(self._unpack.whole(packed, MOST_BYTES))
        kind = bytes(data[8:12]).decode("latin-1")
        if kind == EVENTS and stream.kind in ("", EVENTS):
            yield event_structs(data)
            return
        table = root(unprefixed(data))
        sensor = self._sensor or stream.sensor
        if kind not in KINDS or stream.kind not in ("", kind):
            raise ValueError(f"it holds {kind!r}")
        if kind == FRAMES:
            yield frame(table, sensor)
        else:
            yield from triggers(table, sensor) if kind == TRIGGERS else imu(table, sensor)

    def _rest(
        self, stream: StreamInfo, packet: Packet, reason: str, *, torn: bool = False
    ) -> Iterator[Item]:
        """Give what events of a damaged packet are good, as far as it can be told."""
        if torn:
            self._watch.torn(len(packet.data), packet.offset)
        else:
            reason = f"a packet of stream {stream.id} cannot be read: {reason}"
            self._watch.note("bad_packets", 1, reason, offset=packet.offset)
        if stream.kind not in ("", EVENTS) or not self._is_wanted(stream.id):
            self._place(packet, 0, torn=torn)
            return
        data = memoryview(self._unpack.some(packet.data[HEAD.size :], MOST_BYTES))[BODY:]
        sensor, last, plain = self._sensor or stream.sensor, self._last(stream), self._is_plain
        parts = good_parts(
            data, EVENT.itemsize, event_columns, sensor=sensor, last=last, torn=torn or not plain
        )
        self._place(packet, HEAD.size + BODY + len(parts[0]) if plain else 0, torn=torn)
        for part in parts:
            yield from self._events(stream, part, packet.offset)

    def _place(self, packet: Packet, at: int, *, torn: bool) -> None:
        if not torn:
            lost = max(0, len(packet.data) - at)
            self._watch.damaged("bad_packets", packet.offset + at, bytes=lost, count=0)

    def _last(self, stream: StreamInfo) -> int | None:
        clock = self._clock_of(stream)
        return clock.last if clock.started else None

    @property
    def _is_plain(self) -> bool:
        return not self._unpack.magic

    def _lost(self, packet: Packet, *, at_end: bool) -> None:
        """Count bytes that are no packet, unless they are the table, which nobody has announced."""
        if bytes(self._unpack.some(packet.data, 12))[8:] == b"FTAB":
            return
        if at_end:
            self._watch.torn(len(packet.data), packet.offset)
        else:
            count = len(packet.data)
            self._watch.damaged("lost_bytes", packet.offset, bytes=count, count=count)

    def _events(self, stream: StreamInfo, records: memoryview, offset: int) -> Iterator[EventBatch]:
        """Add events to those that wait for their slab to be full: packets may be small."""
        if stream.id != self._gathering.id:
            yield from self._gathered()
            self._gathering = stream
        clock, out, at = self._clock_of(stream), self._out, 0
        while at + EVENT.itemsize <= len(records):
            at = kernels.aedat4_decode(records, at, clock, out)
            if out.n == out.capacity:
                yield from self._gathered()
            elif at + EVENT.itemsize <= len(records):  # a leap
                records, at = self._mended(records[at:], clock, offset), 0
                clock.wary = 0
        clock.wary = 1

    def _mended(self, rest: memoryview, clock: AedatState, offset: int) -> memoryview:
        records = np.frombuffer(rest, EVENT, len(rest) // EVENT.itemsize).copy()
        t = records["t"].astype(np.int64)
        mended, stray = int(mend_times(t, clock.last).sum()), strays(t)
        records["t"] = t
        for what, count in (("mended_times", mended), ("stray_events", int(stray.sum()))):
            if count:
                self._watch.damaged(what, offset, events=count, count=count)
        return memoryview(records[~stray].tobytes())

    def _gathered(self) -> Iterator[EventBatch]:
        if self._out.n:
            columns = self._out.take()
            self._out.begin()
            yield self._watch_of(self._gathering).batch(*columns)

    def _clock_of(self, stream: StreamInfo) -> AedatState:
        if stream.id not in self._clocks:
            self._clocks[stream.id] = kernels.aedat_state()
        return self._clocks[stream.id]

    def _watch_of(self, stream: StreamInfo) -> Watch:
        """Return the watch of this stream; all count in one place."""
        if stream.id not in self._watches:
            watch = self._watches[stream.id] = Watch("aedat4", strict=self._strict)
            watch.use(self._sensor or stream.sensor)
            watch.counts, watch.damage = self._watch.counts, self._watch.damage
        return self._watches[stream.id]


CODEC = Codec(
    "aedat4",
    suffixes=(".aedat4",),
    matches=lambda head: head.startswith(MAGIC),
    decoder=Aedat4Decoder,
    encoder=Aedat4Encoder,
    limits=Limits(
        kinds=((EventBatch, TriggerBatch, ImuBatch, Frame),),
        width=MOST,
        height=MOST,
        edges=frozenset(BY_EDGE),
    ),
    kinds=(EventBatch, TriggerBatch, ImuBatch, Frame),
    seekable=True,
    goes_back=True,
    about="iniVation AEDAT 4.0, of DV (.aedat4)",
)
