"""Skipping EVT3 words leaves a reader where decoding them does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.native.kernels import IMPLEMENTATIONS, decode, implementation, packed, state_of

if TYPE_CHECKING:
    from types import ModuleType

COUNTED = {"untimed", "unknown"}

# What it shows, words, TIME_HIGH words, latest time.
SKIPPED: list[tuple[str, list[int], int, int]] = [
    ("nothing", [], 0, -1),
    ("no clock", [0x0007, 0x2003], 0, -1),
    ("an event", [0x8001, 0x6005, 0x0007, 0x2803], 1, 8191),
    ("a row before the clock", [0x0007, 0x8000, 0x2803], 1, 4095),
    ("a repeated time", [0x8001, 0x6005, 0x8001], 2, 8191),
    ("a roll-over", [0x8FFF, 0x6005, 0x8000], 2, (1 << 24) + 4095),
    ("a step back", [0x8005, 0x6005, 0x8004], 2, 6 * 4096 - 1),
    ("vectors", [0x8001, 0x3820, 0x4801, 0x5001, 0x2001], 1, 8191),
    ("a row of no events", [0x8001, 0x0003, 0x1005, 0x2001], 1, 8191),
]

words = st.lists(
    st.one_of(
        st.integers(0, 0xFFFF),
        st.sampled_from([0x8000, 0x8001, 0x87FF, 0x8800, 0x8FFF]),
        st.sampled_from([0x6001, 0x6002, 0x0001, 0x0002, 0x1001, 0x3805, 0x4001, 0x5001, 0x2001]),
    ),
    max_size=300,
)


def skipped(kernels: ModuleType, parts: list[bytes]) -> tuple[int, int, dict[str, int]]:
    state, highs, latest = kernels.evt3_state(), 0, -1
    for part in parts:
        more, latest = kernels.evt3_skip(part, state, latest)
        highs += more
    return highs, latest, state_of(state)


def stand(kernels: ModuleType, data: bytes) -> dict[str, int]:
    """Return where decoding leaves a reader."""
    state = decode(kernels, "evt3", data).state
    return {name: 0 if name in COUNTED else value for name, value in state.items()}


@pytest.mark.parametrize(("given", "highs", "latest"), [c[1:] for c in SKIPPED])
def test_words_are_skipped(kernels: ModuleType, given: list[int], highs: int, latest: int) -> None:
    data = packed(given, 2)
    assert skipped(kernels, [data]) == (highs, latest, stand(kernels, data))


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(words=words, cut=st.integers(0, 300))
def test_any_words_are_skipped_as_they_are_decoded(name: str, words: list[int], cut: int) -> None:
    kernels = implementation(name)
    data = packed(words, 2)
    highs, latest, state = skipped(kernels, [data[: 2 * cut], data[2 * cut :]])
    assert state == stand(kernels, data)
    assert highs == sum(word >> 12 == 8 for word in words)
    read = decode(kernels, "evt3", data)
    assert all(t <= latest for t, *_ in (*read.events, *read.triggers))
    assert (highs, latest, state) == skipped(implementation("numpy"), [data])


def test_a_long_run_is_skipped(kernels: ModuleType) -> None:
    rng = np.random.default_rng(1)
    kinds = rng.choice([0, 2, 2, 2, 6, 8], 100_000).astype(np.uint16)
    values = np.where(kinds == 8, np.arange(100_000) // 20 & 0xFFF, rng.integers(0, 2048, 100_000))
    data = (kinds << 12 | values.astype(np.uint16)).astype("<u2").tobytes()
    highs, _, state = skipped(kernels, [data])
    assert highs == int((kinds == 8).sum())
    assert state == stand(kernels, data)
    assert state["loop"] == 1 << 24
