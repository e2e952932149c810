"""Values in a notebook: a picture and a few figures, of bounded size whatever the value."""

from __future__ import annotations

import reprlib
from base64 import b64encode
from collections.abc import Iterable
from functools import partial, singledispatch
from html import escape

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents._contracts import Report
from aevents._shown import Display, show_with
from aevents.codecs.png import encode_png
from aevents.operators.colour import Paint, Pixels
from aevents.operators.excerpt import TakeExcerpt
from aevents.operators.frames import Frames
from aevents.stream import OperatorFactory, Stream
from aevents.types import PICTURES, EventBatch, Frame, Sensor, Span

Row = tuple[str, object]
Array = npt.NDArray[np.generic]

WIDTH, HEIGHT = 640, 480
"""A picture has at most so many pixels, and is shown no larger."""
MOST_EVENTS = 1 << 20
"""Of more events, an even choice is painted: it takes some 10 ms."""
MOST_ROWS = 24
MOST_LETTERS = 120
NARROWEST = 160
"""Smaller pictures are shown larger, each pixel as a square."""


def html_of(value: object, /) -> str | None:
    """Return a picture of a value and a table of its figures; None for what has neither."""
    rows, pixels = figures_of(value), picture_of(value)
    if not rows:
        return None
    image = "" if pixels is None else _image(pixels)
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">'
        f"{image}<table>{''.join(_row(*row) for row in _few(rows))}</table></div>"
    )


def png_of(value: object, /) -> bytes | None:
    """Return the picture of a value; None for what has none."""
    pixels = picture_of(value)
    return None if pixels is None else encode_png(pixels)


@singledispatch
def figures_of(value: object, /) -> list[Row]:
    """Return names and values that tell what a value holds."""
    return []


@singledispatch
def picture_of(value: object, paint: Paint | None = None, /) -> Pixels | None:
    """Return the picture of a value, `(height, width, 3)`, or None where it has none."""
    return None


@figures_of.register
def _(sensor: Sensor) -> list[Row]:
    size = f"{sensor.width} x {sensor.height}" if sensor.sized else "size not known"
    more = [("name", sensor.name), ("serial", sensor.serial)]
    return [("sensor", size), *(row for row in more if row[1])]


@figures_of.register
def _(batch: EventBatch) -> list[Row]:
    rows: list[Row] = [("events", len(batch)), ("ON", int(np.count_nonzero(batch.p)))]
    seconds = batch.span.duration_us / 1e6
    if seconds and len(batch):
        rows.append(("rate", f"{len(batch) / seconds / 1e6:,.3f} Mev/s"))
    return [*rows, *_span_rows(batch.span), *figures_of(batch.sensor)]


@figures_of.register
def _(frame: Frame) -> list[Row]:
    rows: list[Row] = [
        ("frame", frame.mode),
        ("shape", f"{frame.shape} {frame.array.dtype}"),
    ]
    if frame.array.size and frame.array.dtype.kind in "biuf":
        rows.append(("values", f"{frame.array.min():.6g} to {frame.array.max():.6g}"))
    return [*rows, *_span_rows(frame.span)]


@figures_of.register
def _(report: Report) -> list[Row]:
    places: list[Row] = [("damage", f"{one.what} at byte {one.offset:,}") for one in report.damage]
    counts: list[Row] = [*report.items()]
    return [*counts, *([("lost", report.dropped)] if report.dropped else []), *places]


@figures_of.register
def _(stream: Stream) -> list[Row]:  # type: ignore[type-arg]  # of anything
    steps = map(_name_of, stream.operators[stream.origin.operators :])
    return [
        ("stream", stream.origin.name or "unnamed"),
        ("is", "live" if stream.endless else "finite"),
        *(("then", step) for step in steps),
        ("look", "await stream.peek()"),
    ]


@picture_of.register
def _(batch: EventBatch, paint: Paint | None = None, /) -> Pixels | None:
    if not len(batch):
        return None
    excerpt = TakeExcerpt(MOST_EVENTS)
    excerpt.feed(batch)
    [taken] = excerpt.flush()
    return (paint or Paint())(_small(taken.events))


@picture_of.register
def _(frame: Frame, paint: Paint | None = None, /) -> Pixels | None:
    array = frame.array
    if array.ndim < 2 or not array.size or array.dtype.kind not in "biuf":
        return None
    x, y = (-1, -2) if frame.axes == "yx" else (-2, -1)
    if frame.mode in PICTURES and array.ndim == 3:
        x, y = 1, 0
    every = _every(array.shape[x], array.shape[y])
    for axis in (x, y):
        array = _thinned(array, axis, every, frame.mode in PICTURES)
    try:
        return (paint or Paint())(replace(frame, array=array))
    except ValueError:
        return None


def _every(width: int, height: int) -> int:
    """Return how many pixels in a row, and rows, become one."""
    return max(-(-width // WIDTH), -(-height // HEIGHT))


def _thinned(array: Array, axis: int, every: int, picture: bool) -> Array:
    """Return the array with one entry for `every` so many: of a picture the first, else the one
    that is farthest from 0, so that no event gets lost.
    """
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    if every == 1:
        return array
    first = range(0, array.shape[axis], every)
    if picture:
        return np.take(array, first, axis)
    most: Array = np.maximum.reduceat(array, first, axis)
    if array.dtype.kind == "u":
        return most
    least = np.minimum.reduceat(array, first, axis)
    return np.where(-least > most, least, most)


def _small(batch: EventBatch) -> Frame:
    """Return the events as a frame, of a sensor that is so small that its picture fits."""
    width = batch.sensor.width or int(batch.x.max()) + 1
    height = batch.sensor.height or int(batch.y.max()) + 1
    inside = batch.where((batch.x < width) & (batch.y < height))
    by = _every(width, height)
    sensor = Sensor(-(-width // by), -(-height // by))
    frames = Frames("polarity")
    frames.add(replace(inside, x=inside.x // by, y=inside.y // by, sensor=sensor))
    return frames.read(batch.span)


def _span_rows(span: Span) -> list[Row]:
    return [("from", f"{span.start:,} µs"), ("to", f"{span.stop:,} µs")]


def _name_of(make: OperatorFactory) -> str:
    """Return what an operator is called, and what it was told."""
    if not isinstance(make, partial):
        return _said(make)
    options = ((name, value) for name, value in make.keywords.items() if value is not None)
    told = [*map(_said, make.args), *(f"{name}={_said(value)}" for name, value in options)]
    return f"{_said(make.func)}({', '.join(told)})"


def _said(value: object) -> str:
    """Return what a value is called, or looks like; of a long one the beginning."""
    name: str = getattr(value, "__name__", "") or reprlib.repr(value)
    return name


def _few(rows: list[Row]) -> Iterable[Row]:
    yield from rows[:MOST_ROWS]
    if len(rows) > MOST_ROWS:
        yield "…", f"{len(rows) - MOST_ROWS:,} more"


def _row(name: str, value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    if len(text) > MOST_LETTERS:
        text = text[: MOST_LETTERS - 1] + "…"
    return (
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(text)}</td></tr>'
    )


def _image(pixels: Pixels) -> str:
    height, width, _ = pixels.shape
    times = max(1, NARROWEST // max(width, 1))
    source = b64encode(encode_png(pixels)).decode()
    return (
        f'<img src="data:image/png;base64,{source}" width="{times * width}" '
        f'height="{times * height}" style="image-rendering:pixelated" alt="picture">'
    )


show_with(Display(html_of, png_of))
