"""MCAP, as its own library writes it, and damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import aevents
from aevents import DecodeError, TruncatedError
from aevents.containers.mcap import CODEC, MAGIC
from aevents.testing import assert_same_events, check_codec, decode, example_events
from tests.containers import bags
from tests.recordings import mcap_channel, mcap_message, mcap_of, mcap_record, ros_events

BATCH = example_events(2_000)
EVENT = ros_events((1, 2, 3, 1))
CHANNEL = mcap_channel(1, b"/e", b"dvs_msgs/EventArray")


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
@pytest.mark.parametrize("encoding", ["cdr", "ros1"])
@pytest.mark.parametrize("chunked", [True, False])
def test_chunks_may_be_packed(
    compression: str, encoding: str, chunked: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(
        bags.mcap_of(
            bags.arrays(BATCH),
            compression=compression,
            encoding=encoding,
            chunked=chunked,
            chunk=4_000,
        )
    )
    assert_same_events([aevents.load(path, strict=True)], [BATCH])


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_a_file_cut_short_gives_what_was_before(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    data = bags.mcap_of(bags.arrays(BATCH, 20), compression=compression, chunk=4_000)
    end = data.index(struct.pack("<BQ", 15, 4))
    last = 0
    for length in range(1_000, end, 997):
        path.write_bytes(data[:length])
        kept = aevents.load(path)
        assert_same_events([kept], [BATCH[: len(kept)]])
        assert last <= len(kept)
        last = len(kept)
        with pytest.raises(TruncatedError):
            aevents.load(path, strict=True)
    assert last > len(BATCH) - 500


def test_channels_of_other_encodings_are_skipped() -> None:
    other = mcap_channel(2, b"/j", b"dvs_msgs/EventArray", b"json")
    items = decode(
        CODEC, [mcap_of([CHANNEL, other, mcap_message(2, b"{}"), mcap_message(1, EVENT)])]
    )
    assert [len(item) for item in items if isinstance(item, aevents.EventBatch)] == [1]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (mcap_record(0, bytes(9)), "a record of kind 0 and 9 bytes"),
        (mcap_record(5, bytes(9)), "a record of kind 5 and 9 bytes"),
        (mcap_record(6, bytes(31)), "a record of kind 6 and 31 bytes"),
        (mcap_record(3, b"\1\0" + struct.pack("<I", 99)), "a name in a record is not whole"),
        (mcap_record(4, b"\1\0\1\0" + struct.pack("<I", 2**32 - 1)), "a name in a record is not"),
        (struct.pack("<BQ", 3, 1 << 40), "a record of 1099511627785 bytes is too large"),
        (mcap_record(6, bytes(28) + struct.pack("<I", 3) + b"rar" + bytes(8)), "compression 'rar'"),
    ],
)
def test_what_is_no_record_ends_it(record: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=f"{reason}.* at byte"):
        decode(CODEC, [mcap_of([], end=False) + record])


def test_a_chunk_in_a_chunk_is_damage() -> None:
    inner = mcap_of([CHANNEL], end=False)[len(MAGIC) :]
    decoder = CODEC.decoder()
    items = list(decoder.feed(mcap_of([inner], [CHANNEL, mcap_message(1, EVENT)])))
    assert len(items) == 1
    assert dict(decoder.counts) == {"bad_chunks": 1}


@pytest.mark.parametrize(
    "end",
    [
        b"",
        MAGIC,
        mcap_record(2, struct.pack("<QQI", 0, 0, 0)) + MAGIC,
        mcap_record(2, struct.pack("<QQI", 1 << 40, 0, 0)) + MAGIC,
        mcap_record(2, struct.pack("<QQI", 60, 0, 0)) + MAGIC,
        mcap_record(7, struct.pack("<QQI", 60, 0, 0)) + MAGIC,
    ],
)
def test_an_index_that_is_none_is_not_used(end: bytes) -> None:
    data = mcap_of([CHANNEL, mcap_message(1, EVENT)]) + end
    decoder = CODEC.decoder()
    list(decoder.feed(data))
    assert decoder.locate(lambda at, size: data[at : at + size], len(data), 0) is None  # type: ignore[attr-defined]  # it has it


def test_the_laws() -> None:
    data = bags.mcap_of(bags.arrays(BATCH[:60], 20), chunk=1_000)
    check_codec(CODEC, recording=data[: data.index(struct.pack("<BQ", 15, 4))], mutations=300)
