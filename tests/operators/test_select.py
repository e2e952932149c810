"""Crop, mask, polarity, time slice, take."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from aevents.operators.base import Chain, Operator
from aevents.operators.select import Crop, Mask, Polarity, Take, TakeEvents, TimeSlice
from aevents.testing import check_operator
from aevents.types import Event, EventBatch, Frame, Sensor, Span


def batch(*events: tuple[int, int, int, int], sensor: Sensor | None = None) -> EventBatch:
    t, x, y, p = zip(*events, strict=True)
    return EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=sensor or Sensor(10, 8, "left"))


EVENTS = batch((1, 0, 0, 1), (2, 3, 2, 0), (3, 5, 4, 1), (4, 9, 7, 0))


def test_crop_keeps_a_region_and_counts_from_its_corner() -> None:
    (cropped,) = Crop(x=(3, 6), y=(2, 8)).feed(EVENTS)
    assert list(cropped) == [Event(2, 0, 0, False), Event(3, 2, 2, True)]
    assert cropped.sensor == Sensor(3, 6, "left")
    assert cropped.span == EVENTS.span


def test_crop_of_one_axis_leaves_the_other() -> None:
    (cropped,) = Crop(x=(5, 10)).feed(EVENTS)
    assert list(cropped) == [Event(3, 0, 4, True), Event(4, 4, 7, False)]
    assert cropped.sensor == Sensor(5, 8, "left")


def test_crop_works_where_the_size_is_not_known() -> None:
    (cropped,) = Crop(x=(3, 6), y=(2, 8)).feed(batch((1, 4, 5, 1), sensor=Sensor()))
    assert list(cropped) == [Event(1, 1, 3, True)]
    assert cropped.sensor == Sensor(3, 6)


def test_crop_beyond_the_sensor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x=\(3, 11\) reaches beyond the sensor, which has 10"):
        Crop(x=(3, 11)).feed(EVENTS)


@pytest.mark.parametrize("limits", [(3, 3), (4, 2), (-1, 5), (0, 70_000)])
def test_impossible_crops_are_refused(limits: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="crop y is"):
        Crop(y=limits)


def test_a_mask_keeps_the_pixels_where_it_is_true() -> None:
    mask = np.zeros((8, 10), np.bool_)
    mask[2, 3] = mask[7, 9] = True
    operator = Mask(mask)
    mask[:] = True  # a mask that has been given is the operator's own
    (kept,) = operator.feed(EVENTS)
    assert [event.t for event in kept] == [2, 4]
    assert (kept.sensor, kept.span) == (EVENTS.sensor, EVENTS.span)
    assert operator.flush() == ()


def test_a_mask_counts_events_off_the_sensor() -> None:
    operator = Mask(np.ones((8, 10)))
    (kept,) = operator.feed(batch((1, 10, 0, 1), (2, 0, 8, 1), (3, 9, 7, 1)))
    assert [event.t for event in kept] == [3]
    assert operator.counts == {"outside_sensor": 2}


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the mask is \(10, 8\), the sensor \(8, 10\)"):
        Mask(np.ones((10, 8))).feed(EVENTS)
    with pytest.raises(ValueError, match="a mask is"):
        Mask([True, False])
    with pytest.raises(ValueError, match="size is not known"):
        Mask(np.ones((10, 8))).feed(batch((1, 1, 1, 1), sensor=Sensor()))


def test_polarity_keeps_one() -> None:
    assert [event.t for event in Polarity(True).feed(EVENTS)[0]] == [1, 3]
    assert [event.t for event in Polarity(False).feed(EVENTS)[0]] == [2, 4]


def test_a_time_slice_is_half_open_and_ends_the_reading() -> None:
    cut = TimeSlice(2, 4)
    (kept,) = cut.feed(EVENTS)
    assert kept.t.tolist() == [2, 3]
    assert kept.span == Span(2, 4)
    assert cut.done


def test_a_time_slice_without_end_reads_on() -> None:
    cut = TimeSlice(3)
    assert cut.feed(EVENTS)[0].t.tolist() == [3, 4]
    assert not cut.done


def test_batches_before_a_time_slice_are_left_out() -> None:
    assert TimeSlice(50).feed(EVENTS) == ()


def test_a_backward_time_slice_is_refused() -> None:
    with pytest.raises(ValueError, match="goes forward"):
        TimeSlice(5, 4)


def test_take_stops_after_so_many_items() -> None:
    take = Take[int](2)
    assert [*take.feed(1), *take.feed(2)] == [1, 2]
    assert take.done
    assert take.feed(3) == ()


def test_take_of_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take -1"):
        Take[int](-1)


def test_the_chunking_law() -> None:
    makes: tuple[Callable[[], Operator[EventBatch, object]], ...] = (
        lambda: Crop(x=(20, 200), y=(0, 100)),
        lambda: Mask(np.arange(240 * 320).reshape(240, 320) % 3 > 0),
        lambda: Polarity(True),
        lambda: TimeSlice(100_000, 400_000),
        lambda: Chain([TimeSlice(90_000), Crop(x=(1, 300))]),
    )
    for make in makes:
        items = check_operator(make)
        assert sum(len(item) for item in items if isinstance(item, EventBatch)) > 10


def test_a_slice_of_frames_has_those_that_begin_in_it() -> None:
    def at(start: int, stop: int) -> Frame:
        return Frame(np.zeros((2, 2)), Span(start, stop), Sensor(2, 2))

    cut = TimeSlice(10, 30)
    frames = [at(0, 10), at(5, 15), at(10, 20), at(15, 35), at(29, 60), at(30, 31)]  # they overlap
    given = [frame for one in frames if not cut.done for frame in cut.feed(one)]
    assert given == frames[2:5]
    assert cut.done
    assert TimeSlice(7).feed(frames[5]) == (frames[5],)


def test_take_events_does_not_care_how_they_are_cut() -> None:
    check_operator(lambda: TakeEvents(3))
    take = TakeEvents(3)
    (first,) = take.feed(EVENTS[:2])
    assert (len(first), take.done) == (2, False)
    (rest,) = take.feed(EVENTS[2:])
    assert list(rest) == [Event(3, 5, 4, True)]
    assert rest.span == Span(3, 3)  # others of that microsecond may have followed
    assert take.done
    assert take.flush() == ()


def test_take_events_of_none_is_done_at_once() -> None:
    take = TakeEvents(0)
    assert take.done
    (nothing,) = take.feed(EVENTS)
    assert len(nothing) == 0


def test_a_negative_take_of_events_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take -2 events"):
        TakeEvents(-2)
