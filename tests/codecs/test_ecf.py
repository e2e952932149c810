"""ECF: chunks to batches."""

from __future__ import annotations

import pytest

from aevents import DecodeError, EventBatch
from aevents.codecs.base import Watch
from aevents.codecs.ecf import EcfDecoder, encode_chunk, first_time
from aevents.testing import assert_same_events, example_events

EVENTS = example_events(200_000)


def chunks(size: int) -> list[bytes]:
    return [encode_chunk(EVENTS[at : at + size]) for at in range(0, len(EVENTS), size)]


@pytest.mark.parametrize("size", [1_000, 16_384, 65_535])
def test_chunks_share_a_batch_as_long_as_there_is_room(size: int) -> None:
    decoder = EcfDecoder(Watch("ecf", strict=True))
    batches: list[EventBatch] = []
    for at, chunk in enumerate(chunks(size)):
        batches += decoder.feed(chunk, min(size, len(EVENTS) - at * size))
    batches += decoder.flush()
    assert_same_events(batches, [EVENTS])
    assert len(batches) == 4
    assert list(decoder.flush()) == []


def test_a_chunk_may_be_filled_up_with_what_is_no_event() -> None:
    decoder = EcfDecoder(Watch("ecf", strict=True))
    items = [*decoder.feed(encode_chunk(EVENTS[:100]), 70), *decoder.flush()]
    assert_same_events(items, [EVENTS[:70]])


@pytest.mark.parametrize(
    "bad",
    [b"", b"\x04\0\0\0", encode_chunk(EVENTS[:99]), b"\xff" * 4 + bytes(99)],
    ids=["empty", "cut short", "too few", "too many"],
)
def test_a_damaged_chunk_is_left_out_and_counted(bad: bytes) -> None:
    watch = Watch("ecf", strict=False)
    decoder = EcfDecoder(watch)
    good = encode_chunk(EVENTS[:100])
    items = [*decoder.feed(good, 100), *decoder.feed(bad, 100), *decoder.feed(good, 100)]
    items += decoder.flush()
    assert_same_events(items, [EVENTS[:100], EVENTS[:100]])
    assert watch.counts["bad_chunks"] == 1
    with pytest.raises(DecodeError, match=f"a chunk of {len(bad)} bytes is damaged"):
        list(EcfDecoder(Watch("ecf", strict=True)).feed(bad, 100))


def test_the_first_time_is_told_without_the_rest() -> None:
    assert first_time(encode_chunk(EVENTS[:9])[:12]) == EVENTS.t[0]
    assert first_time(bytes(11)) is None
