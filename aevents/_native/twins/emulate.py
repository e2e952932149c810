"""Pixels that look at pictures, in NumPy: the specification of `emulate.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..planes import (
    BACK,
    FORGET,
    NOISE,
    SIGN,
    Active,
    Picture,
    Pixels,
    Timing,
    check_picture,
    check_pixels,
    check_timing,
)
from .dice import dice, normal, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Records = NDArray[np.uint64]
    Flags = NDArray[np.bool_]

MOST_CROSSED = np.float32(1 << 20)
F = np.float32


def see(pixels: Pixels, picture: Picture, active: Active) -> None:
    """See a picture: move `level` and `excess` on, and list the pixels that have events.

    Raises `ValueError` for planes of other shapes or types.
    """
    check_pixels(pixels, active)
    check_picture(picture, pixels.level.shape)
    level, change = _seen(pixels, picture)
    pixels.excess[:] = excess = pixels.excess + change
    pixels.level[:] = level
    crossed = _crossed(excess, pixels.on, pixels.off).reshape(-1)
    noise = _noise(pixels, picture)
    index = np.flatnonzero((crossed != 0) | (noise != 0))
    n = active.n = len(index)
    active.index[:n] = index
    active.excess[:n] = excess.reshape(-1)[index]
    active.change[:n] = change.reshape(-1)[index]
    active.crossed[:n] = crossed[index]
    active.done[:n] = 0
    drawn = dice(index, *picture.time_key).astype(np.uint64)
    at = 1 + (drawn * np.uint64(picture.interval) >> np.uint64(32)).astype(np.int64)
    at[:] = picture.interval if picture.late else at
    active.noise_at[:n] = np.where(noise[index] != 0, at, 0)
    active.noise_p[:n] = noise[index] == 2
    times = np.abs(crossed[index])
    active.most = int(times.sum(dtype=np.int64)) + int(np.count_nonzero(noise))
    active.steps = int(times.max(initial=0))


def _seen(pixels: Pixels, picture: Picture) -> tuple[Floats, Floats]:
    """Return the new level, and how much the excess changes."""
    light = picture.light.astype(np.float32)
    level = picture.table[picture.light] if picture.logs is None else picture.logs
    if picture.passed > 0:
        passing = np.minimum((light + F(20)) * F(picture.passed), F(1))
        level = pixels.level + passing * (level - pixels.level)
    leak = pixels.leak * F(picture.seconds)
    if picture.jitter != 0:
        bits = dice(np.arange(light.size), *picture.leak_key).reshape(light.shape)
        pairs = (bits & 0xFF00FF) + (bits >> 8 & 0xFF00FF)
        total = (pairs + (pairs >> 16) & 0xFFFF).astype(np.int32)
        leak = leak * (F(1) + (total - 510).astype(np.float32) * F(picture.jitter))
    if picture.sigma > 0:
        leak = leak + _ripple(pixels, picture)
    return level, level - pixels.level + leak


def _ripple(pixels: Pixels, picture: Picture) -> Floats:
    """Move the noise level on, and return by how much."""
    assert picture.normals is not None
    level = pixels.noise_level
    bits = dice(np.arange(level.size), *picture.level_key).reshape(level.shape)
    change = F(picture.sigma) * normal(bits, picture.normals) - F(picture.fade) * level
    level += change
    return change


def _crossed(excess: Floats, on: Floats, off: Floats) -> NDArray[np.int32]:
    """Return how many thresholds each crossed: above 0 ON, below 0 OFF."""
    times = np.abs(excess) / np.where(excess < 0, off, on)
    whole = np.minimum(times, MOST_CROSSED).astype(np.int32)
    return np.asarray(np.where(excess < 0, -whole, whole), np.int32)


def _noise(pixels: Pixels, picture: Picture) -> NDArray[np.uint8]:
    """Return for each pixel: 0 no noise, 1 OFF, 2 ON."""
    if not picture.limit:
        return np.zeros(pixels.level.size, np.uint8)
    number = np.arange(pixels.level.size)
    bits = dice(number, *picture.noise_key)
    drawn = share(bits, dice(number, *picture.depth_key))
    light = picture.light.astype(np.float32).astype(np.float64).reshape(-1)
    chance = picture.noise - picture.fall * (light + 20)
    on = chance * (picture.nominal[0] / pixels.on.reshape(-1).astype(np.float64))
    off = chance * (picture.nominal[1] / pixels.off.reshape(-1).astype(np.float64))
    kinds = np.where(drawn < on, 2, np.where(drawn < on + off, 1, 0))
    return np.where(bits < picture.limit, kinds, 0).astype(np.uint8)


class _Crossings(NamedTuple):
    """The crossings of each pixel in an interval; see `crossings` in `emulate.c`."""

    times: NDArray[np.int32]
    threshold: Doubles
    start: Doubles
    pace: Doubles


def _crossings(pixels: Pixels, active: Active, timing: Timing) -> _Crossings:
    n = active.n
    index, crossed = active.index[:n], active.crossed[:n]
    sign = np.where(crossed < 0, -1.0, 1.0)
    change = sign * active.change[:n].astype(np.float64)
    end = sign * active.excess[:n].astype(np.float64)
    on, off = pixels.on.reshape(-1)[index], pixels.off.reshape(-1)[index]
    threshold = np.where(crossed < 0, off, on).astype(np.float64)
    rising = change > 0
    pace = np.where(rising, timing.interval / np.where(rising, change, 1), 0)
    return _Crossings(np.abs(crossed), threshold, end - change, pace)


def _moment(of: _Crossings, timing: Timing, j: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return when each crosses its threshold `j`, in us from the begin: 1 at least."""
    if timing.grid is not None:
        return np.asarray(timing.grid[np.minimum(j, len(timing.grid)) - 1], np.int64)
    at = np.minimum((j * of.threshold - of.start) * of.pace, float(timing.interval))
    whole = np.ceil(np.maximum(at, 0)).astype(np.int64)
    return np.asarray(np.maximum(whole, 1), np.int64)


def crossings(pixels: Pixels, active: Active, timing: Timing, until: int) -> int:
    """Count crossings and noise up to `until` us after the last picture, not dealt with so far."""
    check_pixels(pixels, active)
    of = _crossings(pixels, active, timing)
    j = active.done[: active.n].copy()
    going = np.ones(active.n, np.bool_)
    total = 0
    while going.any():
        going &= (j < of.times) & (_moment(of, timing, j + 1) <= until)
        j += going
        total += int(np.count_nonzero(going))
    noise = active.noise_at[: active.n]
    return total + int(np.count_nonzero((noise > 0) & (noise <= until)))


def fire(
    pixels: Pixels, active: Active, timing: Timing, after: int, until: int, room: Records
) -> int:
    """Deal with those: write events in the order of pixels, and return how many.

    `room` is uint64, with room for as many as `crossings` counts; `after` is the `until` of the
    call before. Raises `ValueError` for other arrays.
    """
    check_pixels(pixels, active)
    check_timing(timing)
    if len(room) < active.most and len(room) < crossings(pixels, active, timing, until):
        raise ValueError(f"there is no room for all events: {len(room)} places")
    n = active.n
    index, noise = active.index[:n], active.noise_at[:n]
    place, at, gone = _fired(pixels, active, timing, until)
    excess, on, off = (plane.reshape(-1)[index] for plane in (pixels.excess, pixels.on, pixels.off))
    off_side = active.crossed[:n] < 0
    rest = excess - gone.astype(np.float32) * np.where(off_side, -off, on)
    over = (noise > 0) & (until >= timing.interval)
    pixels.excess.reshape(-1)[index] = np.where(over, F(0), rest)
    noisy = np.flatnonzero((noise > after) & (noise <= until))
    place = np.concatenate((place, noisy))
    at = np.concatenate((at, noise[noisy]))
    flags = (active.crossed[place] > 0) * SIGN
    flags[len(flags) - len(noisy) :] = NOISE | active.noise_p[noisy]
    order = np.argsort(place, kind="stable")
    y, x = np.divmod(index[place].astype(np.uint64), np.uint64(pixels.level.shape[1]))
    events = at.astype(np.uint64) << np.uint64(34) | y << np.uint64(18) | x << np.uint64(2)
    room[: len(place)] = (events | flags.astype(np.uint64))[order]
    return len(place)


def _fired(
    pixels: Pixels, active: Active, timing: Timing, until: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return whose events fire, in the order of j, and when; and how many crossings are gone."""
    n, of = active.n, _crossings(pixels, active, timing)
    last = pixels.last.reshape(-1)[active.index[:n]]
    done, gone = active.done[:n], np.zeros(n, np.int32)
    going = np.ones(n, np.bool_)
    places, times = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    while going.any():
        at = _moment(of, timing, done + 1)
        early = last + timing.rest - (timing.start + at)
        resting = early > 0
        going &= (done < of.times) & (at <= until)
        fires = going & ~resting
        if timing.rule == FORGET:
            gone += going
        elif timing.rule == BACK:
            gone += fires
        else:
            going &= ~resting | (early <= until - at)
            at, fires = at + np.maximum(early, 0), going
            gone += going
        last[fires] = timing.start + at[fires]
        done += going
        places.append(np.flatnonzero(fires))
        times.append(at[fires])
    pixels.last.reshape(-1)[active.index[:n]] = last
    return np.concatenate(places), np.concatenate(times), gone
