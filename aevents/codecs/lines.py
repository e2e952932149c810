"""Text that comes cut anywhere, as whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from aevents.codecs.base import Buffer, Watch

LINE_BYTES = 65_536
"""A line of events has tens of bytes; without a bound, a file that is no text would fill memory."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Lines:
    """Bytes that come cut anywhere, given out as whole lines."""

    __slots__ = ("_tail", "_watch", "offset")

    def __init__(self, watch: Watch) -> None:
        self._tail = bytearray()
        self._watch = watch
        self.offset: int = 0  # of the first byte not yet given out

    def __len__(self) -> int:
        return len(self._tail)

    def feed(self, data: Buffer) -> Iterator[Buffer]:
        """Yield the lines that `data` completes, in one or two runs; keep the unfinished one.

        Fails on a line that is too long, after the lines before it.
        """
        data = bytes(data)
        start = data.find(b"\n") + 1 if self._tail else 0
        end = data.rfind(b"\n") + 1
        if start:
            seam = bytes(self._tail) + data[:start]
            self._tail.clear()
            yield from self._bounded(seam, 0, len(seam))
        yield from self._bounded(data, start, end)
        self._tail += data[end:]
        if len(self._tail) > LINE_BYTES:
            self._fail()

    def _bounded(self, data: bytes, start: int, end: int) -> Iterator[Buffer]:
        at = start
        while end - at > LINE_BYTES:
            newline = data.rfind(b"\n", at, at + LINE_BYTES + 1)
            if newline < 0:
                break
            at = newline + 1
        else:
            at = end
        self.offset += at - start
        if at > start:
            yield memoryview(data)[start:at]
        if at < end:
            self._fail()

    def _fail(self) -> NoReturn:
        self._watch.fail(f"a line is longer than {LINE_BYTES} bytes", offset=self.offset)
