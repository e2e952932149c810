"""Chunks of another size, of anything that is a row of units."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents.errors import TruncatedError
from aevents.operators.sampled import Sampled
from aevents.types import Chunk, EventBatch, Frame, Span, span_of

D = TypeVar("D")

Tail = Literal["emit", "drop", "pad", "error"]

UNTIMED = Span(0, 0)


class Rechunk(Generic[D]):
    """Gather units into chunks of at least `size`; with `exact`, of just that.

    A unit is an event of a batch, a byte, a character, an entry of a list, a row of an array,
    or a frame, of which the arrays are stacked. Items are `Chunk`s of such, or such by
    themselves. Without `exact` a chunk is all that was there when `size` was reached, so that
    items are not cut. The units of a chunk are neighbours: where some are missing, as the
    `offset` of an item tells, it ends as at the end of the stream. What is left there is
    emitted, dropped and counted as `tail_units`, padded (zeros, `None`), or an error, as `tail`
    says.

    What cannot change is not copied: batches, read-only arrays and views of memory come as views,
    bytes and text are copied once where they are cut or joined. What can change is copied when it
    comes. A unit takes constant time. The units of a `Chunk` are taken as spread evenly over its
    span, to the microsecond; events have times of their own.

    Raises `ValueError` for a size below 1 and an unknown `tail`, `TypeError` for what has no units
    and for units that change their kind, and `TruncatedError` where `tail` is `"error"`.

    >>> [chunk.data for chunk in Rechunk(4, exact=True).feed(b"abcdefghij")]
    [b'abcd', b'efgh']
    """

    def __init__(self, size: int, /, *, exact: bool = False, tail: Tail = "emit") -> None:
        if size < 1:
            raise ValueError(f"a chunk has at least 1 unit, not {size}")
        if tail not in ("emit", "drop", "pad", "error"):
            raise ValueError(f"tail is 'emit', 'drop', 'pad' or 'error', not {tail!r}")
        self.counts: dict[str, int] = {"tail_units": 0}
        self._size = size
        self._exact = exact
        self._tail = tail
        self._pieces: deque[Chunk[Any]] = deque()
        self._at = 0  # first unit of the first piece that has not been used
        self._held = 0
        self._end = 0  # offset behind the last piece
        self._dropped = 0  # since the last chunk
        self._kind: tuple[object, ...] | None = None
        self._sampled: Sampled[Any] | None = None

    def sampled_by(self, sampled: Sampled[Any], /) -> bool:
        """Leave out units between chunks as this says, if there is nobody yet who does."""
        if self._sampled is not None:
            return False
        self._sampled = sampled
        return True

    def feed(self, item: Chunk[D] | D, /) -> Iterable[Chunk[D]]:
        """Give each chunk that is complete with this item."""
        piece = self._piece(item)
        if piece.offset != self._end:
            return self._after_a_gap(piece)
        return self._with(piece)

    def flush(self) -> Iterator[Chunk[D]]:
        """Give what is left, or not, as `tail` says."""
        count = self._held
        if not count:
            return
        if self._tail == "error":
            raise TruncatedError("rechunk", f"{count} units are left, a chunk has {self._size}")
        if self._tail == "drop":
            self.counts["tail_units"] += count
            self._dropped += count
            self._pieces.clear()
            self._at = self._held = 0
            return
        chunk = self._take(count)
        yield chunk if self._tail == "emit" else _padded(chunk, self._size - count)

    def _piece(self, item: Chunk[D] | D) -> Chunk[D]:
        if isinstance(item, Frame):
            item = cast("Chunk[D]", Chunk(item.array[np.newaxis], item.span, self._end))
        given = isinstance(item, Chunk)
        data = owned(item.data if isinstance(item, Chunk) else item)
        self._check(data)
        if given and data is cast("Chunk[D]", item).data:
            return cast("Chunk[D]", item)
        if given:
            return replace(cast("Any", item), data=data)
        return Chunk(data, getattr(item, "span", UNTIMED), self._end)

    def _check(self, data: object) -> None:
        kind = kind_of(data)
        if kind != self._kind:
            if self._kind is not None:
                raise TypeError(f"units changed from {_named(self._kind)} to {_named(kind)}")
            if self._tail == "pad" and isinstance(data, EventBatch):
                raise TypeError("there is no event to pad with: choose another tail")
            self._kind = kind

    def _after_a_gap(self, piece: Chunk[D]) -> Iterator[Chunk[D]]:
        yield from self.flush()
        self._dropped += max(0, piece.offset - self._end)
        yield from self._with(piece)

    def _with(self, piece: Chunk[D]) -> Iterable[Chunk[D]]:
        count = len(piece)
        self._end = piece.offset + count - piece.padded
        if count:
            self._pieces.append(piece)
            self._held += count
            if self._sampled is not None:
                self._leave_out(self._sampled)
        return () if self._held < self._size else self._complete()

    def _complete(self) -> Iterator[Chunk[D]]:
        while self._held >= self._size:
            chunk = self._take(self._size if self._exact else self._held)
            if self._sampled is not None:
                self._sampled.pause_after(chunk)
                self._leave_out(self._sampled)
            yield chunk

    def _take(self, count: int) -> Chunk[D]:
        piece, at = self._pieces[0], self._at
        offset, first = piece.offset + at, _time(piece, at)
        parts = []
        self._held -= count
        while count:
            piece, at = self._pieces[0], self._at
            stop = min(len(piece), at + count)
            parts.append(_cut(piece.data, at, stop))
            count -= stop - at
            self._use(stop)
        span = _span(first, _time(piece, stop - 1))
        data = joined(parts)
        if isinstance(data, EventBatch):
            data = replace(data, span=span, window=False)
        chunk = Chunk(data, span, offset, self._dropped)
        self._dropped = 0
        return chunk

    def _leave_out(self, sampled: Sampled[Any]) -> None:
        """Let go of the first units that are held, up to the first that is wanted."""
        while self._pieces:
            piece, at = self._pieces[0], self._at
            stop = sampled.first_wanted(at, len(piece), lambda i: _reaching(piece, i))  # noqa: B023  # called at once
            self._dropped += stop - at
            self._held -= stop - at
            self._use(stop)
            if stop < len(piece):
                return

    def _use(self, stop: int) -> None:
        if stop == len(self._pieces[0]):
            self._pieces.popleft()
            stop = 0
        self._at = stop


def owned(data: D, /) -> D:
    """Return these units as something that does not change: themselves where they cannot, else a
    copy.
    """
    owner = _OWNERS.get(type(data))
    if owner is not None:
        return cast("D", owner(data))
    for kind, owner in _OWNERS.items():
        if isinstance(data, kind):
            return cast("D", owner(data))
    raise TypeError(
        f"a {type(data).__name__} has no units: events, bytes, text, a list or an array has"
    )


def _as_it_is(data: object) -> object:
    return data


def _unchanging(data: memoryview) -> memoryview:
    return data if data.readonly else memoryview(bytes(data))


def _frozen(data: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not data.ndim:
        raise TypeError("an array without a dimension has no units")
    if not data.flags.writeable:
        return data
    data = data.copy()
    data.flags.writeable = False
    return data


_OWNERS: dict[type, Callable[[Any], object]] = {
    bytes: _as_it_is,
    EventBatch: _as_it_is,
    str: _as_it_is,
    np.ndarray: _frozen,
    list: list.copy,
    bytearray: bytes,
    memoryview: _unchanging,
}


def kind_of(data: object) -> tuple[object, ...]:
    """Return what the units of one stream have in common."""
    if isinstance(data, np.ndarray):
        return np.ndarray, data.dtype, data.shape[1:]
    return (bytes,) if isinstance(data, memoryview) else (type(data),)


def _named(kind: tuple[Any, ...]) -> str:
    name, *rest = kind
    return f"{rest[0]} of shape {('n', *rest[1])}".replace("'", "") if rest else str(name.__name__)


def _cut(data: Any, start: int, stop: int) -> Any:  # noqa: ANN401  # any kind of units
    if start == 0 and stop == len(data):
        return data
    if isinstance(data, EventBatch):
        return data.cut(start, stop, span_of(data.t[start:stop]))
    return data[start:stop]


def joined(parts: Sequence[D], /) -> D:
    """Return these runs of units, all of one kind, as one."""
    return parts[0] if len(parts) == 1 else cast("D", _together(parts))


def _together(parts: Sequence[Any]) -> object:
    first = parts[0]
    if isinstance(first, EventBatch):
        return EventBatch.concat(parts)
    if isinstance(first, np.ndarray):
        array = np.concatenate(parts)
        array.flags.writeable = False
        return array
    if isinstance(first, list):
        return list(chain.from_iterable(parts))
    return "".join(parts) if isinstance(first, str) else b"".join(parts)


def _padded(chunk: Chunk[D], count: int) -> Chunk[D]:
    data: Any = chunk.data
    if isinstance(data, np.ndarray):
        fill: Any = np.zeros((count, *data.shape[1:]), data.dtype)
    else:
        fill = [None] * count if isinstance(data, list) else "\0" * count
        fill = fill if isinstance(data, str | list) else bytes(count)
    return replace(cast("Any", chunk), data=joined((data, fill)), padded=count)


def _span(first: int | None, last: int | None) -> Span:
    if first is None or last is None:
        return UNTIMED
    return Span(min(first, last), max(first, last) + 1)


def _time(piece: Chunk[Any], index: int) -> int | None:
    """Return the time of a unit, if that is known."""
    if isinstance(piece.data, EventBatch):
        return int(piece.data.t[index])
    if piece.span == UNTIMED:
        return None
    start, stop = piece.span
    return start + (stop - 1 - start) * index // max(1, len(piece) - 1)


def _reaching(piece: Chunk[Any], time: int) -> int:
    """Return the first unit of this time or later."""
    if isinstance(piece.data, EventBatch):
        return int(np.searchsorted(piece.data.t, time))
    if piece.span == UNTIMED:
        raise TypeError("units without times have no gap in time: give from_chunks their rate_hz")
    start, stop = piece.span
    if time <= start:
        return 0
    if time >= stop:
        return len(piece)
    return -((start - time) * max(1, len(piece) - 1) // (stop - 1 - start))
