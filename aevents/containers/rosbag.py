r"""ROS 1 bags, version 2.0.

    #ROSBAG V2.0\n               13 bytes
    records                      u32 size, header, u32 size, data
    header                       fields: u32 size, "name=value"

    op 3    the bag: index_pos, where the chunks end (0: its writer was interrupted)
    op 5    a chunk: compression ("none", "lz4", "bz2"); the data are records 7 and 2, packed
    op 7    a connection: conn, topic; the data are fields, too, among them type
    op 2    a message: conn, time; the data are in ROS's own order (see `ros_messages`)
    op 4    where the messages of a chunk are; op 6 where chunks are, and their times

Little-endian. Chunks are read one after the other: the index is needed to seek only, and a bag
without one is read as far as it goes. Specified in the ROS wiki ("Bags/Format/2.0").
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator

from aevents.codecs.base import Codec, ReadAt
from aevents.containers.bag import MOST_INDEX, BagDecoder, Level
from aevents.containers.topics import KINDS, Item

MAGIC = b"#ROSBAG V2.0\n"
MESSAGE, BAG, CHUNK, CHUNK_INFO, CONNECTION = 2, 3, 5, 6, 7
OPS = range(2, 8)
MOST_HEADER = 1 << 16
COMPRESSIONS = {b"none": "", b"lz4": "lz4", b"bz2": "bz2"}

Header = dict[bytes, bytes]


class RosbagDecoder(BagDecoder):
    """Bytes of a ROS 1 bag to events, triggers, inertial measurements and frames."""

    name = "rosbag"
    magic = MAGIC
    _header: Header
    _size = 0
    _index: int | None = None

    @property
    def finished(self) -> bool:
        """Whether there is an index."""
        return self._index is None or 0 < self._index <= self.offset

    def measure(self, view: memoryview, /) -> int:
        """Return the size of a record, or of its header alone."""
        if len(view) < 4:
            return 4
        stop = 4 + _u32(view)
        if stop > MOST_HEADER:
            raise ValueError(f"a header of {stop} bytes")
        if len(view) < stop + 4:
            return stop + 4
        self._header = fields(view[4:stop])
        self._size = _u32(view[stop:])
        op = _number(self._header, b"op", 1)
        if op not in OPS:
            raise ValueError(f"a record of the unknown kind {op}")
        whole = op == CONNECTION or (op == MESSAGE and self.topics.wanted(_conn(self._header)))
        return stop + 4 + (self._size if whole else 0)

    def record(self, view: memoryview, level: Level, /) -> Iterator[Item]:
        """Give what the record holds; skip or unpack what has not been measured."""
        header, op = self._header, self._header[b"op"][0]
        start = 8 + _u32(view)
        if start == len(view):
            level.left = self._size
        if op == MESSAGE and self.topics.wanted(_conn(header)):
            yield from self.topics.read(_conn(header), view[start:], self.offset)
        elif op == CONNECTION:
            self._connect(header, fields(view[start:]))
        elif op == CHUNK:
            self.enter_chunk(COMPRESSIONS.get(header.get(b"compression", b""), "?"), level)
        elif op == BAG:
            self._index = _number(header, b"index_pos", 8)

    def index(self, read: ReadAt, size: int, /) -> Iterator[tuple[int, int]]:
        """Give where chunks begin, and the times of their first messages."""
        if not self._index or size - self._index > MOST_INDEX:
            raise ValueError("there is no index")
        view = memoryview(read(self._index, size - self._index))
        level = Level()
        while len(view):
            needed = self.measure(view)
            header = self._header
            deque(self.record(view[:needed], level), maxlen=0)
            if _number(header, b"op", 1) == CHUNK_INFO:
                time = _number(header, b"start_time", 8)  # u32 seconds, u32 nanoseconds
                logged = (time & 0xFFFFFFFF) * 1_000_000 + (time >> 32) // 1000
                yield _number(header, b"chunk_pos", 8), logged
            view = view[needed + level.left :]
            level.left = 0

    def _connect(self, header: Header, about: Header) -> None:
        topic, type = header.get(b"topic", b""), about.get(b"type", b"")
        self.topics.add(_conn(header), _text(topic), _text(type), cdr=False)


def fields(data: memoryview) -> Header:
    """Return the fields of a header. Raises `ValueError` where it is damaged."""
    found: Header = {}
    at = 0
    while at < len(data):
        start = at + 4
        at = start + _u32(data[at:])
        name, equals, value = bytes(data[start:at]).partition(b"=")
        if at > len(data) or not equals:
            raise ValueError("a field of a header is damaged")
        found[name] = value
    return found


def _number(header: Header, name: bytes, size: int) -> int:
    value = header.get(name, b"")
    if len(value) != size:
        raise ValueError(f"the field {name.decode()} is damaged, or not there")
    return int.from_bytes(value, "little")


def _conn(header: Header) -> int:
    return _number(header, b"conn", 4)


def _u32(view: memoryview) -> int:
    if len(view) < 4:
        raise ValueError("a size is not whole")
    return int(struct.unpack_from("<I", view)[0])


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


CODEC = Codec(
    "rosbag",
    suffixes=(".bag",),
    matches=lambda head: head.startswith(MAGIC),
    decoder=RosbagDecoder,
    kinds=KINDS,
    seekable=True,
    about="ROS 1 bag (.bag)",
)
