"""AEDAT4 as it is written: the places that dv-processing looks at."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
import pytest

from aevents import EncodeError, EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents.codecs.aedat4 import CODEC
from aevents.codecs.aedat4_write import Aedat4Encoder
from aevents.codecs.base import Patch
from aevents.codecs.compression import Lz4
from aevents.codecs.flatbuffer import root, unprefixed
from aevents.testing import assert_same_events, decode, encode, example_events

SENSOR = Sensor(640, 480, "DVX")
ONE = EventBatch.from_columns(t=[5], x=[6], y=[7], p=[1], sensor=SENSOR)


def some_triggers(id: list[int], value: list[bool]) -> TriggerBatch:
    t = 100 + np.arange(len(id))
    return TriggerBatch(t, np.array(id, np.uint8), np.array(value, bool), SENSOR, Span(100, 109))


def test_the_header_is_where_dv_processing_has_it() -> None:
    data = encode(Aedat4Encoder(compression="none"), [ONE])
    assert data[:14] == b"#!AER-DAT4.0\r\n"
    (size,) = struct.unpack_from("<I", data, 14)
    assert size % 4 == 0
    assert data[18:42] == (
        b"\x18\x00\x00\x00IOHE\x00\x00\x00\x00\x00\x00\x0a\x00\x14\x00\x04\x00\x0c\x00\x08\x00"
    )
    assert struct.unpack_from("<iiI", data, 42) == (10, 0, 12)
    (text,) = struct.unpack_from("<I", data, 62)
    assert data[66:86] == b'<dv version="2.0"><n'
    assert data[66 + text : 18 + size].strip(b"\0") == b""
    assert data[66 + text] == 0


def test_a_packet_of_one_event_is_this() -> None:
    data = encode(Aedat4Encoder(compression="none"), [ONE])
    start = 18 + int.from_bytes(data[14:18], "little")
    assert data[start : start + 56] == (
        b"\x00\x00\x00\x00\x30\x00\x00\x00"  # stream 0, 48 bytes
        b"\x2c\x00\x00\x00\x10\x00\x00\x00EVTS\x00\x00\x06\x00\x08\x00\x04\x00"
        b"\x06\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00"
        b"\x05\x00\x00\x00\x00\x00\x00\x00\x06\x00\x07\x00\x01\x00\x00\x00"
    )
    (table,) = struct.unpack_from("<q", data, 54)
    assert table == start + 56


def test_the_table_says_where_each_packet_is() -> None:
    batch = example_events(25_000, sensor=SENSOR)
    data = encode(Aedat4Encoder(), [batch, some_triggers([0, 0], [True, False])])
    (place,) = struct.unpack_from("<q", data, 54)
    table = unprefixed(Lz4().whole(data[place:], 1 << 20))
    kinds = ("<i8", "V8", "<i8", "<i8", "<i8")
    columns: list[list[Any]] = [column.tolist() for column in next(root(table).tables(0, kinds))]
    places, headers, counts, starts, stops = columns
    assert counts == [10_000, 10_000, 2, 5_000]
    assert [data[at - 8 : at] for at in places] == headers
    assert [struct.unpack("<ii", header)[0] for header in headers] == [0, 0, 1, 0]
    t = batch.t.tolist()
    assert starts == [t[0], t[10_000], 100, t[20_000]]
    assert stops == [t[9_999], t[19_999], 101, t[-1]]


def test_how_the_events_come_makes_no_difference() -> None:
    batch = example_events(25_000, sensor=SENSOR)
    whole = encode(Aedat4Encoder(), [batch])
    parts = [batch[at : at + 777] for at in range(0, len(batch), 777)]
    assert encode(Aedat4Encoder(), parts) == whole


@pytest.mark.parametrize("compression", ["none", "lz4", "lz4_high", "zstd", "zstd_high"])
def test_what_is_written_is_read_back(compression: str) -> None:
    batch = example_events(21_000, sensor=SENSOR)
    data = encode(Aedat4Encoder(compression=compression), [batch])  # type: ignore[arg-type] # above
    found = decode(CODEC, [data])
    assert_same_events(found, [batch])
    assert {item.sensor for item in found if isinstance(item, EventBatch)} == {SENSOR}


def test_triggers_are_written_and_read_back() -> None:
    id = [5, 0, 0, 1, 2, 2, 3, 3, 4, 4]
    value = [True, True, False, True, True, False, True, False, True, False]
    data = encode(Aedat4Encoder(), [some_triggers(id, value), some_triggers([], [])])
    (again, empty) = decode(CODEC, [data])
    assert isinstance(again, TriggerBatch)
    assert again.t.tolist() == list(range(100, 110))
    assert (again.id.tolist(), again.value.tolist()) == (id, value)
    assert isinstance(empty, EventBatch)
    assert (len(empty), empty.sensor) == (0, SENSOR)


def test_a_file_without_events_has_a_header_and_a_table() -> None:
    (empty,) = decode(CODEC, [encode(Aedat4Encoder(), [])], strict=True)
    assert isinstance(empty, EventBatch)
    assert len(empty) == 0


def test_the_place_of_the_table_comes_last() -> None:
    encoder = Aedat4Encoder()
    pieces = [*encoder.feed(ONE), *encoder.flush()]
    assert isinstance(pieces[-1], Patch)
    assert pieces[-1].offset == 54
    assert not any(isinstance(piece, Patch) for piece in pieces[:-1])
    cut = b"".join(piece for piece in pieces[:-2] if isinstance(piece, bytes))
    assert_same_events(decode(CODEC, [cut], strict=True), [ONE])


@pytest.mark.parametrize(("x", "y"), [(32_768, 0), (0, 32_768)])
def test_columns_and_rows_that_do_not_fit_are_refused(x: int, y: int) -> None:
    batch = EventBatch.from_columns(t=[5, 6], x=[0, x], y=[0, y], p=[0, 0])
    with pytest.raises(EncodeError, match=f"t=6, x={x}, y={y} does not fit: 0 <= x, y < 32768"):
        encode(Aedat4Encoder(), [batch])


def test_triggers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EncodeError, match="a trigger of input 6 and value True does not fit"):
        encode(Aedat4Encoder(), [some_triggers([0, 6], [True, True])])


def picture(*shape: int, dtype: str = "u1", mode: str = "intensity", axes: str = "yx") -> Frame:
    array = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    return Frame(array, Span(1_000, 1_050), SENSOR, mode, axes)


def test_a_gray_frame_is_laid_out_as_dv_processing_does() -> None:
    data = encode(Aedat4Encoder(compression="none"), [picture(2, 3)])
    start = 18 + int.from_bytes(data[14:18], "little")
    assert struct.unpack_from("<ii", data, start) == (3, 110)
    assert data[start + 8 : start + 118] == bytes.fromhex(
        "6a000000 2c000000 46524d45 000000000000"
        "1e003400 1000 0000 0000 1800 2000 0600 0800 0a00 0000 0000 0c00 2800 0700"
        "1e000000 0000 00 01 0300 0200 28000000"  # gray, of the sensor, 3x2
        "e803000000000000 e803000000000000 1a04000000000000 3200000000000000 00000000"
        "06000000 000102030405"
    )


@pytest.mark.parametrize("frame", [picture(2, 3), picture(2, 3, 3), picture(5, 1, mode="count")])
def test_frames_are_written_and_read_back(frame: Frame) -> None:
    found, again, empty = decode(CODEC, [encode(Aedat4Encoder(), [frame, frame])], strict=True)
    assert isinstance(found, Frame)
    np.testing.assert_array_equal(found.array, frame.array)
    assert (found.span, found.sensor, found.mode) == (frame.span, SENSOR, "intensity")
    assert isinstance(again, Frame)
    assert isinstance(empty, EventBatch)


def test_a_frame_that_begins_at_0_keeps_its_span() -> None:
    frame = Frame(np.zeros((2, 2), np.uint8), Span(0, 10), SENSOR, "intensity")
    found = decode(CODEC, [encode(Aedat4Encoder(), [frame])])[0]
    assert isinstance(found, Frame)
    assert found.span == Span(0, 10)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (picture(2, 3, dtype="f4"), "not float32, shape (2, 3), axes 'yx'"),
        (picture(2, 3, axes="xy"), "not uint8, shape (2, 3), axes 'xy'"),
        (picture(2, 3, 4), "not uint8, shape (2, 3, 4), axes 'yx'"),
        (picture(2, 2, 3, mode="polarity"), "not uint8, shape (2, 2, 3), axes 'yx'"),
        (picture(0, 3), "not uint8, shape (0, 3), axes 'yx'"),
        (picture(1, 32_768), "not uint8, shape (1, 32768), axes 'yx'"),
        (picture(4_096, 4_096), "a frame of 4096x4096 has over 16777216 bytes"),
    ],
)
def test_other_frames_are_refused(frame: Frame, what: str) -> None:
    with pytest.raises(EncodeError, match=re.escape(what)):
        encode(Aedat4Encoder(), [frame])


def test_what_is_no_batch_is_refused() -> None:
    with pytest.raises(EncodeError, match="events, triggers, IMU samples and frames, not bytes"):
        encode(Aedat4Encoder(), [b"frame"])


def test_other_compressions_are_refused() -> None:
    with pytest.raises(ValueError, match="none, lz4, lz4_high, zstd, zstd_high, not 'gzip'"):
        Aedat4Encoder(compression="gzip")  # type: ignore[arg-type]  # the point


def test_inertial_measurements_are_written_and_read_back() -> None:
    t = 1_600_000_000_000_000 + np.arange(5)
    values = np.arange(50, dtype=np.float32).reshape(5, 10)
    axes = values[:, 1:4], values[:, 4:7], values[:, 7:]
    batch = ImuBatch(t, values[:, 0], *axes, SENSOR, Span(int(t[0]), int(t[-1]) + 1))
    again, empty = decode(CODEC, [encode(Aedat4Encoder(), [batch])], strict=True)
    assert isinstance(again, ImuBatch)
    assert isinstance(empty, EventBatch)
    assert (again.sensor, again.span) == (SENSOR, batch.span)
    for name in ("t", "temperature", "accelerometer", "gyroscope", "magnetometer"):
        np.testing.assert_array_equal(getattr(again, name), getattr(batch, name))
