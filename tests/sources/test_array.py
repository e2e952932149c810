"""Arrays as streams."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import aevents
from aevents.sources.array import from_array
from aevents.testing import assert_same_events, check_source, example_events
from aevents.types import EventBatch, Sensor, Span

SENSOR = Sensor(320, 240)


async def test_an_array_obeys_the_laws_of_sources() -> None:
    batch = example_events(600_000, sensor=SENSOR)
    items = await check_source(from_array(np.asarray(batch), SENSOR).origin)
    assert_same_events(items, [batch])
    assert [len(item) for item in items if isinstance(item, EventBatch)] == [
        262_144,
        262_144,
        75_712,
    ]


def test_spans_follow_on_from_each_other() -> None:
    batch = example_events(600_000, sensor=SENSOR)
    spans = [piece.span for piece in from_array(np.asarray(batch)).blocking()]
    assert spans[0].start == batch.span.start
    assert spans[0].stop == spans[1].start == int(batch.t[262_143])
    assert spans[1].stop == spans[2].start
    assert spans[2].stop == batch.span.stop


@pytest.mark.parametrize(
    "array",
    [
        np.array([(5, 1, 2, 1), (9, 3, 4, 0)], np.int64),
        np.array([(5, 1, 2, 1), (9, 3, 4, -1)], np.int16),
        [(5, 1, 2, True), (9, 3, 4, False)],
        np.array([(2, 1, 1, 5), (4, 0, 3, 9)], [("y", "i4"), ("p", "?"), ("x", "u1"), ("t", "u8")]),
        EventBatch.from_columns(t=[5, 9], x=[1, 3], y=[2, 4], p=[1, 0]),
    ],
    ids=["rows", "minus one", "a list", "structured", "a batch"],
)
async def test_events_may_be_written_in_several_ways(array: npt.ArrayLike) -> None:
    batch = await aevents.from_array(array, SENSOR).collect()
    assert batch.t.tolist() == [5, 9]
    assert batch.x.tolist() == [1, 3]
    assert batch.y.tolist() == [2, 4]
    assert batch.p.tolist() == [True, False]
    assert batch.sensor == SENSOR
    assert batch.span == Span(5, 10)


def test_columns_are_contiguous_and_the_array_may_change_afterwards() -> None:
    array = np.array([(5, 1, 2, 1)], np.int64)
    stream = from_array(array)
    array[:] = 0
    batch = next(stream.blocking())
    assert list(batch) == [(5, 1, 2, True)]
    for column in (batch.t, batch.x, batch.y, batch.p):
        assert column.flags.c_contiguous
        assert not column.flags.writeable


def test_an_array_without_events_is_one_empty_batch() -> None:
    (batch,) = from_array(np.empty((0, 4), np.int64), SENSOR).blocking()
    assert len(batch) == 0
    assert batch.sensor == SENSOR


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 5), np.int64), r"fields t, x, y, p, or of shape \(n, 4\), not int64 .*3, 5"),
        (np.zeros(4, np.int64), r"not int64 of shape \(4,\)"),
        (np.zeros(2, [("t", "i8"), ("x", "u2"), ("y", "u2")]), "fields t, x, y, p"),
        (np.zeros((2, 2), aevents.EVENT_DTYPE), "fields t, x, y, p"),
        (np.zeros((2, 4)), "t is made of whole numbers, not of float64"),
        ([(0, 70_000, 0, 0)], "do not fit uint16"),
        ([(0, -1, 0, 0)], "do not fit uint16"),
    ],
)
def test_an_array_that_holds_no_events_is_refused_at_once(
    array: npt.ArrayLike, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        from_array(array)
