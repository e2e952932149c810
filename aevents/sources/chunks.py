"""Bytes, text, lists and arrays, as a stream of chunks."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable
from functools import partial
from typing import Generic, TypeVar

from aevents._contracts import Origin
from aevents.operators.rechunk import UNTIMED, joined, kind_of, owned
from aevents.stream import Stream, stream_of
from aevents.types import Chunk, Span

D = TypeVar("D")

SECOND_US = 1_000_000
BYTES = kind_of(b"")


def from_chunks(
    items: Iterable[D] | AsyncIterable[D], /, *, rate_hz: float | None = None
) -> Stream[Chunk[D]]:
    """Return the stream of these items, each a row of units: bytes, text, a list, an array or a
    batch of events.

    `rate_hz` is how many units there are in a second: it gives them times, from 0 on. Without it
    only events have times. Items that can change are copied.

    Raises `ValueError` unless `rate_hz` is above 0, and `TypeError` for an item that is no row.

    >>> stream = from_chunks([b"abc", b"defgh"], rate_hz=1_000)
    >>> [chunk.span for chunk in stream.blocking()]
    [Span(start=0, stop=2001), Span(start=3000, stop=7001)]
    """
    if rate_hz is not None and not rate_hz > 0:
        raise ValueError(f"rate_hz is above 0, not {rate_hz}")
    if isinstance(items, AsyncIterable):
        return stream_of(Origin("chunks", waiting=partial(Chunks, items, rate_hz)))
    return stream_of(_blocking(items, rate_hz))


class Counter:
    """Numbers the units of a stream, and gives them times."""

    def __init__(self, rate_hz: float | None) -> None:
        self._rate = rate_hz
        self._offset = 0

    def chunk(self, data: D) -> Chunk[D]:
        """Return the next chunk of the stream."""
        first = self._offset
        chunk = Chunk(owned(data), UNTIMED, first)
        self._offset = first + len(chunk)
        if self._rate is None or self._offset == first:
            return chunk
        return Chunk(chunk.data, Span(self._time(first), self._time(self._offset - 1) + 1), first)

    def _time(self, unit: int) -> int:
        return int(unit * SECOND_US / (self._rate or 1))


class Chunks(Generic[D]):
    """Items that come asynchronously, as a waiting source."""

    def __init__(self, items: AsyncIterable[D], rate_hz: float | None) -> None:
        self._items: AsyncIterator[D] = aiter(items)
        self._counter = Counter(rate_hz)

    async def __anext__(self) -> Chunk[D]:
        return self._counter.chunk(await anext(self._items))

    def close(self) -> None:
        """Nothing is held here: the items are closed by `aclose`, or by who made them."""

    async def aclose(self) -> None:
        """Close the items, where they can be."""
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()


def _blocking(items: Iterable[D], rate_hz: float | None, size: int = 1) -> Origin[Chunk[D]]:
    return Origin(
        "chunks",
        blocking=partial(_chunks, items, rate_hz, size),
        gathered=partial(_blocking, items, rate_hz),
    )


def _chunks(
    items: Iterable[D], rate_hz: float | None, size: int
) -> Generator[Chunk[D], None, None]:
    counter = Counter(rate_hz)
    parts: list[D] = []
    held, kind = 0, None
    for item in items:
        if type(item) is not bytes:  # those are many, small, and themselves
            item, before, kind = owned(item), kind, kind_of(item)
        else:
            before, kind = kind, BYTES
        if parts and kind != before:
            yield counter.chunk(joined(parts))
            parts, held = [], 0
        parts.append(item)
        held += len(item)  # type: ignore[arg-type]  # what is owned has units
        if held >= size:
            yield counter.chunk(joined(parts))
            parts, held = [], 0
    if parts:
        yield counter.chunk(joined(parts))
