"""Find a time in AEDAT4: by its table, or if that is missing or wrong by walking its packets.

The table is believed if the packets that it names are exactly those between the header and itself,
and if those around the time looked for begin when it says.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Jump, ReadAt
from aevents.codecs.flatbuffer import identifier, root, unprefixed
from aevents.codecs.seek import MARGIN_US, Search, Tick

HEAD = struct.Struct("<ii")
TABLE = "FTAB"
DEFINITION = ("<i8", "V8", "<i8", "<i8", "<i8")
"""Place of the packet behind its head, the head, number of elements, first and last time."""
MOST_TABLE = 1 << 26


class Packets(msgspec.Struct, frozen=True):
    """What a decoder knows of its file: where the packets begin, where the table is (-1: nowhere),
    how to unpack, which streams hold the events that are wanted, and how to find the first time in
    a packet of theirs (None where it holds no event). Unpacking raises `ValueError`.
    """

    body: int
    table: int
    unpack: Callable[[bytes], bytes]
    wanted: Callable[[int], bool]
    first_time: Callable[[int, bytes], int | None]


class Rows(msgspec.Struct, frozen=True):
    """The packets of a table that hold wanted events, in the order of the file."""

    place: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]


def locate(read: ReadAt, size: int, packets: Packets, start: int) -> Jump | None:
    """Return the jump to the first packet from which on all events from `start` on come; None if
    that is the beginning.
    """
    try:
        rows = _rows(read, size, packets)
    except ValueError:
        return _walked(read, size, packets, start)
    latest = np.maximum.accumulate(rows.stop)
    number = min(int(np.searchsorted(latest, start)), len(rows.place) - 1)
    if any(_differs(read, packets, rows, at) for at in {max(number - 1, 0), number}):
        return _walked(read, size, packets, start)
    return Jump(int(rows.place[number]), int(latest[number - 1])) if number > 0 else None


def _rows(read: ReadAt, size: int, packets: Packets) -> Rows:
    """Return the table. Raises `ValueError` where it is not whole, or not of this file."""
    if not packets.body <= packets.table < size or size - packets.table > MOST_TABLE:
        raise ValueError("there is no table")
    data = unprefixed(packets.unpack(read(packets.table, size - packets.table)))
    if identifier(data) != TABLE:
        raise ValueError("this is no table")
    parts = list(root(data).tables(0, DEFINITION))
    if not parts:
        raise ValueError("the table is empty")
    place, heads, count, start, stop = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.argsort(place, kind="stable")
    head = heads.view([("id", "<i4"), ("size", "<i4")])[order]
    begin = place[order] - HEAD.size
    ends = np.append(begin[1:], packets.table)
    if begin[0] != packets.body or (begin + HEAD.size + head["size"] != ends).any():
        raise ValueError("the table leaves gaps")
    wanted = np.isin(head["id"], [id for id in np.unique(head["id"]) if packets.wanted(int(id))])
    kept = wanted & (count[order] > 0)
    if not kept.any():
        raise ValueError("the table has no events")
    return Rows(begin[kept], start[order][kept], stop[order][kept])


def _differs(read: ReadAt, packets: Packets, rows: Rows, number: int) -> bool:
    """Say whether a packet does not begin when the table says."""
    time = _time(read, packets, int(rows.place[number]))
    return time is None or not rows.start[number] <= time <= rows.stop[number]


def _time(read: ReadAt, packets: Packets, place: int) -> int | None:
    id, size = HEAD.unpack(read(place, HEAD.size))
    try:
        return packets.first_time(id, read(place + HEAD.size, size))
    except ValueError:
        return None


def _walked(read: ReadAt, size: int, packets: Packets, start: int) -> Jump | None:
    end = packets.table if packets.body < packets.table <= size else size
    places: list[int] = []
    at = packets.body
    while at + HEAD.size <= end:
        id, length = HEAD.unpack(read(at, HEAD.size))
        if length < 0 or at + HEAD.size + length > end:
            break
        if packets.wanted(id):
            places.append(at)
        at += HEAD.size + length

    def probe(number: int) -> Tick | None:
        for behind in range(number, len(places)):
            time = _time(read, packets, places[behind])
            if time is not None:
                return Tick(behind, time)
        return None

    tick = Search(probe, near=1).find(0, len(places), start - MARGIN_US)
    return tick and Jump(places[tick.place], tick.time)
