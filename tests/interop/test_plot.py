"""Plots show what they are given: values in the artists, units at the axes, bounds that hold."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from mpl_toolkits.mplot3d.art3d import Path3DCollection

from aevents import (
    EventBatch,
    Frame,
    Frames,
    IntervalHistogram,
    MissingExtraError,
    Operator,
    Sensor,
)
from aevents.interop import plot
from aevents.interop.axes import OFF, ON
from aevents.operators.colour import Paint
from aevents.operators.curve import RateCurve
from aevents.operators.kinetograph import MeanTimes
from aevents.operators.surfaces import TimeSurface
from aevents.testing import example_events

T = TypeVar("T")

SENSOR = Sensor(4, 3)
FEW = EventBatch.from_columns(
    t=[0, 1_000, 2_000, 4_095], x=[0, 3, 3, 1], y=[0, 2, 2, 1], p=[1, 0, 0, 1], sensor=SENSOR
)
EVENTS = example_events(3_000)
NONE = EventBatch.empty(SENSOR)
DRAWINGS: list[Callable[..., Figure]] = [
    plot.rate,
    plot.spectrogram,
    plot.raster,
    plot.cloud,
    plot.frame,
    plot.surface,
    plot.intervals,
    plot.kinetograph,
]


def axes_of(figure: Figure) -> Axes:
    return figure.axes[0]


def steps_of(ax: Axes) -> list[Any]:
    """Return the values and edges of each of its steps."""
    return [cast("StepPatch", one).get_data() for one in ax.patches]


def notes(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
@pytest.mark.parametrize("draw", DRAWINGS)
def test_every_plot_becomes_every_file(draw: Callable[..., Figure], suffix: str) -> None:
    out = io.BytesIO()
    figure = draw(EVENTS, title="Some title")
    figure.savefig(out, format=suffix)
    assert {"svg": b"<svg", "png": b"IEND", "pdf": b"%%EOF"}[suffix] in out.getvalue()
    ax = axes_of(figure)
    assert ax.get_title(loc="left") == "Some title"
    assert "(" in ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.parametrize("draw", DRAWINGS)
def test_no_events_are_nothing_to_plot(draw: Callable[..., Figure]) -> None:
    with pytest.raises(ValueError, match="no events: there is nothing to plot"):
        draw(EventBatch.empty(Sensor(4, 3)))


@pytest.mark.parametrize("draw", DRAWINGS)
def test_it_draws_into_axes_of_others(draw: Callable[..., Figure]) -> None:
    figure = Figure()
    flat = draw is not plot.cloud
    ax = figure.add_subplot() if flat else figure.add_subplot(projection="3d")
    assert draw(EVENTS, ax=ax) is figure
    assert len(ax.patches) + len(ax.collections) + len(ax.images) > 0


def test_the_rate_is_that_of_the_curve() -> None:
    ax = axes_of(plot.rate(FEW))
    whole, off, on = steps_of(ax)
    [curve] = fed(RateCurve(), FEW)
    hz = curve.coarser(plot.BINS).hz / 1e3  # a bin of 8 µs has at most 125 kev/s
    np.testing.assert_allclose(np.stack([off.values, on.values]), hz)
    np.testing.assert_allclose(whole.values, hz.sum(axis=0))
    assert whole.edges[[0, -1]].tolist() == [0, 4.096]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "rate (kev/s)")
    assert notes(ax) == ["bins of 0.008 ms"]


def test_a_rate_over_an_hour_has_few_bins() -> None:
    t = np.arange(4_000) * 900_000
    hour = EventBatch.from_columns(t=t, x=t * 0, y=t * 0, p=t > 0)
    ax = axes_of(plot.rate([hour]))
    assert 400 <= len(steps_of(ax)[0].values) <= plot.BINS
    assert ax.get_xlabel() == "time (s)"


def test_the_spectrogram_shows_at_which_frequency_the_light_flickers() -> None:
    t = np.sort(np.random.default_rng(1).integers(0, 1_000_000, 60_000))
    flicker = t[(t * 100 // 1_000_000) % 2 == 0]  # on and off, 50 times a second
    batch = EventBatch.from_columns(t=flicker, x=flicker * 0, y=flicker * 0, p=flicker > 0)
    figure = plot.spectrogram(batch, highest_hz=250)
    ax, bar = figure.axes
    mesh = cast("QuadMesh", ax.collections[0])
    values = np.asarray(mesh.get_array())
    frequencies = cast("Any", mesh).get_coordinates()[:, 0, 1]
    assert frequencies[values.mean(axis=1).argmax()] == pytest.approx(50, abs=frequencies[0])
    assert (ax.get_ylabel(), bar.get_ylabel()) == ("frequency (Hz)", "power (dB re 1 (ev/s)²/Hz)")
    assert values.min() >= 0


def test_the_raster_has_a_point_for_each_event() -> None:
    ax = axes_of(plot.raster(FEW))
    off, on = (cast("PathCollection", one) for one in ax.collections)
    assert np.asarray(off.get_offsets()).tolist() == [[1, 2], [2, 2]]
    assert np.asarray(on.get_offsets()).tolist() == [[0, 0], [4.095, 1]]
    assert [np.asarray(one.get_facecolor())[0].tolist() for one in (off, on)] == [
        [*to_rgba(OFF)],
        [*to_rgba(ON)],
    ]
    assert ax.get_ylim() == (2.5, -0.5)
    assert notes(ax) == ["4 events"]


@pytest.mark.parametrize("draw", [plot.raster, plot.cloud])
def test_more_points_than_wanted_are_an_even_choice_and_the_title_tells(
    draw: Callable[..., Figure],
) -> None:
    ax = axes_of(draw(EVENTS, limit=1_000))
    shown = sum(len(np.asarray(one.get_offsets())) for one in ax.collections)
    assert shown == 750
    assert notes(ax) == ["750 of 3,000 events"]


def test_the_cloud_has_a_point_for_each_event() -> None:
    ax = axes_of(plot.cloud(FEW))
    [points] = ax.collections
    places = np.ma.getdata(np.stack(cast("Path3DCollection", points)._offsets3d, axis=1))
    assert places.tolist() == [[0, 0, 0], [1, 3, 2], [2, 3, 2], [4.095, 1, 1]]
    cast("Figure", ax.figure).draw_without_rendering()  # which puts far ones first
    colours = np.asarray(points.get_facecolor())[:, :3].tolist()
    assert sorted(colours) == sorted(list(to_rgba(one)[:3]) for one in (ON, OFF, OFF, ON))
    assert cast("Any", ax).get_zlim() == (3, 0)


def test_a_sensor_of_no_size_is_as_large_as_its_events_need() -> None:
    bare = EventBatch.from_columns(t=FEW.t, x=FEW.x, y=FEW.y, p=FEW.p)
    assert axes_of(plot.raster(bare)).get_ylim() == (2.5, -0.5)
    for draw in (plot.frame, plot.surface, plot.intervals, plot.kinetograph):
        with pytest.raises(ValueError, match="sensor size is not known"):
            draw(bare)


def test_a_cloud_needs_axes_in_space() -> None:
    with pytest.raises(ValueError, match='made with projection="3d"'):
        plot.cloud(FEW, ax=Figure().add_subplot())


def test_a_frame_has_the_colours_of_pictures() -> None:
    [one] = fed(Frames("polarity"), FEW)
    for given in (FEW, one):
        ax = axes_of(plot.frame(given))
        assert np.array_equal(np.asarray(ax.images[0].get_array()), Paint("light")(one))
        assert ax.get_legend() is not None
        assert notes(ax) == ["4.096 ms"]
    [count] = fed(Frames(), FEW)
    assert axes_of(plot.frame(count)).get_legend() is None


def test_the_surface_is_the_newest_of_both_polarities() -> None:
    [one] = fed(TimeSurface(tau_us=2_000), FEW)
    for given in (FEW, one):
        figure = plot.surface(given, tau_us=2_000)
        image = figure.axes[0].images[0]
        found = np.asarray(image.get_array())
        assert found[2, 3] == pytest.approx(np.exp(-2_096 / 2_000))
        assert found[0, 0] == pytest.approx(np.exp(-4_096 / 2_000))
        assert found[0, 1] == 0
        assert image.get_clim() == (0, 1)
        assert figure.axes[1].get_ylabel() == "exp(-age / τ)"
    [times] = fed(TimeSurface("times"), FEW)
    for other in (times, Frame(one.array, one.span, one.sensor, "polarity")):
        with pytest.raises(ValueError, match="a time surface that fades is wanted"):
            plot.surface(other)


def test_intervals_are_those_of_the_histogram() -> None:
    [histogram] = fed(IntervalHistogram(), EVENTS)
    for given in (EVENTS, histogram):
        ax = axes_of(plot.intervals(given))
        off, _, on, _ = (one.values.tolist() for one in steps_of(ax))
        assert [off, on] == histogram.counts.tolist()
        assert ax.get_xscale() == "log"
        assert notes(ax) == [f"{histogram.counts.sum():,} intervals"]
    with pytest.raises(ValueError, match="no pixel has two events of a polarity"):
        plot.intervals(FEW[:2])


def test_a_kinetograph_says_when_by_colour_and_how_often_by_opacity() -> None:
    [found] = fed(MeanTimes(), FEW)
    for given in (FEW, found):
        figure = plot.kinetograph(given)
        ax, bar = figure.axes
        image = ax.images[0]
        times = np.asarray(image.get_array())
        assert (times[0, 0], times[2, 3], times[1, 1]) == (0, 1.5, 4.095)
        opacity = np.asarray(image.get_alpha())
        assert opacity[2, 3] == 1
        assert opacity[0, 0] == pytest.approx(1 / np.quantile([1, 1, 2], 0.9))
        assert opacity[0, 1] == 0
        assert image.get_clim() == (0, 4.096)
        assert (notes(ax), bar.get_ylabel()) == (["4 events"], "time (ms)")
    off = EventBatch.from_columns(t=[0], x=[4], y=[0], p=[1], sensor=SENSOR)
    with pytest.raises(ValueError, match="no events on the sensor"):
        plot.kinetograph(off)


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("aevents.interop.plot", "aevents.interop.axes"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[plot\]'"):
        importlib.import_module("aevents.interop.plot")


def fed(operator: Operator[EventBatch, T], batch: EventBatch) -> list[T]:
    return [*operator.feed(batch), *operator.flush()]
