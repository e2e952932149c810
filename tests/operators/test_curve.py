"""The rate over time: against a plain count, however long the recording and in whatever order."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.base import Chain, Map
from aevents.operators.curve import Curve, RateCurve
from aevents.testing import check_operator, cut_events, example_events
from aevents.types import EventBatch, Span

EVENTS = example_events(5_000)


def events_at(t: list[int], p: list[int] | None = None) -> EventBatch:
    return EventBatch.from_columns(t=t, x=[0] * len(t), y=[0] * len(t), p=p or [1] * len(t))


def curve_of(*batches: EventBatch, bins: int = 8) -> Curve:
    operator = RateCurve(bins)
    assert [operator.feed(batch) for batch in batches] == [()] * len(batches)
    (curve,) = operator.flush()
    return curve


def test_bins_are_as_short_as_lets_them_cover_what_has_come() -> None:
    curve = curve_of(events_at([16, 17, 30], [1, 0, 1]), events_at([47], [0]))
    assert (curve.first, curve.bin_us, curve.span) == (16, 4, Span(16, 48))
    assert curve.counts.tolist() == [[1, 0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0, 0, 0]]
    assert curve.edges.tolist() == [16, 20, 24, 28, 32, 36, 40, 44, 48]


@pytest.mark.parametrize("bins", [2, 7, 100, 1 << 17])
@pytest.mark.parametrize("shift", [0, -20_000, 1 << 50])
def test_the_counts_are_those_of_a_plain_count(bins: int, shift: int) -> None:
    moved = EventBatch.from_columns(t=EVENTS.t + shift, x=EVENTS.x, y=EVENTS.y, p=EVENTS.p)
    curve = curve_of(*cut_events(moved, [3, 0, 900, 1_000]), bins=bins)
    assert curve.counts.shape[1] <= bins
    assert curve.counts.shape[1] > bins // 4 or curve.bin_us == 1
    bounds = curve.first + curve.bin_us * np.arange(curve.counts.shape[1] + 1)
    for p in (0, 1):
        expected, _ = np.histogram(moved.t[moved.p == p], [*bounds[:-1], bounds[-1] - 0.5])
        assert curve.counts[p].tolist() == expected.tolist()
    assert curve.span == Span(int(moved.t.min()), int(moved.t.max()) + 1)


def test_events_need_be_in_no_order() -> None:
    order = np.random.default_rng(1).permutation(len(EVENTS))
    columns = {name: getattr(EVENTS, name)[order] for name in "txyp"}
    mixed = cut_events(EventBatch.from_columns(**columns), [1, 2_000, 500])
    expected, found = curve_of(EVENTS, bins=64), curve_of(*mixed, bins=64)
    assert found.counts.tolist() == expected.counts.tolist()
    assert (found.first, found.bin_us, found.span) == (
        expected.first, expected.bin_us, expected.span,
    )  # fmt: skip


def test_the_law_of_chunks_holds() -> None:
    def told(curve: Curve) -> tuple[object, ...]:
        return curve.counts.tolist(), curve.first, curve.bin_us, curve.span

    check_operator(lambda: Chain([RateCurve(32), Map(told)]), batch=EVENTS[:600])


def test_nothing_comes_of_no_events() -> None:
    operator = RateCurve()
    operator.feed(EventBatch.empty(span=Span(0, 500)))
    assert operator.flush() == ()


def test_rates_are_of_what_the_span_reaches_into() -> None:
    counts = np.array([[0, 0, 2], [4, 8, 0]])
    curve = Curve(counts, 0, 8, Span(4, 24))
    assert curve.hz.tolist() == [[0, 0, 250e3], [1e6, 1e6, 0]]
    stub = Curve(
        counts, 0, 8, Span(0, 17)
    )  # the last bin is of 1 µs: 2 in 9 µs with the one before
    assert stub.hz[0].round().tolist() == [0, 0, 222_222]
    assert stub.hz[1].round().tolist() == [500e3, 1e6, 888_889]
    assert stub.counts.tolist() == counts.tolist()
    assert Curve(counts[:, :1], 0, 8, Span(5, 6)).hz.tolist() == [[0], [4e6]]


def test_a_coarser_curve_has_the_same_events() -> None:
    curve = Curve(np.array([[1, 2, 3, 4, 5], [0, 0, 0, 0, 9]]), 24, 8, Span(25, 60))
    coarse = curve.coarser(3)
    assert (coarse.first, coarse.bin_us, coarse.span) == (16, 16, curve.span)
    assert coarse.counts.tolist() == [[1, 5, 9], [0, 0, 9]]
    assert curve.coarser(5).counts.tolist() == curve.counts.tolist()
    assert curve.coarser(0).counts.tolist() == [[1, 14], [0, 9]]
    around = Curve(np.array([[1, 2, 3], [0, 0, 0]]), -2, 1, Span(-2, 1))
    assert around.coarser(0).counts.tolist() == [[3, 3], [0, 0]]


def test_a_curve_has_two_bins() -> None:
    with pytest.raises(ValueError, match="two bins or more, not 1"):
        RateCurve(1)
