"""Find a time in AEDAT 3.1: bisection on packets of events, which are found from anywhere.

A packet's head is told by the size of its events and the offset of their time, 8 and 4, by numbers
that agree, and by the head of another packet, or the end of the file, behind it.
"""

from __future__ import annotations

import struct

from aevents.codecs.base import Jump, ReadAt
from aevents.codecs.seek import MARGIN_US, Search, Tick, jump_to

HEAD = struct.Struct("<hhiiiiii")
RECORD = struct.Struct("<Ii")
POLARITY = 1
MOST_TYPE = 32
MARK = struct.pack("<ii", RECORD.size, 4)
MARK_AT = 4
LOOK_BYTES = 1 << 16
MOST_LOOK = 1 << 24
"""Where there is no packet of events in so many bytes, none is looked for."""


def locate(read: ReadAt, size: int, body: int, start: int) -> Jump | None:
    """Return the jump to a packet behind which all events from `start` on come; None: the start."""

    def probe(place: int) -> Tick | None:
        look = LOOK_BYTES
        while look <= MOST_LOOK:
            data = read(place, look)
            at = data.find(MARK, MARK_AT)
            while at >= 0:
                time = _time(read, place + at - MARK_AT, size)
                if time is not None:
                    return Tick(place + at - MARK_AT, time)
                at = data.find(MARK, at + 1)
            look = 4 * look if len(data) == look else MOST_LOOK + 1
        return None

    return jump_to(Search(probe).find(body, size, start - MARGIN_US))


def _time(read: ReadAt, place: int, size: int) -> int | None:
    """Return the time of the first event of a packet at `place`; None if there is no such."""
    data = read(place, HEAD.size + RECORD.size)
    if len(data) < HEAD.size + RECORD.size:
        return None
    type, _, _, _, overflow, capacity, number, valid = HEAD.unpack_from(data)
    if type != POLARITY or overflow < 0 or not 0 <= valid <= number <= capacity or not number:
        return None
    after = place + HEAD.size + RECORD.size * number
    if after < size and not _is_head(read(after, HEAD.size)):
        return None
    _, time = RECORD.unpack_from(data, HEAD.size)
    return int((overflow << 31) + time)


def _is_head(data: bytes) -> bool:
    if len(data) < HEAD.size:
        return True  # cut off by the end of the file
    type, _, size, _, overflow, capacity, number, valid = HEAD.unpack(data)
    known = 0 <= type < MOST_TYPE and size > 0 and overflow >= 0
    return bool(known and 0 <= valid <= number <= capacity)
