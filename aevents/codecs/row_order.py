"""A matrix in Fortran order, column after column, as a file in which row follows row."""

from __future__ import annotations

import numpy as np

from aevents.codecs.array import ROW_BYTES, ArrayHeader, are_numbers, read_header, write_header
from aevents.codecs.base import Buffer, ReadAt, Watch
from aevents.errors import DecodeError


class RowOrder:
    """A matrix in Fortran order as a file in which its rows follow each other: `read` gives bytes
    of that file, `size` is how many there are, `head` is its header.

    Of a matrix that is not whole, the rows are there of which the last column is.
    """

    def __init__(self, read: ReadAt, size: int, header: ArrayHeader) -> None:
        count, width = header.shape
        values = (size - header.length) // header.dtype.itemsize
        self._read_columns = read
        self._header = header
        self._rows = max(0, min(count, values - (width - 1) * count))
        self._row_bytes = width * header.dtype.itemsize
        self._end = header.length + count * self._row_bytes
        self.head: bytes = write_header(header.dtype, header.shape)
        whole = len(self.head) + self._rows * self._row_bytes
        self.size: int = whole + max(0, size - self._end)

    def read(self, offset: int, size: int) -> bytes:
        """Return so many bytes from there on, fewer at the end."""
        size = min(size, self.size - offset)
        head = self.head[offset : offset + size]
        start = max(0, offset - len(self.head))
        stop = max(0, offset + size - len(self.head))
        first, last = (min(self._rows, at // self._row_bytes) for at in (start, stop - 1))
        skipped = first * self._row_bytes
        rows = self._stacked(first, min(self._rows, last + 1))[start - skipped : stop - skipped]
        behind = stop - self._rows * self._row_bytes
        extra = min(behind, stop - start)
        if extra > 0:
            rows += self._read_columns(self._end + behind - extra, extra)
        return head + rows

    def _stacked(self, first: int, stop: int) -> bytes:
        """Return these rows."""
        if first == stop:
            return b""
        count, width = self._header.shape
        dtype = self._header.dtype
        places = [self._header.length + (i * count + first) * dtype.itemsize for i in range(width)]
        parts = [self._read_columns(at, (stop - first) * dtype.itemsize) for at in places]
        whole = min(map(len, parts)) // dtype.itemsize
        columns = [np.frombuffer(part, dtype, whole) for part in parts]
        return np.stack(columns, axis=1, dtype=dtype).tobytes()  # else in our order of bytes


def fortran_header(head: Buffer, /) -> ArrayHeader | None:
    """Return the header of a matrix in Fortran order; None if these bytes begin anything else."""
    try:
        header = read_header(head, Watch("npy", strict=False))
    except DecodeError:
        return None
    if header is None or not header.fortran or len(header.shape) != 2 or not header.shape[0]:
        return None
    fits = 0 < header.shape[1] * header.dtype.itemsize <= ROW_BYTES
    return header if fits and are_numbers([header.dtype]) else None
