"""Fields of ROS messages: packed one after the other in ROS 1, in ROS 2 aligned as CDR has it.

    numbers     little-endian; in CDR at a place divisible by their size, counted from byte 4 on
    string      u32 length, then the characters; in CDR with a zero at the end, which is counted
    sequence    u32 count, then the elements
    header      u32 number (ROS 1 only), time, string frame_id
    time        u32 seconds (int32 in ROS 2), u32 nanoseconds

Specified in the ROS wiki ("msg") and in OMG's DDS-XTypes (CDR, which begins with 00 01 00 00 where
it is little-endian).
"""

from __future__ import annotations

import struct

CDR_LITTLE = 1
CDR_HEADER = 4
LONGEST_TEXT = 1024
"""A name or an encoding: longer ones are damaged."""


class Fields:
    """Reads one field of a message after the other. Raises `ValueError` at its end."""

    __slots__ = ("_at", "_data", "cdr")

    def __init__(self, data: memoryview, *, cdr: bool) -> None:
        self.cdr: bool = cdr
        self._data = data
        self._at = 0
        if cdr and self.bytes(CDR_HEADER)[:2] != bytes((0, CDR_LITTLE)):
            raise ValueError("it is no little-endian CDR")

    def number(self, code: str) -> int:
        """Return the next integer, of this type of `struct`."""
        (value,) = self.numbers(code, 1)
        return int(value)

    def numbers(self, code: str, count: int) -> tuple[float, ...]:
        """Return the next numbers of one type."""
        size = struct.calcsize(code)
        if self.cdr:
            self._at += (CDR_HEADER - self._at) % size
        return struct.unpack(f"<{count}{code}", self.bytes(size * count))

    def time(self) -> int:
        """Return the next time, in µs."""
        seconds = self.number("i" if self.cdr else "I")
        return seconds * 1_000_000 + self.number("I") // 1000

    def header(self) -> int:
        """Return the time in the header that messages begin with, in µs."""
        if not self.cdr:
            self.number("I")
        time = self.time()
        self.text()
        return time

    def text(self) -> str:
        """Return the next string."""
        length = self.number("I")
        if length > LONGEST_TEXT:
            raise ValueError(f"a name of {length} bytes")
        return bytes(self.bytes(length)).decode("utf-8", "replace").rstrip("\0")

    def bytes(self, size: int) -> memoryview:
        """Return the next bytes."""
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise ValueError(f"it ends at byte {len(self._data)} of {self._at}")
        return self._data[start : self._at]
