"""What every format is made of: bytes cut anywhere, and a check of what was decoded."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import (
    Damage,
    DecodeError,
    EventBatch,
    Sensor,
    Span,
    TimeOrderError,
    TruncatedError,
)
from aevents.codecs.base import MOST_DAMAGE, ByteBuffer, Watch


def batch(watch: Watch, *events: tuple[int, int, int]) -> EventBatch:
    t, x, y = zip(*events, strict=True) if events else ((), (), ())
    return watch.batch(
        np.array(t, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.zeros(len(t), np.bool_),
    )


CUTS = {
    "whole": ([b"aabbcc"], [b"aabbcc"]),
    "byte by byte": ([b"a", b"a", b"b", b"b"], [b"aa", b"bb"]),
    "a record over the seam": ([b"aab", b"bcc"], [b"aa", b"bb", b"cc"]),
    "a record over three chunks": ([b"a", b"", b"a"], [b"aa"]),
    "a seam and a torn end": ([b"a", b"abbc"], [b"aa", b"bb"]),
}


@pytest.mark.parametrize("case", CUTS)
def test_records_come_out_whole(case: str) -> None:
    chunks, expected = CUTS[case]
    buffer = ByteBuffer()
    runs = [bytes(run) for chunk in chunks for run in buffer.records(chunk, 2)]
    assert runs == expected
    assert buffer.offset == sum(map(len, expected))
    assert len(buffer) == len(b"".join(chunks)) - buffer.offset


def test_a_record_of_many_bytes_is_put_together() -> None:
    buffer = ByteBuffer()
    runs = [bytes(run) for byte in b"abcdefgh" for run in buffer.records(bytes([byte]), 4)]
    assert runs == [b"abcd", b"efgh"]


def test_spans_follow_on_from_each_other() -> None:
    watch = Watch("tiny", strict=False)
    assert batch(watch).span == Span(0, 0)
    assert batch(watch, (10, 0, 0), (20, 0, 0)).span == Span(10, 20)
    assert batch(watch).span == Span(20, 20)
    assert batch(watch, (20, 0, 0), (30, 0, 0)).span == Span(20, 30)
    assert watch.counts == {}


def test_time_that_goes_back_is_counted_and_never_moves_the_span() -> None:
    watch = Watch("tiny", strict=False)
    assert batch(watch, (10, 0, 0), (30, 0, 0), (20, 0, 0)).span == Span(10, 30)
    assert batch(watch, (15, 0, 0), (16, 0, 0)).span == Span(30, 30)
    assert watch.counts == {"backward_jumps": 2}
    strict = Watch("tiny", strict=True)
    with pytest.raises(TimeOrderError, match="tiny: time goes back"):
        batch(strict, (10, 0, 0), (9, 0, 0))


def test_events_off_the_sensor_are_counted_and_handed_on() -> None:
    watch = Watch("tiny", strict=False)
    assert len(batch(watch, (1, 999, 0))) == 1  # no sensor: nothing is off it
    watch.use(Sensor(4, 3))
    found = batch(watch, (1, 3, 2), (2, 4, 0), (3, 0, 3))
    assert (len(found), found.sensor) == (3, Sensor(4, 3))
    assert watch.counts == {"off_sensor": 2}
    strict = Watch("tiny", strict=True)
    strict.use(Sensor(4, 3))
    with pytest.raises(DecodeError, match="tiny: events outside 4x3"):
        batch(strict, (1, 4, 0))


def test_triggers_have_the_span_of_their_times_or_of_now() -> None:
    watch = Watch("tiny", strict=False)
    batch(watch, (10, 0, 0), (20, 0, 0))
    some = watch.triggers(np.array([5, 7]), np.array([1, 1], np.uint8), np.array([True, False]))
    none = watch.triggers(np.array([], np.int64), np.array([], np.uint8), np.array([], np.bool_))
    assert (some.span, none.span) == (Span(5, 7), Span(20, 20))


def test_a_torn_end_is_counted_in_bytes() -> None:
    watch = Watch("tiny", strict=False)
    watch.torn(0, 100)
    assert watch.counts == {}
    watch.torn(3, 100)
    assert watch.counts == {"torn_bytes": 3}
    assert watch.damage == [Damage("torn_bytes", 100, bytes=3)]
    with pytest.raises(TruncatedError, match="the last 3 bytes are no whole record at byte 100"):
        Watch("tiny", strict=True).torn(3, 100)


def test_counts_add_up() -> None:
    watch = Watch("tiny", strict=False)
    watch.note("odd", 2, "odd things")
    watch.note("odd", 0, "odd things")
    watch.note("odd", 3, "odd things")
    assert watch.counts == {"odd": 5}


def test_damage_is_counted_and_its_first_places_are_remembered() -> None:
    watch = Watch("tiny", strict=False)
    watch.damaged("lost_words", 8, bytes=3, events=2)
    watch.damaged("lost_words", 90, count=5)
    assert watch.counts == {"lost_words": 6}
    assert watch.damage == [Damage("lost_words", 8, bytes=3, events=2), Damage("lost_words", 90)]
    for place in range(MOST_DAMAGE):
        watch.damaged("lost_words", place)
    assert len(watch.damage) == MOST_DAMAGE
    assert watch.counts == {"lost_words": MOST_DAMAGE + 6}
    with pytest.raises(DecodeError, match="tiny: lost words at byte 8"):
        Watch("tiny", strict=True).damaged("lost_words", 8)


def test_what_cannot_be_read_fails_strict_or_not() -> None:
    with pytest.raises(DecodeError, match="tiny: no such version at byte 4") as caught:
        Watch("tiny", strict=False).fail("no such version", offset=4)
    assert (caught.value.format, caught.value.offset) == ("tiny", 4)
