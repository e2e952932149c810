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

import struct
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from aevents._native.columns import CAPACITY
from aevents.codecs import aedat4_seek
from aevents.codecs.aedat4_streams import (
    EVENTS,
    FRAMES,
    IMU,
    TRIGGERS,
    StreamInfo,
    describe,
    events,
    frame,
    imu,
    triggers,
)
from aevents.codecs.aedat4_write import MAGIC, Aedat4Encoder
from aevents.codecs.base import Buffer, Codec, Jump, ReadAt, Watch
from aevents.codecs.compression import lz4_unpack, zstd_unpack
from aevents.codecs.flatbuffer import Table, identifier, root, unprefixed
from aevents.types import EventBatch, Frame, ImuBatch, Sensor, TriggerBatch

Item = EventBatch | TriggerBatch | ImuBatch | Frame
Unpack = Callable[[bytes, int], bytes]
Part = npt.NDArray[np.void] | TriggerBatch | ImuBatch | Frame

KINDS = (EVENTS, TRIGGERS, IMU, FRAMES)
PACKET = struct.Struct("<ii")
MOST_HEADER = 1 << 20
MOST_BYTES = 1 << 26
"""The largest packet that is accepted, as it stands and unpacked: 4 million events."""


def _as_it_is(data: bytes, limit: int) -> bytes:
    return data[:limit]


UNPACK: tuple[Unpack, ...] = (
    _as_it_is,
    lz4_unpack,
    lz4_unpack,
    zstd_unpack,
    zstd_unpack,
)
"""By the number of the compression."""


class Aedat4Decoder:
    """AEDAT4 bytes to events, triggers, inertial measurements and frames.

    `stream` picks one stream, by its number or by its name (`"events"`); others are not unpacked.
    Otherwise all are read. Each stream is watched by itself: batches carry their stream's sensor,
    and spans follow on from each other within a stream.
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
        self._strict = strict
        self._sensor = sensor
        self._wanted = stream
        self._streams: dict[int, StreamInfo] = {}
        self._unpack: Unpack = _as_it_is
        self._table = -1
        self._body = 0  # where the packets begin
        self._bytes = bytearray()
        self._offset = 0  # of the first byte in it
        self._begun = False
        self._ended = False

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    def feed(self, data: Buffer, /) -> Iterator[Item]:
        """Give what the packets that these bytes complete hold, a slab of events at a time."""
        if not self._ended:
            self._bytes += data
        if self._begun or self._begin():
            at = 0
            while (stop := self._packet_end(at)) is not None:
                yield from self._packet(at, stop)
                at = stop
            del self._bytes[: None if self._ended else at]
            self._offset += at

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if not self._begun:
            return None
        packets = aedat4_seek.Packets(
            self._body,
            self._table,
            unpack=lambda data: self._unpack(data, MOST_BYTES),
            wanted=self._has_events,
            first_time=self._first_time,
        )
        return aedat4_seek.locate(read, size, packets, start)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        for watch in (self._watch, *self._watches.values()):
            watch.resume(jump.time)
        self._bytes.clear()
        self._offset = jump.offset

    def flush(self) -> Iterator[Item]:
        """Count a torn packet; give an empty batch with the sensor if there were no events."""
        if not self._begun:
            self._watch.fail("the header is not whole", offset=len(self._bytes))
        self._watch.torn(len(self._bytes), self._offset)
        if not any(watch.started for watch in self._watches.values()):
            first = next((one for one in self._streams.values() if one.kind == EVENTS), None)
            yield EventBatch.empty(self._sensor or (first.sensor if first else Sensor()))

    def _begin(self) -> bool:
        """Read the header once it is there."""
        head = bytes(self._bytes[: len(MAGIC) + 4])
        if not MAGIC.startswith(head[: len(MAGIC)]):
            self._watch.fail("the first bytes are not #!AER-DAT4.0", offset=0)
        size = int.from_bytes(head[len(MAGIC) :], "little")
        if size > MOST_HEADER:
            self._watch.fail(f"a header of {size} bytes is too large", offset=len(MAGIC))
        length = len(MAGIC) + 4 + size
        if len(head) < len(MAGIC) + 4 or len(self._bytes) < length:
            return False
        try:
            self._read_header(root(unprefixed(bytes(self._bytes[len(MAGIC) : length]))))
        except ValueError as error:
            self._watch.fail(f"the header cannot be read: {error}", offset=len(MAGIC))
        self._check_wanted()
        del self._bytes[:length]
        self._offset = self._body = length
        self._begun = True
        return True

    def _read_header(self, header: Table) -> None:
        compression = header.number(0, "i")
        if not 0 <= compression < len(UNPACK):
            raise ValueError(f"compression {compression} is not known")
        self._unpack = UNPACK[compression]
        self._table = header.number(1, "q")
        self._streams = describe(header.bytes(2).decode("utf-8", "replace"))

    def _check_wanted(self) -> None:
        if self._wanted is None or any(map(self._is_wanted, self._streams)):
            return
        held = ", ".join(f"{id} ({one.name})" for id, one in self._streams.items()) or "none"
        self._watch.fail(f"there is no stream {self._wanted!r}; the file has {held}")

    def _is_wanted(self, id: int) -> bool:
        name = self._streams[id].name if id in self._streams else None
        return self._wanted in (None, id, str(id), name)

    def _has_events(self, id: int) -> bool:
        return self._is_wanted(id) and self._streams.get(id, StreamInfo(id)).kind in ("", EVENTS)

    def _first_time(self, id: int, packed: bytes) -> int | None:
        part = next(self._parts(self._streams.get(id, StreamInfo(id)), packed), None)
        return int(part["t"][0]) if isinstance(part, np.ndarray) else None

    def _packet_end(self, at: int) -> int | None:
        """Return where the packet at `at` ends; None while it is not whole, and at the table."""
        if self._offset + at == self._table:
            self._ended = True
        if self._ended or len(self._bytes) < at + PACKET.size:
            return None
        _, size = PACKET.unpack_from(self._bytes, at)
        if not 0 <= size <= MOST_BYTES:
            self._watch.fail(f"a packet of {size} bytes", offset=self._offset + at)
        stop: int = at + PACKET.size + size
        return stop if stop <= len(self._bytes) else None

    def _packet(self, at: int, stop: int) -> Iterator[Item]:
        id, _ = PACKET.unpack_from(self._bytes, at)
        stream = self._streams.get(id, StreamInfo(id))
        if not self._is_wanted(id) or stream.kind not in ("", *KINDS):
            return
        parts = self._parts(stream, bytes(memoryview(self._bytes)[at + PACKET.size : stop]))
        while True:
            try:
                part = next(parts, None)
            except ValueError as error:
                reason = f"a packet of stream {id} cannot be read: {error}"
                self._watch.note("bad_packets", 1, reason, offset=self._offset + at)
                return
            if part is None:
                return
            yield self._batch(part, stream) if isinstance(part, np.ndarray) else part

    def _parts(self, stream: StreamInfo, packed: bytes) -> Iterator[Part]:
        """Yield what a packet holds. Raises `ValueError` where it is damaged."""
        data = unprefixed(self._unpack(packed, MOST_BYTES))
        kind, table = identifier(data), root(data)
        sensor = self._sensor or stream.sensor
        if kind not in KINDS or stream.kind not in ("", kind):
            raise ValueError(f"it holds {kind!r}")
        if kind == EVENTS:
            records = events(table, data)
            yield from (records[at : at + CAPACITY] for at in range(0, len(records), CAPACITY))
        elif kind == FRAMES:
            yield frame(table, sensor)
        else:
            yield from triggers(table, sensor) if kind == TRIGGERS else imu(table, sensor)

    def _batch(self, records: npt.NDArray[np.void], stream: StreamInfo) -> EventBatch:
        columns = (
            records["t"].astype(np.int64),
            records["x"].astype(np.uint16),
            records["y"].astype(np.uint16),
            records["on"] != 0,
        )
        for column in columns:
            column.flags.writeable = False
        return self._watch_of(stream).batch(*columns)

    def _watch_of(self, stream: StreamInfo) -> Watch:
        """Return the watch of this stream; all count in one place."""
        if stream.id not in self._watches:
            watch = self._watches[stream.id] = Watch("aedat4", strict=self._strict)
            watch.use(self._sensor or stream.sensor)
            watch.counts = self._watch.counts
        return self._watches[stream.id]


CODEC = Codec(
    "aedat4",
    suffixes=(".aedat4",),
    matches=lambda head: head.startswith(MAGIC),
    decoder=Aedat4Decoder,
    encoder=Aedat4Encoder,
    kinds=(EventBatch, TriggerBatch, ImuBatch, Frame),
    seekable=True,
    about="iniVation AEDAT 4.0, of DV (.aedat4)",
)
