"""Text: lines, and the events they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor
from aevents.codecs.csv import CODEC, CsvDecoder, CsvEncoder
from aevents.codecs.lines import LINE_BYTES
from aevents.errors import TimeOrderError
from aevents.testing import check_codec, decode, encode, example_events
from aevents.types import Frame, Span

EVENTS = [Event(5, 6, 7, True), Event(1_000_000, 8, 9, False)]


def read(
    data: bytes, *, size: int = 1 << 20, **options: object
) -> tuple[list[Event], dict[str, int], Sensor]:
    decoder = CODEC.decoder(**options)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    items = [item for chunk in chunks for item in decoder.feed(chunk)] + list(decoder.flush())
    batches = [item for item in items if isinstance(item, EventBatch)]
    events = [event for batch in batches for event in batch]
    return events, dict(decoder.counts), batches[0].sensor


TEXTS = {
    "commas": b"5,6,7,1\n1000000,8,9,0\n",
    "a header": b"t,x,y,p\n5,6,7,1\n1000000,8,9,0\n",
    "tabs": b"5\t6\t7\t1\n1000000\t8\t9\t0\n",
    "semicolons": b"x;y;p;t\n6;7;1;5\n8;9;0;1000000\n",
    "seconds": b"0.000005 6 7 1\n1.000000 8 9 0\n",
    "seconds, rounded": b"0.0000046 6 7 1\n0.9999996 8 9 0\n",
    "exponents": b"5.0e-06 6.0e+00 7.0 1.0e+00\n1.0e+00 8.0 9.0 0.0e+00\n",
    "polarity in words": b"5,6,7,true\n1000000,8,9,False\n",
    "polarity of minus one": b"5,6,7,1\n1000000,8,9,-1\n",
    "lines of Windows": b"t,x,y,p\r\n5,6,7,1\r\n1000000,8,9,0\r\n",
    "no newline at the end": b"5,6,7,1\n1000000,8,9,0",
    "a byte order mark": b"\xef\xbb\xbf5,6,7,1\n1000000,8,9,0\n",
    "a byte order mark and a header": b"\xef\xbb\xbft,x,y,p\n5,6,7,1\n1000000,8,9,0\n",
    "comments and empty lines": b"# one\n\n5,6,7,1\n% two\n\n1000000,8,9,0\n\n",
    "columns to leave out": b"id,t,x,y,p,name\n1,5,6,7,1,a b\n2,1000000,8,9,0,\n",
}


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("case", TEXTS)
def test_text_is_read_however_it_is_written_and_cut(case: str, size: int) -> None:
    assert read(TEXTS[case], size=size) == (EVENTS, {}, Sensor())


def test_seconds_are_read_as_decimal_numbers() -> None:
    events, _, _ = read(b"11.718656 1 2 0\n1700000000.123457 1 2 0\n")
    assert [event.t for event in events] == [11_718_656, 1_700_000_000_123_457]


def test_the_size_comes_from_the_text_unless_it_is_given() -> None:
    data = b"t,x@1280,y@720,on\n5,6,7,1\n"
    assert read(data)[2] == Sensor(1280, 720)
    assert read(data, sensor=Sensor(640, 480))[2] == Sensor(640, 480)


def test_what_the_lines_do_not_say_is_given() -> None:
    assert read(b"6,7,1,0\n8,9,0,1\n", columns="xypt")[0] == [
        Event(0, 6, 7, True),
        Event(1, 8, 9, False),
    ]
    assert read(b"5,6,7,1\n", time_unit="s")[0] == [Event(5_000_000, 6, 7, True)]
    assert read(b"5.0,6,7,1\n", time_unit="us")[0] == [Event(5, 6, 7, True)]


ANOMALIES = {
    "too few fields": (b"5,6,7,1\n5,6,7\n", {"bad_lines": 1}, "no event at byte 8"),
    "too many fields": (b"5,6,7,1\n5,6,7,1,1\n", {"bad_lines": 1}, "no event at byte 8"),
    "words": (b"# hi\n5,6,7,1\nwell, this is odd\n\n\n", {"bad_lines": 1}, "no event at byte 13"),
    "x beyond 16 bits": (b"5,6,7,1\n5,65536,7,1\n", {"bad_lines": 1}, "no event at byte 8"),
    "x below zero": (b"5,6,7,1\n5,-1,7,1\n", {"bad_lines": 1}, "no event at byte 8"),
    "a torn last line": (b"t,x,y,p\n5,6,7,1\n5,6", {"bad_lines": 1}, "no event at byte 16"),
    "off the sensor": (b"t,x@9,y@9,p\n5,6,7,1\n5,9,7,1\n", {"off_sensor": 1}, "outside 9x9"),
    "back in time": (b"5,6,7,1\n4,6,7,1\n", {"backward_jumps": 1}, "time goes back"),
}


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("case", ANOMALIES)
def test_anomalies_are_counted_by_name_or_raised_when_strict(case: str, size: int) -> None:
    data, counts, message = ANOMALIES[case]
    assert read(data, size=size)[1] == counts
    with pytest.raises(DecodeError, match=message):
        read(data, size=size, strict=True)


def test_bad_lines_far_into_a_text_are_counted_and_placed() -> None:
    data = b"5,6,7,1\n" * 40_000 + b"oops\n" + b"5,6,7,1\n" * 40_000 + b"oops\n"
    events, counts, _ = read(data, size=100_000)
    assert (len(events), counts) == (80_000, {"bad_lines": 2})
    with pytest.raises(DecodeError, match="no event at byte 320000"):
        read(data, size=100_000, strict=True)


def test_time_going_back_has_an_error_of_its_own() -> None:
    with pytest.raises(TimeOrderError):
        read(b"5,6,7,1\n4,6,7,1\n", strict=True)


def test_an_empty_input_is_refused() -> None:
    with pytest.raises(DecodeError, match="the input is empty"):
        list(CsvDecoder().flush())


def test_a_text_without_events_gives_an_empty_batch_with_its_sensor() -> None:
    (empty,) = decode(CODEC, [b"t,x@640,y@480,p\n"])
    assert isinstance(empty, EventBatch)
    assert (len(empty), empty.sensor) == (0, Sensor(640, 480))


@pytest.mark.parametrize("size", [1000, LINE_BYTES, 1 << 20])
def test_a_line_without_end_is_refused_after_the_events_before_it(size: int) -> None:
    data = b"5,6,7,1\n" * 100 + b"5,6,7," + b"1" * 2 * LINE_BYTES + b"\n5,6,7,1\n"
    decoder = CsvDecoder()
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    given: list[EventBatch] = []
    with pytest.raises(DecodeError, match="longer than 65536 bytes at byte 800"):
        given.extend(batch for chunk in chunks for batch in decoder.feed(chunk))
    assert sum(map(len, given)) == 100


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_line_may_be_as_long_as_the_bound(size: int) -> None:
    data = b"5,6,7,1\n" * 20_000 + b"#" * LINE_BYTES + b"\n5,6,7,1\n"
    assert len(read(data, size=size)[0]) == 20_001


def test_a_text_far_longer_than_the_bound_is_read_in_one_chunk() -> None:
    assert len(read(b"5,6,7,1\n" * 50_000)[0]) == 50_000


CLAIMED = {
    "commas": (b"5,6,7,1\n", True),
    "seconds": (b"0.5 6 7 1\n", True),
    "OpenEB's order": (b"6,7,1,500\n", True),
    "a header of ours": (b"t,x,y,p\n", True),
    "a header of others, and events": (b"time_ns,u,v,sign\n5,6,7,1\n", True),
    "a header of others alone": (b"time_ns,u,v,sign\n", False),
    "a byte order mark": (b"\xef\xbb\xbf5,6,7,1\n", True),
    "many lines, the last cut": (b"5,6,7,1\n" * 8191 + b"5,6,7,\xff", True),
    "a size": (b"# 640x480\n", False),
    "words": (b"Dear reader,\n", False),
    "poses": (b"0.5 0.1 0.2 0.3 0.4 0.5 0.6 0.7\n", False),
    "a table of numbers": (b"5,6.5,7.25,1\n", False),
    "RAW": (b"% evt 3.0\n% end\n\x00\x80", False),
    "binary": (bytes(100), False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize("case", CLAIMED)
def test_text_is_claimed_if_it_holds_events(case: str) -> None:
    head, claimed = CLAIMED[case]
    assert CODEC.matches is not None
    assert CODEC.matches(head) is claimed


BATCH = EventBatch.from_columns(
    t=[5, 1_000_000], x=[6, 8], y=[7, 9], p=[1, 0], sensor=Sensor(1280, 720)
)
WRITTEN: dict[str, tuple[dict[str, Any], bytes]] = {
    "as a rule": ({}, b"t,x@1280,y@720,p\n5,6,7,1\n1000000,8,9,0\n"),
    "without header": ({"header": False}, b"5,6,7,1\n1000000,8,9,0\n"),
    "in another order": (
        {"columns": "xypt", "separator": ";"},
        b"x@1280;y@720;p;t\n6;7;1;5\n8;9;0;1000000\n",
    ),
    "as the ECD data sets": (
        {"separator": " ", "header": False, "time_unit": "s"},
        b"0.000005 6 7 1\n1.000000 8 9 0\n",
    ),
    "with tabs": ({"separator": "\t", "header": False}, b"5\t6\t7\t1\n1000000\t8\t9\t0\n"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_text_is_written_as_asked_and_read_back(case: str) -> None:
    options, expected = WRITTEN[case]
    data = encode(CsvEncoder(**options), [BATCH])
    assert data == expected
    assert read(data)[:2] == (EVENTS, {})


def test_the_header_is_written_once_without_a_size_that_is_not_known() -> None:
    batch = EventBatch.from_columns(t=[5], x=[6], y=[7], p=[1])
    assert encode(CsvEncoder(), [batch, batch]) == b"t,x,y,p\n5,6,7,1\n5,6,7,1\n"


def test_without_events_a_text_is_a_header() -> None:
    assert encode(CsvEncoder(), []) == b"t,x,y,p\n"
    assert encode(CsvEncoder(header=False), []) == b""


def test_a_long_batch_is_written_in_pieces() -> None:
    batch = example_events(70_000)
    pieces = list(CsvEncoder(header=False).feed(batch))
    assert [piece.count(b"\n") for piece in pieces] == [32768, 32768, 4464]


def test_only_events_can_be_written() -> None:
    frame = Frame(np.zeros((2, 3)), Span(0, 1), Sensor(3, 2))
    with pytest.raises(EncodeError, match="a line holds an event, not a Frame"):
        list(CsvEncoder().feed(frame))  # type: ignore[arg-type]  # the point


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "separator": ({"separator": "|"}, "a separator is one of"),
    "columns": ({"columns": "txy"}, "columns are t, x, y and p in some order"),
    "columns to leave out": ({"columns": "t-xyp"}, "a line is written in full"),
    "time_unit": ({"time_unit": "ms"}, "time_unit is 'us' or 's'"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_is_none_is_refused_at_once(name: str) -> None:
    options, message = OPTIONS[name]
    with pytest.raises(ValueError, match=message):
        CsvEncoder(**options)


EVENT = st.tuples(
    st.integers(-(2**53), 2**53), st.integers(0, 65535), st.integers(0, 65535), st.booleans()
)


@given(
    st.lists(EVENT, max_size=80),
    st.sampled_from(",; \t"),
    st.permutations("txyp").map("".join),
    st.sampled_from(["us", "s"]),
)
def test_whatever_is_written_is_read_back(
    events: list[tuple[int, int, int, bool]], separator: str, columns: str, time_unit: str
) -> None:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    batch = EventBatch.from_columns(t=np.array(t, np.int64), x=x, y=y, p=np.array(p, np.bool_))
    encoder = CODEC.encoder(separator=separator, columns=columns, time_unit=time_unit)  # type: ignore[misc]  # there is one
    data = encode(encoder, [batch])
    assert read(data, columns=columns, time_unit=time_unit)[0] == [Event(*one) for one in events]


def test_the_laws() -> None:
    check_codec(CODEC, batch=example_events(60), mutations=2_000)
