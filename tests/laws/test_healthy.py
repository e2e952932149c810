"""Recordings that are odd and yet healthy: all events come as they were written, nothing is mended.

Each kind of oddity is a function of a seed that makes times; they go through the formats in which
damage is looked for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from aevents import EventBatch, Sensor
from aevents.testing import encode
from tests.laws.test_damage import FORMATS, codec_of, keys, read

Integers = npt.NDArray[np.int64]
Random = np.random.Generator

EVENTS = 20_000
UNITS = {"evt2": 64, "evt21": 64, "evt4": 64, "evt3": 4096, "dat": 1}  # µs of a TIME_HIGH
ROUNDS = {"evt2": 1 << 34, "evt21": 1 << 34, "evt4": 1 << 34, "evt3": 1 << 24, "dat": 1 << 32}


def steady(random: Random, rate_hz: float, count: int = EVENTS) -> Integers:
    return np.cumsum(random.exponential(1e6 / rate_hz, count)).astype(np.int64)


def rate(random: Random) -> float:
    return float(10 ** random.uniform(3.5, 7.5))


def bursts(random: Random, unit: int) -> Integers:
    """Return activity between pauses of random length."""
    steps = random.exponential(1e6 / rate(random), EVENTS)
    paused = random.random(EVENTS) < random.choice([0.0005, 0.003, 0.02])
    steps[paused] += 10 ** random.uniform(2, 7.5, paused.sum())
    return np.cumsum(steps).astype(np.int64)


def late_rows(random: Random, unit: int) -> Integers:
    """Return times of which some rows come late."""
    t = 100_000 + steady(random, rate(random))
    for start in random.integers(0, EVENTS - 300, 12):
        t[start : start + int(random.integers(1, 300))] -= int(10 ** random.uniform(0, 4.5))
    return t


def merged(random: Random, unit: int) -> Integers:
    """Return two streams, batch after batch, each as long as they happen to come."""
    hz = rate(random)
    streams = [100_000 + steady(random, hz, EVENTS // 2) for _ in range(2)]
    size = int(random.choice([20, 200, 2000]))
    parts = [one[at : at + size] for at in range(0, EVENTS // 2, size) for one in streams]
    return np.concatenate(parts)


def early_few(random: Random, unit: int) -> Integers:
    """Return a few events at time 0, and the others after a pause."""
    few = np.sort(random.integers(0, 50, int(random.integers(1, 20))))
    return np.concatenate((few, int(10 ** random.uniform(3, 8)) + steady(random, rate(random))))


def last_stretch(random: Random, unit: int) -> Integers:
    """Return a recording of which the last times stand for many events, far behind the others."""
    t = steady(random, rate(random))
    count = int(random.integers(1, 3000))
    last = int(t[-1]) + int(10 ** random.uniform(1.5, 7.5))
    return np.concatenate((t, last + np.sort(random.integers(0, unit, count))))


def gaps_of_two(random: Random, unit: int) -> Integers:
    """Return times where now and then none is in a unit of the clock, or two."""
    per_unit = int(random.choice([3, 40, 100, 400]))
    units = np.arange(EVENTS // per_unit)
    gaps = random.random(len(units)) < random.choice([0.01, 0.05, 0.3])
    gaps[[1, -1]] = False  # a first or last time that a bit puts next to its own is thought wrong
    units += np.cumsum(gaps)
    lows = random.integers(0, unit, (len(units), per_unit))
    return np.sort(units[:, None] * unit + lows, axis=None)


def still(random: Random, unit: int) -> Integers:
    """Return times that all stand in one unit of the clock, or in very few."""
    units = random.integers(0, int(random.integers(1, 6)), EVENTS)
    return np.sort(units * unit + random.integers(0, unit, EVENTS) // 8)


def flashes(random: Random, unit: int) -> Integers:
    """Return flashes of a lamp: many events at once, at even distances."""
    period = int(10 ** random.uniform(2, 5))
    count = int(random.integers(10, 400))
    lamp = np.arange(EVENTS // count) * period
    spread = random.exponential(period / 50, (len(lamp), count)).astype(np.int64)
    return np.sort(lamp[:, None] + spread, axis=None)


KINDS = (bursts, late_rows, merged, early_few, last_stretch, gaps_of_two, still, flashes)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", FORMATS)
def test_what_is_odd_and_healthy_is_not_mended(
    format: str, kind: Callable[[Random, int], Integers]
) -> None:
    for seed in range(8):
        random = np.random.default_rng(seed)
        t = kind(random, UNITS[format])
        for start in starts(random, t, ROUNDS[format]):
            assert_unaltered(format, np.maximum(start + t, 0), random, (kind.__name__, seed, start))


def starts(random: Random, t: Integers, round: int) -> list[int]:
    """Return when a recording may start: no format goes back over the end of its clock."""
    if (np.diff(t) < 0).any():
        return [0, int(random.integers(0, 50)) << 24]
    return [0, int(random.integers(0, 10**9)), round - 1 - int(t[len(t) // 2])]


def assert_unaltered(format: str, t: Integers, random: Random, what: object) -> None:
    """Check that what is written at these times is read, and nothing else is said."""
    codec = codec_of(format)
    assert codec.encoder is not None
    x, y, p = (random.integers(0, top, len(t)) for top in (640, 480, 2))
    batch = EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=Sensor(640, 480))
    found, damage, counts = read(codec, encode(codec.encoder(), [batch]))
    assert damage == [], what
    assert set(counts) <= {"backward_jumps"}, what
    if format in ("evt21", "evt4"):  # they may write the events of a vector in another order
        assert (np.sort(keys(found)) == np.sort(keys(batch))).all(), what
    else:
        assert (keys(found) == keys(batch)).all(), what
