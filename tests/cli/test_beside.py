"""Operators of events let other kinds pass by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from aevents._contracts import Origin
from aevents.cli.beside import Beside, OnSensor, ZeroTime, put_beside
from aevents.cli.operators import Step
from aevents.operators.base import Operator
from aevents.operators.select import Crop, Polarity, TakeEvents, TimeSlice
from aevents.stream import stream_of
from aevents.types import EventBatch, ExposureBatch, GenericBatch, Sensor, Span, TriggerBatch
from tests.cli.items import colours, events, exposures, frame, generic, imu, triggers


def beside(
    method: str, make: Callable[[], Operator[EventBatch, object]], **options: object
) -> Beside:
    return Beside(make, Step(method, options))


def times(items: object) -> list[list[int]]:
    return [item.t.tolist() for item in items]  # type: ignore[attr-defined]  # a run of batches


def test_events_go_through_the_operator_and_others_by() -> None:
    take = beside("take", partial(TakeEvents, 2))
    assert times(take.feed(triggers(1, 2, 3))) == [[1, 2, 3]]
    before = take.done
    assert times(take.feed(events(1, 2, 3))) == [[1, 2]]
    assert (before, take.done) == (False, True)
    assert list(take.flush()) == []


def test_an_operator_that_is_never_done_is_never_done() -> None:
    assert not beside("polarity", partial(Polarity, True)).done


def test_a_time_slice_cuts_every_kind() -> None:
    cut = beside("time_slice", partial(TimeSlice, 2, 4), start=2, stop=4)
    assert times(cut.feed(triggers(1, 2, 3, 4))) == [[2, 3]]
    assert times(cut.feed(imu(4, 5))) == []
    (kept,) = cut.feed(generic(1, 3, 5))
    assert isinstance(kept, GenericBatch)
    assert kept.data == (b"\3",)
    (pictures,) = ([*cut.feed(frame(time))] for time in (3,))
    assert len(pictures) == 1
    assert [*cut.feed(frame(1)), *cut.feed(frame(4))] == []
    late = beside("time_slice", partial(TimeSlice, 2), start=2)
    assert times(late.feed(triggers(1, 2, 9))) == [[2, 9]]
    assert len([*late.feed(frame(9))]) == 1


def test_a_crop_leaves_others_with_the_smaller_sensor() -> None:
    crop = beside("crop", partial(Crop, x=(0, 10), y=(0, 20)))
    (kept,) = crop.feed(triggers(1))
    assert isinstance(kept, TriggerBatch)
    assert kept.sensor == Sensor(10, 20)
    item = generic(1)
    assert [*crop.feed(item)] == [item]


def test_a_polarity_does_not_touch_what_has_none() -> None:
    item = triggers(1)
    assert [*beside("polarity", partial(Polarity, True)).feed(item)] == [item]


@pytest.mark.parametrize("item", [exposures(1), colours(1), frame(1)])
def test_pixels_that_a_crop_should_keep_and_cannot_are_refused(item: object) -> None:
    with pytest.raises(
        ValueError, match=r"--crop works on events, and there are .*: --only events"
    ):
        list(beside("crop", Crop).feed(item))


def test_steps_are_appended_for_events_alone() -> None:
    items = iter([triggers(1), events(1, 2, 3), triggers(4), events(5)])
    stream = stream_of(Origin("items", blocking=lambda: _Items(items)))
    made = put_beside(stream, [Step("polarity", {"keep": True}), Step("take", {"count": 4})])
    assert times(made.blocking()) == [[1], [1, 2, 3], [4], [5]]


class _Items:
    def __init__(self, items: object) -> None:
        self.items = items

    def __next__(self) -> object:
        return next(self.items)  # type: ignore[call-overload]  # an iterator

    def close(self) -> None:
        pass


def test_what_is_off_the_sensor_is_left_out() -> None:
    keep = OnSensor()
    both = EventBatch.from_columns(t=[1, 2], x=[63, 64], y=[1, 1], p=[1, 1], sensor=Sensor(64, 48))
    assert times(keep.feed(both)) == [[1]]
    assert times(keep.feed(events(1, x=99))) == []
    assert times(keep.feed(events(1, x=99, sensor=Sensor()))) == [[1]]
    (kept,) = keep.feed(exposures(1))
    assert isinstance(kept, ExposureBatch)
    for item in (triggers(1), frame(1), generic(1), events()):
        assert [*keep.feed(item)] == [item]
    assert keep.flush() == ()


def test_times_are_counted_from_the_one_given_or_from_the_first() -> None:
    zero = ZeroTime(100)
    (moved,) = zero.feed(triggers(103, 107))
    assert (moved.t.tolist(), moved.span) == ([3, 7], Span(3, 7))
    first = ZeroTime(None)
    (still,) = first.feed(EventBatch.empty(span=Span(0, 0)))
    assert still.span == Span(0, 0)
    (moved, other) = (*first.feed(triggers(50, 40)), *first.feed(events(45)))
    assert (moved.t.tolist(), other.t.tolist()) == ([10, 0], [5])
    assert first.flush() == ()
    (picture,) = ZeroTime(None).feed(frame(7))
    assert picture.span == Span(0, 1)
    assert isinstance(picture.array, np.ndarray)
