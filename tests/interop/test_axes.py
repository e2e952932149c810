"""What plots have in common: figures that stand alone, units, titles."""

from __future__ import annotations

import sys
from typing import cast

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from aevents.interop.axes import (
    OFF,
    ON,
    Plot,
    axes_for,
    finished,
    label,
    picture_axes,
    prefixed,
    times_of,
)
from aevents.operators.colour import MAPS
from aevents.types import Sensor, Span


def test_a_figure_of_its_own_is_shown_by_a_notebook() -> None:
    ax = axes_for(None)
    figure = finished(ax, "Title")
    assert isinstance(figure, Plot)
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "matplotlib.pyplot" not in sys.modules or figure.number is None


def test_the_axes_of_others_stay_what_they_are() -> None:
    theirs = Figure().add_subplot()
    assert axes_for(theirs) is theirs
    assert finished(theirs, "Title", "more") is theirs.figure
    assert theirs.spines["top"].get_visible()


def test_the_title_says_what_is_shown_and_the_note_how_much() -> None:
    ax = axes_for(None)
    finished(ax, "Rate", "of some")
    assert ax.get_title(loc="left") == "Rate"
    assert [text.get_text() for text in ax.texts] == ["of some"]
    bare = axes_for(None)
    finished(bare, "Rate")
    assert len(bare.texts) == 0


@pytest.mark.parametrize(("sensor", "wider"), [(Sensor(640, 480), False), (Sensor(640, 200), True)])
def test_the_axes_of_a_picture_are_in_pixels(sensor: Sensor, *, wider: bool) -> None:
    ax = picture_axes(None, sensor)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (pixel)", "y (pixel)")
    width, height = cast("Figure", ax.figure).get_size_inches()
    assert bool(width > 2 * height) is wider
    beside = cast("Figure", picture_axes(None, sensor, bar=True).figure)
    assert beside.get_size_inches().tolist() == [width + 1, height]


def test_the_label_says_which_colour_is_which() -> None:
    ax = axes_for(None)
    label(ax)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["OFF", "ON"]
    colours = [cast("Patch", one).get_facecolor()[:3] for one in legend.legend_handles]
    assert colours == [to_rgb(OFF), to_rgb(ON)]
    assert np.rint(np.multiply(to_rgb(ON), 255)).tolist() == [*MAPS["light"].on]
    label(ax, Patch(label="all"))
    marks = ax.get_legend()
    assert marks is not None
    assert [text.get_text() for text in marks.get_texts()] == ["all"]


@pytest.mark.parametrize(
    ("span", "since", "unit", "label"),
    [
        (Span(0, 1_500), 0, "µs", "time (µs)"),
        (Span(0, 2_000_000), 0, "ms", "time (ms)"),
        (Span(1_000_000, 61_000_000), 0, "s", "time (s)"),
        (Span(20_500_000, 21_500_000), 20_500_000, "ms", "time since 20.500000 s (ms)"),
        (Span(-9_000_000, -8_900_000), -9_000_000, "ms", "time since -9.000000 s (ms)"),
    ],
)
def test_times_have_a_unit_that_fits(span: Span, since: int, unit: str, label: str) -> None:
    times = times_of(span)
    assert (times.since, times.unit, times.label) == (since, unit, label)
    assert times.of([span.start]).tolist() == [(span.start - since) / times.us]


@pytest.mark.parametrize(
    ("largest", "factor", "prefix"),
    [(0, 1, ""), (999, 1, ""), (1e3, 1e3, "k"), (25e6, 1e6, "M"), (3e9, 1e9, "G")],
)
def test_values_have_a_prefix_that_fits(largest: float, factor: float, prefix: str) -> None:
    assert prefixed(largest) == (factor, prefix)
