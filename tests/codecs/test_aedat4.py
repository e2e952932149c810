"""AEDAT4: packets and what they say; damaged and hostile files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest

import aevents
from aevents import (
    DecodeError,
    Event,
    EventBatch,
    Frame,
    ImuBatch,
    Sensor,
    Span,
    TimeOrderError,
    TriggerBatch,
    TruncatedError,
)
from aevents.codecs.aedat4 import CODEC, Aedat4Decoder
from aevents.codecs.aedat4_write import Aedat4Encoder, Compression
from aevents.codecs.compression import lz4_packer, zstd_packer
from aevents.testing import check_codec, decode, encode, example_events

MAGIC = b"#!AER-DAT4.0\r\n"
ON = b"\x05\x00\x00\x00\x00\x00\x00\x00\x06\x00\x07\x00\x01\x00\x00\x00"  # t=5, x=6, y=7
OFF = b"\x09\x00\x00\x00\x00\x00\x00\x00\x08\x00\x09\x00\x00\x00\x00\x00"  # t=9, x=8, y=9
DAVIS, SMALL = Sensor(346, 260, "DAVIS"), Sensor(8, 9, "small")


def stream(id: int, kind: str, name: str, sensor: Sensor) -> str:
    return (
        f'<node name="{id}"><attr key="originalOutputName">{name}</attr>'
        f'<attr key="typeIdentifier">{kind}</attr><node name="info">'
        f'<attr key="sizeX">{sensor.width}</attr><attr key="sizeY">{sensor.height}</attr>'
        f'<attr key="source">{sensor.name}</attr></node></node>'
    )


XML = (
    '<dv version="2.0"><node name="outInfo">'
    + stream(0, "EVTS", "events", DAVIS)
    + stream(1, "TRIG", "triggers", DAVIS)
    + stream(2, "EVTS", "left", SMALL)
    + stream(3, "BBXS", "boxes", DAVIS)
    + "</node></dv>"
)


def header(*, compression: int = 0, table: int = -1, xml: str = XML) -> bytes:
    vtable = struct.pack("<5H", 10, 20, 4, 12, 8)
    body = struct.pack("<I4s6x", 24, b"IOHE") + vtable
    body += struct.pack("<iiIq", 10, compression, 12, table)
    body += struct.pack("<I", len(xml)) + xml.encode() + b"\0"
    return MAGIC + struct.pack("<I", len(body)) + body


def buffer(kind: bytes, count: int, elements: bytes) -> bytes:
    head = b"\x10\x00\x00\x00" + kind + b"\x00\x00\x06\x00\x08\x00\x04\x00"
    head += b"\x06\x00\x00\x00\x04\x00\x00\x00" + struct.pack("<I", count) + elements
    return struct.pack("<I", len(head)) + head


def packet(id: int, data: bytes) -> bytes:
    return struct.pack("<ii", id, len(data)) + data


def events_packet(id: int, *records: bytes) -> bytes:
    return packet(id, buffer(b"EVTS", len(records), b"".join(records)))


def trigger_packet(id: int) -> bytes:
    tables = b"\x0c\x00\x00\x00" + struct.pack("<4H", 8, 16, 8, 4)  # at t=7, a rising signal
    tables += struct.pack("<ibxxxq", 8, 1, 7)
    return packet(id, buffer(b"TRIG", 1, tables))


def batches(data: bytes, **options: object) -> list[EventBatch]:
    return [one for one in decode(CODEC, [data], **options) if isinstance(one, EventBatch)]


def events(data: bytes, **options: object) -> list[Event]:
    return [event for batch in batches(data, **options) for event in batch]


def counted(data: bytes) -> dict[str, int]:
    decoder = Aedat4Decoder()
    list(decoder.feed(data))
    list(decoder.flush())
    return decoder.counts


def test_a_packet_of_events() -> None:
    (batch,) = batches(header() + events_packet(0, ON, OFF))
    assert list(batch) == [Event(5, 6, 7, True), Event(9, 8, 9, False)]
    assert (batch.sensor, batch.span) == (DAVIS, Span(5, 9))
    assert not batch.x.flags.writeable


@pytest.mark.parametrize(
    ("compression", "pack"),
    [
        (0, bytes),
        (1, lz4_packer()),
        (2, lz4_packer(level=9)),
        (3, zstd_packer()),
        (4, zstd_packer(level=10)),
    ],
)
def test_packets_are_compressed_each_by_itself(
    compression: int, pack: Callable[[bytes], bytes]
) -> None:
    data = pack(buffer(b"EVTS", 1, ON))
    file = header(compression=compression) + packet(0, data) + packet(0, data)
    assert events(file, strict=True) == [Event(5, 6, 7, True)] * 2


def test_events_of_two_sensors_carry_their_own() -> None:
    data = header() + events_packet(0, OFF) + events_packet(2, ON) + events_packet(0, OFF)
    decoder = Aedat4Decoder()
    items = (*decoder.feed(data), *decoder.flush())
    found = [item for item in items if isinstance(item, EventBatch)]
    assert [(item.sensor, item.span) for item in found] == [
        (DAVIS, Span(9, 9)),
        (SMALL, Span(5, 5)),
        (DAVIS, Span(9, 9)),
    ]
    assert decoder.counts == {}  # each has its own time


def test_a_size_given_by_hand_holds_for_all() -> None:
    data = header() + events_packet(0, ON) + events_packet(2, OFF)
    assert {one.sensor for one in batches(data, sensor=Sensor(99, 99))} == {Sensor(99, 99)}
    assert batches(header(), sensor=Sensor(99, 99))[0].sensor == Sensor(99, 99)


MIXED = header() + events_packet(0, ON) + trigger_packet(1) + events_packet(2, OFF)


@pytest.mark.parametrize(
    ("wanted", "kinds", "times"),
    [
        (None, [EventBatch, TriggerBatch, EventBatch], [5, 9]),
        (0, [EventBatch], [5]),
        ("0", [EventBatch], [5]),
        ("events", [EventBatch], [5]),
        ("left", [EventBatch], [9]),
        (1, [TriggerBatch, EventBatch], []),  # the last is empty: there were no events
    ],
)
def test_a_stream_is_picked_by_number_or_name(
    wanted: int | str | None, kinds: Sequence[type], times: Sequence[int]
) -> None:
    items = decode(CODEC, [MIXED], stream=wanted)
    assert [type(item) for item in items] == kinds
    found = [item for item in items if isinstance(item, EventBatch)]
    assert [t for item in found for t in item.t.tolist()] == times


def test_a_stream_that_is_not_there_is_refused() -> None:
    message = r"no stream 'right'; the file has 0 \(events\), 1 \(triggers\), 2 \(left\), 3 \(boxes"
    with pytest.raises(DecodeError, match=message):
        decode(CODEC, [MIXED], stream="right")
    with pytest.raises(DecodeError, match="the file has none"):
        decode(CODEC, [header(xml="<dv/>")], stream=0)


def test_triggers_are_their_own_kind() -> None:
    triggers, _ = decode(CODEC, [header() + trigger_packet(1)])
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t.tolist(), triggers.id.tolist()) == ([7], [0])
    assert (triggers.value.tolist(), triggers.sensor) == ([True], DAVIS)


def test_a_stream_that_is_not_described_is_known_by_its_packets() -> None:
    (batch,) = batches(header() + events_packet(77, ON), strict=True)
    assert (list(batch), batch.sensor) == ([Event(5, 6, 7, True)], Sensor())


def test_streams_of_other_things_are_skipped() -> None:
    assert events(
        header() + packet(3, buffer(b"BBXS", 0, b"")) + events_packet(0, ON), strict=True
    ) == [Event(5, 6, 7, True)]


def test_an_empty_batch_tells_the_sensor() -> None:
    (batch,) = batches(header())
    assert (len(batch), batch.sensor) == (0, DAVIS)
    (batch,) = batches(header(xml="<dv/>"))
    assert (len(batch), batch.sensor) == (0, Sensor())
    assert [len(one) for one in batches(header() + events_packet(0))] == [0]


@pytest.mark.parametrize("table", [b"", b"x", b"a table of whatever sort"])
def test_the_table_is_skipped_even_if_it_is_torn(table: bytes) -> None:
    body = events_packet(0, ON)
    data = header(table=len(header()) + len(body)) + body + table
    for chunks in ([data], [data[i : i + 1] for i in range(len(data))]):
        found = decode(CODEC, chunks, strict=True)
        assert [event for one in found if isinstance(one, EventBatch) for event in one] == [
            Event(5, 6, 7, True)
        ]


def test_a_place_of_the_table_within_a_packet_is_not_believed() -> None:
    body = events_packet(0, ON) + events_packet(0, OFF)
    data = header(table=len(header()) + 5) + body
    assert [event.t for event in events(data, strict=True)] == [5, 9]


def test_a_torn_packet_is_counted() -> None:
    data = header() + events_packet(0, ON) + events_packet(0, OFF)[:-1]
    assert events(data) == [Event(5, 6, 7, True)]
    assert counted(data) == {"torn_bytes": 55}
    with pytest.raises(TruncatedError, match="the last 55 bytes"):
        events(data, strict=True)


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (packet(0, buffer(b"TRIG", 0, b"")), "it holds 'TRIG'"),
        (packet(0, buffer(b"EVTS", 2, b"")), "2 events in 32 bytes"),
        (packet(0, buffer(b"EVTS", 0xFFFFFFFF, b"")), "4294967295 events"),
        (packet(1, buffer(b"TRIG", 1, b"\xff" * 12)), "a reference"),
        (packet(99, buffer(b"IMUS", 1, b"\xff" * 12)), "a reference"),
        (packet(99, buffer(b"FRME", 1, bytes(12))), "a frame of 0x0"),
    ],
)
def test_a_damaged_packet_is_counted_and_the_next_is_read(damaged: bytes, message: str) -> None:
    data = header() + damaged + events_packet(0, ON)
    assert events(data) == [Event(5, 6, 7, True)]
    assert counted(data) == {"bad_packets": 1}
    with pytest.raises(DecodeError, match=f"stream .* cannot be read: .*{message}"):
        events(data, strict=True)


@pytest.mark.parametrize(
    "junk",
    [packet(0, b""), packet(0, b"\xff\0\0\0"), packet(0, buffer(b"WXYZ", 0, b"")), b"x"],
)
def test_bytes_that_are_no_packet_are_counted_and_the_next_is_read(junk: bytes) -> None:
    data = header() + events_packet(0, ON) + junk + events_packet(0, OFF)
    assert [event.t for event in events(data)] == [5, 9]
    assert counted(data) == {"lost_bytes": len(junk)}


@pytest.mark.parametrize(("compression", "pack"), [(1, lz4_packer()), (3, zstd_packer())])
def test_a_packet_that_would_unpack_to_gigabytes_is_not(
    compression: int, pack: Callable[[bytes], bytes]
) -> None:
    data = header(compression=compression) + packet(0, pack(bytes(1 << 27)))
    assert counted(data) == {"bad_packets": 1}


@pytest.mark.parametrize("size", [-1, (16 << 20) + 1, 0x7FFFFFFF])
def test_packets_of_impossible_sizes_are_passed_over(size: int) -> None:
    data = header() + struct.pack("<ii", 0, size) + b"xyz" + events_packet(0, ON)
    assert events(data) == [Event(5, 6, 7, True)]
    assert counted(data) == {"lost_bytes": 11}
    with pytest.raises(DecodeError, match=f"lost bytes at byte {len(header())}"):
        events(data, strict=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the header is not whole"),
        (b"#!AER", "the header is not whole at byte 5"),
        (b"#!AER-DAT3.1\r\n", "the first bytes are not #!AER-DAT4.0"),
        (header()[:-1], "the header is not whole"),
        (MAGIC + b"\x01\x00\x10\x00", "a header of 1048577 bytes is too large"),
        (MAGIC + b"\x04\x00\x00\x00\xff\x00\x00\x00", "cannot be read: a reference to byte 255"),
        (header(compression=5), "cannot be read: compression 5 is not known"),
        (header(compression=-1), "cannot be read: compression -1 is not known"),
        (header(xml="<dv>"), "cannot be read: the description is no XML"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        events(data)


def test_time_that_goes_back_and_events_off_the_sensor_are_counted() -> None:
    data = header() + events_packet(2, OFF, ON)
    assert counted(data) == {"backward_jumps": 1, "off_sensor": 1}
    with pytest.raises(TimeOrderError):
        events(data, strict=True)


def test_large_packets_come_in_slabs() -> None:
    data = header() + events_packet(0, *[ON] * 130_000)
    assert [len(batch) for batch in batches(data)] == [61_440, 61_440, 7_120]


def test_files_are_recognised_by_their_first_bytes() -> None:
    assert CODEC.matches is not None
    assert CODEC.matches(header())
    assert not CODEC.matches(b"#!AER-DAT3.1\r\n")


def test_all_kinds_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "mixed.aedat4").write_bytes(MIXED)
    assert aevents.load(tmp_path / "mixed.aedat4").t.tolist() == [5, 9]
    assert aevents.load(tmp_path / "mixed.aedat4", stream="left").t.tolist() == [9]
    found = {
        kind: sum(1 for _ in aevents.open(tmp_path / "mixed.aedat4", kind=kind).blocking())
        for kind in (EventBatch, TriggerBatch, ImuBatch, Frame)
    }
    assert found == {EventBatch: 2, TriggerBatch: 1, ImuBatch: 0, Frame: 0}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_the_laws(compression: Compression) -> None:
    codec = msgspec.structs.replace(CODEC, encoder=partial(Aedat4Encoder, compression=compression))
    check_codec(codec, batch=example_events(60), mutations=1_500)


def test_damaged_files_of_all_kinds_give_items_or_are_refused() -> None:
    random = np.random.default_rng(1)
    whole = MIXED + trigger_packet(1) * 3
    refused = 0
    for _ in range(2_000):
        bent = bytearray(whole)
        for place in random.integers(len(header()), len(bent), 3):
            bent[place] = random.integers(0, 256)
        try:
            items = decode(CODEC, [bytes(bent)])
        except DecodeError:
            refused += 1
            continue
        assert {type(item) for item in items} <= {EventBatch, TriggerBatch, ImuBatch, Frame}
    assert refused < 1_000


def test_a_recording_of_dv_holds_inertial_measurements(recordings: Path) -> None:
    file = recordings / "tonic_sample.aedat4"
    found = list(aevents.open(file, kind=ImuBatch).blocking())
    assert sum(map(len, found)) == 475
    first = found[0]
    assert first.sensor == Sensor(320, 240, "DVXplorer_DXB00010")
    assert first.t[:2].tolist() == [1_605_537_493_718_788, 1_605_537_493_720_030]
    assert 35 < first.temperature[0] < 40
    assert np.abs(np.linalg.norm(first.accelerometer, axis=1) - 1).max() < 0.2  # of g


@pytest.mark.parametrize("size", [997, 65_537])
def test_a_recording_is_the_same_however_it_is_cut(recordings: Path, size: int) -> None:
    data = (recordings / "tonic_sample.aedat4").read_bytes()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    cut = [one for one in decode(CODEC, chunks, strict=True) if isinstance(one, EventBatch)]
    whole, again = EventBatch.concat(batches(data)), EventBatch.concat(cut)
    assert len(whole) == 111_954
    for name in "txyp":
        np.testing.assert_array_equal(getattr(whole, name), getattr(again, name))


def test_what_is_written_of_a_recording_is_what_was_read(recordings: Path) -> None:
    batch = aevents.load(recordings / "tonic_sample.aedat4")
    again = EventBatch.concat(batches(encode(Aedat4Encoder(), [batch]), strict=True))
    assert again.t.tolist() == batch.t.tolist()
    assert again.sensor == batch.sensor
