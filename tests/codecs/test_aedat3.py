"""AEDAT 3.1: packets and the events in them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import pytest

import aevents
from aevents import (
    DecodeError,
    Event,
    EventBatch,
    Sensor,
    TimeOrderError,
    TriggerBatch,
    TruncatedError,
)
from aevents.codecs.aedat3 import CODEC, Aedat3Decoder
from aevents.testing import check_codec, decode
from tests.recordings import CAER, IMU6, MADE, POLARITY, SPECIAL, caer, polarity, special

ONE = caer(POLARITY, [polarity(9, 3, 4, 1)])


def held(items: Iterable[object]) -> list[EventBatch]:
    return [item for item in items if isinstance(item, EventBatch)]


def events(data: bytes, **options: object) -> list[Event]:
    items = decode(CODEC, [data], **options)
    return [event for item in items if isinstance(item, EventBatch) for event in item]


def triggers(data: bytes) -> list[tuple[int, int, bool]]:
    items = [item for item in decode(CODEC, [data]) if isinstance(item, TriggerBatch)]
    return [
        row
        for item in items
        for row in zip(item.t.tolist(), item.id.tolist(), item.value.tolist(), strict=True)
    ]


def test_the_bytes_of_a_packet() -> None:
    packet = bytes.fromhex(
        "0100 0100 08000000 04000000 01000000 01000000 01000000 01000000"
        "11000600 09000000"  # row 4, column 3, OFF, valid; time
    )
    assert events(CAER + packet) == [Event(1 << 31 | 9, 3, 4, False)]


@pytest.mark.parametrize(
    ("word", "event"),
    [
        (0x0000_0001, Event(9, 0, 0, False)),
        (0x0000_0003, Event(9, 0, 0, True)),
        (0x0000_0005, Event(9, 0, 1, False)),
        (0x0001_FFFD, Event(9, 0, 0x7FFF, False)),
        (0x0002_0001, Event(9, 1, 0, False)),
        (0xFFFE_0001, Event(9, 0x7FFF, 0, False)),
    ],
)
def test_words_of_polarity_events(word: int, event: Event) -> None:
    assert events(CAER + caer(POLARITY, [(word, 9)])) == [event]


@pytest.mark.parametrize(
    ("kind", "edge"),
    [
        (2, (0, True)),
        (3, (0, False)),
        (4, (0, True)),  # a pulse
        (6, (1, True)),
        (7, (1, False)),
        (8, (1, True)),
        (9, (2, True)),
        (10, (2, False)),
        (11, (2, True)),
        *((kind, None) for kind in (0, 1, 5, 12, 13, 14, 17, 127)),  # no edges on an input
    ],
)
def test_kinds_of_special_events(kind: int, edge: tuple[int, bool] | None) -> None:
    data = CAER + caer(SPECIAL, [special(9, kind)], overflow=1)
    assert triggers(data) == ([(1 << 31 | 9, *edge)] if edge else [])


def test_the_overflow_of_the_clock_stands_in_each_packet() -> None:
    last = caer(POLARITY, [polarity(0x7FFF_FFFF, 0, 0, 1)])
    first = caer(POLARITY, [polarity(0, 0, 0, 1)], overflow=1)
    far = caer(POLARITY, [polarity(0, 0, 0, 1)], overflow=0x7FFF_FFFF)
    times = [event.t for event in events(CAER + last + first + far)]
    assert times == [0x7FFF_FFFF, 0x8000_0000, 0x7FFF_FFFF << 31]


def test_time_that_goes_back_is_counted() -> None:
    data = CAER + caer(POLARITY, [polarity(9, 0, 0, 1), polarity(8, 0, 0, 1)])
    decoder = Aedat3Decoder()
    (batch,) = (*decoder.feed(data), *decoder.flush())
    assert isinstance(batch, EventBatch)
    assert (batch.t.tolist(), decoder.counts) == ([9, 8], {"backward_jumps": 1})
    with pytest.raises(TimeOrderError):
        decode(CODEC, [data], strict=True)


def test_packets_of_other_things_are_skipped_and_no_anomaly() -> None:
    decoder = Aedat3Decoder(strict=True)
    data = CAER + caer(5, [(1, 5)], size=36) + ONE + caer(12, [(1, 5)], size=1000) + ONE
    items = (*decoder.feed(data), *decoder.flush())
    assert events(data) == [Event(9, 3, 4, True)] * 2
    assert [type(item) for item in items] == [EventBatch] * 2
    assert decoder.counts == {}


def test_events_marked_invalid_are_left_out_and_counted() -> None:
    mixed = [polarity(9, 3, 4, 1), polarity(10, 3, 4, 1, valid=0), polarity(11, 3, 4, 1)]
    data = CAER + caer(POLARITY, mixed) + caer(SPECIAL, [(2 << 1, 12)])
    decoder = Aedat3Decoder()
    (batch,) = held((*decoder.feed(data), *decoder.flush()))
    assert (batch.t.tolist(), decoder.counts) == ([9, 11], {"invalid_events": 2})
    with pytest.raises(DecodeError, match="an event is marked invalid at byte 63"):
        decode(CODEC, [data], strict=True)


def test_small_packets_are_gathered_and_edges_stay_in_their_place() -> None:
    edge = caer(SPECIAL, [special(9, 2)])
    items = decode(CODEC, [CAER + ONE + ONE + edge + ONE])
    assert [
        (type(item), len(item)) for item in items if isinstance(item, EventBatch | TriggerBatch)
    ] == [
        (EventBatch, 2),
        (TriggerBatch, 1),
        (EventBatch, 1),
    ]


def test_more_events_than_fit_one_batch() -> None:
    packet = caer(POLARITY, [polarity(t, 0, 0, 1) for t in range(35_000)])
    late = caer(POLARITY, [polarity(t, 0, 0, 1) for t in range(35_000, 70_000)])
    batches = decode(CODEC, [CAER + packet + late + caer(POLARITY, [])])
    assert [len(item) for item in batches if isinstance(item, EventBatch)] == [65_600, 4_400]
    assert [event.t for event in events(CAER + packet + late)] == list(range(70_000))


@pytest.mark.parametrize(
    ("source", "sensor"),
    [
        (b"DAVIS346", Sensor(346, 260, "DAVIS346")),
        (b"DVS128", Sensor(128, 128, "DVS128")),
        (b"DYNAPSE", Sensor(0, 0, "DYNAPSE")),
    ],
)
def test_the_source_says_the_size(source: bytes, sensor: Sensor) -> None:
    (batch,) = decode(CODEC, [CAER.replace(b"DAVIS346", source) + ONE])
    assert isinstance(batch, EventBatch)
    assert batch.sensor == sensor


def test_events_off_the_sensor_given_are_counted() -> None:
    decoder = Aedat3Decoder(sensor=Sensor(2, 2))
    assert len(held((*decoder.feed(CAER + ONE), *decoder.flush()))[0]) == 1
    assert decoder.counts == {"off_sensor": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "version 1.0 is another format at byte 0"),
        (b"#!AER-DAT3.0\r\n#!END-HEADER\r\n", "version 3.0 is another format at byte 0"),
        (CAER.replace(b"RAW", b"SerializedTS") + ONE, "in the format SerializedTS are not read"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode(CODEC, [data])


@pytest.mark.parametrize(
    ("type", "size", "overflow", "number"),
    [
        (-1, 8, 0, 1),
        (POLARITY, 16, 0, 1),
        (SPECIAL, 4, 0, 1),
        (IMU6, 0, 0, 1),
        (IMU6, -36, 0, -1),
        (POLARITY, 8, -1, 1),
        (POLARITY, 8, 0, -1),
    ],
)
@pytest.mark.parametrize("chunk", [1, 1000])
def test_what_is_no_packet_is_passed_over(
    type: int, size: int, overflow: int, number: int, chunk: int
) -> None:
    bad = struct.pack("<hhiiiiii", type, 1, size, 4, overflow, number, number, number) + b"x"
    data, decoder = CAER + ONE + bad + ONE, Aedat3Decoder()
    cut = [data[start : start + chunk] for start in range(0, len(data), chunk)]
    items = [item for piece in cut for item in decoder.feed(piece)] + list(decoder.flush())
    assert [t for item in held(items) for t in item.t.tolist()] == [9, 9]
    assert decoder.counts == {"lost_bytes": 29}
    with pytest.raises(DecodeError, match=f"lost bytes at byte {len(CAER + ONE)}$"):
        decode(CODEC, [data], strict=True)


@pytest.mark.parametrize(
    ("cut", "counts"),
    [
        (0, {}),
        (1, {"torn_bytes": 7, "missing_events": 1}),
        (8, {"missing_events": 1}),
        (9, {"torn_bytes": 7, "missing_events": 2}),
        (17, {"torn_bytes": 27}),
    ],
)
def test_a_file_that_is_cut_off_gives_what_came_before(cut: int, counts: dict[str, int]) -> None:
    two = caer(POLARITY, [polarity(9, 3, 4, 1), polarity(10, 3, 4, 1)])
    data = (CAER + two)[: len(CAER + two) - cut]
    decoder = Aedat3Decoder()
    items = [*decoder.feed(data), *decoder.flush()]
    assert sum(len(item) for item in held(items)) == (2 if not cut else 1 if cut <= 8 else 0)
    assert decoder.counts == counts
    if cut:
        with pytest.raises(TruncatedError):
            decode(CODEC, [data], strict=True)


def test_a_packet_that_promises_the_world_takes_no_memory() -> None:
    frames = struct.pack("<hhiiiiii", 2, 1, 0x7FFF_FFFF, 4, 0, *[0x7FFF_FFFF] * 3)
    decoder = Aedat3Decoder()
    assert list(decoder.feed(CAER + frames + bytes(1000))) == []
    assert list(map(len, held(decoder.flush()))) == [0]
    assert decoder.counts == {"torn_bytes": 1028}


def test_a_header_alone_holds_no_events() -> None:
    for data in (CAER, CAER.replace(b"#!END-HEADER\r\n", b"")):
        (batch,) = decode(CODEC, [data], strict=True)
        assert isinstance(batch, EventBatch)
        assert (len(batch), batch.sensor) == (0, Sensor(346, 260, "DAVIS346"))


def test_it_is_recognised_by_its_first_line() -> None:
    assert CODEC.matches is not None
    assert CODEC.matches(CAER)
    assert not CODEC.matches(b"#!AER-DAT2.0\r\n")


def test_triggers_of_a_recording(recordings: Path) -> None:
    name = recordings / "spec_aedat31_davis346.aedat"
    batches = list(aevents.open(name, kind=TriggerBatch).blocking())
    assert [t for batch in batches for t in batch.t.tolist()] == [
        2_147_483_628,
        2_147_483_648,
        2_147_486_159,
        2_147_489_207,
    ]
    assert all(batch.id.tolist() == [0] and batch.value.all() for batch in batches)


def test_the_laws() -> None:
    check_codec(CODEC, recording=MADE["aedat3"], mutations=200)
