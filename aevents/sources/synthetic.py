"""Synthetic scenes: a moving bar, a rotating disk, and noise; any rate, any size, no camera.

The same seed makes the same events. Time is cut into slots whose length depends on the rate alone,
and each slot has random numbers of its own, keyed by seed and slot: so a longer stream begins with
the events of a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from math import isfinite
from typing import cast, get_type_hints

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._contracts import Origin
from aevents.stream import Stream, stream_of
from aevents.types import Coordinates, EventBatch, Flags, Sensor, Span, Times

SENSOR = Sensor(640, 480)
SLOT_EVENTS = 16_000
"""About so many events make a batch, enough for the cost of a batch to vanish ..."""
SLOT_US = 16_384
"""... unless they take longer than this: so that a slow scene still moves."""

Floats = npt.NDArray[np.float32]
Columns = tuple[Coordinates, Coordinates, Flags]
Draw = Callable[[np.random.Generator, Times, Sensor], Columns]
"""Where events at these times are, and of which polarity."""


def moving_bar(
    sensor: Sensor = SENSOR,
    *,
    rate: float = 1e6,
    duration_us: int = 1_000_000,
    seed: int = 0,
    period_us: int = 500_000,
    noise: float = 0.02,
) -> Stream[EventBatch]:
    """Return a bright upright bar that moves to the right, across the sensor once in `period_us`.

    Its leading edge is ON, its trailing edge, an eighth of the width behind, is OFF; what leaves on
    the right comes in on the left. `rate` is in events a second, and exact; a fraction `noise` of
    them lies anywhere. `duration_us=0` makes a live stream without end. Raises `ValueError` for a
    number that is out of its range.
    """
    draw = partial(_draw_bar, period_us=period_us, noise=noise)
    _check_motion(period_us, noise)
    return _Scene("bar", _steady_times, draw, sensor, rate, duration_us, seed).stream()


def rotating_disk(
    sensor: Sensor = SENSOR,
    *,
    rate: float = 1e6,
    duration_us: int = 1_000_000,
    seed: int = 0,
    period_us: int = 500_000,
    noise: float = 0.02,
) -> Stream[EventBatch]:
    """Return a disk, one half black and one half white, that turns clockwise once in `period_us`.

    Of the line between the halves, one radius makes ON events and the other OFF. All else is as for
    `moving_bar`.
    """
    draw = partial(_draw_disk, period_us=period_us, noise=noise)
    _check_motion(period_us, noise)
    return _Scene("disk", _steady_times, draw, sensor, rate, duration_us, seed).stream()


def poisson(
    sensor: Sensor = SENSOR,
    *,
    rate: float = 1e6,
    duration_us: int = 1_000_000,
    seed: int = 0,
) -> Stream[EventBatch]:
    """Return noise: events of either polarity anywhere and at any time, `rate` a second on average.

    `duration_us=0` makes a live stream without end. Raises `ValueError` for a number that is out of
    its range.
    """
    return _Scene(
        "poisson", _random_times, _draw_anywhere, sensor, rate, duration_us, seed
    ).stream()


SCENES = {"bar": moving_bar, "disk": rotating_disk, "poisson": poisson}


def open_url(
    rest: str, /, *, sensor: Sensor | None = None, size: str | None = None, **options: object
) -> Origin[EventBatch]:
    """Return the scene that a URL names, as in `synthetic:bar?rate=1e6&size=640x480`.

    Options are the arguments of the function that makes the scene. Raises `ValueError` for a scene
    or an option that is not known, and for a value that is none.
    """
    if rest not in SCENES:
        raise ValueError(f"synthetic: no scene is called {rest!r}; known: {', '.join(SCENES)}")
    scene = SCENES[rest]
    kinds = get_type_hints(scene)
    del kinds["sensor"], kinds["return"]
    for name, value in options.items():
        if name not in kinds:
            known = ", ".join((*kinds, "size"))
            raise ValueError(f"synthetic:{rest} has no option {name!r}; known: {known}")
        options[name] = _typed(f"synthetic:{rest}: {name}", value, kinds[name])
    sensor = sensor or (SENSOR if size is None else Sensor.parse(size))
    made = cast("Callable[..., Stream[EventBatch]]", scene)(sensor, **options)
    return cast("Origin[EventBatch]", made.origin)  # a stream without operators


def _typed(what: str, value: object, kind: type) -> object:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{what} is {kind.__name__}, not {value!r}") from error


def _check_motion(period_us: int, noise: float) -> None:
    if period_us <= 0:
        raise ValueError(f"period_us is greater than zero, not {period_us!r}")
    if not 0 <= noise <= 1:
        raise ValueError(f"noise is a fraction from 0 to 1, not {noise!r}")


class _Scene(msgspec.Struct, frozen=True):
    """A scene with all that its events depend on."""

    name: str
    times: Callable[[np.random.Generator, Span, float], Times]
    draw: Draw
    sensor: Sensor
    rate: float
    duration_us: int
    seed: int

    def __post_init__(self) -> None:
        width, height = self.sensor.width, self.sensor.height
        if not (isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"rate is a number of events a second above 0, not {self.rate!r}")
        if self.duration_us < 0:
            raise ValueError(f"duration_us is 0 (no end) or more, not {self.duration_us!r}")
        if self.seed < 0:
            raise ValueError(f"seed is a whole number from 0 on, not {self.seed!r}")
        if not (0 < width <= 65_536 and 0 < height <= 65_536):
            raise ValueError(f"a scene needs a sensor size up to 65536, not {width}x{height}")

    def stream(self) -> Stream[EventBatch]:
        live = self.duration_us == 0
        return stream_of(Origin(f"synthetic:{self.name}", blocking=self.batches, live=live))

    def batches(self) -> Generator[EventBatch, None, None]:
        end = self.duration_us
        length = max(1, min(SLOT_US, round(SLOT_EVENTS / self.rate * 1e6)))
        slot = 0
        while end == 0 or slot * length < end:
            span = Span(slot * length, (slot + 1) * length)
            batch = self.slot(slot, span)
            yield batch.between(span.start, end) if 0 < end < span.stop else batch
            slot += 1

    def slot(self, slot: int, span: Span) -> EventBatch:
        random = np.random.Generator(np.random.SFC64((self.seed, slot)))
        t = self.times(random, span, self.rate)
        x, y, p = self.draw(random, t, self.sensor)
        return EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=self.sensor, span=span)


def _steady_times(random: np.random.Generator, span: Span, rate: float) -> Times:
    """Return times such that any number of seconds holds `rate` times as many events, exactly."""
    first, last = (int(time * rate / 1e6) for time in span)
    times = np.arange(first, last, dtype=np.float64)
    times += _dice(random, last - first)
    times *= 1e6 / rate
    t = times.astype(np.int64)
    t[:1] = np.maximum(t[:1], span.start)  # the first may belong to the slot before by a fraction
    t[-1:] = np.minimum(t[-1:], span.stop - 1)
    return t


def _random_times(random: np.random.Generator, span: Span, rate: float) -> Times:
    """Return the times of a Poisson process."""
    amount = random.poisson(rate * span.duration_us / 1e6)
    offsets = random.integers(0, span.duration_us, amount, np.uint32)
    offsets.sort()
    return offsets.astype(np.int64) + span.start


def _draw_anywhere(random: np.random.Generator, t: Times, sensor: Sensor) -> Columns:
    x = random.integers(0, sensor.width, len(t), np.uint16)
    y = random.integers(0, sensor.height, len(t), np.uint16)
    return x, y, random.integers(0, 2, len(t), np.bool_)


def _draw_bar(
    random: np.random.Generator, t: Times, sensor: Sensor, *, period_us: int, noise: float
) -> Columns:
    p = random.integers(0, 2, len(t), np.bool_)
    place = _turns(t, period_us)
    place -= ~p * np.float32(1 / 8)
    place -= np.floor(place)
    place *= np.float32(sensor.width)
    x = np.minimum(place, sensor.width - 1).astype(np.uint16)  # a hair below 0 was rounded to 1
    y = (_dice(random, len(t)) * np.float32(sensor.height)).astype(np.uint16)
    return _with_noise(random, noise, t, sensor, (x, y, p))


def _draw_disk(
    random: np.random.Generator, t: Times, sensor: Sensor, *, period_us: int, noise: float
) -> Columns:
    p = random.integers(0, 2, len(t), np.bool_)
    angle = _turns(t, period_us) * np.float32(2 * np.pi)
    angle += ~p * np.float32(np.pi)
    radius = np.sqrt(_dice(random, len(t)))  # the outside sweeps over more pixels
    radius *= np.float32(0.45 * min(sensor.width, sensor.height))
    x = (radius * np.cos(angle) + np.float32(sensor.width / 2)).astype(np.uint16)
    y = (radius * np.sin(angle) + np.float32(sensor.height / 2)).astype(np.uint16)
    return _with_noise(random, noise, t, sensor, (x, y, p))


def _dice(random: np.random.Generator, amount: int) -> Floats:
    """Return numbers from 0 up to 1; 16 bits are enough for each, and quickly drawn."""
    bits = random.integers(0, 2**64, amount // 4 + 1, np.uint64).view(np.uint16)
    return bits[:amount] * np.float32(2**-16)


def _with_noise(
    random: np.random.Generator, noise: float, t: Times, sensor: Sensor, columns: Columns
) -> Columns:
    """Put a fraction of the events anywhere."""
    amount = random.binomial(len(t), noise)
    strays = random.choice(len(t), amount, replace=False, shuffle=False) if amount else t[:0]
    for column, anywhere in zip(columns, _draw_anywhere(random, strays, sensor), strict=True):
        column[strays] = anywhere
    return columns


def _turns(t: Times, period_us: int) -> Floats:
    """Return the fraction of a period that has passed at each time."""
    start = int(t[0]) // period_us * period_us if len(t) else 0
    turns = (t - start).astype(np.float32)
    turns *= np.float32(1 / period_us)
    return turns - np.floor(turns)
