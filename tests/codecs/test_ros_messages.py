"""The messages of ROS: what rosbags has written, and what is written here byte by byte."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest

from aevents import EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents._native import kernels
from aevents.codecs.ros_fields import Fields
from aevents.codecs.ros_messages import READERS, Item, Payload, plain_type
from tests.containers.bags import SIZE, Message, array_message, packet_message, serialised

BOTH = pytest.mark.parametrize("cdr", [False, True], ids=["ROS 1", "ROS 2"])
SENSOR = Sensor(320, 240, "/camera")
EVENTS = EventBatch.from_columns(
    t=[5, 2_000_007, 2_000_007], x=[1, 319, 0], y=[2, 0, 239], p=[1, 0, 1]
)


def read(message: Message, *, cdr: bool) -> Item:
    reader, _ = READERS[plain_type(message.type)]
    return reader(Fields(memoryview(serialised(message, cdr=cdr)), cdr=cdr), "/camera")


def events_in(payload: Item) -> list[tuple[int, int, int, int]]:
    assert isinstance(payload, Payload)
    assert payload.decode is not None
    assert payload.state is not None
    out = kernels.columns()
    assert payload.decode(payload.data, 0, payload.state, out) == len(payload.data)
    columns = (column[: out.n].tolist() for column in (out.t, out.x, out.y, out.p))
    return list(zip(*columns, strict=True))


def image(encoding: str, data: bytes, *, step: int, **others: object) -> Message:
    fields = {
        "height": 2,
        "width": 2,
        "encoding": encoding,
        "is_bigendian": 0,
        "step": step,
        "data": np.frombuffer(data, np.uint8),
        "stamp": (3, 4_000),
        **others,
    }
    return Message("/camera", "sensor_msgs/msg/Image", fields)


def picture(message: Message, *, cdr: bool = False) -> list[Any]:
    frame = read(message, cdr=cdr)
    assert isinstance(frame, Frame)
    assert (frame.span, frame.mode) == (Span(3_000_004, 3_000_004), "intensity")
    assert frame.sensor == Sensor(2, 2, "/camera")
    assert not frame.array.flags.writeable
    return list(frame.array.tolist())


@BOTH
@pytest.mark.parametrize("package", ["dvs_msgs", "prophesee_event_msgs"])
def test_arrays_of_events(package: str, cdr: bool) -> None:
    payload = read(array_message(EVENTS, package=package), cdr=cdr)
    assert isinstance(payload, Payload)
    assert payload.sensor == SENSOR
    assert events_in(payload) == [(5, 1, 2, 1), (2_000_007, 319, 0, 0), (2_000_007, 0, 239, 1)]


@BOTH
def test_an_array_of_none(cdr: bool) -> None:
    payload = read(array_message(EventBatch.empty()), cdr=cdr)
    assert isinstance(payload, Payload)
    assert len(payload.data) == 0


ONE = struct.pack("<Q", 2_500 | 7 << 32 | 8 << 48 | 1 << 63)
CAER = struct.pack("<Ii", 1 | 1 << 1 | 8 << 2 | 7 << 17, 2)
WORDS = struct.pack("<3H", 0x1002, 0x2007, 0x3808)


@BOTH
@pytest.mark.parametrize(
    ("encoding", "data"), [("mono", ONE), ("libcaer", CAER), ("libcaer_cmp", WORDS)]
)
def test_packets_of_events(encoding: str, data: bytes, cdr: bool) -> None:
    packet = packet_message(data, encoding, base_ns=10_600)
    assert events_in(read(packet, cdr=cdr)) == [(12 if encoding != "mono" else 13, 7, 8, 1)]


@BOTH
@pytest.mark.parametrize("encoding", ["evt3", "evt2", "new"])
def test_packets_that_go_on_are_bytes(encoding: str, cdr: bool) -> None:
    payload = read(packet_message(b"words", encoding), cdr=cdr)
    assert isinstance(payload, Payload)
    assert (payload.encoding, bytes(payload.data), payload.decode) == (encoding, b"words", None)


@BOTH
def test_packets_of_triggers(cdr: bool) -> None:
    data = struct.pack("<QQ", 2_500 | 3 << 48 | 1 << 63, 5_000 | 1 << 48) + b"torn"
    triggers = read(packet_message(data, "trigger", base_ns=10_600), cdr=cdr)
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t.tolist(), triggers.id.tolist()) == ([13, 15], [3, 1])
    assert triggers.value.tolist() == [True, False]
    assert triggers.span == Span(13, 15)


@BOTH
def test_measurements(cdr: bool) -> None:
    values = [
        *range(4),
        *range(9),
        math.pi,
        0.0,
        -math.pi,
        *range(9),
        9.80665,
        0,
        19.6133,
        *range(9),
    ]
    head = struct.pack("<iI", 3, 4_000) + struct.pack("<I", 4) + b"imu\0"
    data = b"\0\1\0\0" + head + struct.pack("<37d", *values)
    if not cdr:
        data = (
            struct.pack("<III", 1, 3, 4_000) + struct.pack("<I", 0) + struct.pack("<37d", *values)
        )
    one = READERS["sensor_msgs/Imu"][0](Fields(memoryview(data), cdr=cdr), "/imu")
    assert isinstance(one, ImuBatch)
    assert (one.t.tolist(), one.span, one.sensor.name) == (
        [3_000_004],
        Span(3_000_004, 3_000_005),
        "/imu",
    )
    np.testing.assert_allclose(one.gyroscope, [[180, 0, -180]])
    np.testing.assert_allclose(one.accelerometer, [[1, 0, 2]])
    assert np.isnan(one.temperature).all()
    assert np.isnan(one.magnetometer).all()


@BOTH
def test_pictures(cdr: bool) -> None:
    assert picture(image("mono8", bytes([1, 2, 3, 4]), step=2), cdr=cdr) == [[1, 2], [3, 4]]


def test_rows_of_pictures_may_be_longer() -> None:
    assert picture(image("8UC1", bytes([1, 2, 9, 3, 4, 9]), step=3)) == [[1, 2], [3, 4]]


def test_pictures_of_sixteen_bits() -> None:
    data = struct.pack("<4H", 1, 2, 3, 65_535)
    assert picture(image("mono16", data, step=4)) == [[1, 2], [3, 65_535]]
    assert picture(image("16UC1", data, step=4, is_bigendian=1)) == [[256, 512], [768, 65_535]]


@pytest.mark.parametrize(
    ("encoding", "first"),
    [("rgb8", [0, 1, 2]), ("bgr8", [2, 1, 0]), ("rgba8", [0, 1, 2]), ("bgra8", [2, 1, 0])],
)
def test_pictures_in_colour(encoding: str, first: list[int]) -> None:
    channels = 4 if "a" in encoding else 3
    data = bytes(range(4 * channels))
    array = picture(image(encoding, data, step=2 * channels))
    assert array[0][0] == first
    assert array[1][1] == [value + 3 * channels for value in first]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (image("bayer_rggb8", bytes(4), step=2), "encoding 'bayer_rggb8' are not known"),
        (image("mono8", bytes(4), step=1), "a picture of 2x2 in 4 bytes"),
        (image("mono8", bytes(3), step=2), "a picture of 2x2 in 3 bytes"),
        (image("mono8", b"", step=0, width=0), "a picture of 0x2 in 0 bytes"),
        (image("mono8", b"", step=0, width=2**32 - 1), "a sensor of 4294967295x2"),
        (packet_message(b"", "mono", base_ns=2**63), "its time is 9223372036854775808 ns"),
        (
            packet_message(b"", "mono")._replace(
                fields={**packet_message(b"", "mono").fields, "is_bigendian": True}
            ),
            "its events are big-endian",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(message: Message, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(message, cdr=False)


@BOTH
def test_every_cut_is_refused_or_read(cdr: bool) -> None:
    data = serialised(array_message(EVENTS), cdr=cdr)
    reader, _ = READERS["dvs_msgs/EventArray"]
    for length in range(len(data)):
        with pytest.raises(ValueError, match="ends at byte"):
            reader(Fields(memoryview(data[:length]), cdr=cdr), "/camera")


def test_types_are_called_as_in_ros_1() -> None:
    assert plain_type("dvs_msgs/msg/EventArray") == "dvs_msgs/EventArray"
    assert plain_type("dvs_msgs/EventArray") == "dvs_msgs/EventArray"
    assert SIZE == {"height": 240, "width": 320}
