"""What packets of AEDAT 3.1 hold beside events: edges, inertial measurements, and a camera's own
frames.

    0 special u32 [7:1] kind, 0 valid; i32 time
    3 IMU 6   u32 0 valid; i32 time; f32 3 of acceleration (g), 3 of rotation (°/s), then °C
    4 IMU 9   the same, and f32 3 of the magnetic field (µT)
    2 frame   u32 [3:1] channels, 0 valid; i32 start and end of the frame, start and end of the
              exposure, width, height, left, top; u16 pixels, whose upper bits are of worth

Laid out as libcaer has them.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from aevents.types import Flags, Frame, ImuBatch, Sensor, Span, Times, span_of

HEAD = struct.Struct("<hhiiiiii")
"""Before each packet: type, source, size of an event, offset of its time, overflow, capacity,
number and how many are valid."""
SPECIAL, POLARITY, FRAME, IMU6, IMU9 = range(5)
RECORD = np.dtype([("data", "<u4"), ("t", "<i4")])
EDGES = {2: (0, True), 3: (0, False), 4: (0, True)} | {
    6: (1, True), 7: (1, False), 8: (1, True), 9: (2, True), 10: (2, False), 11: (2, True),
}  # fmt: skip
"""Input, and whether it rose, by the kind of a special event; a pulse counts as rising."""
NO_EDGE = 255
FRAME_HEAD = np.dtype([("info", "<u4"), ("times", "<i4", 4), ("size", "<i4", 2), ("at", "<i4", 2)])
IMU_FIELDS = [("info", "<u4"), ("t", "<i4"), ("motion", "<f4", 6), ("temperature", "<f4")]
IMU = {IMU6: np.dtype(IMU_FIELDS), IMU9: np.dtype([*IMU_FIELDS, ("field", "<f4", 3)])}
CHANNELS = (1, 3, 4)

INPUTS = np.full(128, NO_EDGE, np.uint8)
INPUTS[list(EDGES)] = [number for number, _ in EDGES.values()]
RISING = np.zeros(128, np.bool_)
RISING[list(EDGES)] = [rising for _, rising in EDGES.values()]


def edges(body: memoryview, base: int) -> tuple[Times, npt.NDArray[np.uint8], Flags, int]:
    """Return times, inputs and directions of the edges among special events, and how many events
    are marked invalid; `base` is added to the times.
    """
    records = np.frombuffer(body, RECORD)
    valid = (records["data"] & 1).astype(np.bool_)
    kinds = records["data"] >> 1 & 0x7F
    there = valid & (INPUTS[kinds] != NO_EDGE)
    kinds = kinds[there]
    t = records["t"][there] + np.int64(base)
    return t, INPUTS[kinds], RISING[kinds], int((~valid).sum())


def others(
    type: int, body: memoryview, size: int, base: int, sensor: Sensor
) -> tuple[list[ImuBatch | Frame], int]:
    """Return what a packet of events of `size` bytes holds, and how many more are marked invalid;
    `base` is added to their times. Raises `ValueError` for what cannot be.
    """
    if type == FRAME:
        if size < FRAME_HEAD.itemsize:
            raise ValueError(f"frames of {size} bytes")
        found = [_frame(body[at : at + size], base, sensor) for at in range(0, len(body), size)]
        frames: list[ImuBatch | Frame] = [frame for frame in found if frame is not None]
        return frames, len(found) - len(frames)
    batch, invalid = _measurements(type, body, size, base, sensor)
    return [batch] if len(batch) else [], invalid


def _measurements(
    type: int, body: memoryview, size: int, base: int, sensor: Sensor
) -> tuple[ImuBatch, int]:
    layout = IMU[type]
    if size != layout.itemsize:
        raise ValueError(f"measurements of {size} bytes, not {layout.itemsize}")
    records = np.frombuffer(body, layout, len(body) // size)
    valid = records["info"] & 1 != 0
    good = records[valid]
    t = good["t"] + np.int64(base)
    field = good["field"] if type == IMU9 else np.full((len(good), 3), np.nan, np.float32)
    columns = (
        t,
        good["temperature"].astype(np.float32),
        good["motion"][:, :3].astype(np.float32),
        good["motion"][:, 3:].astype(np.float32),
        field.astype(np.float32),
    )
    for column in columns:
        column.flags.writeable = False
    return ImuBatch(*columns, sensor, span_of(t)), int((~valid).sum())


def _frame(event: memoryview, base: int, sensor: Sensor) -> Frame | None:
    """Return the frame in these bytes; None if it is marked invalid."""
    head = np.frombuffer(event, FRAME_HEAD, 1)[0]
    info, (width, height) = int(head["info"]), head["size"].tolist()
    if not info & 1:
        return None
    channels = info >> 1 & 7
    room = (len(event) - FRAME_HEAD.itemsize) // 2
    pixels = np.frombuffer(event, "<u2", room, FRAME_HEAD.itemsize)
    fits = width > 0 and height > 0 and width * height * channels <= len(pixels)
    if channels not in CHANNELS or not fits:
        raise ValueError(f"a frame of {width}x{height} with {channels} channels")
    array: npt.NDArray[np.uint16] = pixels[: width * height * channels].astype(np.uint16)
    array = array.reshape(height, width, channels)
    array = array[:, :, 0] if channels == 1 else np.ascontiguousarray(array[:, :, :3])
    array.flags.writeable = False
    return Frame(array, _span(head["times"].tolist(), base), sensor, "intensity")


def _span(times: list[int], base: int) -> Span:
    """Return the time of the exposure, if that is told, else of the frame."""
    start, end, exposed, covered = times
    if 0 < exposed <= covered:
        start, end = exposed, covered
    return Span(base + start, base + max(start, end))
