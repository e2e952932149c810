"""Time that goes back, late events, events off the sensor: counted in each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, implementation, state_of

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


def columns(
    t: list[int], x: list[int] | None = None, y: list[int] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16]]:
    zeros = [0] * len(t)
    return (
        np.array(t, np.int64),
        np.array(zeros if x is None else x, np.uint16),
        np.array(zeros if y is None else y, np.uint16),
    )


# Times call by call, and after each call: backward, late, last, latest.
STREAMS = {
    "in order": ([[5, 5, 9], [9, 10]], [(0, 0, 9, 9), (0, 0, 10, 10)]),
    "back in a call": ([[5, 3, 4, 6]], [(1, 2, 6, 6)]),
    "back between calls": ([[5, 9], [7, 8, 9]], [(0, 0, 9, 9), (1, 2, 9, 9)]),
    "late without going back": ([[9, 1], [2, 3]], [(1, 1, 1, 9), (0, 2, 3, 9)]),
    "nothing": ([[], [4], []], [(0, 0, 0, 0), (0, 0, 4, 4), (0, 0, 4, 4)]),
    "before zero": ([[-9, -4], [-5]], [(0, 0, -4, -4), (1, 1, -5, -4)]),
    "the ends of int64": (
        [[2**63 - 1, -(2**63)], [2**63 - 1]],
        [(1, 1, -(2**63), 2**63 - 1), (0, 0, 2**63 - 1, 2**63 - 1)],
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_times_are_followed(kernels: ModuleType, name: str) -> None:
    calls, expected = STREAMS[name]
    state = kernels.inspection_state(0, 0)
    for times, wanted in zip(calls, expected, strict=True):
        kernels.inspect(*columns(times), state)
        assert (state.backward, state.late, state.last, state.latest) == wanted


SENSORS = [
    ((3, 2), [0, 2, 3, 0, 65535], [0, 1, 0, 2, 65535], 3),
    ((0, 0), [0, 2, 3, 0, 65535], [0, 1, 0, 2, 65535], 0),
    ((65535, 65535), [65534, 65535, 0], [65534, 0, 65535], 2),
    ((65536, 70000), [65535, 0], [65535, 0], 0),
    ((1, 65536), [0, 1], [65535, 0], 1),
]


@pytest.mark.parametrize(("sensor", "x", "y", "off"), SENSORS)
def test_what_is_off_the_sensor_is_counted(
    kernels: ModuleType, sensor: tuple[int, int], x: list[int], y: list[int], off: int
) -> None:
    state = kernels.inspection_state(*sensor)
    for _ in range(2):
        kernels.inspect(*columns([0] * len(x), x, y), state)
        assert state.off_sensor == off


def test_more_events_than_16_bits_hold_may_be_off_the_sensor(kernels: ModuleType) -> None:
    n = 200_001
    state = kernels.inspection_state(4, 4)
    kernels.inspect(*columns([0] * n, [9] * n), state)
    assert state.off_sensor == n


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("isa", COMPILED)
@settings(max_examples=60, deadline=None)
@given(
    calls=st.lists(st.integers(0, 300), max_size=5),
    spread=st.sampled_from([0, 1, 3, 1000]),
    sensor=st.sampled_from([(0, 0), (7, 5), (65535, 1)]),
    seed=st.integers(0, 1 << 30),
)
def test_c_finds_what_the_twin_finds(
    isa: str, calls: list[int], spread: int, sensor: tuple[int, int], seed: int
) -> None:
    kernels = implementation(isa)
    draw = np.random.default_rng(seed)
    ours, expected = kernels.inspection_state(*sensor), twins.inspection_state(*sensor)
    now = 0
    for n in calls:
        t = now + np.arange(n) + draw.integers(-spread, spread + 1, n)
        x, y = draw.integers(0, 9, (2, n)).astype(np.uint16)
        kernels.inspect(t, x, y, ours)
        twins.inspect(t, x, y, expected)
        assert state_of(ours) == state_of(expected)
        now += n


@pytest.mark.parametrize("isa", COMPILED)
def test_columns_of_unequal_length_are_refused(isa: str) -> None:
    kernels = implementation(isa)
    t, x, y = columns([1, 2])
    with pytest.raises(ValueError, match="one length"):
        kernels.inspect(t, x[:1], y, kernels.inspection_state(0, 0))
