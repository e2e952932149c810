"""Sensors of known size, events off them, and a table for each."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EventBatch, Sensor, Span
from aevents.operators.pixels import (
    PerSensor,
    check_size,
    columns_of,
    kept_by,
    looked_up,
    on_sensor,
    picked,
    with_columns,
)

SENSOR = Sensor(3, 2, "left")
BATCH = EventBatch.from_columns(
    t=[5, 6, 7, 8], x=[0, 2, 3, 1], y=[0, 1, 0, 2], p=[1, 0, 1, 0], sensor=SENSOR, span=Span(0, 9)
)


def test_something_is_made_once_for_each_sensor() -> None:
    made = PerSensor(lambda sensor: [sensor.width])
    assert made[SENSOR] is made[Sensor(3, 2, "left")]
    assert made[Sensor(4, 2)] == [4]
    with pytest.raises(ValueError, match="size is not known"):
        made[Sensor()]
    assert len(made) == 2


@pytest.mark.parametrize("size", [(65536, 1), (1, 65536), (8193, 8192)])
def test_a_sensor_may_be_too_large(size: tuple[int, int]) -> None:
    check_size(Sensor(8192, 8192))
    check_size(Sensor(65535, 1))
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} is too large"):
        check_size(Sensor(*size))


def test_columns_have_no_gaps() -> None:
    t, x, y, p = columns_of(BATCH[::2])
    assert (t.tolist(), x.tolist(), y.tolist(), p.tolist()) == ([5, 7], [0, 3], [0, 0], [True] * 2)
    assert all(column.flags.c_contiguous for column in (t, x, y, p))


def test_what_is_picked_is_what_where_gives() -> None:
    keep = np.array([True, False, False, True])
    one, other = picked(BATCH.as_window(Span(0, 9)), keep), BATCH.where(keep)
    assert list(one) == list(other)
    assert (one.sensor, one.span, one.window) == (SENSOR, Span(0, 9), True)
    assert not one.t.flags.writeable


def test_flags_may_be_read_only_and_have_gaps() -> None:
    keep = np.array([True, False, False, False, True, False, True, False])[::2]
    keep.flags.writeable = False
    assert list(picked(BATCH, keep)) == list(BATCH.where(keep))


def test_nothing_is_copied_where_all_is_kept() -> None:
    assert picked(BATCH, np.ones(4, np.bool_)) is BATCH


def test_other_columns_take_the_place_of_a_batch() -> None:
    moved = with_columns(BATCH, BATCH.t, BATCH.y, BATCH.x, BATCH.p, Sensor(2, 3))
    assert moved.x.tolist() == [0, 1, 0, 2]
    assert (moved.sensor, moved.span) == (Sensor(2, 3), Span(0, 9))


def test_a_table_is_looked_up_on_the_sensor() -> None:
    assert on_sensor(BATCH).tolist() == [True, True, False, False]
    table = np.array([[10, 11, 12], [20, 21, 22]])
    assert looked_up(table, BATCH.x[:2], BATCH.y[:2]).tolist() == [10, 22]


def test_a_mask_keeps_nothing_off_the_sensor() -> None:
    mask = np.array([[True, True, True], [True, True, False]])
    keep, outside = kept_by(mask, BATCH)
    assert (keep.tolist(), outside) == ([True, False, False, False], 2)
    keep, outside = kept_by(mask, BATCH[:2])
    assert (keep.tolist(), outside) == ([True, False], 0)
