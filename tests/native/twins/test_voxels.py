"""Voxel grids: each event shared between two bins of time."""

from __future__ import annotations

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
ZERO = np.zeros(1, np.uint16)


def test_an_event_is_shared_between_two_bins(kernels: ModuleType) -> None:
    grid = np.zeros((3, 1, 2), np.float32)
    t = np.array([0, 25, 100, 50, 60], np.int64)
    x = np.array([0, 0, 1, 1, 2], np.uint16)
    p = np.array([1, 0, 1, 0, 1], np.bool_)
    assert kernels.voxels(grid, t, x, 0 * x, p, 0, 0.02) == 1
    assert grid[:, 0].tolist() == [[0.5, 0], [-0.5, -1], [0, 1]]


def test_times_outside_go_to_the_first_and_last_bin(kernels: ModuleType) -> None:
    grid = np.zeros((2, 1, 1), np.float32)
    t = np.array([-(2**40), 2**40, 2**40], np.int64)
    kernels.voxels(grid, t, np.zeros(3, np.uint16), np.zeros(3, np.uint16), t > 0, 0, 0.5)
    assert grid.ravel().tolist() == [-1, 2]


@LEVELS
@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(0, 500),
    bins=st.integers(1, 9),
    longest=st.sampled_from([1000, 1 << 31, 1 << 33, 1 << 60]),
    seed=st.integers(0, 1 << 30),
)
def test_c_adds_to_the_bit_what_the_twin_adds(
    isa: str, n: int, bins: int, longest: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    t = np.sort(draw.integers(-100, longest, n))
    x, y = draw.integers(0, 6, n).astype(np.uint16), draw.integers(0, 5, n).astype(np.uint16)
    p = draw.integers(0, 2, n).astype(np.uint8)
    around = np.full((bins + 2, 4, 5), 7, np.float32)
    theirs = np.zeros((bins, 4, 5), np.float32)
    ours = around[1:-1]
    ours[:] = 0
    rate = (bins - 1) / longest
    found = implementation(isa).voxels(ours, t, x, y, p, -90, rate)
    assert found == twins.voxels(theirs, t, x, y, p, -90, rate)
    assert ours.tobytes() == theirs.tobytes()
    assert (around[[0, -1]] == 7).all()


@pytest.mark.parametrize(
    "grid",
    [
        np.zeros((2, 3, 4)),
        np.zeros((3, 4), np.float32),
        np.zeros((0, 3, 4), np.float32),
        np.zeros((2, 0, 4), np.float32),
        np.zeros((2, 3, 8), np.float32)[..., ::2],
    ],
)
def test_a_wrong_grid_is_refused(
    kernels: ModuleType, grid: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    with pytest.raises(ValueError, match=r"grid|frame"):
        kernels.voxels(grid, np.zeros(1, np.int64), ZERO, ZERO, ZERO > 0, 0, 1.0)
