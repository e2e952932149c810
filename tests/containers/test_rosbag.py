"""ROS 1 bags, as rosbags writes them, and damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import aevents
from aevents import DecodeError, Frame, ImuBatch, TriggerBatch, TruncatedError
from aevents.containers.rosbag import CODEC, fields
from aevents.testing import assert_same_events, check_codec, decode, example_events
from tests.containers import bags
from tests.recordings import ros_events, rosbag_connection, rosbag_message, rosbag_of, rosbag_record

BATCH = example_events(2_000)


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_chunks_may_be_packed(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "a.bag"
    bags.write_ros1(path, bags.arrays(BATCH), compression=compression, chunk=4_000)
    assert_same_events([aevents.load(path, strict=True)], [BATCH])


async def test_packets_and_other_kinds(tmp_path: Path) -> None:
    trigger = bags.packet_message(struct.pack("<Q", 3_000), "trigger", topic="/camera/triggers")
    path = bags.write_ros1(
        tmp_path / "a.bag", [bags.packet_message(bags.mono(BATCH), "mono"), trigger]
    )
    assert_same_events([await aevents.open(path).collect()], [BATCH])
    (triggers,) = await aevents.open(path, kind=TriggerBatch).to_list()
    assert (triggers.t.tolist(), triggers.sensor.name) == ([3], "/camera/triggers")
    assert await aevents.open(path, kind=Frame).to_list() == []
    assert await aevents.open(path, kind=ImuBatch).to_list() == []


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_a_bag_cut_short_gives_what_was_before(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "a.bag"
    bags.write_ros1(path, bags.arrays(BATCH, 20), compression=compression, chunk=4_000)
    data = path.read_bytes()
    last = 0
    for length in range(5_000, len(data), 997):
        path.write_bytes(data[:length])
        kept = aevents.load(path)
        assert_same_events([kept], [BATCH[: len(kept)]])
        assert last <= len(kept)
        last = len(kept)
        with pytest.raises(TruncatedError):
            aevents.load(path, strict=True)
    assert last == len(BATCH)


def test_an_index_that_lies_is_not_needed() -> None:
    data = rosbag_of(
        [
            rosbag_connection(1, b"/e", b"dvs_msgs/EventArray"),
            rosbag_message(1, ros_events((1, 2, 3, 1))),
        ],
        index=77,
    )
    decoder = CODEC.decoder()
    list(decoder.feed(data))
    assert decoder.locate(lambda at, size: data[at : at + size], len(data), 0) is None  # type: ignore[attr-defined]  # it has it


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (struct.pack("<I", 1 << 20), "a header of 1048580 bytes"),
        (rosbag_record(b"", op=b"\x01"), "a record of the unknown kind 1"),
        (rosbag_record(b"", conn=bytes(4)), "the field op is damaged, or not there"),
        (rosbag_record(b"", op=b"\7", topic=b"/e"), "the field conn is damaged, or not there"),
        (struct.pack("<II3sI", 7, 3, b"abc", 0), "a field of a header is damaged"),
        (struct.pack("<II3sI", 7, 9, b"a=c", 0), "a field of a header is damaged"),
        (struct.pack("<I2sI", 2, b"ab", 0), "a size is not whole"),
    ],
)
def test_what_is_no_record_ends_it(record: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=f"{reason} at byte"):
        decode(CODEC, [rosbag_of([]) + record])


def test_fields_have_names() -> None:
    packed = rosbag_record(b"", op=b"\7", topic=b"/a=b")[4:-4]
    assert fields(memoryview(packed)) == {b"op": b"\7", b"topic": b"/a=b"}


def test_the_laws(tmp_path: Path) -> None:
    path = bags.write_ros1(tmp_path / "a.bag", bags.arrays(BATCH[:60], 20), compression="bz2")
    data = path.read_bytes()
    check_codec(CODEC, recording=data[: data.index(b"op=\4") - 8], mutations=300)
