"""EVT3: words and what they say."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import DecodeError, EncodeError, Event, EventBatch, Frame, Sensor, Span, TriggerBatch
from aevents.codecs.evt3 import CODEC, Evt3Decoder, Evt3Encoder
from aevents.testing import check_codec, decode, encode, example_events

HEADER = b"% evt 3.0\n% format EVT3;height=720;width=1280\n% end\n"


def read(*words: int, strict: bool = False) -> tuple[list[Event], dict[str, int]]:
    decoder = Evt3Decoder(strict=strict)
    data = HEADER + struct.pack(f"<{len(words)}H", *words)
    items = [*decoder.feed(data), *decoder.flush()]
    events = [event for item in items if isinstance(item, EventBatch) for event in item]
    return events, decoder.counts


WORDS = {
    "time, row, column": (
        (0x8001, 0x6002, 0x0005, 0x2807, 0x2008),
        [Event(4098, 7, 5, True), Event(4098, 8, 5, False)],
    ),
    "a vector of 12 and one of 8": (
        (0x8000, 0x6003, 0x0001, 0x3810, 0x4801, 0x5003),
        [
            Event(3, 16, 1, True),
            Event(3, 27, 1, True),
            Event(3, 28, 1, True),
            Event(3, 29, 1, True),
        ],
    ),
    "a new TIME_HIGH puts TIME_LOW to zero, a repeated one does not": (
        (0x8001, 0x6005, 0x0000, 0x8001, 0x2001, 0x8002, 0x2001),
        [Event(4101, 1, 0, False), Event(8192, 1, 0, False)],
    ),
    "the clock rolls over": (
        (0x8FFF, 0x6FFF, 0x0000, 0x2001, 0x8000, 0x2002),
        [Event(0xFFFFFF, 1, 0, False), Event(0x1000000, 2, 0, False)],
    ),
    "vendor words are skipped": (
        (0x8000, 0x0000, 0xE014, 0xF123, 0xF456, 0x7001, 0x2001),
        [Event(0, 1, 0, False)],
    ),
    "nothing has a time before the first TIME_HIGH, but a row is known": (
        (0x0007, 0x2001, 0x8000, 0x2002),
        [Event(0, 2, 7, False)],
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_are_read(case: str) -> None:
    words, expected = WORDS[case]
    events, _counts = read(*words)
    assert events == expected


def test_triggers_are_their_own_kind() -> None:
    data = HEADER + struct.pack("<4H", 0x8000, 0x6007, 0xA301, 0xA300)
    (triggers, empty) = decode(CODEC, [data])
    assert isinstance(triggers, TriggerBatch)
    assert triggers.t.tolist() == [7, 7]
    assert triggers.id.tolist() == [3, 3]
    assert triggers.value.tolist() == [True, False]
    assert isinstance(empty, EventBatch)
    assert len(empty) == 0


ANOMALIES = {
    "untimed": ((0x2001, 0x8000), "untimed"),
    "unknown_words": ((0x8000, 0x9000), "unknown words"),
    "off_sensor": ((0x8000, 0x0000, 0x2500), "events outside 1280x720"),
    "backward_jumps": ((0x8001, 0x0000, 0x2001, 0x8000, 0x2001), "time goes back"),
}


@pytest.mark.parametrize("name", ANOMALIES)
def test_anomalies_are_counted_by_name_or_raised_when_strict(name: str) -> None:
    words, message = ANOMALIES[name]
    assert read(*words)[1] == {name: 1}
    with pytest.raises(DecodeError, match=message):
        read(*words, strict=True)


def test_a_torn_word_is_counted_or_raised_when_strict() -> None:
    decoder = Evt3Decoder()
    assert [*decoder.feed(HEADER + b"\x00\x80\x01"), *decoder.flush()]
    assert decoder.counts == {"torn_bytes": 1}
    strict = Evt3Decoder(strict=True)
    with pytest.raises(DecodeError, match="no whole record at byte 54"):
        [*strict.feed(HEADER + b"\x00\x80\x01"), *strict.flush()]


def test_a_header_of_another_format_is_refused() -> None:
    with pytest.raises(DecodeError, match="the header says EVT2"):
        list(Evt3Decoder().feed(b"% evt 2.0\n% end\n"))


def test_neighbours_are_written_as_a_whole_group() -> None:
    events = EventBatch.from_columns(
        t=[5] * 20, x=range(40, 60), y=[3] * 20, p=[1] * 20, sensor=Sensor(1280, 720)
    )
    data = encode(Evt3Encoder(), [events])
    words = struct.unpack("<7H", data[data.index(b"% end\n") + 6 :])
    assert [word >> 12 for word in words] == [0x8, 0x6, 0x0, 0x3, 0x4, 0x4, 0x5]


def test_an_event_that_does_not_fit_is_refused_after_those_that_do() -> None:
    encoder = Evt3Encoder()
    events = EventBatch.from_columns(t=[1, 2], x=[5, 2048], y=[0, 0], p=[0, 0])
    pieces = encoder.feed(events)
    next(pieces)
    assert len(next(pieces)) == 8
    with pytest.raises(EncodeError, match="t=2, x=2048, y=0 does not fit: EVT3 holds"):
        next(pieces)


def test_without_events_a_file_is_a_header() -> None:
    assert encode(Evt3Encoder(), []).endswith(b"% end\n")
    (empty,) = decode(CODEC, [encode(Evt3Encoder(), [])])
    assert isinstance(empty, EventBatch)


def test_triggers_are_written_and_read_back() -> None:
    sensor = Sensor(640, 480)
    triggers = TriggerBatch(
        t=np.array([5, 70_000, 70_001, 9_000_000]),
        id=np.array([0, 3, 3, 15], np.uint8),
        value=np.array([True, False, True, True]),
        sensor=sensor,
        span=Span(5, 9_000_000),
    )
    data = encode(Evt3Encoder(), [triggers])
    (again,) = [item for item in decode(CODEC, [data]) if isinstance(item, TriggerBatch)]
    assert again.t.tolist() == [5, 70_000, 70_001, 9_000_000]
    assert again.id.tolist() == [0, 3, 3, 15]
    assert again.value.tolist() == [True, False, True, True]


def test_events_and_triggers_may_follow_one_another() -> None:
    events = example_events(30)
    t = int(events.t[-1])
    trigger = TriggerBatch(
        np.array([t]), np.array([1], np.uint8), np.array([True]), events.sensor, Span(t, t)
    )
    data = encode(Evt3Encoder(), [events, trigger, events.cut(29, 30, events.span)])
    batches = [item for item in decode(CODEC, [data]) if isinstance(item, EventBatch)]
    assert [event for batch in batches for event in batch] == [*events, *events[29:]]


def test_frames_are_refused() -> None:
    frame = Frame(np.zeros((2, 2)), Span(0, 1), Sensor(2, 2))
    with pytest.raises(EncodeError, match="evt3: holds events and triggers, not Frame"):
        encode(Evt3Encoder(), [frame])


def test_the_laws() -> None:
    check_codec(CODEC, mutations=200)
