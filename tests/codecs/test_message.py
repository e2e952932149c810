"""Messages of aevents: batches as they were sent, what was lost, and lies."""

from __future__ import annotations

import tracemalloc

import lz4.frame
import msgspec
import numpy as np
import pytest
import zstandard

from aevents import EncodeError, EventBatch, Frame, Sensor, Span
from aevents.codecs.message import MOST_EVENTS, MOST_STREAMS, Head, MessageDecoder, MessageEncoder
from aevents.testing import assert_same_events, cut_events, example_events

SENSOR = Sensor(320, 240, "left", "00336")
EVENTS = example_events(100_000, sensor=SENSOR)
FEW = EVENTS[:10]
ONE, OTHER = b"1" * 16, b"2" * 16
PACKINGS = ("", "lz4", "zstd")

Message = tuple[bytes, bytes]


def messages(*batches: EventBatch, stream: bytes = ONE, packing: str = "") -> list[Message]:
    encoder = MessageEncoder(stream, packing=packing)
    return [one for batch in batches for one in encoder.feed(batch)] + list(encoder.flush())


def decoded(decoder: MessageDecoder, *sent: Message) -> list[EventBatch]:
    return [batch for one in sent for batch in decoder.feed(one)] + list(decoder.flush())


def lie(message: Message, **said: object) -> Message:
    head = msgspec.msgpack.decode(message[0], type=Head)
    return msgspec.msgpack.encode(msgspec.structs.replace(head, **said)), message[1]


def test_the_bytes_of_a_message() -> None:
    batch = EventBatch.from_columns(t=[7, 300], x=[1, 2], y=[3, 4], p=[1, 0], sensor=Sensor(9, 8))
    ((head, body),) = messages(batch)
    # an array of 12: "aevents1", 16 bytes, 0, 0, 2, 9, 8, "", "", 7, 301, ""
    assert (
        head.hex()
        == "9ca861657665"
        + "6e747331c410"
        + "31" * 16
        + "00000209 08a0a007 cd012da0".replace(" ", "")
    )
    assert body.hex() == "07000000000000002c010000000000000100020003000400" + "0100"
    assert list(decoded(MessageDecoder(), (head, body))[0]) == list(batch)


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_sent_is_what_comes(packing: str) -> None:
    batches = list(cut_events(EVENTS, [10, 0, 5_000]))
    decoder = MessageDecoder()
    read = decoded(decoder, *messages(*batches, packing=packing))
    assert_same_events(read, [EVENTS])
    assert [batch.span for batch in read[:3]] == [batch.span for batch in batches[:3]]
    assert {batch.sensor for batch in read} == {SENSOR}
    assert max(map(len, read)) == MOST_EVENTS
    assert [a.span.stop for a in read[:-1]] == [b.span.start for b in read[1:]]
    assert read[-1].span.stop == EVENTS.span.stop
    assert decoder.counts == {}
    with pytest.raises(ValueError, match="read-only"):
        read[0].t[0] = 1


def test_packing_makes_them_smaller() -> None:
    plain, lz4, zstd = (sum(len(body) for _, body in messages(EVENTS, packing=p)) for p in PACKINGS)
    assert plain == 13 * len(EVENTS)
    assert lz4 < 0.8 * plain
    assert zstd < 0.5 * plain


def test_what_was_lost_is_counted_exactly() -> None:
    sent = messages(*cut_events(EVENTS, [10, 20, 30, 40, 50, 60]))
    decoder = MessageDecoder()
    decoded(decoder, sent[0], sent[1], sent[4])
    assert decoder.counts == {"lost_messages": 2, "lost_events": 70}
    decoded(decoder, sent[6])
    assert decoder.counts == {"lost_messages": 3, "lost_events": 130}


def test_who_joins_late_and_who_starts_anew_has_lost_nothing() -> None:
    sent = messages(*cut_events(FEW, [1] * 9))
    decoder = MessageDecoder()
    decoded(decoder, *sent[5:], *messages(*cut_events(FEW, [2]), stream=OTHER))
    assert decoder.counts == {}


def test_two_senders_are_told_apart() -> None:
    one = messages(*cut_events(FEW, [1] * 9))
    other = messages(*cut_events(FEW, [2] * 4), stream=OTHER)
    decoder = MessageDecoder()
    decoded(decoder, one[0], other[0], one[1], other[2], one[2], one[4], other[3])
    assert decoder.counts == {"lost_messages": 2, "lost_events": 3}


def test_a_message_that_comes_again_or_late_is_left_out() -> None:
    sent = messages(*cut_events(FEW, [1] * 9))
    decoder = MessageDecoder()
    read = decoded(decoder, sent[0], sent[1], sent[1], sent[0], sent[2])
    assert_same_events(read, [FEW[:3]])
    assert decoder.counts == {"repeated_messages": 2}


def test_gaps_are_nothing_to_who_gets_a_share() -> None:
    sent = messages(*cut_events(FEW, [1] * 9))
    decoder = MessageDecoder(gaps=False)
    assert_same_events(decoded(decoder, sent[0], sent[5], sent[3]), [FEW[0:1], FEW[5:6], FEW[3:4]])
    assert decoder.counts == {}


def test_no_more_than_so_many_senders_are_remembered() -> None:
    decoder = MessageDecoder()
    for number in range(1_000):
        decoded(decoder, *messages(FEW, stream=number.to_bytes(16, "big")))
    assert len(decoder._next) == MOST_STREAMS
    assert decoder.counts == {}


def test_events_off_the_sensor_are_left_out_and_counted() -> None:
    batch = EventBatch.from_columns(
        t=[1, 2, 3], x=[320, 0, 5], y=[0, 240, 6], p=[1, 1, 1], sensor=SENSOR
    )
    decoder = MessageDecoder()
    (read,) = decoded(decoder, *messages(batch))
    assert (read.t.tolist(), read.span, decoder.counts) == ([3], batch.span, {"off_sensor": 2})
    (read,) = decoded(MessageDecoder(Sensor(6, 7)), *messages(batch))
    assert (read.t.tolist(), read.sensor) == ([3], Sensor(6, 7))
    (read,) = decoded(MessageDecoder(Sensor()), *messages(batch))
    assert len(read) == 3


def test_a_sensor_of_any_size_takes_no_memory() -> None:
    (message,) = messages(FEW)
    (read,) = decoded(MessageDecoder(), lie(message, width=65_535, height=65_535))
    assert (read.sensor.width, len(read)) == (65_535, len(FEW))


(SOUND,) = messages(FEW)
BAD: dict[str, tuple[bytes, ...]] = {
    "no part": (),
    "one part": SOUND[:1],
    "three parts": (*SOUND, b""),
    "an empty head": (b"", SOUND[1]),
    "another head": (b"V", SOUND[1]),
    "a head cut short": (SOUND[0][:-1], SOUND[1]),
    "a head and more": (SOUND[0] + b"\0", SOUND[1]),
    "a map": (msgspec.msgpack.encode({"type": "aevents1"}), SOUND[1]),
    "another version": (SOUND[0].replace(b"aevents1", b"aevents2"), SOUND[1]),
    "a deep head": (b"\x91" * 100_000, SOUND[1]),
    "a name that is no text": (SOUND[0].replace(b"left", b"\xff\xff\xff\xff"), SOUND[1]),
    "more events than there are": lie(SOUND, events=11),
    "fewer events than there are": lie(SOUND, events=9),
    "no events": lie(SOUND, events=0),
    "too many events": lie(SOUND, events=MOST_EVENTS + 1),
    "events below 0": lie(SOUND, events=-1),
    "a number below 0": lie(SOUND, number=-1),
    "a number past all": lie(SOUND, before=2**63),
    "a wide sensor": lie(SOUND, width=65_537),
    "a long name": lie(SOUND, name="n" * 256),
    "a span backwards": lie(SOUND, start=2, stop=1),
    "a time past all": lie(SOUND, stop=2**63),
    "a short stream": lie(SOUND, stream=b"1"),
    "an unknown packing": lie(SOUND, packing="gzip"),
    "no lz4": lie(SOUND, packing="lz4"),
    "no zstd": lie(SOUND, packing="zstd"),
    "a polarity of 2": (SOUND[0], SOUND[1][:-1] + b"\2"),
    "a body cut short": (SOUND[0], SOUND[1][:-1]),
    "a body and more": (SOUND[0], SOUND[1] + b"\0"),
}


@pytest.mark.parametrize("message", BAD.values(), ids=BAD)
def test_a_lie_is_counted_and_the_stream_goes_on(message: tuple[bytes, ...]) -> None:
    decoder = MessageDecoder()
    assert list(decoder.feed(message)) == []
    assert decoder.counts == {"bad_messages": 1}
    assert_same_events(decoded(decoder, *messages(FEW, stream=OTHER)), [FEW])


@pytest.mark.parametrize(
    ("number", "before", "name"),
    [(2, 0, "bad_messages"), (2, 1_000_000, "bad_messages"), (0, 0, "repeated_messages")],
)
def test_counts_that_do_not_go_together_are_none(number: int, before: int, name: str) -> None:
    decoder = MessageDecoder()
    decoded(decoder, SOUND, lie(SOUND, number=number, before=before))
    assert decoder.counts == {name: 1}


@pytest.mark.parametrize("packing", ["lz4", "zstd"])
def test_a_bomb_takes_no_memory(packing: str) -> None:
    much = bytes(64 << 20)
    bomb = lz4.frame.compress(much) if packing == "lz4" else zstandard.compress(much)
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(much)
    del much
    decoder = MessageDecoder()
    tracemalloc.start()
    for body in (bomb, unsized):
        assert decoded(decoder, lie((SOUND[0], body), packing=packing)) == []
        assert decoded(decoder, lie((SOUND[0], body), packing=packing, events=MOST_EVENTS)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_random_bytes_are_no_events() -> None:
    random = np.random.default_rng(2)
    decoder, bad = MessageDecoder(), 0
    for size in (0, 1, 1 << 20, *random.integers(0, 5_000, 300).tolist()):
        assert decoded(decoder, (random.bytes(size), random.bytes(size))) == []
        bad += 1
    assert decoder.counts == {"bad_messages": bad}


@pytest.mark.parametrize("packing", PACKINGS)
def test_mutations_give_batches_or_are_counted(packing: str) -> None:
    random = np.random.default_rng(3)
    (message,) = messages(FEW, packing=packing)
    for _ in range(1_000):
        parts = [bytearray(part) for part in message]
        for part in parts:
            part[random.integers(len(part))] ^= 1 << random.integers(8)
        decoder = MessageDecoder()
        for batch in decoder.feed([bytes(part) for part in parts]):
            assert len(batch.t) == len(batch.x) == len(batch.y) == len(batch.p) <= len(FEW)
            assert set(batch.p.view(np.uint8).tolist()) <= {0, 1}


def test_a_message_that_was_not_sent_has_no_number() -> None:
    encoder = MessageEncoder(ONE)
    unsent = encoder.feed(EVENTS)
    next(unsent)
    del unsent
    decoder = MessageDecoder()
    assert_same_events(decoded(decoder, *encoder.feed(FEW), *encoder.feed(FEW)), [FEW, FEW])
    assert decoder.counts == {}


@pytest.mark.parametrize(
    ("stream", "packing", "message"),
    [(b"1", "", "16 bytes, not 1"), (ONE, "gzip", "with lz4 or zstd, not 'gzip'")],
)
def test_what_an_encoder_is_not_told(stream: bytes, packing: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MessageEncoder(stream, packing=packing)


def test_what_does_not_fit_is_refused() -> None:
    frame = Frame(np.zeros((2, 2)), Span(0, 1), Sensor(2, 2))
    with pytest.raises(EncodeError, match="holds events, not Frame"):
        next(MessageEncoder(ONE).feed(frame))  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(EncodeError, match="up to 255 characters"):
        next(MessageEncoder(ONE).feed(EventBatch.empty(Sensor(1, 1, "n" * 256))))
