"""Bags for tests, written by the libraries of others: rosbags and mcap."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Ros2Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from aevents import EventBatch

ARRAY = "std_msgs/Header header\nuint32 height\nuint32 width\nEvent[] events\n"
PACKET = """std_msgs/Header header
uint32 height
uint32 width
uint64 seq
uint64 time_base
string encoding
bool is_bigendian
uint8[] events
"""
TYPES = {
    "dvs_msgs/msg/Event": "uint16 x\nuint16 y\ntime ts\nbool polarity\n",
    "dvs_msgs/msg/EventArray": ARRAY,
    "prophesee_event_msgs/msg/Event": "uint16 x\nuint16 y\ntime ts\nbool polarity\n",
    "prophesee_event_msgs/msg/EventArray": ARRAY,
    "event_camera_msgs/msg/EventPacket": PACKET,
}
SIZE = {"height": 240, "width": 320}


class Message(NamedTuple):
    """What is said when on which topic: `fields` make a message of this type."""

    topic: str
    type: str
    fields: dict[str, Any]
    time_ns: int = 1_000


@cache
def store(cdr: bool) -> Any:  # noqa: ANN401 - types are made when they run
    types = get_typestore(Stores.ROS2_HUMBLE if cdr else Stores.ROS1_NOETIC)
    for name, text in TYPES.items():
        time = "builtin_interfaces/Time ts" if cdr else "time ts"
        types.register(get_types_from_msg(text.replace("time ts", time), name))
    return types


def serialised(message: Message, *, cdr: bool) -> bytes:
    types = store(cdr)
    built = built_of(types, message.type, message.fields, cdr)
    serialise = types.serialize_cdr if cdr else types.serialize_ros1
    return bytes(serialise(built, message.type))


def built_of(types: Any, type: str, fields: dict[str, Any], cdr: bool) -> object:  # noqa: ANN401
    stamp = fields.get("stamp", (0, 0))
    time = types.types["builtin_interfaces/msg/Time"](*stamp)
    number = {} if cdr else {"seq": 3}
    header = types.types["std_msgs/msg/Header"](**number, stamp=time, frame_id="camera")
    rest = {name: value for name, value in fields.items() if name != "stamp"}
    if "events" in rest and isinstance(rest["events"], EventBatch):
        one = types.types[type.replace("EventArray", "Event")]
        clock = types.types["builtin_interfaces/msg/Time"]
        rest["events"] = [
            one(x, y, clock(t // 1_000_000, t % 1_000_000 * 1_000), p)
            for t, x, y, p in rest["events"]
        ]
    return types.types[type](header=header, **rest)


def array_message(
    batch: EventBatch, *, topic: str = "/dvs/events", package: str = "dvs_msgs"
) -> Message:
    fields = {**SIZE, "events": batch}
    return Message(topic, f"{package}/msg/EventArray", fields, int(batch.span.start) * 1_000)


def packet_message(
    data: bytes, encoding: str, *, base_ns: int = 0, topic: str = "/camera/events", time_ns: int = 1
) -> Message:
    fields = {
        **SIZE,
        "seq": 1,
        "time_base": base_ns,
        "encoding": encoding,
        "is_bigendian": False,
        "events": np.frombuffer(data, np.uint8),
    }
    return Message(topic, "event_camera_msgs/msg/EventPacket", fields, time_ns)


def parts_of(batch: EventBatch, size: int) -> list[EventBatch]:
    return [batch[at : at + size] for at in range(0, len(batch), size)]


def arrays(batch: EventBatch, size: int = 100, **options: str) -> list[Message]:
    return [array_message(part, **options) for part in parts_of(batch, size)]


def mono(batch: EventBatch) -> bytes:
    """Return the events as words of the encoding mono, their base 0."""
    dt = batch.t.astype(np.uint64) * np.uint64(1_000)
    x, y, p = (column.astype(np.uint64) for column in (batch.x, batch.y, batch.p))
    words = dt | x << np.uint64(32) | y << np.uint64(48) | p << np.uint64(63)
    return bytes(words.astype("<u8").tobytes())


def write_ros1(
    path: Path, messages: Iterable[Message], *, compression: str = "none", chunk: int = 1 << 16
) -> Path:
    writer = Ros1Writer(path)
    if compression != "none":
        writer.set_compression(Ros1Writer.CompressionFormat[compression.upper()])
    writer.chunk_threshold = chunk
    with writer:
        connections: dict[str, Any] = {}
        for one in messages:
            if one.topic not in connections:
                added = writer.add_connection(one.topic, one.type, typestore=store(False))
                connections[one.topic] = added
            writer.write(connections[one.topic], one.time_ns, serialised(one, cdr=False))
    return path


def write_ros2(
    path: Path,
    messages: Iterable[Message],
    *,
    storage: StoragePlugin = StoragePlugin.SQLITE3,
    packed: str = "none",
) -> Path:
    writer = Ros2Writer(path, version=9, storage_plugin=storage)
    if packed != "none":
        writer.set_compression(CompressionMode[packed.upper()], CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for one in messages:
            if one.topic not in connections:
                added = writer.add_connection(one.topic, one.type, typestore=store(True))
                connections[one.topic] = added
            writer.write(connections[one.topic], one.time_ns, serialised(one, cdr=True))
    return path


def mcap_of(
    messages: Sequence[Message],
    *,
    compression: str = "zstd",
    chunk: int = 1 << 16,
    encoding: str = "cdr",
    chunked: bool = True,
) -> bytes:
    file = io.BytesIO()
    packing = CompressionType[compression.upper()]
    writer = McapWriter(file, chunk_size=chunk, compression=packing, use_chunking=chunked)
    writer.start("ros2" if encoding == "cdr" else "ros1")
    channels: dict[str, int] = {}
    for one in messages:
        if one.topic not in channels:
            name = one.type if encoding == "cdr" else one.type.replace("/msg/", "/")
            schema = writer.register_schema(name, "ros2msg", b"")
            channels[one.topic] = writer.register_channel(one.topic, encoding, schema)
        data = serialised(one, cdr=encoding == "cdr")
        writer.add_message(channels[one.topic], one.time_ns, data, one.time_ns)
    writer.finish()  # type: ignore[no-untyped-call]  # the package says nothing of it
    return file.getvalue()
