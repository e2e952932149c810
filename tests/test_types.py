"""The values that flow."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import (
    EVENT_DTYPE,
    Chunk,
    Event,
    EventBatch,
    Frame,
    ImuBatch,
    LabelledBatch,
    Sensor,
    Span,
    TriggerBatch,
    ms,
    s,
    us,
)
from aevents.types import span_of

SENSOR = Sensor(640, 480, "left", "0042")


def batch() -> EventBatch:
    return EventBatch.from_columns(
        t=[3, 5, 5, 9], x=[0, 1, 2, 3], y=[4, 5, 6, 7], p=[1, 0, 1, 0], sensor=SENSOR
    )


def test_units_are_microseconds() -> None:
    assert (us, ms, s) == (1, 1_000, 1_000_000)


def test_columns_have_their_dtypes_and_are_read_only() -> None:
    columns = {name: getattr(batch(), name) for name in "txyp"}
    assert {name: str(column.dtype) for name, column in columns.items()} == {
        "t": "int64", "x": "uint16", "y": "uint16", "p": "bool",
    }  # fmt: skip
    for column in columns.values():
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_arrays_of_the_right_dtype_are_not_copied() -> None:
    t = np.array([1, 2])
    made = EventBatch.from_columns(t=t, x=[0, 0], y=[0, 0], p=[-1, 1])
    assert np.shares_memory(made.t, t)
    assert t.flags.writeable
    assert made.p.tolist() == [False, True]


def test_a_span_covers_the_events_unless_given() -> None:
    assert batch().span == Span(3, 10)
    assert span_of(np.array([5, 2])) == (2, 6)
    assert span_of(np.array([], np.int64)) == (0, 0)
    assert Span(3, 10).duration_us == 7


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"t": [1, 2]}, r"differ in length: \[2, 1, 1, 1\]"),
        ({"x": [-1]}, "do not fit uint16"),
        ({"y": [65_536]}, "do not fit uint16"),
        ({"t": [[1]]}, "one dimension, not 2"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EventBatch.from_columns(
            t=columns.get("t", [1]), x=columns.get("x", [1]), y=columns.get("y", [1]), p=[1]
        )


def test_iteration_gives_named_events_of_plain_python() -> None:
    first = next(iter(batch()))
    assert first == Event(t=3, x=0, y=4, p=True)
    assert [type(value) for value in first] == [int, int, int, bool]
    assert len(batch()) == 4


def test_slicing_gives_views_under_a_span_of_their_own() -> None:
    whole = batch()
    part = whole[1:3]
    assert part.t.tolist() == [5, 5]
    assert part.span == (5, 6)
    assert np.shares_memory(part.t, whole.t)
    assert whole[4:].span == (3, 3)


def test_between_is_half_open() -> None:
    part = batch().between(5, 9)
    assert part.t.tolist() == [5, 5]
    assert part.span == (5, 9)


def test_where_keeps_the_span() -> None:
    part = batch().where(batch().p)
    assert part.x.tolist() == [0, 2]
    assert part.span == (3, 10)
    assert not part.t.flags.writeable


def test_a_whole_window_stays_one_through_where() -> None:
    window = batch().as_window(Span(0, 20))
    assert window.window
    assert window.where(window.p).window
    assert window.span == (0, 20)


def test_concat_joins_in_order() -> None:
    joined = EventBatch.concat([batch(), batch()[:1]])
    assert joined.t.tolist() == [3, 5, 5, 9, 3]
    assert joined.span == (3, 10)
    assert joined.sensor == SENSOR
    with pytest.raises(ValueError, match="nothing to concatenate"):
        EventBatch.concat([])


def test_a_batch_is_a_structured_array_on_request() -> None:
    array = np.asarray(batch())
    assert array.dtype == EVENT_DTYPE
    assert array.dtype.itemsize == 16
    assert array.tolist() == [(3, 0, 4, True), (5, 1, 5, False), (5, 2, 6, True), (9, 3, 7, False)]
    assert (
        np.asarray(
            batch(), dtype=[("t", "i8"), ("x", "u2"), ("y", "u2"), ("p", "u1")]
        ).dtype.itemsize
        == 13
    )
    with pytest.raises(ValueError, match="without a copy"):
        np.array(batch(), copy=False)


def test_representations_say_what_matters() -> None:
    assert repr(batch()) == "EventBatch(4 events, Span(start=3, stop=10), 640x480)"
    assert "no size" in repr(EventBatch.empty())
    frame = Frame(np.zeros((2, 3), np.float32), Span(0, 5), SENSOR)
    assert repr(frame) == "Frame(count, shape (2, 3), float32, Span(start=0, stop=5))"


def test_a_frame_is_its_array() -> None:
    array = np.zeros((2, 3), np.float32)
    frame = Frame(array, Span(0, 5), SENSOR)
    assert np.asarray(frame) is not None
    assert np.shares_memory(np.asarray(frame), array)
    assert np.asarray(frame, np.float64).dtype == np.float64
    assert frame.shape == (2, 3)


def test_triggers_have_a_length() -> None:
    t = np.array([1, 2])
    triggers = TriggerBatch(t, t.astype(np.uint8), t > 1, SENSOR, Span(1, 2))
    assert len(triggers) == 2


def test_a_sensor_is_parsed_from_its_size() -> None:
    assert Sensor.parse("640x480") == Sensor(640, 480)
    assert Sensor.parse("640x480").sized
    assert not Sensor().sized


@pytest.mark.parametrize("text", ["", "640", "640x", "ax3", "0x5", "640x480x3", "-1x5"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="WIDTHxHEIGHT"):
        Sensor.parse(text)


def test_inertial_measurements_have_a_length() -> None:
    axes = np.zeros((2, 3), np.float32)
    batch = ImuBatch(
        np.array([5, 9]), np.zeros(2, np.float32), axes, axes, axes, SENSOR, Span(5, 10)
    )
    assert len(batch) == 2


def test_a_chunk_says_what_it_holds() -> None:
    chunk = Chunk(b"abcd", Span(5, 9), 12)
    assert (len(chunk), chunk.dropped, chunk.padded) == (4, 0, 0)
    assert repr(chunk) == "Chunk(4 units from 12, Span(start=5, stop=9))"
    held = {
        "text": "abcd",
        "a list": [1, 2],
        "an array": np.zeros((3, 2)),
        "a view": memoryview(b"ab"),
    }
    assert [Chunk(data).nbytes for data in held.values()] == [4, 16, 48, 2]
    events = EventBatch.from_columns(t=[1, 2], x=[0, 0], y=[0, 0], p=[0, 0])
    assert Chunk(events).nbytes == 26


def test_a_picture_of_a_frame_needs_who_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aevents.types._save", None)
    with pytest.raises(TypeError, match=r"needs `import aevents\.sinks\.images`"):
        Frame(np.zeros((1, 1)), Span(0, 1), Sensor(1, 1)).save("a.png")


def test_labelled_events_are_as_long_as_their_events() -> None:
    labelled = LabelledBatch(batch(), np.array([0, 1, 0, 1], np.bool_))
    assert (len(labelled), labelled.span) == (4, Span(3, 10))
