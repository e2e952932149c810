"""However the events are cut, each operator gives the same."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np
import pytest

import aevents.operators
from aevents import (
    Chain,
    Contrast,
    Crop,
    Denoise,
    Downsample,
    DropByChance,
    EventBatch,
    EventRate,
    Flip,
    Frames,
    Hats,
    IntervalHistogram,
    KeepEvery,
    Mask,
    Polarity,
    Rechunk,
    Refractory,
    Rotate,
    Sampled,
    Scale,
    Sensor,
    SlidingWindow,
    Stack,
    TimeSlice,
    TimeSurface,
    Tore,
    Transpose,
    Undistort,
    VoxelGrid,
    Window,
    WithoutHotPixels,
    WithoutLines,
)
from aevents.operators.base import Filter, Map, Operator
from aevents.operators.curve import Curve, RateCurve
from aevents.operators.excerpt import Excerpt, TakeExcerpt
from aevents.operators.gather import Each, Gather
from aevents.operators.kinetograph import Kinetograph, MeanTimes
from aevents.operators.order import Rezero, Shift, Sort
from aevents.operators.select import Take, TakeEvents
from aevents.operators.statistics import Histogram
from aevents.testing import check_operator, example_events
from aevents.types import Chunk

SENSOR = Sensor(48, 40)
EVENTS = example_events(400, sensor=SENSOR)
MIDDLE = int(EVENTS.t[200])
CAMERA = np.array([[40.0, 0, 24], [0, 40, 20], [0, 0, 1]])

Make = Callable[[], Operator[EventBatch, object]]


def plain(item: object) -> object:
    """What can be compared with `==`."""
    if isinstance(item, Histogram):
        return item.span, item.counts.tolist()
    if isinstance(item, Curve):
        return item.span, item.first, item.bin_us, item.counts.tolist()
    if isinstance(item, Kinetograph):
        return item.span, np.nan_to_num(item.times).tolist(), item.counts.tolist()
    if isinstance(item, Excerpt):
        return list(item.events), item.every, item.total
    assert isinstance(item, Chunk)
    return list(item.data), item.span, item.offset, item.dropped


def windowed(make: Make) -> list[Make]:
    """Make one of everything, and one of each window."""
    return [make, lambda: Chain([Window(duration_us=20_000), make()])]


OPERATORS: dict[str, list[Make]] = {
    "Contrast": [lambda: Contrast(2_000)],
    "Crop": [lambda: Crop(x=(5, 30), y=(3, 33))],
    "Denoise": [lambda: Denoise(2_000)],
    "Downsample": [lambda: Downsample(3)],
    "DropByChance": [lambda: DropByChance(0.4, seed=2)],
    "Each": [Each],
    "EventRate": windowed(EventRate),
    "Filter": [lambda: Chain([Window(count=30), Filter(lambda window: bool(window.p.any()))])],
    "Flip": [lambda: Flip("x"), lambda: Flip("y")],
    "Frames": windowed(Frames),
    "Gather": [Gather],
    "Hats": windowed(Hats),
    "IntervalHistogram": [lambda: Chain([IntervalHistogram(), Map(plain)])],
    "KeepEvery": [lambda: KeepEvery(3)],
    "Map": [lambda: Map(lambda batch: batch.where(batch.x > 20))],
    "Mask": [lambda: Mask(np.indices((SENSOR.height, SENSOR.width)).sum(0) % 2)],
    "MeanTimes": [lambda: Chain([MeanTimes(), Map(plain)])],
    "Polarity": [lambda: Polarity(True), lambda: Polarity(False)],
    "RateCurve": [lambda: Chain([RateCurve(16), Map(plain)])],
    "Rechunk": [lambda: Chain([Rechunk(30, exact=True), Map(plain)])],
    "Refractory": [lambda: Refractory(2_000)],
    "Rezero": [Rezero],
    "Rotate": [lambda: Rotate(90)],
    "Sampled": [
        lambda: Chain([Rechunk(30, exact=True), Sampled(coverage=0.4), Map(plain)]),
        lambda: Chain([Rechunk(30, exact=True), Sampled(gap_us=9_000), Map(plain)]),
    ],
    "Scale": [lambda: Scale(width=100, height=20)],
    "Shift": [lambda: Shift(-500)],
    "SlidingWindow": [lambda: SlidingWindow(duration_us=20_000, hop_us=7_000)],
    "Sort": [lambda: Sort(1_000)],
    "Stack": windowed(Stack),
    "Take": [lambda: Chain([Window(count=30), Take(5)])],
    "TakeEvents": [lambda: TakeEvents(77)],
    "TakeExcerpt": [lambda: Chain([TakeExcerpt(50), Map(plain)])],
    "TimeSlice": [lambda: TimeSlice(MIDDLE), lambda: TimeSlice(0, MIDDLE)],
    "TimeSurface": windowed(TimeSurface),
    "Tore": windowed(Tore),
    "Transpose": [Transpose],
    "Undistort": [lambda: Undistort(CAMERA, [0.1, 0, 0, 0])],
    "VoxelGrid": windowed(VoxelGrid),
    "Window": [
        lambda: Window(count=30),
        lambda: Window(duration_us=20_000),
        lambda: Window(duration_us=20_000, count=30),
    ],
    "WithoutHotPixels": [
        lambda: WithoutHotPixels(learn_us=20_000, factor=3),
        lambda: WithoutHotPixels([(3, 4)]),
    ],
    "WithoutLines": [lambda: WithoutLines(0.3), lambda: WithoutLines(0.3, along="y")],
}
MADE_OF_OTHERS = {"Chain", "Windowed"}
OF_FRAMES = {
    "Annotate", "Events", "Integrate", "LabelledEvents", "Moments", "Poisson", "Resample",
}  # fmt: skip
"""They take frames, which nobody cuts."""


@pytest.mark.parametrize("name", OPERATORS)
def test_however_the_events_are_cut_it_gives_the_same(name: str) -> None:
    for make in OPERATORS[name]:
        assert check_operator(make, batch=EVENTS)


def test_no_operator_is_left_out() -> None:
    rooms = pkgutil.iter_modules(aevents.operators.__path__, "aevents.operators.")
    found = {
        name
        for room in rooms
        for name, kind in vars(importlib.import_module(room.name)).items()
        if inspect.isclass(kind) and kind.__module__ == room.name
        if hasattr(kind, "feed") and hasattr(kind, "flush")
        if name[0] != "_" and not inspect.isabstract(kind) and not kind.__dict__.get("_is_protocol")
    }
    assert found == OPERATORS.keys() | MADE_OF_OTHERS | OF_FRAMES
