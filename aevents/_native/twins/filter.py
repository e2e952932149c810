"""Which events to keep, in NumPy: the specification of `filter.c`.

Each function sets `keep` (bool, one an event), moves its table on, and returns how many events lie
off the sensor, which are not kept. Tables are zeros before the first event; a time t stands in them
as t + 2^62. Two times are near each other if neither is more than `most` after the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..checks import (
    Coordinates,
    Events,
    Stamps,
    check_bursts,
    check_keep,
    check_lines,
    check_stamps,
)
from ..columns import checked
from ..room import Arrays

TIME_BIAS = np.uint64(1 << 62)
NEIGHBOURS = [(row, column) for row in (0, 1, 2) for column in (0, 1, 2) if (row, column) != (1, 1)]

Flags = NDArray[np.bool_]


def background(events: Events, last: Stamps, most: int, keep: Flags) -> int:
    """Keep what is near to the last event of one of the 8 neighbours.

    `last` (uint64) has a slot more than the sensor on each side: (height + 2, width + 2).
    """
    checked(*events)
    check_stamps(last, most, border=1)
    check_keep(keep, len(events[0]))
    width, height = last.shape[1] - 2, last.shape[0] - 2
    inside, stamps, x, y = _inside(events, width, height)
    n, stride = len(stamps), width + 2
    place = (y + 1) * stride + x + 1
    order = np.argsort(place, kind="stable")
    keys = place[order] * (n + 1) + order  # in the order of places, then as they came
    near = np.zeros(n, np.bool_)
    for row, column in NEIGHBOURS:
        there = (y + row) * stride + x + column
        before = np.searchsorted(keys, there * (n + 1) + np.arange(n)) - 1
        here = (before >= 0) & (place[order[before]] == there)
        near |= _near(stamps, np.where(here, stamps[order[before]], last.reshape(-1)[there]), most)
    last.reshape(-1)[place[order]] = stamps[order]  # of equal places the last one stays
    keep[:] = False
    keep[inside] = near
    return len(keep) - n


def refractory(events: Events, last: Stamps, most: int, keep: Flags) -> int:
    """Keep what is not near to the last event that was kept at its pixel.

    `last` is uint64, (height, width).
    """
    checked(*events)
    check_stamps(last, most)
    check_keep(keep, len(events[0]))
    inside, stamps, x, y = _inside(events, last.shape[1], last.shape[0])
    kept = np.zeros(len(stamps), np.bool_)
    for now in _rounds(y * last.shape[1] + x):
        there = y[now], x[now]
        kept[now] = ~_near(stamps[now], last[there], most)
        last[there] = np.where(kept[now], stamps[now], last[there])
    keep[:] = False
    keep[inside] = kept
    return len(keep) - len(stamps)


def contrast(
    events: Events, bursts: NDArray[np.void], most: int, keep: Flags, *, trail: bool
) -> int:
    """Keep what is near to the last event of its pixel, of the same polarity; unless `trail`, only
    the first such of a burst.

    `bursts` are of `BURST_TYPE`, (height, width).
    """
    checked(*events)
    check_bursts(bursts, most)
    check_keep(keep, len(events[0]))
    inside, stamps, x, y = _inside(events, bursts.shape[1], bursts.shape[0])
    p = events[3][inside] != 0
    kept = np.zeros(len(stamps), np.bool_)
    for now in _rounds(y * bursts.shape[1] + x):
        burst = bursts[y[now], x[now]]
        more = (burst["p"] == p[now]) & _near(stamps[now], burst["last"], most)
        kept[now] = more if trail else more & (burst["followed"] == 0)
        burst["last"], burst["p"], burst["followed"] = stamps[now], p[now], more
        bursts[y[now], x[now]] = burst
    keep[:] = False
    keep[inside] = kept
    return len(keep) - len(stamps)


def lines(t: NDArray[np.int64], line: Coordinates, most: int, keep: Flags) -> None:
    """Keep what has not more than `most` events of its time on its line, where those follow on each
    other.
    """
    check_lines(t, line, most)
    check_keep(keep, len(t))
    times = np.cumsum(np.diff(t, prepend=t[:1]) != 0)
    _, which, counts = np.unique(times * 65536 + line, return_inverse=True, return_counts=True)
    keep[:] = counts[which] <= most


def pick(events: Events, keep: Flags) -> Arrays:
    """Return the events to keep, as new arrays t, x, y, p (bool)."""
    checked(*events)
    check_keep(keep, len(events[0]))
    t, x, y, p = events
    return t[keep], x[keep], y[keep], p[keep] != 0


def _inside(
    events: Events, width: int, height: int
) -> tuple[Flags, Stamps, NDArray[np.int64], NDArray[np.int64]]:
    """Return which events are on the sensor, and the times of those in tables, columns, rows."""
    t, x, y, _ = events
    inside = (x < width) & (y < height)
    stamps = t[inside].view(np.uint64) + TIME_BIAS
    return inside, stamps, x[inside].astype(np.int64), y[inside].astype(np.int64)


def _near(stamps: Stamps, others: Stamps, most: int) -> Flags:
    return stamps - others + np.uint64(most) <= np.uint64(2 * most)


def _rounds(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the numbers of the events in rounds: no place twice in one, each in its order."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    by_rank = order[np.argsort(rank, kind="stable")]
    yield from np.split(by_rank, np.cumsum(np.bincount(rank)))[:-1]
