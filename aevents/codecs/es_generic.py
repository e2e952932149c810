"""The body of an Event Stream of generic bytes.

0xFF            254 µs go by
0xFE            nothing (a reset)
any other byte  so many µs go by, then comes an item:
                its length, 7 bits a byte (7-1) from the lowest on, bit 0 says that more follow;
                its bytes
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aevents.codecs.base import Buffer, Watch
from aevents.errors import EncodeError
from aevents.types import GenericBatch, Span

STEP = 254
IDLE = 0xFE
LONGEST_STEP = 1 << 34
"""µs between two items (68 MB of idle bytes), as for other kinds of events."""
LARGEST = 1 << 24
"""Bytes in an item: without a bound, a damaged length would fill the memory."""


class GenericReader:
    """Bytes, cut anywhere, to items with times. `offset` is where the item under way begins."""

    def __init__(self, watch: Watch, *, time: int, offset: int) -> None:
        self.offset: int = offset
        self._watch = watch
        self._time = time
        self._end = offset  # of the bytes that have come
        self._length = 0
        self._shift = -1  # of the next bits of the length; -1 where no item is under way
        self._body: bytearray | None = None  # what has come of the item's bytes

    def __len__(self) -> int:
        """Return how many bytes have come of an item that is not whole."""
        return self._end - self.offset

    def feed(self, data: Buffer) -> Iterator[GenericBatch]:
        """Give the items that these bytes complete, if any."""
        times: list[int] = []
        items: list[bytes] = []
        at, base = 0, self._end
        while at < len(data):
            if self._body is None:
                self._head(data[at], base + at)
                at += 1
            else:
                piece = data[at : at + self._length - len(self._body)]
                self._body += piece
                at += len(piece)
            if self._body is not None and len(self._body) == self._length:
                times.append(self._time)
                items.append(bytes(self._body))
                self._body, self._shift = None, -1
            if self._shift < 0:
                self.offset = base + at
        self._end = base + len(data)
        if items:
            yield GenericBatch(_column(times), tuple(items), Span(times[0], times[-1]))

    def _head(self, byte: int, offset: int) -> None:
        """Take a byte between items, or one of a length."""
        if self._shift < 0 and byte >= IDLE:
            self._time += STEP * (byte & 1)
        elif self._shift < 0:
            self._time += byte
            self._length = self._shift = 0
        else:
            self._length |= byte >> 1 << self._shift
            self._shift += 7
            if self._length > LARGEST or self._shift > 28:
                self._watch.fail(f"an item has more than {LARGEST} bytes", offset=offset)
            if not byte & 1:
                self._body = bytearray()


class GenericWriter:
    """Batches to bytes."""

    def __init__(self, *, time: int) -> None:
        self._time = time

    def write(self, batch: GenericBatch) -> Iterator[bytes]:
        """Give the bytes of this batch. Raises `EncodeError` for an item that does not fit."""
        out = bytearray()
        for t, item in zip(batch.t.tolist(), batch.data, strict=True):
            step = t - self._time
            if not 0 <= step <= LONGEST_STEP or len(item) > LARGEST:
                raise EncodeError(
                    "es",
                    f"{len(item)} bytes at t={t} do not fit behind t={self._time}: times may not "
                    f"go back, nor leap by more than 2**34 µs, and an item has {LARGEST} at most",
                )
            idle, rest = divmod(step, STEP)
            out += b"\xff" * idle + bytes([rest]) + _length(len(item)) + item
            self._time = t
        yield bytes(out)

    def flush(self) -> Iterator[bytes]:
        """Give nothing: all is written."""
        return iter(())


def _length(size: int) -> bytes:
    groups = [size & 127]
    while size := size >> 7:
        groups.append(size & 127)
    return bytes([group << 1 | 1 for group in groups[:-1]] + [groups[-1] << 1])


def _column(times: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    column = np.array(times, np.int64)
    column.flags.writeable = False
    return column
