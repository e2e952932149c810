"""Packets of libcaer, written out byte by byte."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents.codecs.caer import CaerDecoder

SENSOR = Sensor(346, 260)


def packet(type: int, size: int, events: list[bytes], overflow: int = 0) -> memoryview:
    head = struct.pack("<hhiiiiii", type, 1, size, 4, overflow, len(events), len(events), 0)
    return memoryview(head + b"".join(events))


def polarity(t: int, x: int, y: int, p: int, valid: int = 1) -> bytes:
    return struct.pack("<Ii", x << 17 | y << 2 | p << 1 | valid, t)


def special(t: int, kind: int, valid: int = 1) -> bytes:
    return struct.pack("<Ii", kind << 1 | valid, t)


def test_polarity_is_events() -> None:
    events = [polarity(5, 1, 2, 1), polarity(7, 345, 259, 0)]
    decoder = CaerDecoder(SENSOR)
    (batch,) = decoder.feed(packet(1, 8, events))
    assert isinstance(batch, EventBatch)
    assert list(batch) == [(5, 1, 2, True), (7, 345, 259, False)]
    assert batch.sensor == SENSOR
    assert decoder.counts == {}


def test_the_overflow_counts_31_bits() -> None:
    (batch,) = CaerDecoder(SENSOR).feed(packet(1, 8, [polarity(9, 0, 0, 1)], overflow=3))
    assert isinstance(batch, EventBatch)
    assert batch.t.tolist() == [(3 << 31) + 9]


def test_spans_follow_on_each_other() -> None:
    decoder = CaerDecoder(SENSOR)
    packets = [packet(1, 8, [polarity(t, 0, 0, 1)]) for t in (10, 30)]
    assert [batch.span for each in packets for batch in decoder.feed(each)] == [
        Span(10, 10),
        Span(10, 30),
    ]


def test_more_events_than_a_slab_holds_are_several_batches() -> None:
    events = [polarity(t, t % 346, 0, 1) for t in range(70_000)]
    batches = list(CaerDecoder(SENSOR).feed(packet(1, 8, events)))
    assert [len(batch) for batch in batches if isinstance(batch, EventBatch)] == [65_600, 4_400]


def test_what_is_given_stays_when_the_packet_is_gone() -> None:
    data = bytearray(packet(1, 8, [polarity(5, 1, 2, 1)]))
    (batch,) = CaerDecoder(SENSOR).feed(memoryview(data))
    data[:] = bytes(len(data))
    assert isinstance(batch, EventBatch)
    assert list(batch) == [(5, 1, 2, True)]


def test_oddities_are_counted() -> None:
    decoder = CaerDecoder(SENSOR)
    list(decoder.feed(packet(1, 8, [polarity(5, 1, 2, 1, valid=0), polarity(6, 400, 2, 1)])))
    list(decoder.feed(packet(0, 8, [special(5, 2, valid=0)])))
    assert decoder.counts == {"invalid_events": 2, "off_sensor": 1}


def test_edges_are_triggers_and_other_special_events_nothing() -> None:
    events = [special(1, 18), special(2, 2), special(3, 3), special(4, 4)]
    (batch,) = CaerDecoder(SENSOR).feed(packet(0, 8, events))
    assert isinstance(batch, TriggerBatch)
    assert (batch.t.tolist(), batch.value.tolist()) == ([2, 3, 4], [True, False, True])
    assert list(CaerDecoder(SENSOR).feed(packet(0, 8, events[:1]))) == []


def test_measurements() -> None:
    sample = struct.pack("<Ii7f", 1, 9, 0.5, -1, 1, 10, 20, 30, 25)
    (batch,) = CaerDecoder(SENSOR).feed(packet(3, 36, [sample]))
    assert isinstance(batch, ImuBatch)
    assert batch.accelerometer.tolist() == [[0.5, -1, 1]]
    assert batch.gyroscope.tolist() == [[10, 20, 30]]
    assert (batch.t.tolist(), batch.temperature.tolist()) == ([9], [25])


def test_frames() -> None:
    pixels = np.arange(6, dtype="<u2")
    event = struct.pack("<I8i", 1 | 1 << 1, 10, 50, 20, 40, 3, 2, 0, 0) + pixels.tobytes()
    (frame,) = CaerDecoder(SENSOR).feed(packet(2, len(event), [event]))
    assert isinstance(frame, Frame)
    assert frame.span == Span(20, 40)
    assert frame.array.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_frame_that_cannot_be_is_counted() -> None:
    event = struct.pack("<I8i", 1 | 1 << 1, 10, 50, 20, 40, 30, 20, 0, 0)
    decoder = CaerDecoder(SENSOR)
    assert list(decoder.feed(packet(2, len(event), [event]))) == []
    assert decoder.counts == {"bad_packets": 1}


@pytest.mark.parametrize(("kind", "given"), [(EventBatch, 1), (TriggerBatch, 1), (Frame, 0)])
def test_only_what_is_asked_for_is_given(kind: type, given: int) -> None:
    decoder = CaerDecoder(SENSOR, kind=kind)
    packets = packet(1, 8, [polarity(5, 1, 2, 1)]), packet(0, 8, [special(2, 2)])
    items = [item for one in packets for item in decoder.feed(one)]
    assert len(items) == given
    assert all(isinstance(item, kind) for item in items)


def test_packets_of_other_types_and_empty_ones_are_nothing() -> None:
    decoder = CaerDecoder(SENSOR)
    assert list(decoder.feed(packet(12, 8, [bytes(8)]))) == []
    assert list(decoder.feed(packet(1, 8, []))) == []
