"""Generic bytes of an Event Stream: lengths, times, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import DecodeError, EncodeError
from aevents.codecs import es_generic
from aevents.codecs.base import Watch
from aevents.codecs.es_generic import GenericReader, GenericWriter
from aevents.types import GenericBatch, Span

Items = list[tuple[int, bytes]]

# What it shows, bytes, items.
CASES: dict[str, tuple[str, Items]] = {
    "an item": ("03 04 6162", [(3, b"ab")]),
    "an item of no bytes": ("03 00", [(3, b"")]),
    "idle bytes": ("ff ff 00 00 fd 00", [(508, b""), (761, b"")]),
    "a long item": ("00 9103" + "78" * 200, [(0, b"x" * 200)]),
}
CASES["a long item"] = ("00 9102" + "78" * 200, [(0, b"x" * 200)])


def reader() -> GenericReader:
    return GenericReader(Watch("es", strict=True), time=0, offset=16)


def batch(items: Items) -> GenericBatch:
    return GenericBatch(np.array([t for t, _ in items]), tuple(b for _, b in items), Span(0, 0))


def items_of(batches: list[GenericBatch]) -> Items:
    return [item for one in batches for item in zip(one.t.tolist(), one.data, strict=True)]


@pytest.mark.parametrize("name", CASES)
def test_items_both_ways(name: str) -> None:
    data, items = bytes.fromhex(CASES[name][0]), CASES[name][1]
    assert items_of(list(reader().feed(data))) == items
    one = reader()
    assert items_of([found for byte in data for found in one.feed(bytes([byte]))]) == items
    assert (len(one), one.offset) == (0, 16 + len(data))
    assert b"".join(GenericWriter(time=0).write(batch(items))) == data


def test_a_reset_is_nothing() -> None:
    assert items_of(list(reader().feed(bytes.fromhex("03 00 fe 03 00")))) == [(3, b""), (6, b"")]


def test_it_tells_how_much_of_an_item_has_come() -> None:
    one = reader()
    list(one.feed(bytes.fromhex("ff 03 04 61")))
    assert (len(one), one.offset) == (3, 17)


@pytest.mark.parametrize("length", ["01 01 01 01 01", "ff ff ff ff", "03 01 01 10"])
def test_a_length_beyond_reason_is_refused(length: str) -> None:
    with pytest.raises(DecodeError, match="an item has more than 16777216 bytes"):
        list(reader().feed(bytes.fromhex("00" + length)))


@pytest.mark.parametrize("t", [4, -1, 6 + (1 << 34)])
def test_times_that_do_not_fit_are_refused(t: int) -> None:
    with pytest.raises(EncodeError, match=f"1 bytes at t={t} do not fit behind t=5"):
        list(GenericWriter(time=0).write(batch([(5, b""), (t, b"x")])))


def test_an_item_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(es_generic, "LARGEST", 4)
    with pytest.raises(EncodeError, match="an item has 4 at most"):
        list(GenericWriter(time=0).write(batch([(5, b"12345")])))
