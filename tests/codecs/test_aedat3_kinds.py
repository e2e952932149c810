"""AEDAT 3.1: measurements and frames beside the events."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import DecodeError, EventBatch, Frame, ImuBatch, Sensor, Span
from aevents.codecs.aedat3 import CODEC, Aedat3Decoder
from aevents.codecs.aedat3_kinds import FRAME, IMU6, IMU9, others
from aevents.testing import decode
from tests.recordings import CAER, FRAME_PACKET, IMU_PACKET, POLARITY, caer, polarity

SENSOR = Sensor(346, 260)
HEAD = 28
ONE = caer(POLARITY, [polarity(9, 3, 4, 1)])


def picture(info: int, pixels: int, *, size: tuple[int, int] = (3, 2)) -> memoryview:
    times = (200, 230, 205, 225)
    data = struct.pack("<I8i", info, *times, *size, 0, 0)
    return memoryview(data + np.arange(pixels, dtype="<u2").tobytes())


def test_measurements() -> None:
    (batch,), invalid = others(IMU6, memoryview(IMU_PACKET[HEAD:]), 36, 1 << 31, SENSOR)
    assert isinstance(batch, ImuBatch)
    assert batch.t.tolist() == [(1 << 31) + 210]
    assert batch.accelerometer.tolist() == [[0, 0, 1]]
    assert batch.gyroscope.tolist() == [[2, 3, 4]]
    assert batch.temperature.tolist() == [25]
    assert np.isnan(batch.magnetometer).all()
    assert batch.magnetometer.shape == (1, 3)
    assert (invalid, batch.sensor) == (0, SENSOR)


def test_measurements_with_a_magnetic_field() -> None:
    good = struct.pack("<Ii10f", 1, 7, *range(10))
    bad = struct.pack("<Ii10f", 0, 8, *range(10))
    (batch,), invalid = others(IMU9, memoryview(good + bad), 48, 0, SENSOR)
    assert isinstance(batch, ImuBatch)
    assert (batch.t.tolist(), batch.magnetometer.tolist()) == ([7], [[7, 8, 9]])
    assert (batch.temperature.tolist(), invalid) == ([6], 1)


def test_gray_frames() -> None:
    (found,), invalid = others(FRAME, picture(1 | 1 << 1, 6), 48, 1 << 31, SENSOR)
    assert isinstance(found, Frame)
    assert np.asarray(found).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (str(found.array.dtype), found.mode) == ("uint16", "intensity")
    assert found.span == Span((1 << 31) + 205, (1 << 31) + 225)  # the exposure
    assert invalid == 0


@pytest.mark.parametrize("channels", [3, 4])
def test_frames_in_colour(channels: int) -> None:
    data = picture(1 | channels << 1, 6 * channels)
    (found,), _ = others(FRAME, data, len(data), 0, SENSOR)
    assert isinstance(found, Frame)
    whole = np.arange(6 * channels).reshape(2, 3, channels)
    assert np.asarray(found).tolist() == whole[:, :, :3].tolist()


def test_frames_marked_invalid_are_left_out() -> None:
    assert others(FRAME, picture(1 << 1, 6), 48, 0, SENSOR) == ([], 1)


@pytest.mark.parametrize(
    ("type", "body", "size"),
    [
        (IMU6, memoryview(bytes(48)), 48),
        (IMU9, memoryview(bytes(36)), 36),
        (FRAME, memoryview(bytes(8)), 8),
        (FRAME, picture(1 | 2 << 1, 12), 60),  # two channels
        (FRAME, picture(1 | 1 << 1, 5), 46),  # a pixel is missing
        (FRAME, picture(1 | 1 << 1, 6, size=(0, 2)), 48),
        (FRAME, picture(1 | 1 << 1, 6, size=(-3, -2)), 48),
        (FRAME, picture(1 | 1 << 1, 6, size=(2**31 - 1, 2**31 - 1)), 48),
    ],
)
def test_what_cannot_be_is_refused(type: int, body: memoryview, size: int) -> None:
    with pytest.raises(ValueError, match=r"bytes|channels"):
        others(type, body, size, 0, SENSOR)


def test_they_stand_among_the_events_in_the_order_of_the_file() -> None:
    items = decode(CODEC, [CAER + ONE + IMU_PACKET + ONE + FRAME_PACKET + ONE])
    kinds = [EventBatch, ImuBatch, EventBatch, Frame, EventBatch]
    assert [type(item) for item in items] == kinds


def test_a_packet_that_cannot_be_is_counted() -> None:
    data = CAER + ONE + caer(FRAME, [(1, 5)], size=1000) + caer(IMU6, [(1, 5)], size=8) + ONE
    decoder = Aedat3Decoder()
    items = [*decoder.feed(data), *decoder.flush()]
    assert sum(len(item) for item in items if isinstance(item, EventBatch)) == 2
    assert decoder.counts == {"bad_packets": 2}
    with pytest.raises(DecodeError, match="a frame of 0x0"):
        decode(CODEC, [data], strict=True)
