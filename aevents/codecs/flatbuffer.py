"""FlatBuffers, as far as AEDAT4 goes: a table, and vectors of structs or of small tables.

    u32 size of what follows     where a buffer is size-prefixed; all that is below starts after it
    u32 root, 4 letters          where the root table stands, and what it is
    table                        i32 distance back to its vtable, then its fields
    vtable                       u16 size of itself, u16 size of the table, u16 place of each field
                                 in the table, 0 for one that is left out (its value is 0)
    vector, string               u32 count, elements; a field holds a u32 distance forward to it

Every place is checked before it is read: `ValueError` for one that is outside. Specified in the
FlatBuffers documentation, "FlatBuffers Internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer

Column = npt.NDArray[np.generic]
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

PREFIX = 4
BODY = 32
"""Where the elements begin in what is written here, the prefix counted: a multiple of 8."""
AT_ONCE = 4096
"""Tables that are read in one go, so that a vector of a million takes no more memory."""


class Table:
    """One table of a buffer (without its prefix)."""

    __slots__ = ("_at", "_data", "_places")

    def __init__(self, data: memoryview, at: int) -> None:
        (back,) = _unpack("<i", data, at)
        (size,) = _unpack("<H", data, at - back)
        self._data = data
        self._at = at
        self._places = _unpack(f"<{max(0, size - 4) // 2}H", data, at - back + 4)

    def number(self, field: int, kind: str) -> int:
        """Return an integer field of the kind that `struct` calls so; 0 if it is left out."""
        place = self._place(field)
        return int(_unpack("<" + kind, self._data, place)[0]) if place else 0

    def vector(self, field: int, size: int) -> tuple[int, int]:
        """Return where the elements of a vector begin, of `size` bytes each, and how many."""
        place = self._place(field)
        if not place:
            return 0, 0
        start = place + _unpack("<I", self._data, place)[0]
        (count,) = _unpack("<I", self._data, start)
        if count * size > len(self._data) - start - 4:
            raise ValueError(f"a vector of {count} elements is longer than the buffer")
        return start + 4, count

    def bytes(self, field: int) -> bytes:
        """Return a string or a vector of bytes."""
        start, count = self.vector(field, 1)
        return bytes(self._data[start : start + count])

    def tables(self, field: int, kinds: Sequence[str]) -> Iterator[list[Column]]:
        """Yield the first fields of a vector of tables, as columns of these dtypes."""
        start, count = self.vector(field, 8)  # 4 for the distance to a table, 4 at least for it
        offsets = np.frombuffer(self._data, "<u4", count, start) if count else ()
        for first in range(0, count, AT_ONCE):
            part = np.asarray(offsets[first : first + AT_ONCE], np.int64)
            places = start + 4 * (first + np.arange(len(part))) + part
            yield _columns(np.frombuffer(self._data, np.uint8), places, kinds)

    def _place(self, field: int) -> int:
        place = self._places[field] if field < len(self._places) else 0
        return self._at + place if place else 0


def unprefixed(data: Buffer) -> memoryview:
    """Return what follows the prefix of a buffer."""
    view = memoryview(data)
    (size,) = _unpack("<I", view, 0)
    if size > len(view) - PREFIX:
        raise ValueError(f"a buffer of {size} bytes where {len(view) - PREFIX} are left")
    return view[PREFIX : PREFIX + size]


def identifier(data: memoryview) -> str:
    """Return the four letters that say what the root table is."""
    return bytes(data[4:8]).decode("latin-1")


def root(data: memoryview) -> Table:
    """Return the root table."""
    return Table(data, _unpack("<I", data, 0)[0])


def tables(letters: str, places: Sequence[int], rows: npt.NDArray[np.void]) -> bytes:
    """Return a prefixed buffer: a table with one field, a vector of tables that are alike.

    Each of `rows` is one table, whose first field, `back`, is filled in here; `places` says where
    the fields stand in a row. Byte 4 of a row comes at an 8-byte place.
    """
    vtable = struct.pack(f"<{2 + len(places)}H", 4 + 2 * len(places), rows.itemsize, *places)
    vectored = BODY + 4 * len(rows)
    first = vectored + len(vtable)
    first += (4 - first) % 8
    starts = first + rows.itemsize * np.arange(len(rows))
    rows["back"] = starts - vectored
    offsets = starts - (BODY + 4 * np.arange(len(rows)))
    data = offsets.astype("<u4").tobytes() + vtable
    data += bytes(first - BODY - len(data)) + rows.tobytes()
    return vector_head(letters, len(rows), len(data)) + data


def before_vector(letters: str) -> bytes:
    """Return what stands between the prefix and the count of a vector that is all of a buffer."""
    vtable, table = (6, 8, 4), (6, 4)
    return struct.pack("<I4sxx3HiI", 16, letters.encode(), *vtable, *table)


def vector_head(letters: str, count: int, size: int) -> bytes:
    """Return what stands before the elements of a vector that is all of a prefixed buffer."""
    prefix, count_of = struct.pack("<I", BODY - PREFIX + size), struct.pack("<I", count)
    return prefix + before_vector(letters) + count_of


def _unpack(format: str, data: memoryview, at: int) -> tuple[int, ...]:
    if not 0 <= at <= len(data) - struct.calcsize(format):
        raise ValueError(f"a reference to byte {at} of a buffer of {len(data)}")
    return struct.unpack_from(format, data, at)


def _columns(data: Bytes, at: Places, kinds: Sequence[str]) -> list[Column]:
    vtable = at - _integers(data, at, "<i4")
    size = _integers(data, vtable, "<u2")
    columns = []
    for field, kind in enumerate(kinds):
        place = 4 + 2 * field
        there = place + 2 <= size
        offset = np.zeros(len(at), np.int64)
        offset[there] = _integers(data, vtable[there] + place, "<u2")
        column = np.zeros(len(at), kind)
        column[offset > 0] = _gather(data, (at + offset)[offset > 0], kind)
        columns.append(column)
    return columns


def _integers(data: Bytes, at: Places, kind: str) -> Places:
    return _gather(data, at, kind).astype(np.int64)


def _gather(data: Bytes, at: Places, kind: str) -> Column:
    """Return the value at each of these places."""
    size = np.dtype(kind).itemsize
    if len(at) and not (at.min() >= 0 and at.max() <= len(data) - size):
        raise ValueError(f"a reference from {at.min()} to {at.max()} in a buffer of {len(data)}")
    values: Column = data[at[:, None] + np.arange(size)].view(kind)[:, 0]
    return values
