"""What kernels ask of their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aevents._native.checks import (
    BURST_TYPE,
    check_bursts,
    check_colours,
    check_events,
    check_frame,
    check_keep,
    check_kind,
    check_lines,
    check_next,
    check_sensor,
    check_stamps,
    check_table,
    check_time,
    text_layout,
)
from aevents._native.twins import EsState


def table(size: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.zeros(size, np.uint8)


def test_a_table_has_a_counter_each_and_one_more() -> None:
    spill = np.zeros(7, np.uint32)
    check_table(table(7), spill, 6)
    with pytest.raises(ValueError, match=r"counts must be 7 \+ 1 of uint8"):
        check_table(table(7), spill, 7)
    with pytest.raises(ValueError, match="counters of uint8 need a spill"):
        check_table(table(7), None, 6)
    with pytest.raises(ValueError, match="spill must be uint32"):
        check_table(table(7), spill[:6], 6)
    with pytest.raises(ValueError, match="contiguous"):
        check_table(table(14)[::2], spill, 6)


def test_a_frame_has_a_size_that_can_be_counted() -> None:
    check_sensor(1280, 720, 2)
    with pytest.raises(ValueError, match="no frame is 0x720 in 2 planes"):
        check_sensor(0, 720, 2)
    with pytest.raises(ValueError, match="too many counters"):
        check_sensor(65_535, 65_535, 1)


def test_events_are_columns_of_one_length() -> None:
    x = np.zeros(3, np.uint16)
    check_events(x, x, x > 0)
    with pytest.raises(TypeError, match="must be uint16, uint16, bool, not int64"):
        check_events(np.zeros(3, np.int64), x, x > 0)
    with pytest.raises(ValueError, match="one length"):
        check_events(x, x[:2], x > 0)


def test_a_frame_to_read_into_is_of_float32_or_int32() -> None:
    spill = np.zeros(7, np.uint32)
    check_frame(table(7), spill, np.zeros(6, np.float32), False)
    check_frame(table(7), spill, np.zeros(3, np.int32), True)
    with pytest.raises(ValueError, match="float32 or int32, not float64"):
        check_frame(table(7), spill, np.zeros(6), False)  # type: ignore[arg-type]


def test_a_row_of_text_has_each_column_once() -> None:
    layout = text_layout("xpyt", ";", True, 5)
    assert [layout[f"{name}_column"] for name in "txyp"] == [3, 0, 2, 1]
    assert (layout["separator"], layout["seconds"], layout["offset"]) == (ord(";"), 1, 5)
    with pytest.raises(ValueError, match="each of t, x, y, p once"):
        text_layout("txyy", ",", False, 0)
    with pytest.raises(ValueError, match="separator must be"):
        text_layout("txyp", "|", False, 0)
    with pytest.raises(ValueError, match="at most 64 columns"):
        text_layout(["t", "x", "y", "p", *["_"] * 61], ",", False, 0)


def test_a_stream_of_pixels_is_of_a_known_kind() -> None:
    check_kind(4)
    with pytest.raises(ValueError, match="kind must be one of 1, 2, 4, not 3"):
        check_kind(3)


def test_colours_are_a_row_of_three_bytes_for_each_event() -> None:
    rgb = np.zeros((7, 3), np.uint8)
    check_colours(4, rgb, 7)
    check_colours(1, None, 7)
    with pytest.raises(ValueError, match="colour events need rgb"):
        check_colours(4, None, 7)
    with pytest.raises(ValueError, match=r"of shape \(8, 3\)"):
        check_colours(4, rgb, 8)


def test_writing_goes_on_at_one_of_the_events() -> None:
    check_next(EsState(next=7), 7)
    with pytest.raises(ValueError, match="the next event is 8 of 7"):
        check_next(EsState(next=8), 7)


def test_a_table_of_times_is_as_large_as_the_sensor_and_its_border() -> None:
    check_stamps(np.zeros((4, 5), np.uint64), 0, border=1)
    with pytest.raises(ValueError, match="no frame is 3x0"):
        check_stamps(np.zeros((2, 5), np.uint64), 0, border=1)
    with pytest.raises(ValueError, match="2-d and uint64"):
        check_stamps(np.zeros(20, np.uint64), 0)


def test_a_table_of_bursts_is_one() -> None:
    check_bursts(np.zeros((4, 5), BURST_TYPE), 2**60)
    with pytest.raises(ValueError, match="must be contiguous, 2-d"):
        check_bursts(np.zeros((4, 5), np.uint64), 1)


def test_a_filter_has_a_time_that_is_not_for_ever() -> None:
    check_time(2**60)
    for most in (-1, 2**60 + 1):
        with pytest.raises(ValueError, match="from 0 to 2\\^60 us"):
            check_time(most)


def test_there_is_a_flag_for_each_event() -> None:
    check_keep(np.zeros(3, np.bool_), 3)
    wrong: list[Any] = [np.zeros(2, np.bool_), np.zeros(3, np.uint8), np.zeros(6, np.bool_)[::2]]
    for keep in wrong:
        with pytest.raises(ValueError, match="keep must be 3 contiguous bool"):
            check_keep(keep, 3)


def test_there_is_a_line_for_each_event() -> None:
    t, line = np.zeros(3, np.int64), np.zeros(3, np.uint16)
    wide: Any = t
    check_lines(t, line, 0)
    with pytest.raises(ValueError, match="of one length"):
        check_lines(t, line[:2], 0)
    with pytest.raises(ValueError, match="takes int64, uint16"):
        check_lines(t, wide, 0)
