"""`aevents info`: what a recording holds, in one pass and bounded memory."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from cyclopts import Parameter

from aevents.cli.ending import run
from aevents.cli.figures import Row, damage_rows, show
from aevents.cli.progress import progress
from aevents.cli.reading import Format, Input, Name, Reading, Size
from aevents.cli.sparkline import drawable, sparkline
from aevents.operators.curve import Curve, RateCurve
from aevents.types import Damage, EventBatch, Frame, Sensor, Span

if TYPE_CHECKING:
    from hashlib import _Hash as Hash  # typeshed knows it by this name

LITTLE_ENDIAN = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "|u1"}
"""The arrays that a checksum is taken of."""
MOST_BINS = 1 << 12
"""Of the rate over time: many in each column of a terminal."""
MOST_PLACES = 5
"""So many places of damage are shown to people; `--json` has all that are known."""


class SensorSize(msgspec.Struct, frozen=True):
    """Width and height in pixels; 0 where not known."""

    width: int
    height: int


class Info(msgspec.Struct, frozen=True):
    """What `--json` prints.

    `first_us` and `last_us` are the times of the first and the last event as recorded; where there
    are frames and no events, those at which the first one begins and the last one ends; null where
    there is neither. `duration_us` is the latest time minus the earliest. `rate_hz` is events
    divided by that duration, null where there are none, or the duration is 0. `others` counts what
    the recording holds beside events: triggers, imu, frames, exposures, colours, bytes. `damage`
    are places where the recording is not what it was: the first thousand.
    """

    format: str | None
    sensor: SensorSize
    events: int
    on_events: int
    first_us: int | None
    last_us: int | None
    duration_us: int
    rate_hz: float | None
    others: dict[str, int]
    anomalies: dict[str, int]
    damage: list[Damage]
    checksum: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def info(
    file: Name,
    /,
    *,
    json: bool = False,
    checksum: bool = False,
    strict: bool = False,
    size: Size = None,
    format: Annotated[Format, Parameter(name=("--format", "--from"))] = None,
) -> None:
    """Say what a recording holds: its format, sensor, events, times, what else, and anything odd.

    Parameters
    ----------
    file
        A path, - for standard input, or a URL such as synthetic:disk.
    json
        Print one JSON object.
    checksum
        Add the SHA-256 of each column.
    strict
        Fail at the first thing that is not as it should be, instead of counting such things.
    size
        Size of the sensor, where the input does not say it, or says it wrongly.
    format
        Format of the input, where its first bytes and its suffix leave doubt.
    """
    reading = Reading(file, Input(from_=format, size=size, strict=strict), object)
    if reading.stream.endless:
        raise ValueError(f"{file} is live and has no end: aevents run … --take N keeps some of it")
    rate = None if json or not drawable() else RateCurve(MOST_BINS)
    found = run(partial(_survey, reading, rate, checksum=checksum))
    if json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        show(_rows(found, *(() if rate is None else rate.flush())))


class Survey:
    """An operator that takes in all items, and gives itself at the end: what it saw of events."""

    def __init__(self, rate: RateCurve | None = None, *, checksum: bool = False) -> None:
        self.sensor: SensorSize = SensorSize(0, 0)
        self.events: int = 0
        self.on_events: int = 0
        self.first: int | None = None
        self.last: int | None = None
        names = LITTLE_ENDIAN if checksum else ()
        self.hashes: Mapping[str, Hash] = {name: hashlib.sha256() for name in names}
        self._rate = rate
        self._earliest = 0
        self._latest = 0
        self._shown: Span | None = None  # all frames

    @property
    def duration(self) -> int:
        """The latest time minus the earliest, in µs."""
        return self._latest - self._earliest

    def feed(self, item: object, /) -> tuple[()]:
        """Take the item in."""
        sensor: Sensor = getattr(item, "sensor", Sensor())
        if sensor.sized or not self.sensor.width:
            self.sensor = SensorSize(sensor.width, sensor.height)
        if isinstance(item, EventBatch) and len(item):
            self._look_at(item)
        elif isinstance(item, Frame):
            start = item.span.start if self._shown is None else self._shown.start
            self._shown = Span(start, item.span.stop)
        return ()

    def flush(self) -> tuple[Survey]:
        """Give what was seen."""
        if self.first is None and self._shown is not None:
            self.first, self.last = self._earliest, self._latest = self._shown
        return (self,)

    def _look_at(self, batch: EventBatch) -> None:
        earliest, latest = int(batch.t.min()), int(batch.t.max())
        if self.first is None:
            self.first = int(batch.t[0])
            self._earliest, self._latest = earliest, latest
        self._earliest = min(self._earliest, earliest)
        self._latest = max(self._latest, latest)
        self.last = int(batch.t[-1])
        self.events += len(batch)
        self.on_events += int(np.count_nonzero(batch.p))
        if self._rate is not None:
            self._rate.feed(batch)
        for name, hash in self.hashes.items():
            column: npt.NDArray[np.generic] = getattr(batch, name)
            hash.update(np.ascontiguousarray(column, LITTLE_ENDIAN[name]).data)


async def _survey(reading: Reading[object], rate: RateCurve | None, *, checksum: bool) -> Info:
    stream = reading.stream.through(partial(Survey, rate, checksum=checksum))
    with progress(reading):
        async with reading.start(stream) as items:
            seen = await anext(items)
    seconds = seen.duration / 1e6
    return Info(
        format=reading.format,
        sensor=seen.sensor,
        events=seen.events,
        on_events=seen.on_events,
        first_us=seen.first,
        last_us=seen.last,
        duration_us=seen.duration,
        rate_hz=seen.events / seconds if seconds and seen.events else None,
        others={name: count for name, count in reading.census.named() if name != "events"},
        anomalies=dict(reading.report.anomalies),
        damage=list(reading.report.damage),
        checksum={name: one.hexdigest() for name, one in seen.hashes.items()} or msgspec.UNSET,
    )


def _rows(found: Info, *curve: Curve) -> list[Row]:
    sensor, rate = found.sensor, found.rate_hz
    return [
        ("format", found.format or "not known"),
        ("sensor", f"{sensor.width} x {sensor.height}" if sensor.width else "size not known"),
        ("events", f"{found.events:,} ({found.on_events:,} ON)"),
        (
            "times",
            "none" if found.first_us is None else f"{found.first_us:,} to {found.last_us:,} µs",
        ),
        ("duration", f"{found.duration_us / 1e6:,.6f} s"),
        ("rate", "not known" if rate is None else f"{rate / 1e6:,.3f} Mev/s"),
        *(("over time", sparkline(one)) for one in curve),
        *found.others.items(),
        *sorted(found.anomalies.items()),
        *damage_rows(found.damage, MOST_PLACES),
        *(("sha256 " + name, text) for name, text in (found.checksum or {}).items()),
    ]
