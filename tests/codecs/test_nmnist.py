"""N-MNIST: records and what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents import DecodeError, EncodeError, Event, EventBatch, Frame, Sensor, Span, TruncatedError
from aevents.codecs.nmnist import CODEC, NmnistDecoder, NmnistEncoder
from aevents.testing import check_codec, decode, encode, example_events

OVERFLOW = bytes((0, 240, 0, 0, 0))

# What it shows, bytes, events.
CASES: dict[str, tuple[bytes, list[Event]]] = {
    "nothing": (b"", []),
    "OFF": (bytes((3, 4, 0x01, 0x02, 0x03)), [Event(0x010203, 3, 4, False)]),
    "ON": (bytes((33, 0, 0x81, 0x02, 0x03)), [Event(0x010203, 33, 0, True)]),
    "the last time of the clock": (bytes((0, 0, 0x7F, 0xFF, 0xFF)), [Event(8388607, 0, 0, False)]),
    "an overflow adds 8192 us": (
        OVERFLOW + bytes((0, 0, 0x7F, 0xE0, 0x00)),
        [Event(1 << 23, 0, 0, False)],
    ),
    "and to all that follow": (
        bytes((1, 0, 0x7F, 0xFF, 0xFF)) + 2 * OVERFLOW + 2 * bytes((0, 0, 0x7F, 0xE0, 0x00)),
        [Event(8388607, 1, 0, False), *[Event((1 << 23) + 8192, 0, 0, False)] * 2],
    ),
}


def batch_of(*events: Event, sensor: Sensor | None = None) -> EventBatch:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    return EventBatch.from_columns(t=t, x=x, y=y, p=np.array(p, bool), sensor=sensor)


def events(data: bytes, **options: object) -> list[Event]:
    items = decode(CODEC, [data], **options)
    return [event for item in items if isinstance(item, EventBatch) for event in item]


@pytest.mark.parametrize("name", CASES)
def test_records_both_ways(name: str) -> None:
    data, expected = CASES[name]
    assert events(data) == expected
    if expected:
        assert encode(NmnistEncoder(), [batch_of(*expected)]) == data
        one_by_one = [batch_of(event) for event in expected]
        assert encode(NmnistEncoder(), one_by_one) == data


def test_the_sensor_is_34x34_unless_given() -> None:
    data = bytes((100, 4, 0, 0, 1))
    decoder = NmnistDecoder()
    (batch,) = decoder.feed(data)
    assert batch.sensor == Sensor(34, 34)
    assert decoder.counts == {"off_sensor": 1}
    (larger,) = decode(CODEC, [data], sensor=Sensor(240, 180), strict=True)
    assert isinstance(larger, EventBatch)
    assert larger.sensor == Sensor(240, 180)
    with pytest.raises(DecodeError, match="events outside 34x34"):
        decode(CODEC, [data], strict=True)


def test_a_size_that_is_no_multiple_of_5_is_counted() -> None:
    decoder = NmnistDecoder()
    list(decoder.feed(bytes(8)))
    list(decoder.flush())
    assert decoder.counts == {"torn_bytes": 3}
    with pytest.raises(TruncatedError, match="the last 3 bytes are no whole record at byte 5"):
        decode(CODEC, [bytes(8)], strict=True)


def test_overflows_alone_are_no_events() -> None:
    (empty,) = decode(CODEC, [OVERFLOW * 3])
    assert isinstance(empty, EventBatch)
    assert (len(empty), empty.sensor) == (0, Sensor(34, 34))


def test_long_runs_come_in_slabs() -> None:
    batch = example_events(70_000, sensor=Sensor(34, 34))
    data = encode(NmnistEncoder(), [batch])
    items = decode(CODEC, [data])
    sizes = [len(item) for item in items if isinstance(item, EventBatch)]
    assert sum(sizes) == 70_000
    assert max(sizes) <= 32_768
    assert events(data) == list(batch)


@pytest.mark.parametrize(
    "event",
    [
        Event(-1, 0, 0, True),
        Event(5, 256, 0, True),
        Event(5, 0, 256, True),
        Event(5, 0, 240, True),
        Event((1 << 23) + (1 << 29), 0, 0, True),
    ],
    ids=["before zero", "x", "y", "row 240", "too far"],
)
def test_what_does_not_fit_is_refused_after_what_does(event: Event) -> None:
    found: list[bytes] = []
    with pytest.raises(EncodeError, match=f"t={event.t}, x={event.x}, y={event.y} does not fit"):
        found += NmnistEncoder().feed(batch_of(Event(2, 0, 0, False), event))
    pieces = NmnistEncoder().feed(batch_of(Event(2, 0, 0, False), event))
    assert next(iter(pieces)) == bytes((0, 0, 0, 0, 2))


def test_time_may_go_back_as_far_as_the_clock_can_tell() -> None:
    late, back = Event((1 << 23) + 8192, 0, 0, True), Event(1 << 14, 0, 0, True)
    assert events(encode(NmnistEncoder(), [batch_of(late, back)])) == [late, back]
    with pytest.raises(EncodeError, match="t=16383"):
        encode(NmnistEncoder(), [batch_of(late, Event((1 << 14) - 1, 0, 0, True))])


def test_other_items_are_refused() -> None:
    frame = Frame(np.zeros((1, 1)), Span(0, 1), Sensor(1, 1))
    with pytest.raises(EncodeError, match="a record holds an event, not a Frame"):
        encode(NmnistEncoder(), [frame])


def test_it_is_known_by_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "00001.bin").write_bytes(CASES["ON"][0])
    assert list(aevents.load(tmp_path / "00001.bin")) == CASES["ON"][1]


def test_the_recording_is_written_as_it_was(recordings: Path) -> None:
    path = recordings / "tonic_sample_nmnist.bin"
    assert encode(NmnistEncoder(), [aevents.load(path)]) == path.read_bytes()


def test_the_laws() -> None:
    check_codec(CODEC, batch=example_events(90, sensor=Sensor(34, 34)), mutations=200)
