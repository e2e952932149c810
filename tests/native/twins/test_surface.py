"""What events leave behind at a pixel: times, intervals, and how they fade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins
from aevents._native.checks import NEVER

from ..kernels import COMPILED, implementation

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    Columns = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]

X = np.array([0, 2, 0, 0, 3], np.uint16)
Y = np.array([0, 1, 0, 0, 0], np.uint16)
P = np.array([1, 0, 1, 1, 1], np.uint8)
T = np.array([5, 6, 9, 7, 8], np.int64)
LEVELS = pytest.mark.parametrize("isa", COMPILED or [pytest.param("", marks=pytest.mark.skip)])


def random_events(n: int, seed: int) -> Columns:
    """Return events of a sensor of 5 x 4: mostly in order, some off the sensor, some extreme."""
    draw = np.random.default_rng(seed)
    t = np.cumsum(draw.integers(-2, 9, n))
    t[draw.integers(0, 50, n) == 0] = draw.choice([NEVER, NEVER + 1, -1, 2**63 - 1])
    x, y = draw.integers(0, 6, n).astype(np.uint16), draw.integers(0, 5, n).astype(np.uint16)
    return t, x, y, draw.integers(0, 2, n).astype(np.uint8)


def test_a_cell_has_the_time_of_its_last_event(kernels: ModuleType) -> None:
    table = np.full(13, NEVER)
    assert kernels.last_times(table, T, X, Y, P, 3, 2) == 1
    assert table[:-1].reshape(2, 2, 3).tolist() == [
        [[NEVER] * 3, [NEVER, NEVER, 6]],
        [[7, NEVER, NEVER], [NEVER] * 3],
    ]


def test_a_cell_has_its_last_times_newest_first(kernels: ModuleType) -> None:
    table = np.full((13, 2), NEVER)
    assert kernels.recent_times(table, T, X, Y, P, 3, 2) == 1
    assert table[6].tolist() == [7, 9]
    assert table[5].tolist() == [6, NEVER]
    kernels.recent_times(table, *(column[1:2] for column in (T, X, Y, P)), 3, 2)
    assert table[5].tolist() == [6, 6]


def test_intervals_are_those_of_one_pixel_and_polarity(kernels: ModuleType) -> None:
    table, since = np.full(13, NEVER), np.zeros(5, np.int64)
    assert kernels.intervals(table, since, T, X, Y, P, 3, 2) == 1
    assert since.tolist() == [-1, -1, 4, -1, -1]  # at 7 the last was at 9: none before it
    kernels.intervals(table, since, T + 10, X, Y, P, 3, 2)
    assert since.tolist() == [8, 10, 4, -1, -1]


@pytest.mark.parametrize("linear", [False, True])
def test_fading_follows_the_formula(kernels: ModuleType, linear: bool) -> None:
    ages = np.array([0, 1, 10, 99, 100, 101, 250, 8_600, 8_701, 10**12])
    table = np.array([*(1000 - ages), 2000, NEVER, 0])
    faded = np.empty(12, np.float32)
    kernels.decay(table, faded, 1000, 100.0, linear)
    x = ages / 100
    expected = np.maximum(0, 1 - x) if linear else np.where(x > 87, 0, np.exp(-x))
    np.testing.assert_allclose(faded[:10], expected, rtol=1e-5, atol=1e-7 if linear else 0)
    assert faded[10:].tolist() == [1, 0]


@LEVELS
@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 700), seed=st.integers(0, 1 << 30))
def test_c_notes_the_times_that_the_twin_notes(isa: str, n: int, seed: int) -> None:
    kernels, events = implementation(isa), random_events(n, seed)
    for name, shape in (
        ("last_times", (41,)),
        ("recent_times", (41, 1)),
        ("recent_times", (41, 5)),
    ):
        ours, theirs = np.full(shape, NEVER), np.full(shape, NEVER)
        for cut in (slice(0, n // 3), slice(n // 3, n)):
            part = [column[cut] for column in events]
            found = getattr(kernels, name)(ours, *part, 5, 4)
            assert found == getattr(twins, name)(theirs, *part, 5, 4)
        assert np.array_equal(ours, theirs)


@LEVELS
@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 700), seed=st.integers(0, 1 << 30))
def test_c_measures_the_intervals_that_the_twin_measures(isa: str, n: int, seed: int) -> None:
    kernels, events = implementation(isa), random_events(n, seed)
    ours, theirs = np.full(41, NEVER), np.full(41, NEVER)
    a, b = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for _ in range(2):
        found = kernels.intervals(ours, a, *events, 5, 4)
        assert found == twins.intervals(theirs, b, *events, 5, 4)
        assert np.array_equal(a, b)
        assert np.array_equal(ours, theirs)


@LEVELS
@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 500),
    seed=st.integers(0, 1 << 30),
    now=st.one_of(st.integers(-1000, 1 << 40), st.sampled_from([NEVER, 2**63 - 1])),
    tau=st.one_of(st.floats(1, 1e6), st.sampled_from([1.0, 2.0**62])),
    linear=st.booleans(),
)
def test_c_fades_to_the_bit_as_the_twin(
    isa: str, n: int, seed: int, now: int, tau: float, linear: bool
) -> None:
    draw = np.random.default_rng(seed)
    table = now - np.exp(draw.uniform(0, 30, n + 1)).astype(np.int64) if now > NEVER else 0
    table = np.zeros(n + 1, np.int64) + table
    table[draw.integers(0, 9, n + 1) == 0] = draw.choice([NEVER, NEVER + 1, 2**63 - 1])
    ours, theirs = np.empty(n, np.float32), np.empty(n, np.float32)
    implementation(isa).decay(table, ours, now, tau, linear)
    twins.decay(table, theirs, now, tau, linear)
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"table": np.zeros(12, np.int64)}, ValueError),
        ({"table": np.zeros(13, np.uint64)}, ValueError),
        ({"table": np.zeros(26, np.int64)[::2]}, ValueError),
        ({"t": T[1:]}, TypeError),
        ({"t": T.astype(np.float64)}, TypeError),
        ({"x": X[1:]}, ValueError),
        ({"width": 0, "table": np.zeros(1, np.int64)}, ValueError),
    ],
)
def test_wrong_arguments_are_refused(
    kernels: ModuleType, change: dict[str, Any], error: type[Exception]
) -> None:
    good: dict[str, Any] = {
        "table": np.full(13, NEVER),
        "t": T,
        "x": X,
        "y": Y,
        "p": P,
        "width": 3,
        "height": 2,
    }
    asked = good | change
    with pytest.raises(error):
        kernels.last_times(**asked)
    with pytest.raises(error):
        kernels.recent_times(**(asked | {"table": asked["table"][:, np.newaxis]}))


def test_no_place_for_intervals_is_refused(kernels: ModuleType) -> None:
    for since in (np.zeros(4, np.int64), np.zeros(5, np.int32), np.zeros(10, np.int64)[::2]):
        with pytest.raises(ValueError, match="since must be 5"):
            kernels.intervals(np.full(13, NEVER), since, T, X, Y, P, 3, 2)


@pytest.mark.parametrize("tau", [0.5, float("nan"), 2.0**63])
def test_no_time_to_fade_in_is_refused(kernels: ModuleType, tau: float) -> None:
    with pytest.raises(ValueError, match="tau is"):
        kernels.decay(np.zeros(3, np.int64), np.zeros(2, np.float32), 0, tau, False)
    with pytest.raises(ValueError, match="out must be"):
        kernels.decay(np.zeros(3, np.int64), np.zeros(2), 0, 10.0, False)
