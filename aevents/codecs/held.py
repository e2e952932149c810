"""A zip held in memory, and its stored entries read without a copy."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np

from aevents.codecs.base import Buffer

FIRST_ROOM = 1 << 20
GROWTH = 4
"""As in `operators/gather.py`: memory in one large block has few page faults, and what is never
touched of it costs nothing.
"""


class HeldFile(io.RawIOBase):
    """A file in memory, written at its end and read anywhere; `view` is its bytes, not a copy."""

    def __init__(self) -> None:
        self._room = np.empty(FIRST_ROOM, np.uint8)
        self._size = 0
        self._at = 0

    @property
    def view(self) -> memoryview:
        """All that has been written."""
        return self._room.data[: self._size].toreadonly()

    def add(self, data: Buffer) -> None:
        """Write more at the end."""
        size = self._size + len(data)
        if size > len(self._room):
            room = np.empty(max(size, GROWTH * len(self._room)), np.uint8)
            room[: self._size] = self._room[: self._size]
            self._room = room
        self._room[self._size : size] = np.frombuffer(data, np.uint8)
        self._size = size

    def seekable(self) -> bool:
        """Say that this file can seek."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move there. Raises `OSError` for a place before the beginning."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("a position before the file")
        self._at = start + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer at the end; all that are left if it is negative."""
        end = self._at + size if size >= 0 else self._size
        data = bytes(self.view[self._at : end])
        self._at += len(data)
        return data


class StoredStream:
    """The bytes of an entry of a zip that is not deflated: views of the file, not copies."""

    def __init__(self, file: memoryview, info: zipfile.ZipInfo) -> None:
        # After 30 bytes come a name and extra fields; their lengths are the last two words of those
        begin = info.header_offset + 30
        name, extra = struct.unpack("<HH", file[begin - 4 : begin])
        self._left = file[begin + name + extra :][: info.compress_size]
        self._missing = info.compress_size - len(self._left)
        self._expected = info.CRC
        self._sum = 0

    def read(self, size: int) -> memoryview:
        """Return the next `size` bytes, fewer at the end.

        Raises `zipfile.BadZipFile` there if bytes are missing or damaged.
        """
        data, self._left = self._left[:size], self._left[size:]
        self._sum = zlib.crc32(data, self._sum)
        if not self._left and (self._missing or self._sum != self._expected):
            raise zipfile.BadZipFile("Bad CRC-32")
        return data
