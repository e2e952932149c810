r"""MCAP, as ROS 2 and others write it.

    \x89MCAP0\r\n                8 bytes, also at the end
    records                      u8 op, u64 size, content

    op 3    schema: u16 number, its name, …
    op 4    channel: u16 number, u16 schema, topic, encoding of messages ("cdr", "ros1"), …
    op 5    message: u16 channel, u32 number, u64 time, u64 time, data (see `ros_messages`)
    op 6    chunk: u64, u64 times, u64 size, u32 CRC, compression ("", "lz4", "zstd"), u64 size,
            then records 3, 4 and 5, packed
    op 15   the end of the data; behind it an index (op 8: where chunks are)

Little-endian; strings are u32 size and bytes. Chunks are read one after the other: the index is
needed to seek only, and a file without one is read as far as it goes. Specified at mcap.dev.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator

from aevents.codecs.base import Codec, ReadAt
from aevents.codecs.ros_fields import LONGEST_TEXT
from aevents.containers.bag import MOST_INDEX, BagDecoder, Level
from aevents.containers.topics import KINDS, MOST_TOPICS, Item, Topics
from aevents.types import Sensor

MAGIC = b"\x89MCAP0\r\n"
FOOT, SCHEMA, CHANNEL, MESSAGE, CHUNK, CHUNK_INDEX, END = 2, 3, 4, 5, 6, 8, 15
FIRST_OP = 1
HEAD = struct.Struct("<BQ")
FOOTER = struct.Struct("<BQQQI8s")
"""At the end of a file: where the index begins is its third field."""
MESSAGE_HEAD = HEAD.size + 22
CHUNK_NAME = HEAD.size + 28
"""Where the name of a chunk's compression begins."""
ENCODINGS = {"cdr": True, "ros1": False}
"""Of messages: whether they are CDR."""


class McapDecoder(BagDecoder):
    """Bytes of an MCAP file to events, triggers, inertial measurements and frames."""

    name = "mcap"
    magic = MAGIC

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        topic: str | None = None,
        topics: Topics | None = None,
    ) -> None:
        super().__init__(sensor=sensor, strict=strict, topic=topic, topics=topics)
        self._types: dict[int, str] = {}

    @property
    def finished(self) -> bool:
        """Whether the end of the data has been read."""
        return self.ended

    def measure(self, view: memoryview, /) -> int:
        """Return the size of a record, or of what is needed to skip it, or to unpack it."""
        if len(view) < HEAD.size:
            return HEAD.size
        op, size = HEAD.unpack_from(view)
        whole = HEAD.size + int(size)
        if op == MESSAGE and whole >= MESSAGE_HEAD:
            known = len(view) >= MESSAGE_HEAD
            return whole if known and self.topics.wanted(_u16(view, HEAD.size)) else MESSAGE_HEAD
        if op == CHUNK and whole >= CHUNK_NAME + 4:
            length = _u32(view, CHUNK_NAME) if len(view) >= CHUNK_NAME + 4 else 0
            return min(whole, CHUNK_NAME + 4 + length + 8)
        if op in (0, MESSAGE, CHUNK):
            raise ValueError(f"a record of kind {op} and {size} bytes")
        return whole if op in (SCHEMA, CHANNEL) else HEAD.size

    def record(self, view: memoryview, level: Level, /) -> Iterator[Item]:
        """Give what the record holds; skip or unpack what has not been measured."""
        op, size = HEAD.unpack_from(view)
        level.left = HEAD.size + size - len(view)
        if op == MESSAGE and self.topics.wanted(_u16(view, HEAD.size)):
            yield from self.topics.read(
                _u16(view, HEAD.size), view[MESSAGE_HEAD:], offset=self.offset
            )
        elif op == SCHEMA and len(self._types) < MOST_TOPICS:
            self._types[_u16(view, HEAD.size)], _ = _text(view, HEAD.size + 2)
        elif op == CHANNEL:
            self._connect(view)
        elif op == CHUNK:
            compression, _ = _text(view, CHUNK_NAME)
            self.enter_chunk(compression, level)
        elif op == END:
            self.stop()

    def index(self, read: ReadAt, size: int, /) -> Iterator[tuple[int, int]]:
        """Give where chunks begin, and the times of their first messages."""
        footer = read(max(0, size - FOOTER.size), FOOTER.size)
        if len(footer) < FOOTER.size or not footer.endswith(MAGIC):
            raise ValueError("there is no index")
        op, _, start, _, _, _ = FOOTER.unpack(footer)
        stop = size - FOOTER.size
        if op != FOOT or not 0 < stop - start <= MOST_INDEX:
            raise ValueError("there is no index")
        view = memoryview(read(start, stop - start))
        while len(view) >= HEAD.size:
            op, length = HEAD.unpack_from(view)
            if op in (SCHEMA, CHANNEL):
                deque(self.record(view[: HEAD.size + length], Level()), maxlen=0)
            elif op == CHUNK_INDEX and len(view) >= HEAD.size + 24:
                time, _, offset = struct.unpack_from("<QQQ", view, HEAD.size)
                yield offset, time // 1000
            view = view[HEAD.size + length :]

    def _connect(self, view: memoryview) -> None:
        number, schema = _u16(view, HEAD.size), _u16(view, HEAD.size + 2)
        topic, at = _text(view, HEAD.size + 4)
        encoding, _ = _text(view, at)
        if encoding in ENCODINGS:
            self.topics.add(number, topic, self._types.get(schema, ""), cdr=ENCODINGS[encoding])


def _u16(view: memoryview, at: int) -> int:
    return int.from_bytes(view[at : at + 2], "little")


def _u32(view: memoryview, at: int) -> int:
    return int.from_bytes(view[at : at + 4], "little")


def _text(view: memoryview, at: int) -> tuple[str, int]:
    """Return the string at this place, and where it ends. Raises `ValueError`."""
    stop = at + 4 + _u32(view, at)
    if not at + 4 <= stop <= len(view) or stop - at > LONGEST_TEXT:
        raise ValueError("a name in a record is not whole")
    return bytes(view[at + 4 : stop]).decode("utf-8", "replace"), stop


CODEC = Codec(
    "mcap",
    suffixes=(".mcap",),
    matches=lambda head: head.startswith(MAGIC),
    decoder=McapDecoder,
    kinds=KINDS,
    seekable=True,
    about="MCAP of ROS 2 or 1 (.mcap)",
)
