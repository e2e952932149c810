"""EVT2.1: words and what they say, in both orders of bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor, Span, TriggerBatch
from aevents.codecs.evt21 import CODEC, Endianness, Evt21Decoder, Evt21Encoder
from aevents.testing import assert_same_events, check_codec, decode, encode, example_events

LINES = "% evt 2.1\n% format EVT21;height=480;width=640{option}\n{line}% end\n"
SILENT = LINES.format(option="", line="").encode()
HEADERS = {
    "an option": LINES.format(option=";endianness={order}", line=""),
    "a line": LINES.format(option="", line="% endianness {order}\n"),
    "nothing": LINES.format(option="", line=""),
}


def little(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}Q", *words)


def legacy(*words: int) -> bytes:
    return b"".join(struct.pack("<2I", word >> 32, word & 0xFFFFFFFF) for word in words)


ORDERS: dict[Endianness, Callable[..., bytes]] = {"little": little, "legacy": legacy}


def on(low: int, x: int, y: int, mask: int) -> int:
    return 0x1 << 60 | low << 54 | x << 43 | y << 32 | mask


def off(low: int, x: int, y: int, mask: int) -> int:
    return low << 54 | x << 43 | y << 32 | mask


def high(value: int) -> int:
    return 0x8 << 60 | value << 32


def read(*words: int, strict: bool = False) -> tuple[list[Event], dict[str, int]]:
    decoder = Evt21Decoder(strict=strict)
    items = [*decoder.feed(SILENT + little(*words)), *decoder.flush()]
    batches = [item for item in items if isinstance(item, EventBatch)]
    return [event for batch in batches for event in batch], decoder.counts


WORDS = {
    "time in two parts": (
        (high(3), on(5, 64, 9, 1), off(63, 32, 2, 1 << 31)),
        [Event(197, 64, 9, True), Event(255, 63, 2, False)],
    ),
    "bits are events in ascending columns": (
        (high(0), on(1, 32, 7, 0x80000005)),
        [Event(1, 32, 7, True), Event(1, 34, 7, True), Event(1, 63, 7, True)],
    ),
    "the base may be any column": (
        (high(0), off(0, 33, 0, 0b11)),
        [Event(0, 33, 0, False), Event(0, 34, 0, False)],
    ),
    "no bits are no events": ((high(0), on(0, 0, 0, 0)), []),
    "the clock rolls over": (
        (high(0xFFFFFFF), on(63, 0, 1, 1), high(0), on(0, 0, 1, 1)),
        [Event((1 << 34) - 1, 0, 1, True), Event(1 << 34, 0, 1, True)],
    ),
    "a small step back is no roll-over": (
        (high(10), on(0, 0, 1, 1), high(9), on(0, 0, 1, 1)),
        [Event(640, 0, 1, True), Event(576, 0, 1, True)],
    ),
    "vendor words are skipped": (
        (high(0), 0xE << 60 | 0x14 << 32, 0xF << 60 | 7, on(0, 0, 1, 1)),
        [Event(0, 0, 1, True)],
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_are_read(case: str) -> None:
    words, expected = WORDS[case]
    assert read(*words)[0] == expected


@pytest.mark.parametrize("order", ["little", "legacy"])
@pytest.mark.parametrize("said_by", HEADERS)
def test_the_order_of_bytes_is_said_by_the_header_or_seen_in_the_words(
    said_by: str, order: Endianness
) -> None:
    words = ORDERS[order](high(3), on(5, 64, 9, 1), off(63, 32, 2, 3))
    header = HEADERS[said_by].format(order=order).encode()
    events = [Event(197, 64, 9, True), Event(255, 32, 2, False), Event(255, 33, 2, False)]
    for chunks in ([header + words], [header, words[:7], words[7:]]):
        assert [event for item in decode(CODEC, chunks) for event in item] == events  # type: ignore[attr-defined]


@pytest.mark.parametrize("order", ["little", "legacy"])
def test_words_in_an_order_that_the_header_does_not_say_obey_the_laws(order: Endianness) -> None:
    events = example_events(3000)
    data = encode(Evt21Encoder(endianness=order), [events])
    body = data[data.index(b"% end\n") + 6 :]
    cut = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    assert_same_events(decode(CODEC, [SILENT, *cut]), [events])
    assert_same_events(decode(CODEC, [SILENT + body]), [events])


@pytest.mark.parametrize("order", ["little", "legacy"])
def test_the_order_is_seen_in_words_that_begin_in_the_middle(order: Endianness) -> None:
    x = np.arange(0, 1280, 5)
    events = EventBatch.from_columns(t=1000 * (x > 50), x=x, y=x % 7, p=x % 2)
    data = encode(Evt21Encoder(endianness=order), [events])
    body = data[data.index(b"% end\n") + 6 + 8 :]  # without the first TIME_HIGH
    decoder = Evt21Decoder()
    read = [*decoder.feed(SILENT + body), *decoder.flush()]
    assert_same_events(read, [events[11:]])
    assert decoder.counts == {"untimed": 11, "off_sensor": 128}


def test_another_order_is_refused() -> None:
    with pytest.raises(DecodeError, match="the endianness 'big' is neither 'little' nor 'legacy'"):
        list(Evt21Decoder().feed(HEADERS["a line"].format(order="big").encode()))
    with pytest.raises(ValueError, match="endianness is 'little' or 'legacy', not 'big'"):
        Evt21Encoder(endianness="big")  # type: ignore[arg-type]


def test_triggers_are_their_own_kind() -> None:
    data = SILENT + little(high(1), 0xA << 60 | 5 << 54 | 3 << 40 | 1 << 32)
    triggers, _empty = decode(CODEC, [data])
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t[0], triggers.id[0], triggers.value[0]) == (69, 3, True)


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ((on(0, 0, 1, 0b101), high(0)), {"untimed": 2}),
        ((high(0), 0x3 << 60), {"unknown_words": 1}),
        ((high(0), on(0, 608, 0, 1), on(0, 640, 0, 1)), {"off_sensor": 1}),
        ((high(0), on(5, 0, 0, 1), on(4, 0, 0, 1)), {"backward_jumps": 1}),
    ],
)
def test_anomalies_are_counted_by_name_or_raised_when_strict(
    words: tuple[int, ...], counts: dict[str, int]
) -> None:
    assert read(*words)[1] == counts
    with pytest.raises(DecodeError, match="evt21: "):
        read(*words, strict=True)


def test_a_header_of_another_format_is_refused() -> None:
    with pytest.raises(DecodeError, match="the header says EVT3"):
        list(Evt21Decoder().feed(b"% evt 3.0\n% end\n"))


def test_an_event_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EncodeError, match=r"EVT2\.1 holds 0 <= x, y < 2048"):
        encode(Evt21Encoder(), [EventBatch.from_columns(t=[1], x=[0], y=[2048], p=[0])])


def test_a_vector_past_the_largest_column_is_counted_not_wrapped() -> None:
    assert read(high(0), on(0, 2047, 0, 1 << 31)) == (
        [Event(0, 2078, 0, True)],
        {"off_sensor": 1},
    )


@pytest.mark.parametrize("order", ["little", "legacy"])
def test_neighbours_are_written_as_one_word(order: Endianness) -> None:
    batch = EventBatch.from_columns(
        t=[70, 70, 70, 71], x=[32, 34, 63, 64], y=[5] * 4, p=[1] * 4, sensor=Sensor(640, 480)
    )
    data = encode(Evt21Encoder(endianness=order), [batch])
    header, end, body = data.partition(b"% end\n")
    assert f"% format EVT21;height=480;width=640;endianness={order}\n".encode() in header + end
    assert body == ORDERS[order](high(1), on(6, 32, 5, 0x80000005), on(7, 64, 5, 1))


@pytest.mark.parametrize("order", ["little", "legacy"])
def test_triggers_are_written_and_read_back(order: Endianness) -> None:
    triggers = TriggerBatch(
        t=np.array([5, 70_000, 70_001, 9_000_000]),
        id=np.array([0, 3, 3, 15], np.uint8),
        value=np.array([True, False, True, True]),
        sensor=Sensor(640, 480),
        span=Span(5, 9_000_000),
    )
    data = encode(Evt21Encoder(endianness=order), [triggers])
    (again,) = [item for item in decode(CODEC, [data]) if isinstance(item, TriggerBatch)]
    assert again.t.tolist() == [5, 70_000, 70_001, 9_000_000]
    assert again.id.tolist() == [0, 3, 3, 15]
    assert again.value.tolist() == [True, False, True, True]


def test_the_laws() -> None:
    check_codec(CODEC, mutations=200)
