"""The run of a decoder of bags, on ROS 1 bags written record by record."""

from __future__ import annotations

import bz2
import random
import struct

import pytest

from aevents import DecodeError, EventBatch, TruncatedError
from aevents.containers.bag import Level
from aevents.containers.rosbag import RosbagDecoder
from aevents.testing import assert_same_events
from tests.recordings import (
    ros_events,
    rosbag_connection,
    rosbag_message,
    rosbag_of,
    rosbag_record,
)

EVENTS = [[(100 * k + i, i, k, i % 2) for i in range(20)] for k in range(6)]
CONNECTION = rosbag_connection(1, b"/e", b"dvs_msgs/EventArray")
MESSAGES = [rosbag_message(1, ros_events(*events)) for events in EVENTS]


def joined(count: int, first: int = 0) -> EventBatch:
    columns = zip(*(one for events in EVENTS[first:count] for one in events), strict=True)
    t, x, y, p = columns
    return EventBatch.from_columns(t=t, x=x, y=y, p=p)


def read(
    data: bytes, *, strict: bool = False, cut: int = 1 << 20
) -> tuple[list[object], RosbagDecoder]:
    decoder = RosbagDecoder(strict=strict)
    chunks = [data[at : at + cut] for at in range(0, len(data), cut)]
    items: list[object] = [item for chunk in chunks for item in decoder.feed(chunk)]
    return items + list(decoder.flush()), decoder


def test_bytes_are_held_until_they_suffice() -> None:
    level = Level()
    assert bytes(level.join(b"abc")) == b"abc"
    level.keep(memoryview(b"c"), 4)
    assert bytes(level.join(b"d")) == b""
    assert level.held == 2
    assert bytes(level.join(b"efg")) == b"cdefg"
    assert level.held == 0


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("cut", [1, 13, 1 << 20])
def test_chunks_are_read_however_they_are_cut(pack: bool, cut: int) -> None:
    data = rosbag_of([CONNECTION, *MESSAGES[:2]], MESSAGES[2:], pack=pack, index=1)
    items, decoder = read(data, cut=cut)
    assert_same_events(items, [joined(6)])
    assert dict(decoder.counts) == {}


@pytest.mark.parametrize("pack", [False, True])
def test_a_bag_without_an_index_is_read_and_counted(pack: bool) -> None:
    data = rosbag_of([CONNECTION, *MESSAGES], pack=pack)
    items, decoder = read(data)
    assert_same_events(items, [joined(6)])
    assert dict(decoder.counts) == {"unfinished": 1}
    with pytest.raises(TruncatedError, match="its writer was interrupted"):
        read(data, strict=True)


def test_nothing_is_lost_before_a_cut() -> None:
    data = rosbag_of([CONNECTION, *MESSAGES])
    ends = [data.index(message) + len(message) for message in MESSAGES]
    for length in range(data.index(MESSAGES[0]), len(data)):
        items, decoder = read(data[:length])
        whole = sum(end <= length for end in ends)
        assert sum(len(item) for item in items if isinstance(item, EventBatch)) == 20 * whole
        assert decoder.counts.get("torn_bytes", 0) + decoder.counts.get("unfinished", 0) > 0


def test_a_cut_chunk_that_is_packed_is_read_as_far_as_it_goes() -> None:
    noise = rosbag_message(9, random.Random(0).randbytes(200_000))
    data = rosbag_of([CONNECTION, MESSAGES[0], noise, noise], pack=True)
    items, _ = read(data[:-3_000])
    assert_same_events(items, [joined(1)])


@pytest.mark.parametrize(
    "damaged",
    [
        rosbag_record(b"no LZ4 at all", op=b"\5", compression=b"lz4"),
        rosbag_record(b"no records", op=b"\5", compression=b"none"),
        rosbag_record(MESSAGES[5][:-5], op=b"\5", compression=b"none"),
        rosbag_record(rosbag_of([CONNECTION])[13:], op=b"\5", compression=b"none"),
    ],
)
def test_a_damaged_chunk_is_skipped_and_counted(damaged: bytes) -> None:
    healthy = rosbag_of([CONNECTION, *MESSAGES[:3]], index=1)
    data = healthy + damaged + rosbag_of(MESSAGES[3:])[13:].split(b"    ", 1)[1].lstrip(b" ")
    items, decoder = read(data)
    assert_same_events(items, [joined(6)])
    assert decoder.counts["bad_chunks"] == 1
    assert decoder.damage[0].what == "bad_chunks"
    assert len(healthy) <= decoder.damage[0].offset <= len(healthy) + len(damaged)
    with pytest.raises(DecodeError, match="a chunk is damaged"):
        read(data, strict=True)


@pytest.mark.parametrize("missing", [0, 1])
def test_with_nothing_near_a_bag_is_read_from_the_start(missing: int) -> None:
    start = rosbag_of([CONNECTION, rosbag_message(9, bytes(17 << 20))], index=1)
    chunk, index = struct.pack("<Q", len(rosbag_of())), struct.pack("<Q", len(start))
    info = rosbag_record(b"", op=b"\6", chunk_pos=chunk, start_time=bytes(8))
    data = start.replace(b"\1" + bytes(7), index, 1) + CONNECTION + info
    data = data[: len(data) - missing]
    decoder = RosbagDecoder()
    list(decoder.feed(data[:4_000]))
    assert decoder.locate(lambda at, size: data[at : at + size], len(data), 5) is None


def test_a_bag_without_an_index_is_not_sought_in() -> None:
    data = rosbag_of([CONNECTION, *MESSAGES])
    decoder = RosbagDecoder()
    list(decoder.feed(data))
    assert decoder.locate(lambda at, size: data[at : at + size], len(data), 5) is None


def test_an_empty_chunk_is_nothing() -> None:
    data = rosbag_of([], [CONNECTION, *MESSAGES], index=1)
    assert_same_events(read(data)[0], [joined(6)])


def test_compression_that_is_not_known_ends_it() -> None:
    data = rosbag_of([CONNECTION]) + rosbag_record(b"x", op=b"\5", compression=b"zip")
    with pytest.raises(DecodeError, match=r"compression '\?' is not known at byte"):
        read(data)


def test_a_record_that_is_too_large_ends_it_before_it_is_there() -> None:
    header = rosbag_record(b"", op=b"\7", conn=bytes(4), topic=b"/e")[:-4]
    with pytest.raises(DecodeError, match=r"a record of 4294967\d+ bytes is too large at byte"):
        read(rosbag_of([CONNECTION]) + header + b"\xff\xff\xff\xff")


def test_what_is_not_wanted_is_skipped_at_any_size() -> None:
    header = rosbag_record(b"", op=b"\2", conn=b"\7\0\0\0", time=bytes(8))[:-4]
    items, decoder = read(
        rosbag_of([CONNECTION, *MESSAGES]) + header + b"\xff\xff\xff\xff" + bytes(99)
    )
    assert_same_events(items, [joined(6)])
    assert dict(decoder.counts) == {"unfinished": 1}


@pytest.mark.parametrize("data", [b"", b"#ROSBAG V", b"#ROSBAG V1.2\n and more"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="the first bytes are"):
        read(data)


def test_a_chunk_of_very_much_is_refused() -> None:
    skipped = rosbag_record(bytes(1 << 20), op=b"\4") * 300
    packed = bz2.compress(skipped)
    assert len(packed) < 5_000
    data = rosbag_of([CONNECTION, *MESSAGES], index=1)
    items, decoder = read(data + rosbag_record(packed, op=b"\5", compression=b"bz2"))
    assert_same_events(items, [joined(6)])
    assert dict(decoder.counts) == {"bad_chunks": 1}
