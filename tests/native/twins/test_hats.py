"""Averaged time surfaces: what each event sees of those before it in its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, implementation

if TYPE_CHECKING:
    from types import ModuleType

LEVELS = pytest.mark.parametrize("isa", COMPILED or [pytest.param("", marks=pytest.mark.skip)])
GOOD: dict[str, Any] = {
    "cell": np.array([0, 0, 0, 1, 9], np.uint32),
    "t": np.array([0, 10, 20, 30, 40], np.int64),
    "x": np.array([5, 6, 5, 5, 5], np.uint16),
    "y": np.array([5, 5, 4, 5, 5], np.uint16),
    "memory": 9,
    "within": 10,
    "tau": 1e9,
}


def test_an_event_sees_those_before_it_that_its_cell_remembers(kernels: ModuleType) -> None:
    sums = np.zeros((2, 3, 3), np.float32)
    kernels.hats(sums, **GOOD)
    assert np.round(sums[0]).tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert not sums[1].any()
    kernels.hats(sums, **(GOOD | {"within": 20}))
    assert np.round(sums[0]).tolist() == [[0, 0, 0], [2, 0, 0], [0, 1, 2]]


@LEVELS
@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(0, 150),
    radius=st.integers(0, 3),
    memory=st.integers(1, 20),
    seed=st.integers(0, 1 << 30),
)
def test_c_sums_to_the_bit_what_the_twin_sums(
    isa: str, n: int, radius: int, memory: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    cell = np.sort(draw.integers(0, 5, n)).astype(np.uint32)
    t = np.cumsum(draw.integers(0, 9, n))
    x, y = draw.integers(0, 6, (2, n)).astype(np.uint16)
    ours, theirs = np.zeros((2, 4, 2 * radius + 1, 2 * radius + 1), np.float32)
    options = {"memory": memory, "within": 40, "tau": 25.0}
    implementation(isa).hats(ours, cell, t, x, y, **options)
    twins.hats(theirs, cell, t, x, y, memory=memory, within=40, tau=25.0)
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"sums": np.zeros((2, 3, 3))}, ValueError),
        ({"sums": np.zeros((2, 2, 2), np.float32)}, ValueError),
        ({"sums": np.zeros((2, 3, 5), np.float32)}, ValueError),
        ({"sums": np.zeros((1, 203, 203), np.float32)}, ValueError),
        ({"cell": np.zeros(4, np.uint32)}, TypeError),
        ({"cell": np.zeros(5, np.int64)}, TypeError),
        ({"t": np.zeros(4, np.int64)}, TypeError),
        ({"memory": 0}, ValueError),
        ({"within": -1}, ValueError),
        ({"tau": 0.5}, ValueError),
    ],
)
def test_wrong_arguments_are_refused(
    kernels: ModuleType, change: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        kernels.hats(**({"sums": np.zeros((2, 3, 3), np.float32)} | GOOD | change))
