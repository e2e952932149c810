"""Less of a stream: one item, then a gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from aevents.types import Chunk, Span

T = TypeVar("T")

GapUs = int | Callable[[], int]


class Sampled(Generic[T]):
    """Leave out what comes within `gap_us` after an item, or so much that a share of `coverage` is
    left.

    Right behind `Rechunk`, units are left out, and then a chunk begins with the first that is
    wanted; elsewhere whole items, as their spans say. `gap_us` is a number, or a function that is
    asked after each item, and for which less than 0 is no gap. `coverage` counts units, or items,
    and is met exactly over a long time. Raises `ValueError` unless one of the two is given and in
    its range, `TypeError` for items without a span where there is a gap.

    >>> sampled = Sampled(coverage=0.5)
    >>> [item for number in range(8) for item in sampled.feed(number)]
    [0, 2, 4, 6]
    """

    def __init__(self, *, gap_us: GapUs | None = None, coverage: float | None = None) -> None:
        if (gap_us is None) == (coverage is None):
            raise ValueError("sampled takes gap_us or coverage")
        if coverage is not None and not 0 < coverage <= 1:
            raise ValueError(f"coverage is above 0 and at most 1, not {coverage}")
        if isinstance(gap_us, int) and gap_us < 0:
            raise ValueError(f"gap_us is at least 0, not {gap_us}")
        self._gap = gap_us
        self._coverage = coverage
        self._resume: int | None = None  # the time from which units are wanted
        self._kept = 0
        self._left_out = 0
        self._skip = 0  # units still to leave out

    def fuse(self, before: object, /) -> object | None:
        """Have an operator right before this one, which makes chunks, leave out units."""
        sampled_by: Callable[[Sampled[T]], bool] | None = getattr(before, "sampled_by", None)
        return before if sampled_by is not None and sampled_by(self) else None

    def feed(self, item: T, /) -> tuple[T, ...]:
        """Give the item, or leave it out."""
        if self.first_wanted(0, 1, lambda time: int(self._span(item).start < time)):
            return ()
        span = Span(0, 0) if self._gap is None else self._span(item)
        self.pause_after(Chunk((item,), span))
        return (item,)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def pause_after(self, chunk: Chunk[object], /) -> None:
        """Begin the gap behind this chunk."""
        if self._coverage is not None:
            self._kept += len(chunk)
            self._skip = round(self._kept / self._coverage) - self._kept - self._left_out
            self._left_out += self._skip
            return
        assert self._gap is not None
        gap = self._gap if isinstance(self._gap, int) else int(self._gap())
        self._resume = chunk.span.stop - 1 + max(0, gap)

    def first_wanted(self, start: int, stop: int, reaching: Callable[[int], int], /) -> int:
        """Return the first of the units `start` to `stop` that is not in the gap, or `stop`.
        `reaching` gives the first unit of a time or later.
        """
        first = min(stop, start + self._skip)
        self._skip -= first - start
        if self._resume is not None:
            first = max(first, reaching(self._resume))
            if first < stop:
                self._resume = None
        return first

    def _span(self, item: T) -> Span:
        span = getattr(item, "span", None)
        if not isinstance(span, Span) or span == (0, 0):
            raise TypeError(
                f"a {type(item).__name__} has no span: there is no gap in time after it"
            )
        return span
