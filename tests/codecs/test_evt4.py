"""EVT4: words and what they say."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor, Span, TriggerBatch
from aevents.codecs.evt4 import CODEC, Evt4Decoder, Evt4Encoder
from aevents.testing import check_codec, decode, encode

HEADER = b"% evt 4.0\n% format EVT4;height=480;width=640\n% end\n"


def off(low: int, x: int, y: int) -> int:
    return 0xA << 28 | low << 22 | x << 11 | y


def on(low: int, x: int, y: int) -> int:
    return 0xB << 28 | low << 22 | x << 11 | y


def off_vector(low: int, x: int, y: int, mask: int) -> tuple[int, int]:
    return 0xC << 28 | low << 22 | x << 11 | y, mask


def on_vector(low: int, x: int, y: int, mask: int) -> tuple[int, int]:
    return 0xD << 28 | low << 22 | x << 11 | y, mask


def high(value: int) -> int:
    return 0xE << 28 | value


def packed(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def read(*words: int, strict: bool = False) -> tuple[list[Event], dict[str, int]]:
    decoder = Evt4Decoder(strict=strict)
    items = [*decoder.feed(HEADER + packed(*words)), *decoder.flush()]
    batches = [item for item in items if isinstance(item, EventBatch)]
    return [event for batch in batches for event in batch], decoder.counts


WORDS = {
    "time in two parts": (
        (high(3), on(5, 7, 9), off(63, 1, 2)),
        [Event(197, 7, 9, True), Event(255, 1, 2, False)],
    ),
    "bits are events in ascending columns": (
        (high(0), *on_vector(1, 32, 7, 0x80000005), *off_vector(2, 3, 4, 0b11)),
        [
            Event(1, 32, 7, True), Event(1, 34, 7, True), Event(1, 63, 7, True),
            Event(2, 3, 4, False), Event(2, 4, 4, False),
        ],
    ),
    "bits have no type": (
        (high(0), *on_vector(1, 0, 7, high(9)), *on_vector(1, 0, 8, 0xC0000000), on(2, 3, 4)),
        [
            *(Event(1, x, 7, True) for x in (0, 3, 29, 30, 31)),
            *(Event(1, x, 8, True) for x in (30, 31)),
            Event(2, 3, 4, True),
        ],
    ),
    "no bits are no events": ((high(0), *on_vector(0, 0, 0, 0)), []),
    "the clock rolls over": (
        (high(0xFFFFFFF), on(63, 1, 1), high(0), on(0, 1, 1)),
        [Event((1 << 34) - 1, 1, 1, True), Event(1 << 34, 1, 1, True)],
    ),
    "a small step back is no roll-over": (
        (high(10), on(0, 1, 1), high(9), on(0, 1, 1)),
        [Event(640, 1, 1, True), Event(576, 1, 1, True)],
    ),
    "vendor words and padding are skipped": (
        (high(0), 0x60000014, 0x70000007, 0xFFFFFFFF, on(0, 1, 1)),
        [Event(0, 1, 1, True)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_words_are_read(case: str) -> None:
    words, expected = WORDS[case]
    assert read(*words)[0] == expected


def test_triggers_are_their_own_kind() -> None:
    data = HEADER + packed(high(1), 0x9 << 28 | 5 << 22 | 3 << 8 | 1)
    triggers, _empty = decode(CODEC, [data])
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t[0], triggers.id[0], triggers.value[0]) == (69, 3, True)


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ((on(0, 1, 1), high(0)), {"untimed": 1}),
        ((*on_vector(0, 0, 1, high(1)), high(0)), {"untimed": 4}),
        ((high(0), 0x30000000), {"unknown_words": 1}),
        ((high(0), on(0, 640, 0)), {"off_sensor": 1}),
        ((high(0), on(5, 0, 0), on(4, 0, 0)), {"backward_jumps": 1}),
        ((high(0), on_vector(0, 0, 0, 0)[0]), {"torn_bytes": 4}),
    ],
)
def test_anomalies_are_counted_by_name_or_raised_when_strict(
    words: tuple[int, ...], counts: dict[str, int]
) -> None:
    assert read(*words)[1] == counts
    with pytest.raises(DecodeError, match="evt4: "):
        read(*words, strict=True)


def test_a_vector_cut_in_its_second_word_is_torn_as_a_whole() -> None:
    decoder = Evt4Decoder()
    torn = packed(high(0), *on_vector(0, 0, 0, 1))[:-1]
    (batch,) = [*decoder.feed(HEADER + torn), *decoder.flush()]
    assert len(batch) == 0
    assert decoder.counts == {"torn_bytes": 7}


def test_a_header_of_another_format_is_refused() -> None:
    with pytest.raises(DecodeError, match="the header says EVT3"):
        list(Evt4Decoder().feed(b"% evt 3.0\n% end\n"))


def test_an_event_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EncodeError, match="EVT4 holds 0 <= x, y < 2048"):
        encode(Evt4Encoder(), [EventBatch.from_columns(t=[1], x=[0], y=[2048], p=[0])])


def test_three_neighbours_are_written_as_a_vector() -> None:
    batch = EventBatch.from_columns(
        t=[70, 70, 70, 71, 71],
        x=[32, 34, 63, 64, 65],
        y=[5] * 5,
        p=[1] * 5,
        sensor=Sensor(640, 480),
    )
    body = encode(Evt4Encoder(), [batch]).partition(b"% end\n")[2]
    vector = on_vector(6, 32, 5, 0x80000005)
    assert body == packed(high(1), *vector, on(7, 64, 5), on(7, 65, 5))


def test_triggers_are_written_and_read_back() -> None:
    triggers = TriggerBatch(
        t=np.array([5, 70_000, 70_001, 9_000_000]),
        id=np.array([0, 3, 3, 15], np.uint8),
        value=np.array([True, False, True, True]),
        sensor=Sensor(640, 480),
        span=Span(5, 9_000_000),
    )
    data = encode(Evt4Encoder(), [triggers])
    (again,) = [item for item in decode(CODEC, [data]) if isinstance(item, TriggerBatch)]
    assert again.t.tolist() == [5, 70_000, 70_001, 9_000_000]
    assert again.id.tolist() == [0, 3, 3, 15]
    assert again.value.tolist() == [True, False, True, True]


def test_the_laws() -> None:
    check_codec(CODEC, mutations=200)
