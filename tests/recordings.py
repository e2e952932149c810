"""Small recordings of our own making, in formats that we read and do not write."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aevents.codecs.compression import lz4_packer

DAVIS346 = b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n"
END = b"#End Of ASCII Header\r\n"
CAER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n"
SPECIAL, POLARITY, IMU6 = 0, 1, 3
CAMERA = b"% evt 3.0\n% format EVT3;height=480;width=640\n% end\n"

Integers = npt.NDArray[np.int64]


def davis(t: int, column: int, row: int, on: int) -> bytes:
    """Return the record of a DAVIS event in AEDAT 2.0, from the file's own column and row."""
    return struct.pack(">II", row << 22 | column << 12 | on << 11, t)


def caer(
    type: int,
    events: Iterable[tuple[int, int]],
    *,
    overflow: int = 0,
    number: int | None = None,
    size: int = 8,
) -> bytes:
    """Return a packet of AEDAT 3.1 with these words and times, of `size` bytes with zeros."""
    bodies = [struct.pack("<II", *event).ljust(size, b"\0") for event in events]
    number = len(bodies) if number is None else number
    head = struct.pack("<hhiiiiii", type, 1, size, 4, overflow, number, number, number)
    return head + b"".join(bodies)


IMU_PACKET = caer(IMU6, [(1, 210)], size=8) + struct.pack("<7f", 0, 0, 1, 2, 3, 4, 25)
IMU_PACKET = struct.pack("<hhi", IMU6, 1, 36) + IMU_PACKET[8:]
"""One measurement: 1 g down, rotations of 2, 3 and 4 degrees a second, 25 degrees."""
FRAME_PACKET = struct.pack("<hhiiiiii", 2, 1, 48, 8, 0, 1, 1, 1) + struct.pack(
    "<I8i6H", 1 | 1 << 1, 200, 230, 205, 225, 3, 2, 0, 0, *range(6)
)
"""A gray picture of three columns and two rows."""


def polarity(t: int, x: int, y: int, p: int, *, valid: int = 1) -> tuple[int, int]:
    """Return the word and the time of a polarity event in AEDAT 3.1."""
    return x << 17 | y << 2 | p << 1 | valid, t


def special(t: int, kind: int) -> tuple[int, int]:
    """Return the word and the time of a special event in AEDAT 3.1."""
    return kind << 1 | 1, t


def ros_events(*events: tuple[int, int, int, int]) -> bytes:
    """Return a `dvs_msgs/EventArray` of ROS 1, of 320x240, with events (t in µs, x, y, p)."""
    records = [
        struct.pack("<HHIIB", x, y, t // 1_000_000, t % 1_000_000 * 1_000, p)
        for t, x, y, p in events
    ]
    head = struct.pack("<IIII3sII", 0, 7, 0, 3, b"dvs", 240, 320)
    return head + struct.pack("<I", len(events)) + b"".join(records)


def rosbag_record(data: bytes, **header: bytes) -> bytes:
    """Return a record of a ROS 1 bag: its data, and the fields of its header."""
    fields = [name.encode() + b"=" + value for name, value in header.items()]
    packed = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return struct.pack("<I", len(packed)) + packed + struct.pack("<I", len(data)) + data


def rosbag_connection(number: int, topic: bytes, type: bytes) -> bytes:
    """Return the record of a connection."""
    about = rosbag_record(b"", type=type)[4:-4]
    return rosbag_record(about, op=b"\7", conn=struct.pack("<I", number), topic=topic)


def rosbag_message(number: int, data: bytes) -> bytes:
    """Return the record of a message on this connection."""
    return rosbag_record(data, op=b"\2", conn=struct.pack("<I", number), time=bytes(8))


def rosbag_of(*chunks: Sequence[bytes], pack: bool = False, index: int = 0) -> bytes:
    """Return a bag, without an index, whose chunks are made of these records."""
    bag = rosbag_record(b" " * 9, op=b"\3", index_pos=struct.pack("<Q", index))
    packing = b"lz4" if pack else b"none"
    whole = [b"".join(records) for records in chunks]
    packed = [lz4_packer()(data) if pack else data for data in whole]
    records = [rosbag_record(data, op=b"\5", compression=packing) for data in packed]
    return b"#ROSBAG V2.0\n" + bag + b"".join(records)


def mcap_record(op: int, data: bytes) -> bytes:
    """Return a record of MCAP."""
    return struct.pack("<BQ", op, len(data)) + data


def mcap_text(text: bytes) -> bytes:
    """Return a string as MCAP has it."""
    return struct.pack("<I", len(text)) + text


def mcap_channel(number: int, topic: bytes, type: bytes, encoding: bytes = b"ros1") -> bytes:
    """Return the records of a channel and of its schema, both of this number."""
    schema = struct.pack("<H", number) + mcap_text(type) + mcap_text(b"ros1msg") + mcap_text(b"")
    channel = struct.pack("<HH", number, number) + mcap_text(topic) + mcap_text(encoding)
    return mcap_record(3, schema) + mcap_record(4, channel + struct.pack("<I", 0))


def mcap_message(number: int, data: bytes) -> bytes:
    """Return the record of a message on this channel."""
    return mcap_record(5, struct.pack("<HIQQ", number, 0, 0, 0) + data)


def mcap_of(*chunks: Sequence[bytes], pack: bool = False, end: bool = True) -> bytes:
    """Return an MCAP file, without an index, whose chunks are made of these records."""
    data = b"\x89MCAP0\r\n" + mcap_record(1, mcap_text(b"ros1") + mcap_text(b""))
    for records in chunks:
        whole = b"".join(records)
        packed = lz4_packer()(whole) if pack else whole
        head = struct.pack("<QQQI", 0, 0, len(whole), 0) + mcap_text(b"lz4" if pack else b"")
        data += mcap_record(6, head + struct.pack("<Q", len(packed)) + packed)
    return data + (mcap_record(15, bytes(4)) if end else b"")


_ROS = [ros_events(*[(7 * i + k, i, k, i % 2) for i in range(8)]) for k in range(4)]
_ROSBAG = (
    rosbag_of(
        [rosbag_connection(1, b"/e", b"dvs_msgs/EventArray"), rosbag_message(1, _ROS[0])],
        [rosbag_message(1, _ROS[1]), rosbag_message(9, b"else"), rosbag_message(1, _ROS[2])],
    )
    + rosbag_of([rosbag_message(1, _ROS[3])], pack=True)[13:]
)
_MCAP = (
    mcap_of(
        [mcap_channel(1, b"/e", b"dvs_msgs/EventArray"), mcap_message(1, _ROS[0])],
        [mcap_message(1, _ROS[1]), mcap_message(9, b"else"), mcap_message(1, _ROS[2])],
        end=False,
    )
    + mcap_of([mcap_message(1, _ROS[3])], pack=True)[8:]
)
_AEDAT2 = DAVIS346 + END + b"".join(davis(7 * i, 5 * i, 3 * i, i % 2) for i in range(60))
_AEDAT3 = CAER + b"".join(
    (
        caer(SPECIAL, [special(3, 2)]),
        caer(POLARITY, [polarity(7 * i, 5 * i, 3 * i, i % 2) for i in range(30)]),
        IMU_PACKET,
        FRAME_PACKET,
        caer(POLARITY, []),
        caer(POLARITY, [polarity(7 * i, 5 * i, 3 * i, i % 2) for i in range(30)], overflow=1),
    )
)

_AER = struct.pack("<60I", *((i % 2) << 18 | 5 * i << 9 | 3 * i for i in range(60)))

MADE: Mapping[str, bytes] = {
    "aedat2": _AEDAT2,
    "aedat3": _AEDAT3,
    "aer": _AER,
    "rosbag": _ROSBAG,
    "mcap": _MCAP,
}
"""A recording by the name of its format."""


def camera_evt3(t: Integers, x: Integers, y: Integers, p: Integers) -> bytes:
    """Return EVT3 as a camera writes it: TIME_HIGH every 16 µs, and for each event its time, its
    row and its column. The times (µs) are in order.
    """
    ticks = np.arange(t[0] // 16, t[-1] // 16 + 1) * 16
    words = [ticks >> 12 & 0xFFF | 0x8000, t & 0xFFF | 0x6000, y, x | p << 11 | 0x2000]
    times = np.concatenate([ticks, t, t, t])
    ranks = np.repeat(np.arange(4), [len(one) for one in words])
    number = np.concatenate([np.zeros_like(ticks), *[np.arange(len(t))] * 3])
    order = np.lexsort((ranks, number, ranks > 0, times))
    return CAMERA + np.concatenate(words)[order].astype("<u2").tobytes()
