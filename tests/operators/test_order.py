"""Running times; sorted, shifted, begun anew."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import EventBatch, Operator, Span
from aevents.operators.order import Rezero, Shift, Sort, running_times


def test_times_in_order_are_their_own_running_times() -> None:
    t = np.array([1, 1, 5])
    times, late = running_times(t, 1)
    assert times is t
    assert late == 0


def test_a_late_event_counts_at_the_running_time() -> None:
    times, late = running_times(np.array([3, 7, 5, 6, 8]), 4)
    assert times.tolist() == [4, 7, 7, 7, 8]
    assert late == 3


def test_no_events_have_no_times() -> None:
    times, late = running_times(np.array([], np.int64), 4)
    assert (len(times), late) == (0, 0)


def batch_of(*times: int, span: Span | None = None) -> EventBatch:
    x = [t % 7 for t in times]
    return EventBatch.from_columns(t=times, x=x, y=x, p=[1] * len(x), span=span)


def through(operator: Operator[EventBatch, EventBatch], *items: EventBatch) -> list[EventBatch]:
    return [out for item in items for out in operator.feed(item)] + list(operator.flush())


def test_times_are_shifted_with_their_span() -> None:
    [batch] = through(Shift(-5), batch_of(7, 9))
    assert batch.t.tolist() == [2, 4]
    assert batch.span == Span(2, 5)
    assert not batch.t.flags.writeable


def test_times_begin_at_zero() -> None:
    items = through(Rezero(), batch_of(7, 9, span=Span(5, 10)), batch_of(12, span=Span(10, 13)))
    assert [(item.t.tolist(), item.span) for item in items] == [
        ([2, 4], Span(0, 5)),
        ([7], Span(5, 8)),
    ]


def test_events_within_the_horizon_are_put_in_order() -> None:
    sort = Sort(horizon_us=10)
    items = through(sort, batch_of(5, 3, 20), batch_of(15, 12, 30), batch_of(25))
    assert [t for item in items for t in item.t.tolist()] == [3, 5, 12, 15, 20, 25, 30]
    assert sort.counts == {"late_events": 0}
    for one, after in pairwise(items):
        assert one.span.stop == after.span.start


def test_events_beyond_the_horizon_are_counted() -> None:
    sort = Sort(horizon_us=10)
    items = through(sort, batch_of(5, 100), batch_of(50, 101))
    assert [t for item in items for t in item.t.tolist()] == [5, 50, 100, 101]
    assert sort.counts == {"late_events": 1}


def test_events_of_one_time_stay_as_they_came() -> None:
    batch = EventBatch.from_columns(t=[9, 5, 5, 5], x=[0, 3, 2, 1], y=[0] * 4, p=[0] * 4)
    items = through(Sort(horizon_us=100), batch)
    assert [x for item in items for x in item.x.tolist()] == [3, 2, 1, 0]


def test_a_negative_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative: -1"):
        Sort(-1)


@given(st.lists(st.integers(0, 20), max_size=60))
def test_however_it_is_cut_it_is_sorted_alike(delays: list[int]) -> None:
    times = [10 * i - delay for i, delay in enumerate(delays)]
    whole = through(Sort(200), batch_of(*times))
    pieces = through(Sort(200), *(batch_of(t) for t in times))
    for items in (whole, pieces):
        assert [t for item in items for t in item.t.tolist()] == sorted(times)
