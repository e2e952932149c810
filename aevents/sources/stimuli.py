"""Stimuli of vision science as frames: noise, gratings, bars, checkers, chirps and pulses.

Every frame is float32 brightness from `low` to `high`, of mode `"intensity"`, as it is when its
span begins. Lengths are in pixels, directions in degrees clockwise from the right (90 is down);
places are counted from the centre of the sensor.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, isfinite, radians, sin
from typing import Unpack

import numpy as np
import numpy.typing as npt

from aevents.sources.drawn import (
    RATE_HZ,
    SECOND_US,
    Drawn,
    Timing,
    begins,
    block_of,
    check_seed,
    dice,
    frame_of,
    timing,
)
from aevents.stream import Stream
from aevents.types import Frame, Sensor, Times

SENSOR = Sensor(128, 128)
LOW, HIGH = 0.0, 255.0
"""Black and white in pictures of 8 bits."""

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]


class Shown(Timing, total=False):
    """How a stimulus is shown: `rate_hz` frames a second (1000) for `duration_us` (one second; 0:
    without end), in a brightness from `low` (0) to `high` (255).
    """

    low: float
    high: float


def random(
    sensor: Sensor = SENSOR, *, size_px: int = 1, seed: int = 0, **shown: Unpack[Shown]
) -> Stream[Frame]:
    """Return noise: squares of `size_px`, each frame of which is drawn anew, uniformly from `low`
    to `high`.

    Raises `ValueError` for a number that is out of its range.

    >>> frames = random(Sensor(4, 3), seed=1, duration_us=2_000)
    >>> [(frame.shape, frame.span) for frame in frames.blocking()]
    [((3, 4), Span(start=0, stop=1000)), ((3, 4), Span(start=1000, stop=2000))]
    """
    if size_px < 1 or size_px != int(size_px):
        raise ValueError(f"size_px is a whole number of pixels from 1 on, not {size_px!r}")
    check_seed(seed)
    rows, columns = (-(-size // size_px) for size in (sensor.height, sensor.width))

    def draw(first: int, count: int) -> Floats:
        drawn = dice(seed, first, (count, rows, columns), np.uint16)  # 256 steps of a gray value
        squares = drawn * np.float32(2**-16)
        if size_px == 1:
            return squares
        wide = squares.repeat(size_px, axis=2)[:, :, : sensor.width]
        return wide.repeat(size_px, axis=1)[:, : sensor.height]

    return _shown("random", draw, sensor, shown)


def grating(
    sensor: Sensor = SENSOR,
    *,
    period_px: float = 32.0,
    hz: float = 4.0,
    direction_deg: float = 0.0,
    **shown: Unpack[Shown],
) -> Stream[Frame]:
    """Return a grating whose brightness is a sine over `period_px`, and which moves by `hz` periods
    a second: `sin(2π (d / period_px - hz t))`, where `d` is the distance from the centre in the
    direction of motion. A negative `hz` moves it back.

    Raises `ValueError` for a number that is out of its range.
    """
    _check(period_px=period_px)
    _check(hz=hz, direction_deg=direction_deg, least=-inf)
    phase = 2 * np.pi / period_px * _distances(sensor, direction_deg)
    sines, cosines = np.sin(phase).astype(np.float32), np.cos(phase).astype(np.float32)

    def draw(t: Times) -> Floats:
        shift = 2 * np.pi * (t / SECOND_US * hz % 1)[:, None, None]
        sine, cosine = np.sin(shift).astype(np.float32), np.cos(shift).astype(np.float32)
        return _from_wave(sines * cosine - cosines * sine)

    return _timed("grating", draw, sensor, shown)


def bar(
    sensor: Sensor = SENSOR,
    *,
    width_px: float = 8.0,
    speed_px_s: float = 200.0,
    direction_deg: float = 0.0,
    edge_px: float = 1.0,
    **shown: Unpack[Shown],
) -> Stream[Frame]:
    """Return a bright bar on a dark ground that moves across its own length, at a speed in pixels a
    second. It comes in at once; as soon as it has left the sensor it comes in again.

    Its edges are ramps over `edge_px`, so that it moves by less than a pixel as well; 0 makes them
    hard. Raises `ValueError` for a number that is out of its range.
    """
    _check(width_px=width_px, speed_px_s=speed_px_s)
    _check(edge_px=edge_px, least=0)
    _check(direction_deg=direction_deg, least=-inf)
    distances = _distances(sensor, direction_deg).astype(np.float32)
    theta = radians(direction_deg)
    across = sensor.width * abs(cos(theta)) + sensor.height * abs(sin(theta))
    way = across + width_px + edge_px

    def draw(t: Times) -> Floats:
        place = (t / SECOND_US * speed_px_s % way - way / 2).astype(np.float32)
        inside = np.float32(width_px / 2) - np.abs(distances - place[:, None, None])
        return _from_wave(_edge(inside, edge_px))

    return _timed("bar", draw, sensor, shown)


def checkers(
    sensor: Sensor = SENSOR,
    *,
    size_px: float = 16.0,
    speed_px_s: float = 100.0,
    direction_deg: float = 0.0,
    edge_px: float = 1.0,
    **shown: Unpack[Shown],
) -> Stream[Frame]:
    """Return a board of bright and dark squares of `size_px` that moves, at a speed in pixels a
    second (0: rests).

    Edges are as for `bar`. Raises `ValueError` for a number that is out of its range.
    """
    _check(size_px=size_px)
    _check(speed_px_s=speed_px_s, edge_px=edge_px, least=0)
    _check(direction_deg=direction_deg, least=-inf)
    theta = radians(direction_deg)
    x, y = _places(sensor.width), _places(sensor.height)

    def draw(t: Times) -> Floats:
        way = (t / SECOND_US * speed_px_s)[:, None]
        columns = _stripes(x - way * cos(theta), size_px, edge_px)
        rows = _stripes(y - way * sin(theta), size_px, edge_px)
        return _from_wave(rows[:, :, None] * columns[:, None, :])

    return _timed("checkers", draw, sensor, shown)


def chirp(
    sensor: Sensor = SENSOR,
    *,
    rest_us: int = 500_000,
    sweep_us: int = 4_000_000,
    ramp_hz: float = 2.0,
    sweep_hz: tuple[float, float] = (0.5, 8.0),
    **shown: Unpack[Shown],
) -> Stream[Frame]:
    """Return the uniform "chirp" that retinal cells are sorted by: rest in the middle, a step to
    `high`, rest, a sine of `ramp_hz` that grows from nothing to the full contrast, rest, a sine of
    full contrast whose frequency rises from one to the other of `sweep_hz`, rest; over and over.

    Steps and rests last `rest_us` each, both sines `sweep_us`. Unless `duration_us` is given, it
    is shown once. Raises `ValueError` for a number that is out of its range.

    After Baden et al., "The functional diversity of retinal ganglion cells in the mouse" (2016).
    """
    _check(rest_us=rest_us, sweep_us=sweep_us)
    _check(ramp_hz=ramp_hz, slow_hz=sweep_hz[0], fast_hz=sweep_hz[1], least=0)
    shown.setdefault("duration_us", 5 * rest_us + 2 * sweep_us)
    slow, fast = sweep_hz
    ends = np.cumsum([rest_us, rest_us, rest_us, sweep_us, rest_us, sweep_us, rest_us])

    def draw(t: Times) -> Floats:
        since = t % ends[-1]
        section = np.searchsorted(ends, since, side="right")
        ramp, sweep = (since - ends[2]) / SECOND_US, (since - ends[4]) / SECOND_US
        full = sweep_us / SECOND_US
        grown = ramp / full * np.sin(2 * np.pi * ramp_hz * ramp)
        risen = np.sin(2 * np.pi * (slow + (fast - slow) / 2 * sweep / full) * sweep)
        wave = np.select([section == 1, section == 3, section == 5], [1.0, grown, risen])
        return _everywhere(_from_wave(wave.astype(np.float32)), sensor)

    return _timed("chirp", draw, sensor, shown)


def pulses(
    sensor: Sensor = SENSOR,
    *,
    period_us: int = 200_000,
    pulse_us: int = 100_000,
    **shown: Unpack[Shown],
) -> Stream[Frame]:
    """Return light that goes on everywhere for the first `pulse_us` of each `period_us`.

    Raises `ValueError` for a number that is out of its range.
    """
    _check(period_us=period_us)
    if not 0 <= pulse_us <= period_us:
        raise ValueError(f"pulse_us is from 0 to period_us ({period_us}), not {pulse_us!r}")

    def draw(t: Times) -> Floats:
        return _everywhere((t % period_us < pulse_us).astype(np.float32), sensor)

    return _timed("pulses", draw, sensor, shown)


def _timed(
    name: str, draw: Callable[[Times], Floats], sensor: Sensor, shown: Shown
) -> Stream[Frame]:
    """Return the stream of pictures that depend on the time (µs) when their frames begin."""
    rate_hz = shown.get("rate_hz", RATE_HZ)

    def numbered(first: int, count: int) -> Floats:
        return draw(begins(first, count, rate_hz))

    return _shown(name, numbered, sensor, shown)


def _shown(
    name: str, draw: Callable[[int, int], Floats], sensor: Sensor, shown: Shown
) -> Stream[Frame]:
    """Return the stream of pictures of 0 to 1, as bright as they are to be."""
    low, high = shown.get("low", LOW), shown.get("high", HIGH)
    _check(low=low, high=high, least=-inf)

    def bright(first: int, count: int) -> Floats:
        pictures = draw(first, count)
        pictures *= np.float32(high - low)
        pictures += np.float32(low)
        pictures.flags.writeable = False
        return pictures

    return Drawn(name, bright, frame_of(sensor), block_of(sensor), **timing(shown)).stream()


def _distances(sensor: Sensor, direction_deg: float) -> Numbers:
    """Return how far each pixel lies from the centre in a direction."""
    theta = radians(direction_deg)
    x, y = _places(sensor.width), _places(sensor.height)
    return np.add.outer(y * sin(theta), x * cos(theta), dtype=np.float64)


def _places(pixels: int) -> Numbers:
    return np.arange(pixels, dtype=np.float64) - (pixels - 1) / 2


def _stripes(places: Numbers, size_px: float, edge_px: float) -> Floats:
    """Return stripes of -1 and 1, each so wide."""
    number, since = np.divmod(places, size_px)
    inside = np.minimum(since, size_px - since).astype(np.float32)
    return _edge(inside, edge_px) * (1 - 2 * (number % 2)).astype(np.float32)


def _edge(inside: Floats, edge_px: float) -> Floats:
    """Return 1 inside, -1 outside, and a ramp over an edge so wide between them."""
    if edge_px == 0:
        return np.where(inside > 0, np.float32(1), np.float32(-1))
    inside *= np.float32(2 / edge_px)
    return np.clip(inside, -1, 1, out=inside)


def _from_wave(wave: Floats) -> Floats:
    """Return 0 to 1 for what goes from -1 to 1, and perhaps a little farther by rounding."""
    wave += 1
    wave *= np.float32(0.5)
    return np.clip(wave, 0, 1, out=wave)


def _everywhere(values: Floats, sensor: Sensor) -> Floats:
    pictures = np.empty((len(values), sensor.height, sensor.width), np.float32)
    pictures[:] = values[:, None, None]
    return pictures


def _check(*, least: float | None = None, **numbers: float) -> None:
    """Raise `ValueError` for what is not finite, and not above 0 or not the least at least."""
    for name, number in numbers.items():
        if not (isfinite(number) and (number > 0 if least is None else number >= least)):
            bound = "above 0" if least is None else f"of {least} or more"
            raise ValueError(f"{name} is a finite number {bound}, not {number!r}")
