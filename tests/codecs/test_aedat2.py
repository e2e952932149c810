"""AEDAT 1.0 and 2.0: addresses and what they say."""

from __future__ import annotations

import struct
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
from aevents.codecs.aedat2 import CODEC, Aedat2Decoder
from aevents.testing import check_codec, decode
from tests.recordings import DAVIS346, END, MADE, davis

DVS128 = b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n"
OLD = b"#!AER-DAT1.0\r\n"
ANYBODY = b"#!AER-DAT2.0\r\n"


def old(t: int, address: int) -> bytes:
    return struct.pack(">HI", address, t)


def new(t: int, address: int) -> bytes:
    return struct.pack(">II", address, t)


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


@pytest.mark.parametrize(
    ("address", "event"),
    [
        (0x0000, Event(9, 127, 127, True)),  # columns from the right, rows from the bottom; 0 is ON
        (0x0001, Event(9, 127, 127, False)),
        (0x0002, Event(9, 126, 127, True)),
        (0x0100, Event(9, 127, 126, True)),
        (0x7FFF, Event(9, 0, 0, False)),
    ],
)
def test_addresses_of_a_dvs128(address: int, event: Event) -> None:
    assert events(DVS128 + END + new(9, address)) == [event]
    assert events(OLD + old(9, address)) == [event]


@pytest.mark.parametrize(
    ("address", "event"),
    [
        (0x0000_0000, Event(9, 345, 259, False)),
        (0x0000_0800, Event(9, 345, 259, True)),
        (0x0000_1000, Event(9, 344, 259, False)),
        (0x0040_0000, Event(9, 345, 258, False)),
        (259 << 22 | 345 << 12, Event(9, 0, 0, False)),
        (0x0000_03FF, Event(9, 345, 259, False)),  # bits that an event does not use
    ],
)
def test_addresses_of_a_davis(address: int, event: Event) -> None:
    assert events(DAVIS346 + END + new(9, address)) == [event]


@pytest.mark.parametrize(
    ("chip", "corner"),
    [
        (b"eu.seebetter.ini.chips.davis.DAVIS240C", (239, 179)),
        (b"eu.seebetter.ini.chips.sbret10.SBret10", (239, 179)),
        (b"eu.seebetter.ini.chips.davis.Davis346blue", (345, 259)),
        (b"eu.seebetter.ini.chips.davis.Davis640", (639, 479)),
        (b"eu.seebetter.ini.chips.davis.Davis128", (127, 127)),
    ],
)
def test_a_davis_has_the_size_that_its_name_says(chip: bytes, corner: tuple[int, int]) -> None:
    (event,) = events(b"#!AER-DAT2.0\n# AEChip: " + chip + b"\n" + new(9, 0x0000_0800))
    assert event == Event(9, *corner, True)


def test_samples_of_frames_and_of_the_imu_are_skipped_and_no_anomaly() -> None:
    reset, signal, imu = 0x8000_0123, 0x8000_0523, 0xA123_4C00
    data = DAVIS346 + END + b"".join(new(5, word) for word in (reset, signal, imu))
    decoder = Aedat2Decoder(strict=True)
    assert list(decoder.feed(data)) == []
    (batch,) = decoder.feed(davis(6, 0, 0, 1))
    assert batch.t.tolist() == [6]
    assert list(decoder.flush()) == []
    assert decoder.counts == {}


@pytest.mark.parametrize(
    ("address", "rising"),
    [(0x400, True), (0x402, False), (0x403, True), (0x404, True), (0x0123_4C02, False)],
)
def test_edges_on_the_input_of_a_davis(address: int, rising: bool) -> None:
    assert triggers(DAVIS346 + END + new(9, address)) == [(9, 0, rising)]
    assert events(DAVIS346 + END + new(9, address)) == []


def test_edges_on_the_input_of_a_dvs128_fall() -> None:
    assert triggers(DVS128 + END + new(9, 0x8000)) == [(9, 0, False)]
    assert triggers(OLD + old(9, 0x8000) + old(10, 0)) == [(9, 0, False)]
    assert events(OLD + old(9, 0x8000) + old(10, 0)) == [Event(10, 127, 127, True)]


@pytest.mark.parametrize(
    ("times", "read", "backward"),
    [
        ((5, 5, 9), [5, 5, 9], 0),
        ((0x7FFF_FFFF, 0x8000_0000), [0x7FFF_FFFF, 0x8000_0000], 0),
        ((0xFFFF_FFF0, 5, 6), [0xFFFF_FFF0, 0x1_0000_0005, 0x1_0000_0006], 0),
        ((0xFFFF_FFF0, 5, 0xFFFF_FFF1, 6), [0xFFFF_FFF0, 1 << 32 | 5, 0xFFFF_FFF1, 1 << 32 | 6], 1),
        ((9, 5), [9, 5], 1),
        ((0x8000_0005, 5, 6), [0x8000_0005, 5, 6], 1),  # half the range, and no more
        ((0x8000_0006, 5, 6), [0x8000_0006, 1 << 32 | 5, 1 << 32 | 6], 0),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_the_clock_rolls_over(
    times: tuple[int, ...], read: list[int], backward: int, size: int
) -> None:
    data = OLD + b"".join(old(t, 0) for t in times)
    decoder = Aedat2Decoder()
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    items = [item for chunk in chunks for item in decoder.feed(chunk)] + list(decoder.flush())
    assert [t for item in items for t in item.t.tolist()] == read
    assert decoder.counts == ({"backward_jumps": backward} if backward else {})
    if backward:
        with pytest.raises(TimeOrderError):
            decode(CODEC, [data], strict=True)


def test_more_records_than_fit_one_batch() -> None:
    data = OLD + b"".join(old(t, 0) for t in range(70_000))
    batches = decode(CODEC, [data])
    assert [len(batch) for batch in batches if isinstance(batch, EventBatch)] == [65_600, 4_400]


def test_the_camera_may_be_said_by_its_size() -> None:
    sensor = Sensor(240, 180)
    assert events(ANYBODY + new(9, 0x0000_0800), sensor=sensor) == [Event(9, 239, 179, True)]
    assert events(ANYBODY + new(9, 1), sensor=Sensor(128, 128)) == [Event(9, 127, 127, False)]
    unknown = b"#!AER-DAT2.0\n# AEChip: x.Cochlea\n"
    assert events(unknown + new(9, 0x0000_0800), sensor=sensor) == [Event(9, 239, 179, True)]


def test_the_size_given_goes_before_that_of_the_camera() -> None:
    (batch,) = decode(CODEC, [DVS128 + END + new(9, 0)], sensor=Sensor(64, 64))
    assert isinstance(batch, EventBatch)
    assert batch.sensor == Sensor(64, 64)
    assert list(batch) == [Event(9, 63, 63, True)]


def test_events_off_the_sensor_are_counted() -> None:
    decoder = Aedat2Decoder()
    (batch,) = decoder.feed(DAVIS346 + END + davis(9, 346, 0, 1))
    assert isinstance(batch, EventBatch)
    assert (len(batch), decoder.counts) == (1, {"off_sensor": 1})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the input is empty"),
        (
            ANYBODY + new(9, 0),
            r"no camera is named: give its size, as in sensor=Sensor\(346, 260\)",
        ),
        (b"#!AER-DAT2.0\n# AEChip: x.Cochlea\n\0", "the camera 'Cochlea' is not known: give its"),
        (b"#!AER-DAT3.1\r\n#!END-HEADER\r\n", "version 3.1 is another format"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode(CODEC, [data])


def test_a_header_alone_holds_no_events() -> None:
    decoder = Aedat2Decoder(strict=True)
    assert list(decoder.feed(DAVIS346)) == []
    (batch,) = decoder.flush()
    assert isinstance(batch, EventBatch)
    assert (len(batch), batch.sensor) == (0, Sensor(346, 260, "Davis346red"))


def test_a_record_that_is_cut_off_is_counted() -> None:
    data = OLD + old(9, 0) + b"\0\0\0"
    decoder = Aedat2Decoder()
    assert [len(item) for item in (*decoder.feed(data), *decoder.flush())] == [1]
    assert decoder.counts == {"torn_bytes": 3}
    with pytest.raises(TruncatedError, match="the last 3 bytes are no whole record at byte 20"):
        decode(CODEC, [data], strict=True)


def test_it_is_recognised_by_its_first_line() -> None:
    assert CODEC.matches is not None
    assert [CODEC.matches(head) for head in (OLD, DVS128, b"#!AER-DAT3.1\r\n", b"# t,x,y,p\n")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_file_without_a_header_is_read_as_1_0() -> None:
    assert events(old(9, 0)) == [Event(9, 127, 127, True)]


def test_a_real_header_without_events(recordings: Path) -> None:
    batch = aevents.load(recordings / "tonic_sample_aedat_header.aedat", strict=True)
    assert (len(batch), batch.sensor) == (0, Sensor(346, 260, "Davis346red"))


def test_the_laws() -> None:
    check_codec(CODEC, recording=MADE["aedat2"], mutations=200)
    check_codec(CODEC, recording=OLD + b"".join(old(t, 256 * t) for t in range(40)), mutations=200)
