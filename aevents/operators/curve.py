"""The rate of events over a recording of any length, in bounded memory."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.types import EventBatch, Span, Times

MOST_BINS = 1 << 17
"""2 MiB of counts; a minute is then told in bins of half a millisecond."""

FEWEST_BINS = 2
"""No bin, however long, reaches over time 0: bins begin at multiples of their length."""


class Curve(msgspec.Struct, frozen=True, eq=False):
    """How many events there were in each of many equal bins of time: `counts` int64 `(2, n)`, OFF
    and ON.

    Bin `k` holds the events of `first + k * bin_us <= t < first + (k + 1) * bin_us` (µs). `span`
    reaches from the first event to the last: what of the outer bins lies beyond it was not seen.
    """

    counts: npt.NDArray[np.int64]
    first: int
    bin_us: int
    span: Span

    @property
    def edges(self) -> npt.NDArray[np.int64]:
        """Bounds of the bins, int64 `(n + 1,)` in µs: the outermost are those of the span."""
        bounds = self.first + self.bin_us * np.arange(self.counts.shape[1] + 1, dtype=np.int64)
        inside: npt.NDArray[np.int64] = np.clip(bounds, self.span.start, self.span.stop)
        return inside

    @property
    def hz(self) -> npt.NDArray[np.float64]:
        """Events a second, `(2, n)`, of OFF and ON.

        An outer bin is as long as the span reaches into it. Where that is less than half a bin, a
        single event would make a peak: its rate is that of itself and its neighbour.
        """
        counts, lengths = self.counts.copy(), np.diff(self.edges)
        for outer, inner in ((0, 1), (-1, -2)) if len(lengths) > 1 else ():
            if lengths[outer] < self.bin_us / 2:
                counts[:, outer] += counts[:, inner]
                lengths[outer] += lengths[inner]
        rates: npt.NDArray[np.float64] = counts * (1e6 / lengths)
        return rates

    def coarser(self, bins: int, /) -> Curve:
        """Return the curve in at most so many bins, two or more, of 2, 4, 8 … times the length."""
        counts, number, bin_us = self.counts, self.first // self.bin_us, self.bin_us
        while counts.shape[1] > max(bins, FEWEST_BINS):
            counts, number, bin_us = _folded(counts, number), number >> 1, 2 * bin_us
        return Curve(counts, number * bin_us, bin_us, self.span)


class RateCurve:
    """Take in all events, and give the `Curve` of their rate at the end; nothing where there were
    none.

    Bins are of 1, 2, 4, 8 … µs: as short as lets at most `bins` of them cover what has come, so
    that a recording of an hour takes no more memory than one of a second. Events need be in no
    order. Raises `ValueError` for less than two bins.

    >>> rate = RateCurve(bins=2)
    >>> _ = rate.feed(EventBatch.from_columns(t=[0, 1, 3], x=[0] * 3, y=[0] * 3, p=[1, 0, 1]))
    >>> [curve] = rate.flush()
    >>> (curve.counts.tolist(), curve.bin_us)
    ([[1, 0], [1, 1]], 2)
    """

    def __init__(self, bins: int = MOST_BINS) -> None:
        if bins < FEWEST_BINS:
            raise ValueError(f"a curve has two bins or more, not {bins}")
        self._most = bins
        self._shift = 0  # a bin is of 1 << shift µs, so that no division is needed
        self._number = 0  # of the first bin, from time 0 on
        self._counts = np.zeros((2, bins), np.int64)
        self._held = 0  # bins that are in use, the first
        self._span = Span(0, 0)

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Count these events."""
        if len(batch):
            ordered = bool((batch.t[1:] >= batch.t[:-1]).all())
            ends = (batch.t[0], batch.t[-1]) if ordered else (batch.t.min(), batch.t.max())
            self._reach(Span(int(ends[0]), int(ends[1]) + 1))
            (self._count if ordered else self._count_scattered)(batch)
        return ()

    def flush(self) -> tuple[Curve, ...]:
        """Give the curve of what has come."""
        if not self._held:
            return ()
        bin_us, counts = 1 << self._shift, self._counts[:, : self._held].copy()
        return (Curve(counts, self._number * bin_us, bin_us, self._span),)

    def _reach(self, span: Span) -> None:
        """Make the bins cover this span too."""
        if self._held:
            span = Span(min(span.start, self._span.start), max(span.stop, self._span.stop))
        self._span = span
        while (span.stop - 1 >> self._shift) - (span.start >> self._shift) >= self._most:
            self._place(_folded(self._counts[:, : self._held], self._number), 0)
            self._number, self._shift = self._number >> 1, self._shift + 1
        first, last = span.start >> self._shift, span.stop - 1 >> self._shift
        if self._held and first < self._number:
            self._place(self._counts[:, : self._held].copy(), self._number - first)
        self._number, self._held = first, last - first + 1

    def _place(self, counts: npt.NDArray[np.int64], first: int) -> None:
        """Put these counts in the place of all others."""
        self._held = first + counts.shape[1]
        self._counts[:] = 0
        self._counts[:, first : self._held] = counts

    def _count(self, batch: EventBatch) -> None:
        first, last = (int(t) >> self._shift for t in (batch.t[0], batch.t[-1]))
        bounds = np.arange(first, last + 2, dtype=np.int64) << self._shift
        places = np.searchsorted(batch.t, bounds)
        some = np.flatnonzero(np.diff(places))
        on = np.add.reduceat(batch.p, places[some], dtype=np.int64)
        bins = some + (first - self._number)
        self._counts[1, bins] += on
        self._counts[0, bins] += np.diff(places)[some] - on

    def _count_scattered(self, batch: EventBatch) -> None:
        bins = self._bins_of(batch.t)
        for polarity in (0, 1):
            counted = np.bincount(bins[batch.p == polarity], minlength=self._counts.shape[1])
            self._counts[polarity] += counted

    def _bins_of(self, t: Times) -> npt.NDArray[np.int64]:
        bins: npt.NDArray[np.int64] = (t >> self._shift) - self._number
        return bins


def _folded(counts: npt.NDArray[np.int64], number: int) -> npt.NDArray[np.int64]:
    """Return the counts of bins of twice the length, where the first had this number."""
    before = number & 1
    padded = np.pad(counts, ((0, 0), (before, (counts.shape[1] + before) & 1)))
    folded: npt.NDArray[np.int64] = padded.reshape(2, -1, 2).sum(axis=2)
    return folded
