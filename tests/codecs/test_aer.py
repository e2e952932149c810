"""Bare addresses."""

from __future__ import annotations

import struct

import pytest

from aevents import DecodeError, Event, EventBatch, Sensor, TruncatedError
from aevents.codecs.aer import CODEC, AerDecoder
from aevents.testing import decode

WORDS = struct.pack("<3I", 1 << 18 | 300 << 9 | 511, 5 << 9 | 7, 511 << 9)
EVENTS = [Event(0, 300, 511, True), Event(0, 5, 7, False), Event(0, 511, 0, False)]


def read(data: bytes, *, size: int = 1000, **options: object) -> tuple[list[Event], dict[str, int]]:
    decoder = AerDecoder(**options)  # type: ignore[arg-type]  # as they are given
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    batches = [batch for chunk in chunks for batch in decoder.feed(chunk)] + list(decoder.flush())
    return [event for batch in batches for event in batch], decoder.counts


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_addresses_are_events_without_time(size: int) -> None:
    assert read(WORDS, size=size) == (EVENTS, {})


def test_the_sensor_is_what_addresses_reach_unless_given() -> None:
    [batch] = [item for item in decode(CODEC, [WORDS]) if isinstance(item, EventBatch)]
    assert batch.sensor == Sensor(512, 512)
    assert read(WORDS, sensor=Sensor(320, 320)) == (EVENTS, {"off_sensor": 2})


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_other_words_are_counted_or_raised_when_strict(size: int) -> None:
    data = WORDS + struct.pack("<I", 1 << 19) + WORDS
    assert read(data, size=size) == (EVENTS * 2, {"unknown_words": 1})
    with pytest.raises(DecodeError, match="bits above an address") as caught:
        read(data, size=size, strict=True)
    assert caught.value.offset == 12


def test_a_torn_word_is_counted_or_raised_when_strict() -> None:
    assert read(WORDS + b"\0\0") == (EVENTS, {"torn_bytes": 2})
    with pytest.raises(TruncatedError):
        read(WORDS + b"\0\0", strict=True)


def test_without_events_there_is_an_empty_batch() -> None:
    [batch] = decode(CODEC, [])
    assert isinstance(batch, EventBatch)
    assert (len(batch), batch.sensor) == (0, Sensor(512, 512))
