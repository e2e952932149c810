"""Bytes, text, lists and arrays, as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from msgspec.structs import astuple

from aevents import Chunk, Stream, from_chunks
from aevents.testing import example_events


class Blocks:
    """Three blocks that come asynchronously."""

    def __init__(self) -> None:
        self.left = [b"ab", b"cde", b"f"]
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self) -> None:
        self.closed = True


def test_the_rate_gives_units_their_times() -> None:
    stream = from_chunks(["abcd", "", "ef"], rate_hz=1000)
    got = list(stream.blocking())
    assert [(c.data, c.offset, c.span) for c in got] == [
        ("abcd", 0, (0, 3001)),
        ("ef", 4, (4000, 5001)),
    ]
    assert [c.data for c in stream.blocking()] == ["abcd", "ef"]  # again


def test_without_a_rate_only_events_have_times() -> None:
    events = example_events(100)
    (chunk,) = from_chunks([events]).rechunk(100).blocking()
    assert chunk.span == (events.t[0], events.t[-1] + 1)
    (text,) = from_chunks(["abc"]).rechunk(3).blocking()
    assert text.span == (0, 0)


def test_what_can_change_is_copied() -> None:
    block = np.arange(3)
    run = from_chunks([block]).blocking()
    chunk = next(run)
    block[:] = 9
    assert chunk.data.tolist() == [0, 1, 2]


def test_small_items_are_gathered_for_the_chunks_asked_for() -> None:
    items = [b"abc"] * 20
    for exact in (False, True):
        stream = from_chunks(items, rate_hz=10)
        plain = stream.map(lambda chunk: chunk).rechunk(8, exact=exact)
        gathered = stream.rechunk(8, exact=exact)
        assert told(gathered) == told(plain)
        assert told(gathered.sampled(gap_us=400_000)) == told(plain.sampled(gap_us=400_000))
    blocking = stream.rechunk(8).origin.blocking
    assert blocking is not None
    assert [len(chunk) for chunk in blocking()] == [9] * 6 + [6]  # type: ignore[attr-defined]  # a generator


def told(stream: Stream[Chunk[bytes]]) -> list[tuple[object, ...]]:
    return [astuple(chunk) for chunk in stream.blocking()]


def test_items_of_another_kind_are_not_gathered_with_those_before() -> None:
    with pytest.raises(TypeError, match="changed from bytes to str"):
        list(from_chunks([b"abc", "abc"]).rechunk(8).blocking())


async def test_items_may_come_asynchronously() -> None:
    blocks = Blocks()
    got = await from_chunks(blocks, rate_hz=10).rechunk(4, exact=True).to_list()
    assert [(c.data, c.span) for c in got] == [(b"abcd", (0, 300_001)), (b"ef", (400_000, 500_001))]
    assert blocks.closed
    async with from_chunks(Blocks()).open() as run:
        assert (await anext(run)).data == b"ab"
    blocks = Blocks()
    async with from_chunks(blocks).open() as run:
        await anext(run)
    assert blocks.closed


async def test_items_that_cannot_be_closed_are_left() -> None:
    class Endless:
        def __aiter__(self) -> Endless:
            return self

        async def __anext__(self) -> bytes:
            return b"a"

    async with from_chunks(Endless()).open() as run:
        assert (await anext(run)).data == b"a"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="rate_hz is above 0, not 0"):
        from_chunks([], rate_hz=0)
    with pytest.raises(TypeError, match="a int has no units"):
        list(from_chunks([5]).blocking())
