"""What a plot is made of comes from a batch, a stream, batches in a row, or is there already."""

from __future__ import annotations

from functools import partial

import pytest

import aevents
from aevents.interop.gathering import Events, OfSome, gathered
from aevents.operators.curve import Curve, RateCurve
from aevents.operators.frames import Frames
from aevents.testing import cut_events, example_events
from aevents.types import EventBatch, Frame, Sensor

EVENTS = example_events(500)


@pytest.mark.parametrize(
    "given",
    [EVENTS, aevents.from_array(EVENTS), cut_events(EVENTS, [100, 200]), iter([EVENTS])],
    ids=["batch", "stream", "list", "iterator"],
)
def test_it_is_gathered_from_events_wherever_they_are(given: Events) -> None:
    found = gathered(given, Curve, RateCurve)
    assert found.counts.sum() == 500
    assert gathered(found, Curve, RateCurve) is found


def test_a_window_is_a_batch_like_others() -> None:
    window = EVENTS.as_window(EVENTS.span)
    assert gathered(window, Frame, Frames).array.sum() == 500


def test_what_is_not_one_is_refused() -> None:
    with pytest.raises(ValueError, match="no events: there is nothing to plot"):
        gathered(EventBatch.empty(Sensor(3, 2)), Curve, RateCurve)
    with pytest.raises(ValueError, match="several windows: plot one of them, or leave out"):
        windows = aevents.from_array(EVENTS, EVENTS.sensor).window(count=100)
        gathered(windows, Frame, partial(Frames, "count"))
    live = aevents.open("udp://:3333?size=640x480")
    with pytest.raises(ValueError, match=r"a live stream has no end: put \.take\(n\)"):
        gathered(live, Curve, RateCurve)


def test_it_counts_as_the_operator_does_and_gives_nothing_for_none() -> None:
    off = EventBatch.from_columns(t=[0], x=[4], y=[0], p=[1], sensor=Sensor(4, 3))
    some = OfSome(Frames())
    empty = EventBatch.empty(Sensor(4, 3)).as_window(EVENTS.span)
    assert [*some.feed(empty), *some.flush()] == []
    assert [*some.feed(off)] == []
    [frame] = some.flush()
    assert (frame.array.sum(), some.counts["outside_frame"]) == (0, 1)
    assert OfSome(RateCurve()).counts == {}
