"""Every n-th event, and events dropped by chance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from aevents import DropByChance, EventBatch, KeepEvery
from aevents.testing import check_operator, example_events

EVENTS = example_events(1_000)


def test_every_third_event_is_kept() -> None:
    operator = KeepEvery(3)
    sizes = (1, 1, 2, 5, 0, 20)
    ends = np.cumsum((0, *sizes))
    kept = [operator.feed(EVENTS.cut(a, b, EVENTS.span))[0] for a, b in pairwise(ends)]
    assert list(EventBatch.concat(kept)) == list(EVENTS[:29:3])
    assert operator.flush() == ()


def test_every_event_is_kept() -> None:
    assert KeepEvery(1).feed(EVENTS) == (EVENTS,)


def test_a_share_is_dropped_by_chance() -> None:
    (kept,) = DropByChance(0.3).feed(EVENTS)
    assert len(kept) == pytest.approx(700, abs=60)
    keep = np.random.default_rng(0).random(1_000) >= 0.3
    assert list(kept) == list(EVENTS.where(keep))


def test_another_seed_drops_others() -> None:
    one, other = DropByChance(0.5, seed=1).feed(EVENTS), DropByChance(0.5, seed=2).feed(EVENTS)
    assert list(one[0]) != list(other[0])


@pytest.mark.parametrize(("share", "left"), [(0, 1_000), (1, 0)])
def test_none_or_all_are_dropped(share: float, left: int) -> None:
    operator = DropByChance(share)
    assert len(operator.feed(EVENTS)[0]) == left
    assert operator.flush() == ()


def test_the_chunking_law() -> None:
    check_operator(lambda: KeepEvery(7))
    check_operator(lambda: DropByChance(0.4, seed=9))


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or more, not 0"):
        KeepEvery(0)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="from 0 to 1"):
            DropByChance(share)
