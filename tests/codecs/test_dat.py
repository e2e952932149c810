"""DAT: records and what they say."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor, Span, TriggerBatch
from aevents.codecs.dat import CODEC, DatDecoder, DatEncoder
from aevents.testing import check_codec, decode, encode, example_events

HEADER = b"% Data file containing CD events.\n% Version 2\n% Width 640\n% Height 480\n% end\n"


def events(data: bytes) -> list[Event]:
    items = decode(CODEC, [data])
    return [event for item in items if isinstance(item, EventBatch) for event in item]


def test_records_of_version_2() -> None:
    record = struct.pack("<II", 100, 5 | 9 << 14 | 1 << 28)
    assert events(HEADER + b"\x0c\x08" + record) == [Event(100, 5, 9, True)]
    assert events(HEADER + b"\x00\x08" + record) == [Event(100, 5, 9, True)]


def test_records_of_version_1() -> None:
    header = HEADER.replace(b"Version 2", b"Version 1")
    record = struct.pack("<II", 100, 300 | 200 << 9 | 1 << 17)
    assert events(header + b"\x0c\x08" + record) == [Event(100, 300, 200, True)]


def test_triggers_are_their_own_kind() -> None:
    record = struct.pack("<II", 100, 1 | 6 << 26)
    triggers, _empty = decode(CODEC, [HEADER + b"\x0e\x08" + record])
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t[0], triggers.id[0], triggers.value[0]) == (100, 6, True)


def test_the_clock_rolls_over_and_small_steps_back_do_not() -> None:
    times = (0xFFFFFFF0, 0xFFFFFFE0, 5)
    records = b"".join(struct.pack("<II", t, 0) for t in times)
    decoder = DatDecoder()
    items = [*decoder.feed(HEADER + b"\x0c\x08" + records), *decoder.flush()]
    assert [event.t for item in items if isinstance(item, EventBatch) for event in item] == [
        0xFFFFFFF0,
        0xFFFFFFE0,
        0x100000005,
    ]
    assert decoder.counts == {"backward_jumps": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (HEADER + b"\x28\x18", "records of type 0x28 and 24 bytes are not known at byte 77"),
        (HEADER + b"\x0c", "the type of the records is missing"),
        (HEADER.replace(b"Version 2", b"Version 7"), "version 7 is not known"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode(CODEC, [data])


def test_the_oldest_files_have_no_header() -> None:
    record = struct.pack("<II", 100, 300 | 200 << 9 | 1 << 17)
    assert events(record) == [Event(100, 300, 200, True)]
    assert CODEC.matches is not None
    assert not CODEC.matches(record)


def test_the_size_of_the_sensor_is_written_where_it_is_known() -> None:
    sized = encode(DatEncoder(), [example_events(5)])
    assert b"% Height 240\n% Width 320\n" in sized
    unsized = EventBatch.from_columns(t=[1], x=[1], y=[1], p=[1])
    assert b"Height" not in encode(DatEncoder(), [unsized])


def test_version_1_is_written_on_request_and_is_small() -> None:
    small = EventBatch.from_columns(t=[1], x=[511], y=[255], p=[1], sensor=Sensor(512, 256))
    assert events(encode(DatEncoder(version=1), [small])) == [Event(1, 511, 255, True)]
    large = EventBatch.from_columns(t=[1], x=[512], y=[0], p=[1])
    with pytest.raises(EncodeError, match="DAT 1 holds 0 <= x < 512"):
        encode(DatEncoder(version=1), [large])
    with pytest.raises(ValueError, match="versions 1 and 2, not 3"):
        DatEncoder(version=3)


@pytest.mark.parametrize("t", [-1, 1 << 32])
def test_times_that_do_not_fit_are_refused(t: int) -> None:
    with pytest.raises(EncodeError, match=f"t={t}"):
        encode(DatEncoder(), [EventBatch.from_columns(t=[t], x=[0], y=[0], p=[0])])


def test_triggers_are_written_and_read_back() -> None:
    sensor = Sensor(640, 480)
    triggers = TriggerBatch(
        t=np.array([5, 70_000, 70_001, 9_000_000]),
        id=np.array([0, 3, 3, 15], np.uint8),
        value=np.array([True, False, True, True]),
        sensor=sensor,
        span=Span(5, 9_000_000),
    )
    data = encode(DatEncoder(), [triggers])
    (again,) = [item for item in decode(CODEC, [data]) if isinstance(item, TriggerBatch)]
    assert again.t.tolist() == [5, 70_000, 70_001, 9_000_000]
    assert again.id.tolist() == [0, 3, 3, 15]
    assert again.value.tolist() == [True, False, True, True]


def test_a_file_holds_events_or_triggers() -> None:
    encoder = DatEncoder()
    list(encoder.feed(example_events(5)))
    triggers = TriggerBatch(
        np.array([1]), np.array([1], np.uint8), np.array([True]), Sensor(), Span(1, 1)
    )
    with pytest.raises(EncodeError, match="events or triggers, not both"):
        list(encoder.feed(triggers))


def test_the_laws() -> None:
    check_codec(CODEC, mutations=200)
