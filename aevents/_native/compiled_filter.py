"""The kernels that say which events to keep, in C: the twins have the same names and results."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._kernels import ffi, lib
from .checks import (
    Coordinates,
    Events,
    Stamps,
    check_bursts,
    check_keep,
    check_lines,
    check_stamps,
)
from .columns import CAPACITY, Columns
from .pointers import columns_pointers, events_pointers
from .room import Arrays

Flags = NDArray[np.bool_]


def background(events: Events, last: Stamps, most: int, keep: Flags) -> int:
    """Keep what is near to the last event of one of the 8 neighbours.

    `last` (uint64) has a slot more than the sensor on each side: (height + 2, width + 2).
    """
    check_stamps(last, most, border=1)
    source, height, width = events_pointers(*events), last.shape[0] - 2, last.shape[1] - 2
    return int(
        lib.ae_background(source.c, _stamps(last), width, height, most, _flags(keep, source.c.n))
    )


def refractory(events: Events, last: Stamps, most: int, keep: Flags) -> int:
    """Keep what is not near to the last event that was kept at its pixel.

    `last` is uint64, (height, width).
    """
    check_stamps(last, most)
    source, (height, width) = events_pointers(*events), last.shape
    return int(
        lib.ae_refractory(source.c, _stamps(last), width, height, most, _flags(keep, source.c.n))
    )


def contrast(
    events: Events, bursts: NDArray[np.void], most: int, keep: Flags, *, trail: bool
) -> int:
    """Keep what is near to the last event of its pixel, of the same polarity; unless `trail`, only
    the first such of a burst.

    `bursts` are of `BURST_TYPE`, (height, width).
    """
    check_bursts(bursts, most)
    source, (height, width) = events_pointers(*events), bursts.shape
    table = ffi.from_buffer("ae_burst[]", bursts, require_writable=True)
    flags = _flags(keep, source.c.n)
    return int(lib.ae_contrast(source.c, table, width, height, most, trail, flags))


def lines(t: NDArray[np.int64], line: Coordinates, most: int, keep: Flags) -> None:
    """Keep what has not more than `most` events of its time on its line, where those follow on each
    other.
    """
    check_lines(t, line, most)
    flags = _flags(keep, len(t))
    counts = ffi.new("uint32_t[]", 1 << 16)
    times, places = ffi.from_buffer("int64_t[]", t), ffi.from_buffer("uint16_t[]", line)
    lib.ae_lines(times, places, len(t), counts, min(most, 2**32 - 1), flags)


def pick(events: Events, keep: Flags) -> Arrays:
    """Return the events to keep, as new arrays t, x, y, p (bool)."""
    source = events_pointers(*events)
    check_keep(keep, source.c.n)
    flags, n = ffi.from_buffer("uint8_t[]", keep), int(np.count_nonzero(keep))
    if CAPACITY // 4 <= n <= CAPACITY:  # of a size that decoders give: into memory in use before
        out = Columns(CAPACITY, columns_pointers)
        out.begin()
        lib.ae_pick(source.c, flags, out.c)
        out.n = n
        return out.take()
    room = (
        np.empty(n, np.int64),
        np.empty(n, np.uint16),
        np.empty(n, np.uint16),
        np.empty(n, np.bool_),
    )
    lib.ae_pick(source.c, flags, events_pointers(*room).c)
    return room


def _stamps(last: Stamps) -> object:
    return ffi.from_buffer("uint64_t[]", last, require_writable=True)


def _flags(keep: Flags, n: int) -> object:
    check_keep(keep, n)
    return ffi.from_buffer("uint8_t[]", keep, require_writable=True)
