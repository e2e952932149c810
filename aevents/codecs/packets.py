"""Packets one after the other, found again behind bytes that are lost, added or damaged.

A packet counts as whole where another follows, or the end. Where none does, the next is looked for:
bytes that cannot be the head of a packet are passed over. A head of which one bit has flipped is
mended, if it then leads to the next packet.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from aevents.codecs.base import Buffer

PATIENCE = 1 << 20
"""Bytes behind the place of a packet in which the next is waited for."""
STEP = 1 << 16


class Form(msgspec.Struct, frozen=True):
    """How packets of a format are told."""

    head: int
    """Bytes at the beginning of a packet that `length` looks at."""
    length: Callable[[memoryview], int]
    """Returns the length of the packet with this head, 0 if it is none."""
    mark: re.Pattern[bytes]
    """What stands in the head of each packet, and hardly elsewhere."""
    mark_at: int = 0
    bits: int = 0
    """How many bits of the head, from its beginning, may be mended."""


class Packet(msgspec.Struct, frozen=True):
    """Bytes that are a packet, or that stand where one should."""

    offset: int
    """In the input, of the first byte."""
    data: memoryview
    """Up to the next packet, or to the end, if it is not whole."""
    length: int
    """What the head says; 0 if it is no head."""
    whole: bool
    mended: bool = False


class Packets:
    """Takes bytes cut anywhere; gives packets.

    `next` gives a packet as often as it is called, until `take` says how much of it is done with.
    """

    __slots__ = (
        "_after", "_chunk", "_first", "_form", "_need", "_overlap", "_own", "_pending", "_room",
        "_searched", "_size", "_used", "_view",
        "end", "offset",
    )  # fmt: skip

    def __init__(self, form: Form, *, offset: int = 0, end: int = -1) -> None:
        self.offset: int = offset  # of the first byte not taken
        self.end: int = end  # of all packets, where that is known
        self._form = form
        self._view = memoryview(b"")  # the first bytes not taken
        self._own = True  # this is a view of the room, not of what was fed
        self._room = bytearray()  # for what lies across two chunks; used again and again
        self._used = 0  # where the view ends in it
        self._size = 0
        self._pending: list[bytes] = []  # what follows them, too little to look at
        self._chunk = memoryview(b"")  # what follows then: what was fed last
        self._overlap = 0  # bytes of the chunk that are in the view, too
        self._need = form.head  # bytes without which there is no going on
        self._searched = 0  # bytes of the view that have been looked through
        self._first = 0  # length of the first packet, where its head has been looked at
        self._after = 0  # and of the one behind that

    def __len__(self) -> int:
        return self._size

    @property
    def ahead(self) -> memoryview:
        """The first bytes not taken, as far as they lie in a row, and up to the end."""
        return self._view if self.end < self.offset else self._view[: self.end - self.offset]

    def feed(self, data: Buffer) -> None:
        """Take some bytes, which must stay as they are until `keep`."""
        self._size += len(data)
        if self._size < self._need:
            self._pending.append(bytes(data))
            return
        self._settle()
        self._chunk = memoryview(data)

    def keep(self) -> None:
        """Make a copy of what is left."""
        if self._pending:
            return  # all of this is ours
        self._join(self._size)
        self._chunk, self._overlap = memoryview(b""), 0
        if not self._own:
            self._add()

    def head(self, at: int) -> memoryview:
        """Return what stands where the head of another packet may be."""
        return self._view[at : at + self._form.head]

    def take(self, size: int) -> None:
        """Leave `size` bytes behind."""
        self._first, self._after = self._after if size == self._first else 0, 0
        left = len(self._view) - size
        if len(self._chunk) and left <= self._overlap:
            self._view, self._own = self._chunk[self._overlap - left :], False
            self._chunk, self._overlap = memoryview(b""), 0
        else:
            self._view = self._view[size:]
        self._size -= size
        self.offset += size
        self._searched = max(0, self._searched - size)
        self._need = self._form.head

    def next(self, *, final: bool) -> Packet | None:
        """Return the next packet; None if more bytes are needed, and at the end."""
        size = self._size
        if self.offset == self.end or not size or (size < self._need and not final):
            return None
        if self._is_followed():
            return Packet(self.offset, self._view[: self._first], self._first, True)
        self._settle()
        self._join(self._form.head)
        length = self._length(0)
        self._join(length + self._form.head)
        short = size < length + self._form.head and self.offset + length != self.end
        if length and not final and (short or size < length):
            self._need = length + self._form.head
            return None
        if length and self._is_end(length):
            return Packet(self.offset, self._view[:length], length, True)
        self._join(size)
        return self._doubtful(length, final=final)

    def _is_followed(self) -> bool:
        """Say whether a packet and the head of another are in the view, as mostly is so."""
        form, view = self._form, self._view
        if not self._first and len(view) >= form.head:
            self._first = form.length(view[: form.head])
        end = self._first + form.head
        if not self._after and form.head < end <= len(view):
            self._after = form.length(view[self._first : end])
        return self._after > 0

    def _settle(self) -> None:
        if self._pending:
            self._add(*self._pending)
            self._pending.clear()

    def _join(self, size: int) -> None:
        """Have the first `size` bytes in the view, if there are so many."""
        more = self._chunk[self._overlap :][: max(0, size - len(self._view))]
        if len(more):
            self._add(more)
            self._overlap += len(more)

    def _add(self, *parts: Buffer) -> None:
        """Have these bytes behind the view, in the room."""
        held, more = len(self._view), sum(map(len, parts))
        if not self._own or self._used + more > len(self._room):
            if held + more > len(self._room):
                self._room = bytearray(3 * (held + more) // 2)
            memoryview(self._room)[:held] = self._view
            self._used, self._own = held, True
        room = memoryview(self._room)
        for part in parts:
            room[self._used : self._used + len(part)] = part
            self._used += len(part)
        self._view = room[self._used - held - more : self._used]

    def _length(self, at: int) -> int:
        head = self.head(at)
        return self._form.length(head) if len(head) == self._form.head else 0

    def _is_end(self, at: int) -> bool:
        """Say whether a packet may end here."""
        if at > self._size:
            return False
        return self.offset + at == self.end or at == self._size or self._length(at) > 0

    def _doubtful(self, length: int, *, final: bool) -> Packet | None:
        found, size = self._search(self._form.head if length else 1), len(self._view)
        if found < 0 and not final and size < length + PATIENCE:
            self._need = size + STEP
            return None
        stop = found if found >= 0 else size
        if found < 0 and not final:
            stop -= self._form.head  # a head may have begun
        last = stop if self.end <= self.offset else min(stop, self.end - self.offset)
        mended = None if length else self._mended(last)
        if mended is not None:
            return Packet(self.offset, mended, last, True, True)
        return Packet(self.offset, self._view[:stop], length, False)

    def _search(self, first: int) -> int:
        """Return where the next packet begins, from `first` on; -1 if none does."""
        form, at = self._form, max(first, self._searched)
        while True:
            match = form.mark.search(self._view, at + form.mark_at)
            if match is None:
                self._searched = max(1, len(self._view) - form.head)
                return -1
            at = match.start() - form.mark_at
            if self._length(at):
                self._searched = at
                return at
            at += 1

    def _mended(self, stop: int) -> memoryview | None:
        """Return the bytes up to `stop` with one bit of the head turned, if that makes a packet."""
        head = bytearray(self._view[: self._form.head])
        for bit in range(min(self._form.bits, 8 * len(head))):
            head[bit // 8] ^= 1 << bit % 8
            if len(head) == self._form.head and self._form.length(memoryview(head)) == stop:
                return memoryview(bytes(head) + self._view[len(head) : stop])
            head[bit // 8] ^= 1 << bit % 8
        return None
