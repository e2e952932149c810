"""Events from pictures: what the pixels of an event camera would have made of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, pi, sqrt
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents._native.normals import normal_table
from aevents._native.planes import (
    BACK,
    FORGET,
    LATEST,
    LONG_AGO,
    WAIT,
    Active,
    Floats,
    Picture,
    Pixels,
    Timing,
)
from aevents.operators.dvs import Preset, draw_maps, dvs_of, noise_deviation
from aevents.operators.light import Light, light_of
from aevents.types import EventBatch, Frame, LabelledBatch, Sensor, Span

Model = Literal["v2e", "esim"]
Moments = Literal["crossing", "grid"]

LINEAR_TO = 20
"""Light up to here is mapped linearly by v2e, as the logarithm of what is dark is mostly noise."""
NOISE_FALL = 0.75
"""So much less noise than a dark pixel has a white one."""
JITTER_SCALE = (4 * (256**2 - 1) / 12) ** -0.5
"""One by the standard deviation of the sum of four bytes."""
MOST_EVENTS = 1 << 22
"""In one piece; those of an interval that has more come in several."""
LATEST_TIME = 1 << 61


class Events:
    """Make events of pictures: those of a time from the changes between two, the first makes none.

    `model="v2e"`: the logarithm of the light, linear where it is dark, passes a low pass that is
    the slower the darker it is; a pixel sends an event for each threshold that this has moved on by
    since its last; it leaks, it is noisy, and it rests after an event, when what it crosses comes
    as soon as the rest is over. `model="esim"`: the logarithm alone, without filter and noise
    unless asked for; what falls into a rest is lost.

    `preset` names the pixels: `"default"` as on v2e's command line, `"ideal"` without any fault
    (what `"esim"` has unless told otherwise), `"clean"` and `"noisy"` as v2e's; any number of `Dvs`
    can be given by its name. `thresholds` is a pair of maps (ON, OFF), `(height, width)`, instead
    of drawn ones.

    `times="crossing"`: each event has the time at which the threshold is crossed, with light that
    changes evenly between two pictures, and noise has any. `times="grid"`: as v2e has them, on as
    many equal steps as the busiest pixel has events, with noise at the end; what falls into a rest
    then comes with the next picture.

    The time of a picture is the start of its span. Events are later than the picture before, and
    none is later than the picture; they are in the order of time. Pictures are of any type that
    `light_of` takes; there are one or more batches for each. The same `seed` makes the same events,
    whatever else runs (with one version of NumPy, which draws the maps).

    Raises `ValueError` for a model, preset, number or map that is none, and on pictures that change
    their size, are not later than the one before, or more than 2^30 µs.

    Hu, Liu, Delbruck, v2e: From Video Frames to Realistic DVS Events, CVPRW 2021; Rebecq, Gehrig,
    Scaramuzza, ESIM: an Open Event Camera Simulator, CoRL 2018; Lichtsteiner, Posch, Delbruck, A
    128x128 120 dB 15 µs Latency Asynchronous Temporal Contrast Vision Sensor, JSSC 2008.
    """

    def __init__(
        self,
        model: Model = "v2e",
        *,
        preset: Preset | None = None,
        thresholds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        times: Moments = "crossing",
        seed: int = 0,
        **pixel: float,
    ) -> None:
        if model not in ("v2e", "esim"):
            raise ValueError(f"a model is 'v2e' or 'esim', not {model!r}")
        if times not in ("crossing", "grid"):
            raise ValueError(f"times are of the 'crossing' or on a 'grid', not {times!r}")
        if seed < 0:
            raise ValueError(f"seed is a whole number from 0 on, not {seed!r}")
        self._dvs = dvs_of(preset or ("default" if model == "v2e" else "ideal"), pixel)
        self._esim = model == "esim"
        self._grid = times == "grid"
        self._thresholds = thresholds
        self._seed = seed
        self._table = self._logs(np.arange(256))
        self._pixels: Pixels | None = None
        self._room = np.empty(0, np.uint64)
        self._sensor = Sensor()
        self._deviation = 0.0
        self._pictures = 0
        self._t = 0

    def feed(self, frame: Frame, /) -> Iterator[EventBatch]:
        """Give the events between the picture before and this one."""
        return (batch.events for batch in self.labelled(frame))

    def labelled(self, frame: Frame, /) -> Iterator[LabelledBatch]:
        """Do as `feed`, and say which events are noise."""
        light, t = light_of(frame), frame.span.start
        if self._pixels is None:
            self._begin(light, frame.sensor, t)
            yield self._batch(np.empty(0, np.uint64), 1, Span(t, t + 1))
            return
        before, self._t = self._t, t
        self._pictures += 1
        self._check(light, t - before)
        picture = self._picture(light, t - before)
        kernels.see(self._pixels, picture, self._active)
        timing = self._timing(before, t - before)
        yield from self._fired(timing)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _begin(self, light: Light, sensor: Sensor, t: int) -> None:
        height, width = light.shape
        if abs(t) >= LATEST_TIME:
            raise ValueError(f"a picture at {t} µs is out of all time")
        maps = draw_maps(self._dvs, (height, width), self._seed, self._thresholds)
        level = self._table[light] if light.dtype == np.uint8 else self._logs(light)
        last = np.full(light.shape, LONG_AGO)
        excess, noise = np.zeros((2, *light.shape), np.float32)
        self._pixels = Pixels(level, excess, noise, maps.on, maps.off, maps.leak, last)
        self._active = Active(light.size)
        self._sensor = Sensor(width, height, sensor.name, sensor.serial)
        self._t = t
        self._least = float(maps.on.min()), float(maps.off.min())
        if self._dvs.photoreceptor_noise:
            self._deviation = noise_deviation(self._dvs, maps)

    def _check(self, light: Light, interval: int) -> None:
        shape = (self._sensor.height, self._sensor.width)
        if light.shape != shape:
            raise ValueError(f"pictures are {shape} as the first was, not {light.shape}")
        if not 0 < interval <= LATEST:
            raise ValueError(
                f"a picture comes 1 µs to 2^30 µs after the one before, not {interval}: "
                f"at {self._t} µs"
            )

    def _logs(self, light: npt.NDArray[np.generic]) -> Floats:
        """Return the logarithm of the light."""
        exact = np.asarray(light, np.float64)
        if self._esim:
            return np.log(exact / 255 + self._dvs.log_eps).astype(np.float32)
        slope = np.log(LINEAR_TO) / LINEAR_TO
        logs = np.where(exact <= LINEAR_TO, exact * slope, np.log(np.maximum(exact, 1)))
        return np.round(logs, 8).astype(np.float32)

    def _picture(self, light: Light, interval: int) -> Picture:
        dvs, seconds = self._dvs, interval / 1e6
        passed = 2 * pi * dvs.cutoff_hz * seconds
        fade = min(passed, 1)
        chance = 0 if dvs.photoreceptor_noise else dvs.shot_hz / 2 * seconds
        most = chance * (dvs.on / self._least[0] + dvs.off / self._least[1])
        state = np.random.SeedSequence((self._seed, self._pictures)).generate_state(10).tolist()
        keys = [(state[2 * k], state[2 * k + 1]) for k in range(5)]
        byte = light.dtype == np.uint8
        return Picture(
            light,
            None if byte else self._logs(light),
            self._table,
            interval,
            seconds,
            passed=passed / 275,
            jitter=dvs.leak_jitter * JITTER_SCALE if dvs.leak_hz else 0.0,
            fade=fade,
            sigma=self._deviation * sqrt(fade * (2 - fade)),
            normals=normal_table() if dvs.photoreceptor_noise else None,
            noise=chance,
            fall=chance * NOISE_FALL / 275,
            nominal=(dvs.on, dvs.off),
            limit=min(ceil(most * 2**32), 2**32 - 1),
            late=self._grid,
            leak_key=keys[0],
            noise_key=keys[1],
            depth_key=keys[2],
            time_key=keys[3],
            level_key=keys[4],
        )

    def _timing(self, start: int, interval: int) -> Timing:
        rest = round(self._dvs.refractory_us)
        rule = FORGET if self._esim else WAIT
        if not self._grid:
            return Timing(start, interval, None, rest, rule)
        steps = max(self._active.steps, 1)
        rest = 0 if rest * steps <= interval else rest + 1
        grid = self._moments(start, interval, steps)
        return Timing(start, interval, grid, rest, rule if self._esim else BACK)

    def _moments(self, _start: int, interval: int, steps: int) -> npt.NDArray[np.uint32]:
        """Return the times of a grid after its start."""
        whole = interval * np.arange(1, steps + 1) // steps
        return np.maximum(whole, 1).astype(np.uint32)

    def _fired(self, timing: Timing) -> Iterator[LabelledBatch]:
        """Give the events of an interval, at most about MOST_EVENTS at once."""
        pixels, active = cast("Pixels", self._pixels), self._active
        after = 0
        while after < timing.interval:
            until, most = timing.interval, active.most
            if most > MOST_EVENTS:
                until, most = self._share(timing, after)
            if len(self._room) < most:
                self._room = np.empty(most, np.uint64)
            fired = kernels.fire(pixels, active, timing, after, until, self._room)
            span = Span(timing.start + after + 1, timing.start + until + 1)
            yield self._batch(self._room[:fired], timing.interval, span, timing.start)
            after = until

    def _share(self, timing: Timing, after: int) -> tuple[int, int]:
        """Return until when there are few enough events, and how many at most."""
        pixels, active = cast("Pixels", self._pixels), self._active
        low, high = after + 1, timing.interval
        while low < high:
            middle = (low + high + 1) // 2
            if kernels.crossings(pixels, active, timing, middle) > MOST_EVENTS:
                high = middle - 1
            else:
                low = middle
        return low, kernels.crossings(pixels, active, timing, low)

    def _batch(
        self, events: npt.NDArray[np.uint64], latest: int, span: Span, start: int = 0
    ) -> LabelledBatch:
        columns = kernels.spread(events, latest, start)
        for column in columns:
            column.flags.writeable = False
        t, x, y, p, noise = columns
        return LabelledBatch(EventBatch(t, x, y, p, self._sensor, span), noise)


class LabelledEvents:
    """Make events as `Events` does, each batch with what says which of them are noise.

    >>> simulation = LabelledEvents(Events("v2e", preset="ideal", shot_hz=50, seed=1))
    >>> still = np.full((100, 100), 80, np.uint8)
    >>> for t in (0, 10_000):
    ...     frame = Frame(still, Span(t, t + 10_000), Sensor(), "intensity")
    ...     batches = list(simulation.feed(frame))
    >>> len(batches[0]) > 3000, bool(batches[0].noise.all())
    (True, True)
    """

    def __init__(self, events: Events, /) -> None:
        self._events = events

    def feed(self, frame: Frame, /) -> Iterator[LabelledBatch]:
        """Give the events between the picture before and this one."""
        return self._events.labelled(frame)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()
