"""Triggers as text."""

from __future__ import annotations

import numpy as np
import pytest

import aevents
from aevents import DecodeError, EncodeError, EventBatch, Sensor, TriggerBatch
from aevents.codecs.triggers import CODEC, TriggersDecoder, TriggersEncoder
from aevents.testing import decode, encode
from aevents.types import Span

Row = tuple[int, int, bool]
ROWS = [(5, 0, True), (9, 1, False), (1_700_000_000_000_000, 255, True)]
TEXT = b"p,id,t\n1,0,5\n0,1,9\n1,255,1700000000000000\n"


def rows_of(items: list[object]) -> list[Row]:
    batches = [item for item in items if isinstance(item, TriggerBatch)]
    assert len(batches) == len(items)
    return [
        row
        for batch in batches
        for row in zip(batch.t.tolist(), batch.id.tolist(), batch.value.tolist(), strict=True)
    ]


def batch(rows: list[Row]) -> TriggerBatch:
    t, id, value = zip(*rows, strict=True)
    arrays = np.array(t, np.int64), np.array(id, np.uint8), np.array(value, np.bool_)
    return TriggerBatch(*arrays, Sensor(), Span(min(t), max(t)))


TEXTS = {
    "a header": TEXT,
    "no header": TEXT.partition(b"\n")[2],
    "no newline at the end": TEXT[:-1],
    "carriage returns": TEXT.replace(b"\n", b"\r\n"),
    "blanks and a mark": b"\xef\xbb\xbf" + TEXT.replace(b",", b", "),
    "comments": b"# edges\n\n" + TEXT.partition(b"\n")[2],
}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("case", TEXTS)
def test_triggers_are_read_however_they_are_written_and_cut(case: str, size: int) -> None:
    data = TEXTS[case]
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    decoder = TriggersDecoder()
    items = [item for chunk in chunks for item in decoder.feed(chunk)] + list(decoder.flush())
    assert rows_of(list(items)) == ROWS
    assert decoder.counts == {}


def test_what_is_written_is_read_back() -> None:
    data = encode(TriggersEncoder(), [batch(ROWS[:1]), batch(ROWS[1:])])
    assert data == TEXT
    assert rows_of(decode(CODEC, [data])) == ROWS


def test_without_triggers_a_text_is_a_header() -> None:
    assert encode(TriggersEncoder(), []) == b"p,id,t\n"
    assert decode(CODEC, [b"p,id,t\n"]) == []


@pytest.mark.parametrize("line", [b"2,0,5", b"1,256,5", b"1,0", b"1,0,5,6", b"p,id,t", b"1,0,x"])
def test_a_line_that_is_none_is_counted_or_raised_when_strict(line: bytes) -> None:
    data = TEXT + line + b"\n"
    decoder = TriggersDecoder()
    assert rows_of([*decoder.feed(data), *decoder.flush()]) == ROWS
    assert decoder.counts == {"bad_lines": 1}
    with pytest.raises(DecodeError, match="a line is no trigger") as caught:
        decode(CODEC, [data], strict=True)
    assert caught.value.offset == len(TEXT)


def test_an_empty_input_is_refused() -> None:
    with pytest.raises(DecodeError, match="the input is empty"):
        decode(CODEC, [b""])


def test_only_triggers_can_be_written() -> None:
    with pytest.raises(EncodeError, match="a line holds a trigger, not a EventBatch"):
        TriggersEncoder().feed(EventBatch.empty()).__next__()  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (TEXT, True),
        (TEXT[7:], True),
        (b"1,2,3\n4,5,6\n", False),
        (b"t,x,y,p\n", False),
        (b"", False),
    ],
)
def test_text_is_claimed_if_it_holds_triggers(head: bytes, claimed: bool) -> None:
    assert CODEC.matches is not None
    assert CODEC.matches(head) is claimed


@pytest.mark.parametrize("mutation", range(300))
def test_damaged_text_gives_triggers_or_an_error(mutation: int) -> None:
    random = np.random.default_rng(mutation)
    data = bytearray(TEXT)
    for place in random.integers(0, len(data), 4):
        data[place] = random.integers(0, 256)
    rows_of(decode(CODEC, [bytes(data)]))


async def test_a_file_is_opened_by_its_kind(tmp_path: object) -> None:
    path = f"{tmp_path}/edges.csv"
    sink = aevents.create(path, format="triggers")
    await sink.write(batch(ROWS))
    await sink.aclose()
    assert rows_of([*await aevents.open(path, kind=TriggerBatch).to_list()]) == ROWS
    with pytest.raises(ValueError, match="triggers holds TriggerBatch, not EventBatch"):
        await aevents.open(path).to_list()
