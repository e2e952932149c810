"""The messages of ROS that cameras send: their layouts, and what they mean.

    dvs_msgs/EventArray, prophesee_event_msgs/EventArray
        header, u32 height, u32 width, events: u16 x, u16 y, time, bool polarity
    event_camera_msgs/EventPacket, event_array_msgs/EventArray
        header, u32 height, u32 width, u64 number, u64 time_base, string encoding,
        bool is_bigendian, bytes in that encoding (see `PACKETS`, and `_native/ros.c`)
    sensor_msgs/Imu
        header, f64 x 4 orientation, f64 x 9, f64 x 3 angular velocity in rad/s, f64 x 9,
        f64 x 3 acceleration in m/s², f64 x 9
    sensor_msgs/Image
        header, u32 height, u32 width, string encoding, bool is_bigendian, u32 step, bytes

Rows count from the top. The fields are described in `ros_fields`. Specified in the .msg files of
these packages, and the encodings in event_camera_codecs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents._native.columns import Columns
from aevents.codecs.ros_fields import Fields
from aevents.types import EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch, span_of

if TYPE_CHECKING:
    from aevents._native.twins import RosState  # not loaded where there is C

    Decode = Callable[[memoryview, int, RosState, Columns], int]

MOST_PIXELS = 65_536
LATEST = 1 << 62
"""In ns: no clock shows the year 2116."""
STANDARD_GRAVITY = 9.80665
RECORD, ALIGNED_RECORD = 13, 16

IMAGES: Mapping[str, tuple[str, int, tuple[int, ...]]] = {
    "mono8": ("u1", 1, ()),
    "8UC1": ("u1", 1, ()),
    "mono16": ("u2", 1, ()),
    "16UC1": ("u2", 1, ()),
    "rgb8": ("u1", 3, (0, 1, 2)),
    "bgr8": ("u1", 3, (2, 1, 0)),
    "8UC3": ("u1", 3, (2, 1, 0)),
    "rgba8": ("u1", 4, (0, 1, 2)),
    "bgra8": ("u1", 4, (2, 1, 0)),
}
"""By encoding: the type of a value, values a pixel, and which of those are red, green and blue."""


class Payload(msgspec.Struct, frozen=True):
    """Events still encoded, as a message holds them: `decode` reads words of `size` bytes from
    `state` on; with neither, `encoding` names a stream of bytes that goes on in the next message.
    """

    sensor: Sensor
    encoding: str
    data: memoryview
    size: int = 1
    decode: Decode | None = None
    state: RosState | None = None


Item = Payload | TriggerBatch | ImuBatch | Frame


def event_array(fields: Fields, name: str) -> Payload:
    """Return the events of a `dvs_msgs/EventArray`. Raises `ValueError`, as all these do."""
    fields.header()
    sensor = _sensor(fields, name)
    count = fields.number("I")
    if fields.cdr and count:
        data = fields.bytes(ALIGNED_RECORD * (count - 1) + RECORD)
    else:
        data = fields.bytes(RECORD * count)
    state = kernels.ros_state(aligned=fields.cdr)
    return Payload(sensor, "dvs", data, 1, kernels.ros_dvs_decode, state)


def event_packet(fields: Fields, name: str) -> Payload | TriggerBatch:
    """Return the events, or the triggers, of an `event_camera_msgs/EventPacket`."""
    fields.header()
    sensor = _sensor(fields, name)
    fields.number("Q")
    base = fields.number("Q")
    encoding = fields.text()
    if fields.number("B"):
        raise ValueError("its events are big-endian")
    data = fields.bytes(fields.number("I"))
    if base > LATEST:
        raise ValueError(f"its time is {base} ns")
    if encoding == "trigger":
        return _triggers(data, base, sensor)
    size, decode, in_us = PACKETS.get(encoding, (1, None, True))
    if decode is None:
        return Payload(sensor, encoding, data)
    state = kernels.ros_state(base=base // 1000 if in_us else base)
    return Payload(sensor, encoding, data, size, decode, state)


PACKETS: Mapping[str, tuple[int, Decode, bool]] = {
    "mono": (8, kernels.ros_mono_decode, False),
    "libcaer": (8, kernels.ros_libcaer_decode, True),
    "libcaer_cmp": (2, kernels.ros_compact_decode, True),
}
"""By encoding: bytes a word, how to decode words, whether their base is in µs (else ns)."""


def _triggers(data: memoryview, base: int, sensor: Sensor) -> TriggerBatch:
    words = np.frombuffer(data[: len(data) // 8 * 8], "<u8")
    t = (np.int64(base) + (words & 0xFFFFFFFF).astype(np.int64)) // 1000
    id, value = (words >> 48).astype(np.uint8), words >> 63 != 0
    span = span_of(t)
    return TriggerBatch(t, id, value, sensor, Span(span.start, max(span.start, span.stop - 1)))


def imu(fields: Fields, name: str) -> ImuBatch:
    """Return the measurement of a `sensor_msgs/Imu`; temperature and magnetic field are NaN."""
    t = np.array([fields.header()], np.int64)
    values = fields.numbers("d", 37)
    with np.errstate(over="ignore", invalid="ignore"):  # 32 bits hold no more
        turning = np.degrees(np.array([values[13:16]])).astype(np.float32)
        pull = (np.array([values[25:28]]) / STANDARD_GRAVITY).astype(np.float32)
    unknown = np.full((1, 3), math.nan, np.float32)
    columns = (t, unknown[:, 0].copy(), pull, turning, unknown)
    for column in columns:
        column.flags.writeable = False
    return ImuBatch(*columns, Sensor(name=name), span_of(t))


def image(fields: Fields, name: str) -> Frame:
    """Return the picture of a `sensor_msgs/Image`: gray, or red, green and blue."""
    t = fields.header()
    sensor = _sensor(fields, name)
    encoding = fields.text()
    big, step = fields.number("B"), fields.number("I")
    data = fields.bytes(fields.number("I"))
    if encoding not in IMAGES:
        raise ValueError(f"pictures of encoding {encoding!r} are not known")
    kind, channels, colours = IMAGES[encoding]
    dtype = np.dtype(f"{'>' if big else '<'}{kind}")
    width = sensor.width * channels
    if not sensor.sized or step < width * dtype.itemsize or len(data) != step * sensor.height:
        raise ValueError(f"a picture of {sensor.width}x{sensor.height} in {len(data)} bytes")
    rows = np.frombuffer(data, np.uint8).reshape(sensor.height, step)
    values = np.ascontiguousarray(rows[:, : width * dtype.itemsize]).view(dtype)
    return Frame(_pixels(values, channels, colours), Span(t, t), sensor, "intensity")


def _pixels(
    values: npt.NDArray[np.generic], channels: int, colours: tuple[int, ...]
) -> npt.NDArray[np.generic]:
    if colours:
        values = values.reshape(len(values), -1, channels)[:, :, colours]
    array = values.astype(values.dtype.newbyteorder("="))
    array.flags.writeable = False
    return array


def _sensor(fields: Fields, name: str) -> Sensor:
    height, width = fields.number("I"), fields.number("I")
    if max(height, width) > MOST_PIXELS:
        raise ValueError(f"a sensor of {width}x{height}")
    return Sensor(width, height, name)


READERS: Mapping[str, tuple[Callable[[Fields, str], Item], tuple[type, ...]]] = {
    "dvs_msgs/EventArray": (event_array, (EventBatch,)),
    "prophesee_event_msgs/EventArray": (event_array, (EventBatch,)),
    "event_camera_msgs/EventPacket": (event_packet, (EventBatch, TriggerBatch)),
    "event_array_msgs/EventArray": (event_packet, (EventBatch, TriggerBatch)),
    "sensor_msgs/Imu": (imu, (ImuBatch,)),
    "sensor_msgs/Image": (image, (Frame,)),
}
"""By the type of a message: how it is read, and the kinds of items that it gives."""


def plain_type(type: str) -> str:
    """Return the name of a type as ROS 1 has it: `dvs_msgs/EventArray`."""
    package, _, rest = type.partition("/")
    return f"{package}/{rest.rpartition('/')[2]}"
