"""Plots of events, with matplotlib: their rate, its spectrum, clouds, frames, surfaces, intervals.

Each function takes events and returns a `Figure`: `rate(events).savefig("rate.svg")`. Events are a
batch, a stream that ends, or batches in a row; recordings of any length take bounded memory.
Streams are read here, without an event loop: an asyncio program reads them itself, and hands in
what came out, `rate(await stream.through(RateCurve).one())`. `ax=` draws into axes of your own.
`pyplot` and its state are left alone, so that threads may draw.

Importing this raises `MissingExtraError` without matplotlib.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from aevents.errors import missing_extra
from aevents.interop.axes import (
    INK,
    NIGHT,
    OFF,
    ON,
    axes_for,
    finished,
    label,
    picture_axes,
    prefixed,
    times_of,
)
from aevents.interop.gathering import Events, gathered
from aevents.operators.colour import Paint
from aevents.operators.curve import Curve, RateCurve
from aevents.operators.excerpt import Excerpt, TakeExcerpt
from aevents.operators.frames import Frames
from aevents.operators.kinetograph import Kinetograph, MeanTimes
from aevents.operators.spectrum import HIGHEST_HZ, spectrogram_of
from aevents.operators.statistics import Histogram, IntervalHistogram
from aevents.operators.surfaces import TimeSurface
from aevents.types import EventBatch, Frame

try:
    from matplotlib import colormaps
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
    from mpl_toolkits.mplot3d import Axes3D
except ImportError as _missing:
    raise missing_extra("matplotlib", "plot") from _missing

__all__ = [
    "cloud",
    "frame",
    "intervals",
    "kinetograph",
    "raster",
    "rate",
    "spectrogram",
    "surface",
]

POINTS = 20_000
"""More points hide each other, and make a vector file large."""
BINS = 800
"""More are finer than the picture."""
TAU_US = 50_000
OFTEN = 0.9
"""A pixel with as many events as this share of all is as opaque as it gets."""


def rate(events: Events | Curve, /, *, ax: Axes | None = None, title: str = "Event rate") -> Figure:
    """Draw the rate of events over time: of all, of ON and of OFF.

    Raises `ValueError` where there are no events.
    """
    curve = gathered(events, Curve, RateCurve).coarser(BINS)
    ax, time = axes_for(ax), times_of(curve.span)
    edges, (off, on) = time.of(curve.edges), curve.hz
    unit, prefix = prefixed(float((off + on).max()))
    whole = ax.stairs((off + on) / unit, edges, fill=True, color=INK, alpha=0.14, label="all")
    lines = [
        ax.stairs(hz / unit, edges, baseline=None, color=color, linewidth=1.2, label=name)
        for hz, color, name in ((off, OFF, "OFF"), (on, ON, "ON"))
    ]
    ax.set(xlabel=time.label, ylabel=f"rate ({prefix}ev/s)", xlim=(edges[0], edges[-1]))
    ax.set_ylim(0, float((off + on).max()) / unit * 1.08)
    ax.grid(alpha=0.25)
    label(ax, whole, *lines)
    return finished(ax, title, f"bins of {curve.bin_us / time.us:,g} {time.unit}")


def spectrogram(
    events: Events | Curve,
    /,
    *,
    highest_hz: float = HIGHEST_HZ,
    ax: Axes | None = None,
    title: str = "Spectrogram of the event rate",
) -> Figure:
    """Draw how strongly the rate of events swings at each frequency, over time; see
    `spectrogram_of`.

    Raises `ValueError` where there are no events, or too few bins of time.
    """
    curve = gathered(events, Curve, RateCurve)
    spectrum = spectrogram_of(curve, highest_hz=highest_hz)
    ax, time = axes_for(ax, (8, 3.8)), times_of(curve.span)
    decibels = 10 * np.log10(np.maximum(spectrum.power[1:], 1))  # chance alone makes far more
    low, high = np.percentile(decibels, (20, 100))
    high = max(high, 10)
    mesh = ax.pcolormesh(
        time.of(spectrum.times),
        spectrum.frequencies[1:],
        decibels,
        cmap="magma",
        vmin=max(low, high - 60),
        vmax=high,
        shading="nearest" if len(spectrum.times) == 1 else "gouraud",
        rasterized=True,
    )
    ax.set(xlabel=time.label, ylabel="frequency (Hz)", ylim=(0, spectrum.frequencies[-1]))
    ax.set_facecolor(colormaps["magma"](0.0))
    ax.figure.colorbar(mesh, ax=ax, label="power (dB re 1 (ev/s)²/Hz)", pad=0.02)
    return finished(ax, title)


def raster(
    events: Events | Excerpt,
    /,
    *,
    limit: int = POINTS,
    ax: Axes | None = None,
    title: str = "Events by row",
) -> Figure:
    """Draw a point for each event, at its time and row; of more than `limit` an even choice, of
    which the title tells.

    Raises `ValueError` where there are no events.
    """
    excerpt = gathered(events, Excerpt, partial(TakeExcerpt, limit))
    batch = excerpt.events
    ax, time = axes_for(ax), times_of(batch.span)
    for p, color in enumerate((OFF, ON)):
        which = batch.p == p
        points = time.of(batch.t[which]), batch.y[which]
        ax.scatter(*points, s=_size_of(excerpt), color=color, linewidths=0, rasterized=True)
    ax.set(xlabel=time.label, ylabel="row y (pixel)", ylim=(_sides(batch)[1] - 0.5, -0.5))
    ax.margins(x=0.01)
    label(ax)
    return finished(ax, title, _chosen(excerpt))


def cloud(
    events: Events | Excerpt,
    /,
    *,
    limit: int = POINTS,
    ax: Axes | None = None,
    title: str = "Events in space and time",
) -> Figure:
    """Draw a point for each event in space and time; of more than `limit` an even choice, of which
    the title tells. `ax` is made with `projection="3d"`.

    Raises `ValueError` where there are no events, and for axes that are flat.
    """
    excerpt = gathered(events, Excerpt, partial(TakeExcerpt, limit))
    batch = excerpt.events
    ax, time = axes_for(ax, (7, 4.4), "3d"), times_of(batch.span)
    if not isinstance(ax, Axes3D):
        raise ValueError('a cloud needs axes made with projection="3d"')
    look = {"s": _size_of(excerpt), "linewidths": 0, "alpha": 0.6, "rasterized": True}
    colors = np.where(batch.p, ON, OFF)  # in one piece, so that near ones hide far ones
    ax.scatter(time.of(batch.t), batch.x, batch.y, c=colors, depthshade=False, **look)
    width, height = _sides(batch)
    ax.set(xlabel=time.label, ylabel="x (pixel)", zlabel="y (pixel)")
    ax.set(ylim=(0, width), zlim=(height, 0))
    ax.set_box_aspect((1.8, 1, height / width), zoom=1.2)
    ax.view_init(elev=18, azim=-60)
    for axis, ticks in ((ax.xaxis, 6), (ax.yaxis, 3), (ax.zaxis, 4)):
        axis.set_pane_color((1, 1, 1, 0))
        axis.set_major_locator(MaxNLocator(ticks))
    label(ax, at=(1, 0.1))
    return finished(ax, title, _chosen(excerpt))


def frame(events: Events | Frame, /, *, ax: Axes | None = None, title: str = "Frame") -> Figure:
    """Draw a frame as `aevents.png` does, or one of all events, ON and OFF apart.

    Raises `ValueError` where there is none, for a frame that is no picture, and when the sensor
    size is not known.
    """
    one = gathered(events, Frame, partial(Frames, "polarity"))
    ax = picture_axes(ax, one.sensor)
    ax.imshow(Paint("light")(one), interpolation="nearest")
    if one.mode in ("signed", "polarity"):
        label(ax)
    return finished(ax, title, _duration(one))


def surface(
    events: Events | Frame,
    /,
    *,
    tau_us: float = TAU_US,
    ax: Axes | None = None,
    title: str = "Time surface",
) -> Figure:
    """Draw how recent the last event of each pixel is at the end: 1 just now, 1/e after `tau_us`.

    A `Frame` is one of `TimeSurface("exponential")`. Raises `ValueError` where there is none, for
    another frame, and when the sensor size is not known.
    """
    one = gathered(events, Frame, partial(TimeSurface, "exponential", tau_us=tau_us))
    if one.mode != "time_surface" or one.array.dtype.kind != "f":
        raise ValueError(f"a time surface that fades is wanted, not {one!r}")
    ax = picture_axes(ax, one.sensor, bar=True)
    newest = one.array.max(axis=0)
    image = ax.imshow(newest, cmap="inferno", vmin=0, vmax=1, interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label="exp(-age / τ)", pad=0.02)
    return finished(ax, title, _duration(one))


def intervals(
    events: Events | Histogram,
    /,
    *,
    ax: Axes | None = None,
    title: str = "Time between events of a pixel",
) -> Figure:
    """Draw how often which time lies between an event and the next of its pixel and polarity.

    Raises `ValueError` where there are no events, or no two of a pixel; and when the sensor size is
    not known.
    """
    found = gathered(events, Histogram, IntervalHistogram)
    if not found.counts.any():
        raise ValueError("no pixel has two events of a polarity: there is no time between them")
    ax = axes_for(ax)
    edges = found.edges
    for counts, color in zip(found.counts, (OFF, ON), strict=True):
        ax.stairs(counts, edges, fill=True, color=color, alpha=0.18)
        ax.stairs(counts, edges, color=color, linewidth=1.2)
    ax.set(xscale="log", xlim=(edges[0], edges[-1]), xlabel="time between events (µs)")
    ax.set(ylabel="intervals", ylim=(0, found.counts.max() * 1.08))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.grid(alpha=0.25)
    label(ax)
    return finished(ax, title, f"{int(found.counts.sum()):,} intervals")


def kinetograph(
    events: Events | Kinetograph, /, *, ax: Axes | None = None, title: str = "Kinetograph"
) -> Figure:
    """Draw a whole recording in one picture: colour says when the events of a pixel were, on the
    average, and opacity how many.

    Raises `ValueError` where there are no events, and when the sensor size is not known.
    """
    found = gathered(events, Kinetograph, MeanTimes)
    if not found.counts.any():
        raise ValueError("no events on the sensor: there is nothing to plot")
    ax, time = picture_axes(ax, found.sensor, bar=True), times_of(found.span)
    first, last = time.of(found.span).tolist()
    often = np.quantile(found.counts[found.counts > 0], OFTEN)
    opacity = np.minimum(found.counts / often, 1)
    image = ax.imshow(
        np.nan_to_num(time.of(found.times)),
        alpha=opacity,
        cmap="turbo",
        vmin=first,
        vmax=last,
        interpolation="nearest",
    )
    ax.set_facecolor(NIGHT)
    opaque = ScalarMappable(image.norm, image.cmap)
    ax.figure.colorbar(opaque, ax=ax, label=time.label, pad=0.02)
    return finished(ax, title, f"{int(found.counts.sum()):,} events")


def _size_of(excerpt: Excerpt) -> float:
    """Return how large points are that many others stand beside, in square points."""
    return float(np.clip(20_000 / len(excerpt.events), 1.0, 16.0))


def _sides(batch: EventBatch) -> tuple[int, int]:
    """Return the width and height of the sensor, or of what is known of it."""
    if batch.sensor.sized:
        return batch.sensor.width, batch.sensor.height
    return int(batch.x.max()) + 1, int(batch.y.max()) + 1


def _chosen(excerpt: Excerpt) -> str:
    shown, total = len(excerpt.events), excerpt.total
    return f"{total:,} events" if shown == total else f"{shown:,} of {total:,} events"


def _duration(one: Frame) -> str:
    time = times_of(one.span)
    return f"{one.span.duration_us / time.us:,.6g} {time.unit}"
