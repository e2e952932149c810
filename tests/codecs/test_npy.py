"""NPY files: events both ways, frames one way."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor
from aevents.codecs.base import Patch
from aevents.codecs.npy import CODEC, NpyDecoder, NpyEncoder
from aevents.testing import check_codec, decode, encode, example_events
from aevents.types import EVENT_DTYPE, Frame, Span, TriggerBatch

BATCH = EventBatch.from_columns(t=[5, 7], x=[6, 65535], y=[7, 9], p=[1, 0])
EVENTS = [Event(5, 6, 7, True), Event(7, 65535, 9, False)]


def loaded(data: bytes) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(io.BytesIO(data))
    return array


def saved(array: npt.NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def events_of(items: list[object]) -> list[Event]:
    return [event for item in items if isinstance(item, EventBatch) for event in item]


def frame_of(array: npt.NDArray[Any]) -> Frame:
    return Frame(array, Span(0, 1), Sensor(array.shape[-1], array.shape[-2]))


def test_events_are_written_as_structures_that_numpy_loads() -> None:
    array = loaded(encode(NpyEncoder(), [BATCH, BATCH]))
    assert array.dtype == EVENT_DTYPE
    assert array.tolist() == [(5, 6, 7, True), (7, 65535, 9, False)] * 2


def test_the_bytes_between_fields_are_zero() -> None:
    data = encode(NpyEncoder(), [example_events(70_000)])
    rows = np.frombuffer(data, np.uint8, offset=len(data) - 70_000 * 16).reshape(-1, 16)
    assert not rows[:, 13:].any()


def test_events_are_read_and_the_sensor_is_given() -> None:
    data = encode(NpyEncoder(), [BATCH])
    items = decode(CODEC, [data], sensor=Sensor(640, 480))
    assert events_of(items) == EVENTS
    assert [item.sensor for item in items if isinstance(item, EventBatch)] == [Sensor(640, 480)]


def test_a_matrix_is_read_in_the_order_and_the_unit_that_are_given() -> None:
    data = saved(np.array([(6.0, 7.0, 1.0, 5.0), (65535.0, 9.0, 0.0, 7.0)]))
    assert events_of(decode(CODEC, [data], columns="xypt", time_unit="us")) == EVENTS


def test_without_events_there_is_an_empty_batch() -> None:
    data = encode(NpyEncoder(), [])
    assert loaded(data).shape == (0,)
    (empty,) = decode(CODEC, [data], sensor=Sensor(640, 480))
    assert isinstance(empty, EventBatch)
    assert (len(empty), empty.sensor) == (0, Sensor(640, 480))
    assert encode(NpyEncoder(), [EventBatch.empty()]) == data


def test_a_file_that_was_interrupted_is_read_and_says_so() -> None:
    data = b"".join(NpyEncoder().feed(BATCH))
    assert loaded(data).shape == (0,)
    decoder = NpyDecoder()
    assert events_of([*decoder.feed(data), *decoder.flush()]) == EVENTS
    assert decoder.counts == {"unpromised_rows": 2}


def test_an_empty_input_is_refused() -> None:
    with pytest.raises(DecodeError, match="npy: the input ends before the header does"):
        list(NpyDecoder().flush())


def test_the_header_is_as_long_for_any_count() -> None:
    encoder = NpyEncoder()
    (header, *_) = encoder.feed(BATCH)
    (patch,) = encoder.flush()
    assert isinstance(patch, Patch)
    assert (patch.offset, len(patch.data)) == (0, len(header))
    assert len(header) % 64 == 0


FRAMES: dict[str, npt.NDArray[Any]] = {
    "counts": np.arange(6, dtype=np.float32).reshape(2, 3),
    "two polarities": np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
    "axes xy": np.arange(6, dtype=np.int16).reshape(3, 2).T,
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_stacked(name: str) -> None:
    array = FRAMES[name]
    data = encode(NpyEncoder(), [frame_of(array), frame_of(array + 1), frame_of(array)])
    stack = loaded(data)
    assert (stack.shape, stack.dtype) == ((3, *array.shape), array.dtype)
    np.testing.assert_array_equal(stack, np.stack([array, array + 1, array]))


PICTURE = frame_of(np.zeros((2, 3), np.float32))
TRIGGERS = TriggerBatch(
    np.zeros(1, np.int64), np.zeros(1, np.uint8), np.ones(1, np.bool_), Sensor(), Span(0, 1)
)
UNLIKE = {
    "events, then a frame": ([BATCH, PICTURE], "a file of EventBatch cannot take a Frame"),
    "a frame, then events": ([PICTURE, BATCH], "a file of Frame cannot take a EventBatch"),
    "frames of two sizes": (
        [PICTURE, frame_of(np.zeros((3, 3), np.float32))],
        r"a frame \(3, 3\) of float32 does not fit: the first was \(2, 3\) of float32",
    ),
    "frames of two types": (
        [PICTURE, frame_of(np.zeros((2, 3), np.uint8))],
        r"a frame \(2, 3\) of uint8 does not fit",
    ),
    "triggers": ([TRIGGERS], "an array holds events or frames, not TriggerBatch"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_an_item_unlike_the_first_is_refused(name: str) -> None:
    items, message = UNLIKE[name]
    with pytest.raises(EncodeError, match=message):
        encode(NpyEncoder(), items)  # type: ignore[arg-type]  # the point


def test_what_was_written_before_a_refusal_is_counted() -> None:
    encoder = NpyEncoder()
    data = bytearray(b"".join(encoder.feed(BATCH)))
    with pytest.raises(EncodeError):
        list(encoder.feed(PICTURE))
    (patch,) = encoder.flush()
    assert isinstance(patch, Patch)
    data[: len(patch.data)] = patch.data
    assert len(loaded(bytes(data))) == 2


def test_npy_is_claimed_by_its_magic() -> None:
    assert CODEC.matches is not None
    assert CODEC.matches(saved(np.zeros(3)))
    assert not CODEC.matches(b"PK\x03\x04")


EVENT = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.booleans(),
)


@given(st.lists(EVENT, max_size=30), st.integers(1, 40))
def test_whatever_is_written_is_read_back(
    events: list[tuple[int, int, int, bool]], size: int
) -> None:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    batch = EventBatch.from_columns(t=np.array(t, np.int64), x=x, y=y, p=np.array(p, np.bool_))
    data = encode(NpyEncoder(), [batch])
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert events_of(decode(CODEC, chunks)) == [Event(*event) for event in events]


def test_the_laws() -> None:
    check_codec(CODEC, batch=example_events(60), mutations=2_000)
