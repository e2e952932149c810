"""Events that have times of their own, drawn by chance and put in the order of time, in NumPy: the
specification of `spikes.c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..planes import NOISE, SIGN, check_counts, check_interval, check_means, check_plane
from .dice import below, dice, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.uint32]
    Doubles = NDArray[np.float64]
    Records = NDArray[np.uint64]
    Columns = tuple[
        NDArray[np.int64],
        NDArray[np.uint16],
        NDArray[np.uint16],
        NDArray[np.bool_],
        NDArray[np.bool_],
    ]

MOST_OF_A_PART = 64


def spread(events: Records, latest: int, start: int) -> Columns:
    """Return events, none of them later than `latest`, as columns t, x, y, p and noise, in the
    order of time; those of one time stay in theirs. `start` is added to times.
    """
    check_interval(latest)
    check_plane("events", events, np.uint64, (events.size,))
    events = events[np.argsort(events >> np.uint64(34), kind="stable")]
    return (
        (events >> np.uint64(34)).astype(np.int64) + start,
        (events >> np.uint64(2)).astype(np.uint16),
        (events >> np.uint64(18)).astype(np.uint16),
        (events & np.uint64(SIGN)).astype(np.bool_),
        (events & np.uint64(NOISE)).astype(np.bool_),
    )


def poisson_counts(means: NDArray[np.float32], keys: tuple[int, int, int, int]) -> Counts:
    """Draw a number of events for each mean (float32, 0 to 2^24), by Poisson's law."""
    check_means(means)
    means = means.reshape(-1)
    parts = 1 + (means * np.float32(0.125)).astype(np.uint32)
    each = means.astype(np.float64) / parts
    number = np.arange(means.size)
    counts = np.zeros(means.size, np.uint32)
    for part in range(int(parts.max(initial=0))):
        keep = parts > part
        step = part * 0x9E3779B9
        bits = dice(number[keep], keys[0], (keys[1] + step) & 0xFFFFFFFF)
        following = dice(number[keep], keys[2], (keys[3] + step) & 0xFFFFFFFF)
        counts[keep] += _poisson(each[keep], share(bits, following))
    return counts


def _poisson(mean: Doubles, drawn: Doubles) -> Counts:
    """Return as many as the chance of as many or more is above what is drawn."""
    chance = _none(mean)
    rest = 1 - chance
    counts = np.zeros(len(mean), np.uint32)
    for count in range(1, MOST_OF_A_PART + 1):
        more = drawn < rest
        if not more.any():
            break
        counts += more
        chance = chance * (mean / count)
        rest = np.where(more, rest - chance, 0)
    return counts


def _none(mean: Doubles) -> Doubles:
    """Return exp(-mean) of 0 to 8, by its series at a 64th of it."""
    x, total = mean * (-1 / 64), np.ones(len(mean))
    for term in range(12, 0, -1):
        total = 1 + x / term * total
    for _ in range(6):
        total *= total
    return total


def poisson_events(
    counts: Counts, shape: tuple[int, int], interval: int, key: tuple[int, int]
) -> Records:
    """Return events of these counts, each at a time of `[0, interval)`, pixel by pixel.

    `counts` are of one plane, ON, or of two, OFF and ON, of this shape. Raises `ValueError` for
    another number of them.
    """
    check_plane("counts", counts, np.uint32, (counts.size,))
    check_counts(shape, len(counts))
    check_interval(interval)
    plane = shape[0] * shape[1]
    number = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts, dtype=np.int64) - counts
    j = np.arange(len(number)) - first[number]
    bits = dice(number, key[0], (key[1] + j * 0x9E3779B9 & 0xFFFFFFFF).astype(np.uint32))
    y, x = np.divmod((number % plane).astype(np.uint64), np.uint64(shape[1]))
    on = (number >= plane) | (len(counts) == plane)
    at = below(bits, interval) << np.uint64(34)
    records = at | y << np.uint64(18) | x << np.uint64(2) | on.astype(np.uint64)
    return np.asarray(records, np.uint64)
