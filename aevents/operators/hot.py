"""Leave out hot pixels: those that fire without a cause, as listed or as learned."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aevents.operators.frames import Accumulator
from aevents.operators.pixels import PerSensor, check_size, kept_by, picked
from aevents.types import EventBatch, Flags, Sensor

LEARN_US = 1_000_000
FACTOR = 10.0
"""Noise of pixels varies by about so much; hot ones are hundreds of times as busy."""

Pixels = Iterable[tuple[int, int]]


def hot_pixels(batch: EventBatch, *, factor: float = FACTOR) -> list[tuple[int, int]]:
    """Return the pixels `(x, y)` that are hot in these events, row by row.

    A pixel is hot if it has more than `factor` times as many events as those around it, that is,
    `n > factor * (m + 1)` with `m` the count of the second busiest of its 8 neighbours. So an edge
    of the scene is not hot, and two hot pixels side by side are. (faery's filter compares with the
    busiest of 4 neighbours, packet by packet.)

    Raises `ValueError` for a factor that is not positive, and when the sensor size is not known.
    """
    _check_factor(factor)
    check_size(batch.sensor)
    table = Accumulator(batch.sensor, 1)
    table.add(batch)
    return _hot(table, factor)


class WithoutHotPixels:
    """Leave out the events of hot pixels: of the listed `pixels`, each `(x, y)`, or, if there is no
    list, of those that were hot in the first `learn_us` of events: see `hot_pixels`, also for
    `factor`. While it learns, all events are given.

    Events off the sensor are left out and counted, from the end of learning on: `outside_sensor`.
    Raises `ValueError` for a stretch that is not positive, a factor that is not positive, a listed
    pixel off the sensor, and when the sensor size is not known.
    """

    def __init__(
        self, pixels: Pixels | None = None, *, learn_us: int = LEARN_US, factor: float = FACTOR
    ) -> None:
        if learn_us <= 0:
            raise ValueError(f"learn_us is above 0, not {learn_us}")
        _check_factor(factor)
        self.counts: dict[str, int] = {"outside_sensor": 0}
        self._listed = None if pixels is None else [(int(x), int(y)) for x, y in pixels]
        self._learn_us = learn_us
        self._factor = factor
        self._cold: dict[Sensor, Flags] = {}
        self._lessons = PerSensor(_Lesson)

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events of the other pixels."""
        if batch.sensor not in self._cold and self._listed is not None:
            check_size(batch.sensor)
            self._cold[batch.sensor] = _without(self._listed, batch.sensor)
        if batch.sensor in self._cold:
            return (picked(batch, self._keep(batch)),)
        end = self._learn(batch)
        if end == len(batch):
            return (batch,)
        keep = np.ones(len(batch), np.bool_)
        keep[end:] = self._keep(batch.cut(end, len(batch), batch.span))
        return (picked(batch, keep),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _keep(self, batch: EventBatch) -> Flags:
        keep, outside = kept_by(self._cold[batch.sensor], batch)
        self.counts["outside_sensor"] += outside
        return keep

    def _learn(self, batch: EventBatch) -> int:
        """Count events until the lesson is over; return how many of these belong to it."""
        lesson = self._lessons[batch.sensor]
        if not len(batch):
            return 0
        if lesson.stop is None:
            lesson.stop = int(batch.t[0]) + self._learn_us
        after = np.flatnonzero(batch.t >= lesson.stop)
        end = int(after[0]) if len(after) else len(batch)
        lesson.table.add(batch.cut(0, end, batch.span))
        if end < len(batch):
            self._cold[batch.sensor] = _without(_hot(lesson.table, self._factor), batch.sensor)
            del self._lessons[batch.sensor]
        return end


class _Lesson:
    """What is counted of a sensor until time `stop`, which follows from its first event."""

    def __init__(self, sensor: Sensor) -> None:
        self.table = Accumulator(sensor, 1)
        self.stop: int | None = None


def _check_factor(factor: float) -> None:
    if not factor > 0:
        raise ValueError(f"factor is above 0, not {factor}")


def _hot(table: Accumulator, factor: float) -> list[tuple[int, int]]:
    counts = table.read(np.int32)[0]
    y, x = np.nonzero(counts > factor)  # no other can be hot
    padded = np.pad(counts, 1)
    around = [padded[y + j, x + i] for j in (0, 1, 2) for i in (0, 1, 2) if (i, j) != (1, 1)]
    hot = counts[y, x] > factor * (np.partition(around, -2, axis=0)[-2] + 1)
    return list(zip(x[hot].tolist(), y[hot].tolist(), strict=True))


def _without(pixels: Pixels, sensor: Sensor) -> Flags:
    cold = np.ones((sensor.height, sensor.width), np.bool_)
    for x, y in pixels:
        if not (0 <= x < sensor.width and 0 <= y < sensor.height):
            size = f"{sensor.width}x{sensor.height}"
            raise ValueError(f"pixel ({x}, {y}) is not on the sensor of {size}")
        cold[y, x] = False
    return cold
