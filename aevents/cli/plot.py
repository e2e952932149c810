"""`aevents plot`: a recording as one picture, read in one pass and bounded memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, cast

import anyio.to_thread
from cyclopts import Parameter

from aevents import registry
from aevents.cli.delivery import draft
from aevents.cli.ending import run
from aevents.cli.figures import Row, show
from aevents.cli.operators import EventOperators, put, start_of, steps_of
from aevents.cli.progress import progress
from aevents.cli.reading import Input, Name, Reading
from aevents.interop.gathering import OfSome
from aevents.operators.base import Operator
from aevents.operators.curve import RateCurve
from aevents.operators.excerpt import TakeExcerpt
from aevents.operators.frames import Frames
from aevents.operators.kinetograph import MeanTimes
from aevents.operators.statistics import IntervalHistogram
from aevents.operators.surfaces import TimeSurface
from aevents.stream import Stream
from aevents.types import EventBatch

Kind = Literal[
    "rate",
    "spectrogram",
    "raster",
    "cloud",
    "wiggle",
    "frame",
    "surface",
    "intervals",
    "kinetograph",
]
STILL, MOVING = (".svg", ".png", ".pdf"), (".gif",)
LONG = 40
"""Longer names do not fit over a picture."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Picture:
    """What to draw, and where it goes.

    Parameters
    ----------
    to
        Where it goes: a picture (.svg, .png or .pdf), of a wiggle a .gif.
    kind
        What to draw: the rate of events over time; its spectrogram; a raster of events by row; a
        cloud of them in space and time; a wiggle, which is a cloud that turns; a frame of all
        events; a time surface; how often which intervals lie between the events of a pixel; a
        kinetograph, in which colour says when.
    limit
        Of a raster, cloud or wiggle: draw at most so many events, chosen evenly.
    tau_us
        Of a surface: the time in which it fades to 1/e.
    force
        Overwrite what exists.
    """

    to: Annotated[str, Parameter(metavar="DST")]
    kind: Kind = "rate"
    limit: int = 20_000
    tau_us: int = 50_000
    force: bool = False


Gather = Callable[[Picture], Operator[EventBatch, object]]
GATHERS: Mapping[Kind, Gather] = {
    "rate": lambda _: RateCurve(),
    "spectrogram": lambda _: RateCurve(),
    "raster": lambda picture: TakeExcerpt(picture.limit),
    "cloud": lambda picture: TakeExcerpt(picture.limit),
    "wiggle": lambda picture: TakeExcerpt(picture.limit),
    "frame": lambda _: Frames("polarity"),
    "surface": lambda picture: TimeSurface(tau_us=picture.tau_us),
    "intervals": lambda _: IntervalHistogram(),
    "kinetograph": lambda _: MeanTimes(),
}
"""What gathers what a plot is made of."""


def plot(
    file: Name,
    /,
    *,
    picture: Picture,
    operators: EventOperators | None = None,
    given: Input = Input(),  # noqa: B008  # frozen
) -> None:
    """Draw a recording: its rate of events, a cloud, a surface, and more. It takes matplotlib.

    Parameters
    ----------
    file
        A path, - for standard input, or a URL such as synthetic:disk.
    """
    _refuse_misnamed(picture)
    drawn = _drawing(picture.kind)
    _gather(picture)  # to see at once that it can be
    steps = steps_of(operators or ())
    reading = Reading(file, given, EventBatch, start=start_of(steps))
    stream = put(reading.stream, steps)
    if stream.endless:
        raise ValueError(f"{file} is live and has no end: --take N plots the first N events")
    title = f"{_short(file)}: {picture.kind}"
    with draft(picture.to, force=picture.force) as name:
        gathering = cast("Stream[EventBatch]", stream).through(partial(_gather, picture))
        run(partial(_write, reading, gathering, partial(drawn, title=title), Path(name)))
    show(_rows(reading, picture))


def _gather(picture: Picture) -> OfSome[object]:
    return OfSome(GATHERS[picture.kind](picture))


def _short(file: str) -> str:
    """Return how a source is called in a title: without folders, and without options."""
    scheme, rest, _ = registry.split_url(file)
    name = f"{scheme}:{rest}" if scheme else Path(file).name
    return name if len(name) <= LONG else f"{name[: LONG - 1]}…"


def _refuse_misnamed(picture: Picture) -> None:
    suffixes = MOVING if picture.kind == "wiggle" else STILL
    if Path(picture.to).suffix.lower() not in suffixes:
        raise ValueError(f"a {picture.kind} is written as {', '.join(suffixes)}: {picture.to}")


def _drawing(kind: Kind) -> Callable[..., object]:
    """Return what draws a kind. Raises `MissingExtraError` without matplotlib."""
    if kind == "wiggle":
        from aevents.interop.wiggle import wiggle

        return wiggle
    from aevents.interop import plot

    drawing: Callable[..., object] = getattr(plot, kind)
    return drawing


async def _write(
    reading: Reading[EventBatch],
    gathering: Stream[object],
    draw: Callable[[object], object],
    path: Path,
) -> None:
    with progress(reading):
        async with reading.start(gathering) as items:
            found = [item async for item in items]
        if not found:
            raise ValueError(f"{reading.name} has no events: there is nothing to plot")
        await anyio.to_thread.run_sync(_draw, draw, found[0], path)


def _draw(draw: Callable[[object], object], found: object, path: Path) -> None:
    drawn = draw(found)
    if isinstance(drawn, bytes):
        path.write_bytes(drawn)
        return
    out = io.BytesIO()
    drawn.savefig(out, format=path.suffix[1:].lower())  # type: ignore[attr-defined]  # a figure
    path.write_bytes(out.getvalue())


def _rows(reading: Reading[EventBatch], picture: Picture) -> list[Row]:
    report = reading.report
    return [("events", reading.events), *sorted(report.anomalies.items()), ("wrote", picture.to)]
