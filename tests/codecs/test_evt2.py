"""EVT2: words and what they say."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor, Span, TriggerBatch
from aevents.codecs.evt2 import CODEC, Evt2Decoder, Evt2Encoder
from aevents.testing import check_codec, decode, encode

HEADER = b"% evt 2.0\n% format EVT2;height=480;width=640\n% end\n"


def on(low: int, x: int, y: int) -> int:
    return 0x1 << 28 | low << 22 | x << 11 | y


def off(low: int, x: int, y: int) -> int:
    return low << 22 | x << 11 | y


def high(value: int) -> int:
    return 0x8 << 28 | value


def read(*words: int, strict: bool = False) -> tuple[list[Event], dict[str, int]]:
    decoder = Evt2Decoder(strict=strict)
    data = HEADER + struct.pack(f"<{len(words)}I", *words)
    items = [*decoder.feed(data), *decoder.flush()]
    return [
        event for item in items if isinstance(item, EventBatch) for event in item
    ], decoder.counts


WORDS = {
    "time in two parts": (
        (high(3), on(5, 7, 9), off(63, 1, 2)),
        [Event(197, 7, 9, True), Event(255, 1, 2, False)],
    ),
    "the clock rolls over": (
        (high(0xFFFFFFF), on(63, 1, 1), high(0), on(0, 1, 1)),
        [Event((1 << 34) - 1, 1, 1, True), Event(1 << 34, 1, 1, True)],
    ),
    "a small step back is no roll-over": (
        (high(10), on(0, 1, 1), high(9), on(0, 1, 1)),
        [Event(640, 1, 1, True), Event(576, 1, 1, True)],
    ),
    "vendor words are skipped": (
        (high(0), 0xE0000014, 0xF0000007, 0xD0000000, on(0, 1, 1)),
        [Event(0, 1, 1, True)],
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_are_read(case: str) -> None:
    words, expected = WORDS[case]
    assert read(*words)[0] == expected


def test_triggers_are_their_own_kind() -> None:
    data = HEADER + struct.pack("<2I", high(1), 0xA << 28 | 5 << 22 | 3 << 8 | 1)
    triggers, _empty = decode(CODEC, [data])
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t[0], triggers.id[0], triggers.value[0]) == (69, 3, True)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((on(0, 1, 1), high(0)), "untimed"),
        ((high(0), 0x30000000), "unknown_words"),
        ((high(0), on(0, 640, 0)), "off_sensor"),
        ((high(0), on(5, 0, 0), on(4, 0, 0)), "backward_jumps"),
    ],
)
def test_anomalies_are_counted_by_name_or_raised_when_strict(
    words: tuple[int, ...], name: str
) -> None:
    assert read(*words)[1] == {name: 1}
    with pytest.raises(DecodeError, match="evt2: "):
        read(*words, strict=True)


def test_a_header_of_another_format_is_refused() -> None:
    with pytest.raises(DecodeError, match="the header says EVT3"):
        list(Evt2Decoder().feed(b"% evt 3.0\n% end\n"))


def test_an_event_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EncodeError, match="EVT2 holds 0 <= x, y < 2048"):
        encode(Evt2Encoder(), [EventBatch.from_columns(t=[1], x=[0], y=[2048], p=[0])])


def test_triggers_are_written_and_read_back() -> None:
    sensor = Sensor(640, 480)
    triggers = TriggerBatch(
        t=np.array([5, 70_000, 70_001, 9_000_000]),
        id=np.array([0, 3, 3, 15], np.uint8),
        value=np.array([True, False, True, True]),
        sensor=sensor,
        span=Span(5, 9_000_000),
    )
    data = encode(Evt2Encoder(), [triggers])
    (again,) = [item for item in decode(CODEC, [data]) if isinstance(item, TriggerBatch)]
    assert again.t.tolist() == [5, 70_000, 70_001, 9_000_000]
    assert again.id.tolist() == [0, 3, 3, 15]
    assert again.value.tolist() == [True, False, True, True]


def test_the_laws() -> None:
    check_codec(CODEC, mutations=200)
