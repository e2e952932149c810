"""Voxel grids and stacks: against a plain walk over the events, one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.base import Chain
from aevents.operators.voxels import By, Stack, StackMode, VoxelGrid
from aevents.operators.window import Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Frame, Sensor, Span

SENSOR = Sensor(24, 16)
WIDER = example_events(700, sensor=Sensor(26, 16))
EVENTS = EventBatch.from_columns(t=WIDER.t, x=WIDER.x, y=WIDER.y, p=WIDER.p, sensor=SENSOR)
OUTSIDE = int((EVENTS.x >= SENSOR.width).sum())


def frame_of(operator: VoxelGrid | Stack, events: EventBatch = EVENTS) -> Frame:
    assert operator.feed(events[:300]) == operator.feed(events[300:]) == ()
    (frame,) = operator.flush()
    assert frame.array.dtype == np.float32
    assert not frame.array.flags.writeable
    return frame


@pytest.mark.parametrize("bins", [1, 2, 5])
def test_a_grid_is_what_the_formula_says(bins: int) -> None:
    operator = VoxelGrid(bins)
    frame = frame_of(operator)
    expected = np.zeros((bins, 16, 24))
    first, last = int(EVENTS.t[0]), int(EVENTS.t[-1])
    for t, x, y, p in EVENTS:
        place = (bins - 1) * (t - first) / (last - first)
        for b in range(bins):
            if x < SENSOR.width:
                expected[b, y, x] += (1 if p else -1) * max(0, 1 - abs(b - place))
    np.testing.assert_allclose(np.asarray(frame.array, np.float64), expected, atol=1e-4)
    assert operator.counts == {"outside_frame": OUTSIDE}
    assert (frame.mode, frame.span, frame.sensor) == ("voxel_grid", EVENTS.span, SENSOR)


@pytest.mark.parametrize("mode", ["count", "signed", "polarity"])
@pytest.mark.parametrize("by", ["time", "count"])
def test_a_stack_is_what_its_definition_says(by: By, mode: StackMode) -> None:
    operator = Stack(4, by=by, mode=mode)
    frame = frame_of(operator)
    expected = np.zeros((4, 2, 16, 24))
    start, stop = EVENTS.span
    starts = [part * len(EVENTS) // 4 for part in range(4)]
    for k, (t, x, y, p) in enumerate(EVENTS):
        part = 4 * (t - start) // (stop - start)
        if by == "count":
            part = max(b for b in range(4) if k >= starts[b])
        if x < SENSOR.width:
            expected[part, int(p), y, x] += 1
    whole = {
        "polarity": expected,
        "count": expected.sum(1),
        "signed": expected[:, 1] - expected[:, 0],
    }[mode]
    np.testing.assert_array_equal(frame.array, whole)
    assert operator.counts == {"outside_frame": OUTSIDE}
    assert frame.mode == f"stack_{mode}"


def test_a_late_event_counts_at_the_running_time() -> None:
    late = EventBatch.from_columns(
        t=[0, 90, 10, 100], x=[0] * 4, y=[0] * 4, p=[1] * 4, sensor=Sensor(1, 1), span=Span(0, 101)
    )
    assert frame_of(VoxelGrid(2), late).array.ravel().tolist() == pytest.approx([1.2, 2.8])
    assert frame_of(Stack(2), late).array.ravel().tolist() == [1, 3]


def test_parts_begin_at_whole_microseconds() -> None:
    three = EventBatch.from_columns(
        t=[0, 3, 4, 6, 7], x=[0] * 5, y=[0] * 5, p=[1] * 5, sensor=Sensor(1, 1), span=Span(0, 10)
    )
    (stack,) = Stack(3).feed(three.as_window(three.span))
    assert stack.array.ravel().tolist() == [2, 2, 1]


def test_events_of_one_time_and_none_make_a_grid() -> None:
    same = EventBatch.from_columns(t=[7, 7], x=[0, 0], y=[0, 0], p=[1, 1], sensor=Sensor(1, 1))
    assert frame_of(VoxelGrid(3), same).array.ravel().tolist() == [2, 0, 0]
    nothing = EventBatch.empty(Sensor(2, 1), Span(0, 5)).as_window(Span(0, 5))
    assert VoxelGrid(3).feed(nothing)[0].array.tolist() == [[[0, 0]]] * 3
    assert Stack(3).feed(nothing)[0].array.tolist() == [[[0, 0]]] * 3


@pytest.mark.parametrize("make", [VoxelGrid, Stack])
def test_however_the_input_is_cut_the_result_is_the_same(make: type[VoxelGrid | Stack]) -> None:
    check_operator(make)
    assert len(check_operator(lambda: Chain([Window(duration_us=20_000), make()]))) > 3


def test_wrong_arguments_are_refused() -> None:
    for bins in (0, 1025):
        for make in (VoxelGrid, Stack):
            with pytest.raises(ValueError, match="bins are 1 to 1024"):
                make(bins)
    with pytest.raises(ValueError, match="by 'time' or 'count'"):
        Stack(by="space")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mode is"):
        Stack(mode="binary")  # type: ignore[arg-type]
    for operator in (VoxelGrid(), Stack()):
        with pytest.raises(ValueError, match="sensor size is not known"):
            operator.feed(EventBatch.empty().as_window(Span(0, 1)))
