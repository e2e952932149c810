"""What records of damaged packets are still good: judged by their times and places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from aevents.types import Flags, Sensor, Times

LEAP = 65_536
"""µs: a time further than this from the one before is doubtful, as `AE_LEAP` in kernels.h."""
GAP = 10_000_000
"""µs: no longer silence is believed where something is damaged."""
FEWEST = 16
"""Bits 16 and up are mended: others move a time by less than a leap."""

MANY = 16
"""No event is further from the middle than so many times what half of them span."""

Numbers = npt.NDArray[np.integer]
Columns = Callable[[memoryview], tuple[Times, Numbers, Numbers]]


def mend_times(t: Times, last: int | None) -> Flags:
    """Turn back the bit that has flipped in a time, in place; return where.

    Such a time leaps away from the one before it (`last` before the first), those of the next three
    records do not, and one bit of it brings it in between.
    """
    mended = np.zeros(len(t), np.bool_)
    places = np.arange(0 if last is not None else 1, len(t) - 3)
    before = np.concatenate(([last or 0], t[:-1]))[places]
    after = t[places[:, None] + (1, 2, 3)]
    with np.errstate(over="ignore"):
        leaps = _apart(t[places], before) > LEAP
        stays = (_apart(after, before[:, None]) <= LEAP).all(axis=1)
    doubtful = leaps & stays & (after[:, 0] >= before)
    places, before, after = places[doubtful], before[doubtful], after[doubtful]
    for bit in range(FEWEST, 63) if len(places) else ():
        turned = t[places] ^ np.int64(1 << bit)
        fits = (turned >= before) & (turned <= after[:, 0])
        t[places[fits]], mended[places[fits]] = turned[fits], True
    return mended


def strays(t: Times) -> Flags:
    """Return which times are far from most, where time leaps to and fro.

    Leaps in one direction are none: there was silence, or a clock began anew.
    """
    steps = np.diff(t)
    if not ((steps > LEAP).any() and (steps < -LEAP).any()):
        return np.zeros(len(t), np.bool_)
    first, middle, last = np.quantile(t, (0.25, 0.5, 0.75), method="nearest").astype(np.int64)
    most = max(int(last) - int(first), LEAP // MANY)
    found: Flags = _apart(t, middle) // MANY > most
    return found


def good_parts(
    body: memoryview, size: int, columns: Columns, *, sensor: Sensor, last: int | None, torn: bool
) -> tuple[memoryview, memoryview]:
    """Return the records of `size` bytes at the beginning and at the end of `body` that are good.

    Between them bytes are lost, added or damaged. Nothing is at the end of a `torn` body. `columns`
    gives t, x, y of records, `last` is the time of the last record before.
    """
    rest = body[len(body) % size :]
    t, x, y = columns(rest)
    end = 0 if torn else good_end(t, x, y, sensor=sensor, last=last)
    later = t[len(t) - end :][:2].tolist()
    t, x, y = columns(body[: len(rest)])
    run = good_run(t, x, y, sensor=sensor, last=last)
    if later:  # the record amid which the damage begins may look good too, but for its time
        shares = [(_leading(t[:run] <= until), end - at) for at, until in enumerate(later)]
        run, end = max(shares, key=sum)
    end = min(end, (len(body) - run * size) // size)
    return body[: run * size], body[len(body) - end * size :]


def good_run(t: Times, x: Numbers, y: Numbers, *, sensor: Sensor, last: int | None) -> int:
    """Return how many records, from the first on, are such as may follow the time `last`.

    Their times go on, or back by less than a leap, and their places are on the sensor.
    """
    if not len(t):
        return 0
    good = np.ones(len(t), np.bool_)
    if sensor.sized:
        good = (x < sensor.width) & (y < sensor.height)
    with np.errstate(over="ignore"):
        steps = np.diff(t, prepend=np.int64(t[0] if last is None else last))
    return _leading(good & (steps >= -LEAP) & (steps <= GAP))


def good_end(t: Times, x: Numbers, y: Numbers, *, sensor: Sensor, last: int | None) -> int:
    """Return how many records at the end are such as may come some time after `last`."""
    if last is None:
        last = int(t.min(initial=0))
    t, x, y = t[::-1], x[::-1], y[::-1]
    return min(
        good_run(-t, x, y, sensor=sensor, last=None),
        _leading((t >= last) & (t <= last + GAP)),
    )


def _leading(good: Flags) -> int:
    """Return how many are good before the first that is not."""
    return len(good) if good.all() else int(np.argmin(good))


def _apart(one: Times, other: Times) -> npt.NDArray[np.uint64]:
    """Return how far times are from each other, however far."""
    apart: npt.NDArray[np.uint64] = np.maximum(one, other).view(np.uint64) - np.minimum(
        one, other
    ).view(np.uint64)
    return apart
