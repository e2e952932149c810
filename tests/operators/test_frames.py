"""Frames: what is counted where, in which shape and dtype."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.base import Chain
from aevents.operators.frames import Accumulator, Frames, Mode
from aevents.operators.window import Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Frame, Sensor, Span

SENSOR = Sensor(3, 2)
EVENTS = EventBatch.from_columns(
    t=[0, 1, 2, 3], x=[0, 2, 2, 2], y=[0, 1, 1, 1], p=[1, 1, 0, 1], sensor=SENSOR
)
OFF = [[0, 0, 0], [0, 0, 1]]
ON = [[1, 0, 0], [0, 0, 2]]
EXPECTED: dict[Mode, list[list[int]] | list[list[list[int]]]] = {
    "count": [[1, 0, 0], [0, 0, 3]],
    "signed": [[1, 0, 0], [0, 0, 1]],
    "polarity": [OFF, ON],
    "binary": [[1, 0, 0], [0, 0, 1]],
}


def frame_of(batch: EventBatch, operator: Frames) -> Frame:
    assert list(operator.feed(batch)) == []
    (frame,) = operator.flush()
    return frame


@pytest.mark.parametrize("mode", EXPECTED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int16, np.uint32, np.int64])
def test_events_are_counted(mode: Mode, dtype: type[np.generic]) -> None:
    frame = frame_of(EVENTS, Frames(mode, dtype=dtype))
    assert frame.array.dtype == dtype
    assert frame.array.tolist() == EXPECTED[mode]
    assert frame.span == Span(0, 4)
    assert (frame.sensor, frame.mode) == (SENSOR, mode)


@pytest.mark.parametrize("mode", EXPECTED)
def test_axes_xy_swaps_height_and_width(mode: Mode) -> None:
    frame = frame_of(EVENTS, Frames(mode, axes="xy"))
    assert frame.array.tolist() == np.swapaxes(EXPECTED[mode], -1, -2).tolist()
    assert frame.array.flags.c_contiguous


def test_a_frame_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        frame_of(EVENTS, Frames()).array[0, 0] = 1


def test_a_narrow_dtype_saturates_and_says_so() -> None:
    many = EventBatch.from_columns(
        t=np.zeros(300), x=np.zeros(300), y=np.zeros(300), p=np.zeros(300), sensor=SENSOR
    )
    operator = Frames("count", dtype=np.uint8)
    assert frame_of(many, operator).array[0, 0] == 255
    assert operator.counts["saturated"] == 1
    signed = Frames("signed", dtype=np.uint8)
    assert frame_of(many, signed).array[0, 0] == 0
    assert signed.counts["saturated"] == 1


def test_counts_beyond_a_byte_are_exact() -> None:
    n = 1_000_003
    many = EventBatch.from_columns(
        t=np.zeros(n, np.int64), x=np.full(n, 2), y=np.ones(n, int), p=np.ones(n, bool),
        sensor=SENSOR,
    )  # fmt: skip
    modes: tuple[Mode, ...] = ("count", "signed")
    for mode in modes:
        assert frame_of(many, Frames(mode)).array[1, 2] == 1_000_003


def test_events_off_the_sensor_are_left_out_and_counted() -> None:
    stray = EventBatch.from_columns(
        t=[0, 1, 2], x=[3, 0, 65535], y=[0, 2, 65535], p=[1, 1, 0], sensor=SENSOR
    )
    operator = Frames("polarity")
    assert frame_of(stray, operator).array.sum() == 0
    assert operator.counts["outside_frame"] == 3


def test_each_window_is_a_frame() -> None:
    chain: Chain[EventBatch, Frame] = Chain([Window(count=2), Frames()])
    frames = [*chain.feed(EVENTS), *chain.flush()]
    assert [frame.array.sum() for frame in frames] == [2, 2]
    assert [frame.span for frame in frames] == [(0, 2), (2, 4)]


def test_frames_of_windows_are_the_same_with_an_operator_between() -> None:
    class Pass:
        def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
            return (batch,)

        def flush(self) -> tuple[()]:
            return ()

    def frames(*between: Pass) -> list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
        chain: Chain[EventBatch, Frame] = Chain(
            [Window(duration_us=2_000), *between, Frames("signed")]
        )
        return [frame.array for frame in (*chain.feed(example_events()), *chain.flush())]

    np.testing.assert_array_equal(frames(), frames(Pass()))


@pytest.mark.parametrize("mode", EXPECTED)
def test_however_the_input_is_cut_the_frames_are_the_same(mode: Mode) -> None:
    check_operator(lambda: Frames(mode))
    assert len(check_operator(lambda: Chain([Window(duration_us=20_000), Frames(mode)]))) > 3


def test_what_windows_and_frames_counted_adds_up() -> None:
    stray = EventBatch.from_columns(
        t=[0, 9, 1], x=[3, 0, 0], y=[0, 0, 0], p=[1, 1, 1], sensor=SENSOR
    )
    chain: Chain[EventBatch, Frame] = Chain([Window(duration_us=5), Frames()])
    list(chain.feed(stray))
    assert chain.counts == {"late_events": 1, "outside_frame": 1}


def test_no_input_makes_no_frame() -> None:
    assert Frames().flush() == ()


def test_a_sensor_of_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="sensor size is not known"):
        Frames().feed(EventBatch.from_columns(t=[0], x=[0], y=[0], p=[0]))


def test_a_table_too_large_to_index_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        Accumulator(Sensor(65_536, 65_536), 2)


def test_unknown_modes_and_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="one of count, signed, polarity, binary, not 'rgb'"):
        Frames("rgb")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="axes are"):
        Frames(axes="yz")  # type: ignore[arg-type]
