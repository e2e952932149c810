"""Events, triggers, inertial measurements and frames to AEDAT4, laid out as dv-processing does,
whose checks it passes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.codecs.aedat4_streams import (
    CHANNELS,
    EVENT,
    EVENTS,
    FRAMES,
    IMU,
    MOST_BYTES,
    SOURCES,
    TRIGGERS,
    StreamInfo,
    description,
)
from aevents.codecs.base import Buffer, Patch
from aevents.codecs.compression import lz4_packer, zstd_packer
from aevents.codecs.flatbuffer import BODY, PREFIX, tables, vector_head
from aevents.errors import EncodeError
from aevents.types import EventBatch, Frame, ImuBatch, Sensor, TriggerBatch

MAGIC = b"#!AER-DAT4.0\r\n"

Compression = Literal["none", "lz4", "lz4_high", "zstd", "zstd_high"]
PACKERS: tuple[Callable[[], Callable[[Buffer], Buffer]], ...] = (
    lambda: lambda data: data,
    lz4_packer,
    partial(lz4_packer, level=9),
    zstd_packer,
    partial(zstd_packer, level=10),
)
"""By the number of the compression."""

PACKET_EVENTS = 10_000
"""Events in a packet, as dv-processing writes them: 160 kB before compression."""
MOST = 1 << 15
"""Columns and rows are signed numbers of 16 bits."""
TABLE_PLACE = 54
"""Where the header says where the table is."""
TRIGGER = np.dtype([("back", "<i4"), ("t", "<i8"), ("source", "i1"), ("unused", "V3")])
MEASUREMENT = np.dtype([("back", "<i4"), ("t", "<i8"), ("values", "<f4", 10), ("unused", "V4")])
DEFINITION = np.dtype(
    [("back", "<i4"), ("id", "<i4"), ("size", "<i4"), ("place", "<i8"), ("count", "<i8"),
     ("start", "<i8"), ("stop", "<i8"), ("unused", "V4")]
)  # fmt: skip
FRAME = struct.Struct("<II4s6x15HiHbbhhI4q4xI")
"""Of a frame what comes before its pixels: prefix, root, letters, vtable, table, their number."""
PLACES = (30, 52, 16, 0, 0, 24, 32, 6, 8, 10, 0, 0, 12, 40, 7)
"""The vtable of a frame: times of its beginning and end, and its place on the sensor, are left out.
"""
FORMATS = {channels: format for format, channels in CHANNELS.items() if channels < 4}
FROM_SENSOR, FROM_EVENTS = 1, 2
BY_EDGE = {edge: source for source, edge in SOURCES.items()}


class Written(msgspec.Struct, frozen=True):
    """A packet that was written, for the table."""

    id: int
    size: int
    place: int
    count: int
    start: int
    stop: int


class Aedat4Encoder:
    """Events, triggers, inertial measurements and frames to AEDAT4 bytes: streams 0, 1, 2 and 3.

    Frames are of uint8, `(height, width)`, or with the mode `"intensity"` `(height, width, 3)`.
    `compression` is `"none"`, `"lz4"`, `"lz4_high"`, `"zstd"` or `"zstd_high"`. Events go into
    packets of 10,000. The place of the table is settled at the end, so the output must be a file.
    """

    def __init__(self, *, compression: Compression = "lz4") -> None:
        names: tuple[str, ...] = get_args(Compression)
        if compression not in names:
            raise ValueError(f"compression is one of {', '.join(names)}, not {compression!r}")
        self._compression = names.index(compression)
        self._name = compression.upper()
        self._packets: list[Written] = []
        self._place = 0  # bytes written; 0 before the header is
        self._pack = PACKERS[self._compression]()
        self._room = np.zeros(BODY + PACKET_EVENTS * EVENT.itemsize, np.uint8)
        self._held = 0  # of these, not yet a packet
        self._times: list[int] = []  # the first and the last of each part of these

    def feed(self, item: EventBatch | TriggerBatch | ImuBatch | Frame, /) -> Iterator[bytes]:
        """Give the packets that are full. Raises `EncodeError` for what does not fit."""
        if not isinstance(item, EventBatch | TriggerBatch | ImuBatch | Frame):
            raise EncodeError(
                "aedat4",
                f"holds events, triggers, IMU samples and frames, not {type(item).__name__}",
            )
        if not self._place:
            yield self._begin(item.sensor)
        if isinstance(item, EventBatch):
            _check(item)
            yield from self._take(item)
        elif isinstance(item, Frame):
            yield self._packet(3, _frame_packet(item), 1, [item.span.start])
        elif len(item):
            times = [int(item.t.min()), int(item.t.max())]
            if isinstance(item, TriggerBatch):
                yield self._packet(1, _trigger_packet(item), len(item), times)
            else:
                yield self._packet(2, _imu_packet(item), len(item), times)

    def flush(self) -> Iterator[bytes | Patch]:
        """Give the last packet and the table, and set its place in the header."""
        if not self._place:
            yield self._begin(Sensor())
        if self._held:
            yield self._event_packet()
        yield bytes(self._pack(_table(self._packets)))
        yield Patch(TABLE_PLACE, struct.pack("<q", self._place))

    def _begin(self, sensor: Sensor) -> bytes:
        streams = {
            0: StreamInfo(0, EVENTS, "events", sensor),
            1: StreamInfo(1, TRIGGERS, "triggers", sensor),
            2: StreamInfo(2, IMU, "imu", sensor),
            3: StreamInfo(3, FRAMES, "frames", sensor),
        }
        header = MAGIC + _header(self._compression, description(streams, self._name).encode())
        self._place = len(header)
        return header

    def _take(self, batch: EventBatch) -> Iterator[bytes]:
        """Take the events in; give the packets that they fill."""
        t, x, y, p = map(np.ascontiguousarray, (batch.t, batch.x, batch.y, batch.p))
        at = 0
        while at < len(t):
            part = slice(at, at + PACKET_EVENTS - self._held)
            room = self._room[BODY + EVENT.itemsize * self._held :]
            self._times += kernels.aedat4_encode(t[part], x[part], y[part], p[part], room)
            self._held += len(t[part])
            at = part.stop
            if self._held == PACKET_EVENTS:
                yield self._event_packet()

    def _event_packet(self) -> bytes:
        count, times = self._held, self._times
        self._held, self._times = 0, []
        size = count * EVENT.itemsize
        self._room[:BODY] = np.frombuffer(vector_head(EVENTS, count, size), np.uint8)
        return self._packet(0, self._room[: BODY + size].data, count, times)

    def _packet(self, id: int, content: Buffer, count: int, times: list[int]) -> bytes:
        data = self._pack(content)
        place = self._place + 8
        self._packets.append(Written(id, len(data), place, count, min(times), max(times)))
        self._place = place + len(data)
        return struct.pack("<ii", id, len(data)) + data


def _header(compression: int, text: bytes) -> bytes:
    """Return the header, its fields at the places where dv-processing has them."""
    text += bytes(4 - len(text) % 4)  # a zero ends a string
    vtable = struct.pack("<5H", 10, 20, 4, 12, 8)
    table = struct.pack("<iiIq", len(vtable), compression, 12, -1)
    body = struct.pack("<I4s6x", 24, b"IOHE") + vtable + table
    body += struct.pack("<I", len(text.rstrip(b"\0"))) + text
    return struct.pack("<I", len(body)) + body


def _check(batch: EventBatch) -> None:
    if len(batch) and max(batch.x.max(), batch.y.max()) >= MOST:
        at = int(np.argmax((batch.x >= MOST) | (batch.y >= MOST)))
        where = f"t={batch.t[at]}, x={batch.x[at]}, y={batch.y[at]}"
        raise EncodeError("aedat4", f"an event at {where} does not fit: 0 <= x, y < {MOST}")


def _trigger_packet(batch: TriggerBatch) -> bytes:
    edges = list(zip(batch.id.tolist(), batch.value.tolist(), strict=True))
    unknown = set(edges) - set(BY_EDGE)
    if unknown:
        id, value = min(unknown)
        raise EncodeError(
            "aedat4",
            f"a trigger of input {id} and value {value} does not fit: there are inputs 0 (signal), "
            "1 (pulse), 2 (generator), 3 (frame), 4 (exposure), 5 (reset); 1 and 5 only rise",
        )
    rows = np.zeros(len(batch), TRIGGER)
    rows["t"], rows["source"] = batch.t, [BY_EDGE[edge] for edge in edges]
    return tables(TRIGGERS, (4, 12), rows)


def _imu_packet(batch: ImuBatch) -> bytes:
    rows = np.zeros(len(batch), MEASUREMENT)
    rows["t"], rows["values"][:, 0] = batch.t, batch.temperature
    axes = (batch.accelerometer, batch.gyroscope, batch.magnetometer)
    rows["values"][:, 1:] = np.concatenate(axes, axis=1)
    return tables(IMU, (4, *range(12, 52, 4)), rows)


def _frame_packet(frame: Frame) -> bytes:
    pixels = _pixels(frame)
    height, width, channels = pixels.shape
    size = FRAME.size + pixels.size
    if size > MOST_BYTES:
        raise EncodeError("aedat4", f"a frame of {width}x{height} has over {MOST_BYTES} bytes")
    start, stop = frame.span.start, frame.span.stop
    source = FROM_SENSOR if frame.mode == "intensity" else FROM_EVENTS
    format, times = FORMATS[channels], (start, start, stop, stop - start)
    table = (30, 0, format, source, width, height, 40, *times)
    head = FRAME.pack(size - PREFIX, 44, FRAMES.encode(), *PLACES, *table, pixels.size)
    return head + pixels.tobytes()


def _pixels(frame: Frame) -> npt.NDArray[np.generic]:
    """Return `(height, width, channels)`, blue first. Raises `EncodeError` for other frames."""
    array, shape = frame.array, (*frame.shape, 1)[:3]
    known = frame.array.ndim == 2 or (frame.array.ndim == 3 and frame.mode == "intensity")
    fits = known and frame.axes == "yx" and array.dtype == np.uint8 and shape[2] in FORMATS
    if not fits or not (0 < shape[0] < MOST and 0 < shape[1] < MOST):
        what = f"{array.dtype}, shape {frame.shape}, axes {frame.axes!r}"
        raise EncodeError("aedat4", f"frames are uint8, (height, width) or RGB, not {what}")
    return array.reshape(shape)[:, :, ::-1]


def _table(packets: list[Written]) -> bytes:
    rows = np.zeros(len(packets), DEFINITION)
    for name in Written.__struct_fields__:
        rows[name] = [getattr(packet, name) for packet in packets]
    return tables("FTAB", (12, 4, 20, 28, 36), rows)
