"""Runs of events as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..kernels import IMPLEMENTATIONS, implementation

if TYPE_CHECKING:
    from types import ModuleType

    from aevents._native.checks import Events

MOST = 2**63 - 1
KERNELS = [one for one in IMPLEMENTATIONS if one in ("numpy", "base")]  # there is one version in C


@pytest.fixture(params=KERNELS)
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    return implementation(request.param)


def run(times: list[int], which: int = 0) -> Events:
    t = np.array(times, np.int64)
    x = np.full(len(t), which, np.uint16)
    return t, x, np.arange(len(t), dtype=np.uint16), np.arange(len(t)) % 2 == 1


def merged(
    kernels: ModuleType, columns: list[Events], *, until: int = MOST, capacity: int = 4096
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Return time, run and number of each event, and how many are left of each run."""
    runs, rows = kernels.Runs(len(columns)), []
    for which, one in enumerate(columns):
        runs.put(which, one)
    while True:
        out = kernels.columns(capacity)
        kernels.merge(runs, until, out)
        new = zip(*(column[: out.n].tolist() for column in (out.t, out.x, out.y)), strict=True)
        rows += list(new)
        assert out.p[: out.n].tolist() == [row[2] % 2 for row in rows[len(rows) - out.n :]]
        if not out.n:
            return rows, [runs.left(which) for which in range(len(runs))]


def expected(runs: list[Events], until: int = MOST) -> list[tuple[int, int, int]]:
    rows = [
        (int(t), which, at)
        for which, one in enumerate(runs)
        for at, t in enumerate(one[0])
        if t < until
    ]
    return sorted(rows)


def random_runs(k: int, length: int, *, events: int = 20_000, seed: int = 1) -> list[Events]:
    """k runs whose events alternate in stretches of about `length`."""
    random = np.random.default_rng(seed)
    owner = np.repeat(random.integers(0, k, events // length + 1), length)[:events]
    times = np.cumsum(random.integers(0, 3, events))
    return [run(times[owner == which].tolist(), which) for which in range(k)]


@pytest.mark.parametrize("length", [1, 16, 256])
@pytest.mark.parametrize("k", [1, 2, 4, 8, 16, 64])
def test_events_come_in_the_order_of_time(kernels: ModuleType, k: int, length: int) -> None:
    runs = random_runs(k, length)
    rows, left = merged(kernels, runs)
    assert rows == expected(runs)
    assert left == [0] * k


def test_equal_times_come_in_the_order_of_the_runs(kernels: ModuleType) -> None:
    runs = [run([5, 5, 7], 0), run([5, 7, 7], 1), run([4, 5], 2)]
    assert merged(kernels, runs)[0] == expected(runs)


@pytest.mark.parametrize("until", [0, 5, 6, 100, -MOST])
def test_what_is_not_before_the_limit_stays(kernels: ModuleType, until: int) -> None:
    runs = [run([0, 5, 5, 9], 0), run([1, 5, 6], 1)]
    rows, left = merged(kernels, runs, until=until)
    assert rows == expected(runs, until)
    assert left == [sum(t >= until for t in one[0].tolist()) for one in runs]


def test_runs_may_be_empty_or_none(kernels: ModuleType) -> None:
    assert merged(kernels, [run([]), run([3], 1), run([])]) == ([(3, 1, 0)], [0, 0, 0])
    assert merged(kernels, []) == ([], [])


def test_times_may_be_anywhere(kernels: ModuleType) -> None:
    runs = [run([-MOST - 1, 0, MOST - 1], 0), run([-5, MOST - 1], 1)]
    assert merged(kernels, runs)[0] == expected(runs)


def test_a_run_is_replaced_when_it_has_been_merged(kernels: ModuleType) -> None:
    runs, out = kernels.Runs(2), kernels.columns()
    runs.put(0, run([1, 3], 0))
    runs.put(1, run([2, 9], 1))
    kernels.merge(runs, 4, out)
    assert out.t[: out.n].tolist() == [1, 2, 3]
    assert (runs.left(0), runs.left(1)) == (0, 1)
    runs.put(0, run([8, 9], 0))
    kernels.merge(runs, MOST, out)
    assert list(zip(out.t[: out.n].tolist(), out.x[: out.n].tolist(), strict=True)) == [
        (8, 0), (9, 0), (9, 1),
    ]  # fmt: skip


def test_columns_of_other_types_are_refused(kernels: ModuleType) -> None:
    t, x, y, p = run([1, 2])
    with pytest.raises(TypeError, match="must be int64, uint16, uint16, bool"):
        kernels.Runs(1).put(0, (t.astype(np.int32), x, y, p))


def test_runs_in_no_order_lose_nothing_and_harm_nothing() -> None:
    for name in KERNELS:
        kernels = implementation(name)
        random = np.random.default_rng(3)
        runs = [run(random.integers(-100, 100_000, 5000).tolist(), which) for which in range(3)]
        if name != "numpy":
            assert sorted(merged(kernels, runs)[0]) == expected(runs)


TIMES = st.lists(st.integers(0, 60), max_size=200).map(sorted)


@given(st.lists(TIMES, min_size=1, max_size=5), st.integers(65, 200))
def test_the_kernels_agree(lists: list[list[int]], capacity: int) -> None:
    runs = [run(times, which) for which, times in enumerate(lists)]
    for name in KERNELS:
        assert merged(implementation(name), runs, capacity=capacity)[0] == expected(runs)


def test_more_runs_than_64_are_refused(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match="at most 64 runs can be merged, not 65"):
        kernels.Runs(65)


def test_late_events_keep_their_times(kernels: ModuleType) -> None:
    runs, out = kernels.Runs(2), kernels.columns()
    runs.put(0, run([5, 2, 9], 0), np.array([5, 5, 9]))
    runs.put(1, run([4, 5, 6], 1))
    kernels.merge(runs, MOST, out)
    assert list(zip(out.t[: out.n].tolist(), out.x[: out.n].tolist(), strict=True)) == [
        (4, 1), (5, 0), (2, 0), (5, 1), (6, 1), (9, 0),
    ]  # fmt: skip
