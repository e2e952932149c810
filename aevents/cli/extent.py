"""How far a stream reaches, found out by reading it, and whether a format has room for that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

import numpy as np

from aevents.cli.kinds import Census, name_of, names_of, number_in
from aevents.codecs.base import Codec
from aevents.codecs.limits import Limits
from aevents.errors import EncodeError
from aevents.registry import codecs
from aevents.types import Sensor, Times, TriggerBatch

T = TypeVar("T")


class Extent:
    """An operator that takes everything in, and gives itself at the end: what there is, and how
    far its columns, rows and times reach.
    """

    def __init__(self) -> None:
        self.census: Census = Census()
        self.sensor: Sensor = Sensor()
        self.width: int = 0
        self.height: int = 0
        self.edges: set[tuple[int, bool]] = set()
        self.start: int | None = None
        self.back: int = 0
        self.leap: int = 0
        self._last: dict[type, int] = {}

    def feed(self, item: object, /) -> tuple[()]:
        """Take the item in."""
        self.census.feed(item)
        self.sensor = getattr(item, "sensor", self.sensor)
        if not number_in(item):
            return ()
        if (x := getattr(item, "x", None)) is not None:
            self.width = max(self.width, 1 + int(x.max()))
            self.height = max(self.height, 1 + int(item.y.max()))  # type: ignore[attr-defined]
        if isinstance(item, TriggerBatch):
            both = np.unique(2 * item.id.astype(np.int64) + item.value).tolist()
            self.edges.update((number >> 1, number & 1 == 1) for number in both)
        self._look_at(type(item), getattr(item, "t", np.array([item.span.start])))  # type: ignore[attr-defined]
        return ()

    def flush(self) -> tuple[Extent]:
        """Give what was seen."""
        return (self,)

    def _look_at(self, kind: type, t: Times) -> None:
        first = int(t.min())
        self.start = first if self.start is None else min(self.start, first)
        steps = np.diff(t, prepend=self._last.get(kind, t[0]))
        self.back = max(self.back, -int(steps.min()))
        self.leap = max(self.leap, int(steps.max()))
        self._last[kind] = int(t[-1])


class Fitting:
    """An operator that hands on what there is room for in one file; `EncodeError` for other kinds.

    Empty batches of other kinds are dropped: decoders give them to tell of the sensor.
    """

    def __init__(self, target: Codec) -> None:
        self._target = target
        self._census = Census()

    def feed(self, item: T, /) -> tuple[T, ...]:
        """Give the item."""
        fits = _row_for({*self._census.kinds, type(item)}, self._target.limits) is not None
        if not fits and not number_in(item):
            return ()
        self._census.feed(item)
        if not fits:
            raise EncodeError(self._target.name, _told_kinds(self._target, self._census, more=True))
        return (item,)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def settled(source: Codec, sensor: Sensor, kinds: Collection[type], limits: Limits) -> bool:
    """Say whether nothing need be looked at to know that there is room for a recording: by its
    format, and by the size of its sensor.

    Leaps of hours are not looked for: what comes of them is seen when they are written.
    """
    if not _row_for(kinds, limits):
        return False
    own = source.limits if source.writable else Limits()
    width = sensor.width if sensor.sized else own.width
    height = sensor.height if sensor.sized else own.height
    start = limits.start_us is None or (
        own.start_us is not None and own.start_us >= limits.start_us
    )
    order = limits.back_us != 0 or own.back_us == 0
    edges = limits.edges is None or (own.edges is not None and own.edges <= limits.edges)
    fits = width <= limits.width and height <= limits.height and start and order
    return fits and (edges or TriggerBatch not in kinds)


def refuse_misfit(target: Codec, extent: Extent, *, zero: bool) -> None:
    """Raise `EncodeError` if the format has no room for this, and say what to do about it.

    `zero` says that times will be counted from the earliest.
    """
    if not _row_for(extent.census.kinds, target.limits):
        raise EncodeError(target.name, _told_kinds(target, extent.census))
    for reason in _misfits(target.limits, extent, zero=zero):
        raise EncodeError(target.name, reason)


def _misfits(limits: Limits, extent: Extent, *, zero: bool) -> Iterator[str]:
    start = 0 if zero or extent.start is None else extent.start
    if extent.width > limits.width or extent.height > limits.height:
        yield (
            f"columns go up to {extent.width - 1} and rows to {extent.height - 1}, and it holds "
            f"columns below {limits.width} and rows below {limits.height}: --crop keeps a region"
        )
    if limits.edges is not None and extent.edges - limits.edges:
        input, value = min(extent.edges - limits.edges)
        kept = ",".join(name_of(kind) for kind in extent.census.kinds if kind is not TriggerBatch)
        yield f"it has no triggers of input {input} and value {int(value)}: --only {kept}"
    if limits.start_us is not None and start < limits.start_us:
        yield f"times begin at {start} µs, before {limits.start_us}: --zero-time counts from there"
    if limits.leap_us is not None and start > limits.leap_us:
        yield f"times begin as late as {start} µs: --zero-time counts from there"
    if limits.leap_us is not None and extent.leap > limits.leap_us:
        yield f"time leaps ahead by {extent.leap} µs, and it holds leaps of {limits.leap_us} µs"
    if limits.back_us is not None and extent.back > limits.back_us:
        yield f"time goes back by {extent.back} µs, and it holds steps back of {limits.back_us} µs"
    yield from _off_sensor(limits, extent)


def _off_sensor(limits: Limits, extent: Extent) -> Iterator[str]:
    sensor = extent.sensor
    if limits.sized and extent.width and not sensor.sized:
        yield "the size of the sensor is not known: --size WIDTHxHEIGHT gives it"
    elif limits.sized and (extent.width > sensor.width or extent.height > sensor.height):
        size = f"{sensor.width},{sensor.height}"
        yield f"there are events off the sensor: --crop 0,0,{size} leaves them out"


def _told_kinds(target: Codec, census: Census, *, more: bool = False) -> str:
    """Say what there is and what the format takes, and how to leave out the rest; or another format
    of the same suffix that takes it all. There may be `more` to come.
    """
    kinds = census.kinds
    found = ", ".join(f"{count:,} {name}" for name, count in census.named())
    rows = [[kind for kind in row if more or kind in kinds] for row in target.limits.kinds]
    choices = [f"--only {','.join(map(name_of, row))}" for row in rows if row]
    choices += [f"--format {one.name}" for one in _like(target) if _row_for(kinds, one.limits)]
    held = ", or ".join(names_of(row) for row in target.limits.kinds)
    told = f"it holds {held}, and there are {found}"
    return f"{told}: {' or '.join(choices)}" if choices else told


def _like(target: Codec) -> Iterator[Codec]:
    """Yield the other formats that files of this suffix may have."""
    for one in codecs():
        if one.writable and one.name != target.name and {*one.suffixes} & {*target.suffixes}:
            yield one


def _row_for(kinds: Collection[type], limits: Limits) -> tuple[type, ...] | None:
    wanted = {*kinds}
    return next((row for row in limits.kinds if wanted <= {*row}), None)
