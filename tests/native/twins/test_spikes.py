"""Events with times of their own: drawn by Poisson's law, and put in the order of time."""

from __future__ import annotations

from math import exp, factorial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, implementation

if TYPE_CHECKING:
    from types import ModuleType

LEVELS = pytest.mark.parametrize("isa", COMPILED or [pytest.param("", marks=pytest.mark.skip)])
KEYS = (1, 2, 3, 4)


def record(t: int, x: int, y: int, p: int, noise: int = 0) -> int:
    return t << 34 | y << 18 | x << 2 | noise << 1 | p


def test_events_are_put_in_the_order_of_time(kernels: ModuleType) -> None:
    rows = [(9, 1, 2, 0, 0), (4, 65535, 65535, 1, 0), (9, 3, 4, 1, 1), (0, 0, 0, 0, 1)]
    for latest, late in ((9, 9), (70_000, 69_000), (2**30 - 1, 2**30 - 1)):
        moved = [(late if row[0] == 9 else row[0], *row[1:]) for row in rows]
        events = np.array([record(*row) for row in moved], np.uint64)
        columns = kernels.spread(events, latest, 10**12)
        found = list(zip(*(column.tolist() for column in columns), strict=True))
        expected = [moved[3], moved[1], moved[0], moved[2]]
        assert found == [(10**12 + t, x, y, p, noise) for t, x, y, p, noise in expected]


def test_no_events_are_no_events(kernels: ModuleType) -> None:
    assert [len(column) for column in kernels.spread(np.empty(0, np.uint64), 1, 0)] == [0] * 5


@pytest.mark.parametrize("mean", [0.001, 0.3, 2.0, 7.9, 20.0])
def test_counts_obey_the_law_of_poisson(kernels: ModuleType, mean: float) -> None:
    n = 300_000
    counts = kernels.poisson_counts(np.full(n, mean, np.float32), KEYS)
    assert counts.mean() == pytest.approx(mean, abs=4 * (mean / n) ** 0.5)
    assert counts.var() == pytest.approx(mean, rel=0.02 if mean > 0.1 else 0.2)
    for count in range(4):
        expected = n * mean**count * exp(-mean) / factorial(count)
        assert (counts == count).sum() == pytest.approx(expected, abs=5 * expected**0.5 + 3)


def test_where_the_mean_is_0_nothing_comes(kernels: ModuleType) -> None:
    assert not kernels.poisson_counts(np.zeros(100_000, np.float32), KEYS).any()


def test_events_of_counts_have_their_pixel_and_any_time(kernels: ModuleType) -> None:
    counts = np.array([0, 2, 0, 20_000, 1, 0], np.uint32)
    on = kernels.poisson_events(counts, (2, 3), 500, (1, 2))
    assert ((on >> np.uint64(2)) & np.uint64(0xFFFF)).tolist() == [1, 1, *[0] * 20_000, 1]
    assert ((on >> np.uint64(18)) & np.uint64(0xFFFF)).tolist() == [0, 0, *[1] * 20_001]
    assert set((on & np.uint64(3)).tolist()) == {1}
    times = (on >> np.uint64(34)).astype(np.int64)
    assert (times.min(), times.max()) == (0, 499)
    assert times.mean() == pytest.approx(249.5, rel=0.02)
    both = kernels.poisson_events(np.array([1, 1, 1, 2], np.uint32), (1, 2), 500, (1, 2))
    assert [(one >> 2 & 0xFFFF, one & 1) for one in both.tolist()] == [
        (0, 0), (1, 0), (0, 1), (1, 1), (1, 1),
    ]  # fmt: skip


@LEVELS
@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 20),
    planes=st.integers(1, 2),
    seed=st.integers(0, 1 << 30),
    mean=st.sampled_from([0.0, 0.01, 1.0, 30.0]),
    interval=st.sampled_from([1, 100, 100_000, (1 << 30) - 1]),
)
def test_c_draws_and_sorts_to_the_bit_as_the_twin_does(
    isa: str, width: int, planes: int, seed: int, mean: float, interval: int
) -> None:
    kernels, draw = implementation(isa), np.random.default_rng(seed)
    means = (draw.random(planes * 3 * width) * mean).astype(np.float32)
    keys = tuple(draw.integers(0, 1 << 32, 4).tolist())
    counts = twins.poisson_counts(means, keys)
    assert kernels.poisson_counts(means, keys).tolist() == counts.tolist()
    events = twins.poisson_events(counts, (3, width), interval, keys[:2])
    assert kernels.poisson_events(counts, (3, width), interval, keys[:2]).tolist() == (
        events.tolist()
    )
    theirs, ours = (by.spread(events.copy(), interval, -5) for by in (twins, kernels))
    assert [one.tolist() for one in ours] == [one.tolist() for one in theirs]
