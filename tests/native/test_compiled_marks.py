"""What tells damage: C equals the twins, at every level, in every field of the state."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins
from tests.native.kernels import COMPILED, implementation, state_of
from tests.native.twins.test_marks import CLOCK3, TYPES

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")

KINDS: dict[str, tuple[int, str, dict[str, int]]] = {
    "evt2": (4, "evt2_marks", TYPES["evt2"]),
    "evt21": (8, "evt2_marks", TYPES["evt2"] | {"stride": 8, "typed": 4}),
    "evt21 of other order": (8, "evt2_marks", TYPES["evt2"] | {"stride": 8}),
    "evt4": (4, "evt2_marks", TYPES["evt4"]),
    "evt3": (2, "evt3_marks", CLOCK3),
    "dat": (8, "dat_marks", {"last": -1, "reserved": 0xE0000000}),
}
UNTYPED = {2: 0xFFF, 4: 0xFFFFFFF, 8: 0xFFFFFFF0FFFFFFF}


def noise(kind: str, count: int, seed: int) -> bytes:
    """Return random words of which some, more or fewer, say a time that mostly creeps."""
    random = np.random.default_rng(seed)
    size, _, fields = KINDS[kind]
    words = random.integers(0, 1 << 63, count, dtype=np.uint64) * 2 >> np.uint64(64 - 8 * size)
    rate = random.choice([0.0, 0.01, 0.02, 0.5])
    steps = random.choice(
        [1, 1, 1, 2, 0, -1, 1 << 21], count, p=[0.4, 0.3, 0.24, 0.02, 0.02, 0.01, 0.01]
    )
    at = np.flatnonzero(random.random(count) < rate)
    if kind == "dat":
        times = np.cumsum(random.integers(0, 99, count)) + np.where(
            random.random(count) < rate, 1 << 30, 0
        )
        upper = words >> np.uint64(35 if rate < 0.5 else 32) << np.uint64(32)
        words = upper | (times & 0xFFFFFFFF).astype(np.uint64)
    else:
        half = 28 if size > 2 else 12
        calm = random.random() < 0.8  # words of the first type, mostly
        words = words & np.uint64(UNTYPED[size]) if calm else words
        high = np.cumsum(steps)[: len(at)] & fields["mask"] | fields.get("high", 8) << half
        words[at] = high.astype(np.uint64) << np.uint64(8 * fields.get("typed", 0))
    return words.astype(f"<u{size}").tobytes()


def marks(
    kernels: ModuleType, kind: str, data: bytes, cuts: list[int], shift: int
) -> tuple[list[list[int]], dict[str, int]]:
    size, name, fields = KINDS[kind]
    state = kernels.marks_state(**fields)
    ends = [0, *sorted(min(cut * size, len(data)) for cut in cuts), len(data)]
    found = []
    for start, end in pairwise(ends):
        piece = np.frombuffer(bytes(shift) + data[start:end], np.uint8)[shift:]  # misaligned
        found.append(getattr(kernels, name)(piece.data, state).tolist())
    return found, state_of(state)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(0, 2000),
    cuts=st.lists(st.integers(0, 2000), max_size=4),
    shift=st.integers(0, 7),
)
def test_c_marks_what_the_twin_marks(
    kind: str, seed: int, count: int, cuts: list[int], shift: int
) -> None:
    data = noise(kind, count, seed)
    expected = marks(twins, kind, data, cuts, 0)
    for isa in COMPILED:
        assert marks(implementation(isa), kind, data, cuts, shift) == expected


def test_the_words_of_these_tests_are_of_all_sorts() -> None:
    for kind in KINDS:
        ends = [marks(twins, kind, noise(kind, 2000, seed), [], 0)[1] for seed in range(30)]
        assert any(end["doubts"] for end in ends)
        assert any(not end["doubts"] for end in ends)
