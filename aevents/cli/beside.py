"""Operators of events in a stream that holds other kinds of items too: these pass by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress
from typing import Never, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import fields, replace

from aevents.cli.kinds import name_of, number_in
from aevents.cli.operators import Step, put
from aevents.operators.base import Operator
from aevents.operators.select import Crop
from aevents.stream import Stream
from aevents.types import (
    ColourBatch,
    Coordinates,
    EventBatch,
    ExposureBatch,
    Flags,
    Frame,
    Sensor,
    Span,
    Times,
)

T = TypeVar("T")

PIXELS = (ExposureBatch, ColourBatch, Frame)
"""Kinds of which a crop or a polarity should keep some, and cannot."""


NO_COLUMNS = ("sensor", "span", "window")
"""What a batch has beside its columns."""


class Timed(Protocol):
    """A batch with times and a span."""

    @property
    def t(self) -> Times:
        """Times in µs."""

    @property
    def span(self) -> Span:
        """The stretch of time that it stands for."""


def put_beside(stream: Stream[object], steps: Sequence[Step]) -> Stream[object]:
    """Return the stream with these steps appended for its events; see `Beside`."""
    bare = len(stream.operators)
    made = put(cast("Stream[EventBatch]", stream), steps)  # other items do not get to them
    row = [
        partial(Beside, make, step) for make, step in zip(made.operators[bare:], steps, strict=True)
    ]
    return replace(made, operators=(*made.operators[:bare], *row))


class Beside:
    """An operator of events that lets other items pass by: cut by a time slice, of the sensor that
    a crop leaves. `ValueError` for those of which a crop or a polarity should keep some.
    """

    def __init__(self, make: Callable[[], Operator[Never, object]], step: Step) -> None:
        self._make = make
        self._operator = cast("Operator[EventBatch, object]", make())
        self._step = step

    @property
    def done(self) -> bool:
        """Whether no more is wanted."""
        return bool(getattr(self._operator, "done", False))

    def feed(self, item: object, /) -> Iterator[object]:
        """Give what the operator makes of events; other items as they are."""
        if isinstance(item, EventBatch):
            yield from self._operator.feed(item)
        elif self._step.method in ("crop", "polarity"):
            yield self._of_the_same_pixels(item)
        elif self._step.method == "time_slice":
            yield from _between(item, self._step.options)
        else:
            yield item

    def flush(self) -> Iterator[object]:
        """Give what the operator still has."""
        yield from self._operator.flush()

    def _of_the_same_pixels(self, item: object) -> object:
        if isinstance(item, PIXELS):
            held = name_of(type(item))
            word = self._step.method
            raise ValueError(f"--{word} works on events, and there are {held}: --only events")
        if self._step.method == "polarity" or not hasattr(item, "sensor"):
            return item
        crop = cast("Crop", self._make())
        (cut,) = crop.feed(EventBatch.empty(item.sensor))
        return _changed(item, sensor=cut.sensor)


class OnSensor:
    """Keep what is on the sensor, where its size is known."""

    def feed(self, item: T, /) -> Iterator[T]:
        """Give what of the item is on the sensor."""
        sensor: Sensor = getattr(item, "sensor", Sensor())
        x: Coordinates | None = getattr(item, "x", None)
        y: Coordinates | None = getattr(item, "y", None)
        if x is None or y is None or not sensor.sized or not len(x):
            yield item
        else:
            yield from _those_of(item, (x < sensor.width) & (y < sensor.height))

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class ZeroTime:
    """Count times from `start` µs; where that is None, from the first thing that comes."""

    def __init__(self, start: int | None) -> None:
        self._start = start

    def feed(self, item: T, /) -> tuple[T]:
        """Give the item at its new time."""
        span = cast("Timed", item).span
        t: Times | None = getattr(item, "t", None)
        if self._start is None and number_in(item):
            self._start = int(t.min()) if t is not None else span.start
        start = self._start or 0
        moved: dict[str, object] = {"span": Span(*(max(0, time - start) for time in span))}
        if t is not None:
            moved["t"] = t - start
        return (_changed(item, **moved),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def _between(item: T, slice: Mapping[str, object]) -> Iterator[T]:
    """Yield what of an item lies in `start <= t < stop`."""
    start, stop = cast("int", slice.get("start", 0)), cast("int | None", slice.get("stop"))
    t: Times | None = getattr(item, "t", None)
    if t is None:
        time = cast("Timed", item).span.start
        if start <= time and (stop is None or time < stop):
            yield item
        return
    yield from _those_of(item, t >= start if stop is None else (t >= start) & (t < stop))


def _those_of(item: T, kept: Flags) -> Iterator[T]:
    """Yield the batch of those rows of an item whose entry is true, if there are any."""
    if kept.all():
        yield item
    elif kept.any():
        names = [one.name for one in fields(cast("Struct", item)) if one.name not in NO_COLUMNS]
        yield _changed(item, **{name: _column_of(getattr(item, name), kept) for name in names})


def _changed(item: T, **changes: object) -> T:
    """Return a batch or a frame with other values."""
    return cast("T", replace(cast("Struct", item), **changes))


def _column_of(column: npt.NDArray[np.generic] | Sequence[bytes], kept: Flags) -> object:
    return column[kept] if isinstance(column, np.ndarray) else tuple(compress(column, kept))
