"""An excerpt is an even choice, of any number of events."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.base import Chain, Map
from aevents.operators.excerpt import Excerpt, TakeExcerpt
from aevents.testing import check_operator, cut_events, example_events
from aevents.types import EventBatch

EVENTS = example_events(1_000)


@pytest.mark.parametrize(("limit", "every"), [(1, 1024), (10, 128), (500, 2), (999, 2), (1_000, 1)])
def test_it_has_every_so_many_th_event(limit: int, every: int) -> None:
    operator = TakeExcerpt(limit)
    for batch in cut_events(EVENTS, [1, 0, 333, 2, 100]):
        assert operator.feed(batch) == ()
    (excerpt,) = operator.flush()
    assert (excerpt.every, excerpt.total) == (every, 1_000)
    assert excerpt.events.sensor == EVENTS.sensor
    for name in "txyp":
        expected = getattr(EVENTS, name)[::every]
        np.testing.assert_array_equal(getattr(excerpt.events, name), expected)


def test_the_law_of_chunks_holds() -> None:
    def told(excerpt: Excerpt) -> tuple[object, ...]:
        return excerpt.events.t.tolist(), excerpt.every, excerpt.total

    check_operator(lambda: Chain([TakeExcerpt(37), Map(told)]), batch=EVENTS)


def test_it_does_not_hold_on_to_what_it_left_out() -> None:
    operator = TakeExcerpt(10)
    operator.feed(EVENTS)
    assert operator.flush()[0].events.t.base is None


def test_nothing_comes_of_no_events() -> None:
    operator = TakeExcerpt(1)
    operator.feed(EventBatch.empty())
    assert operator.flush() == ()


def test_an_excerpt_has_an_event() -> None:
    with pytest.raises(ValueError, match="one event or more, not 0"):
        TakeExcerpt(0)
