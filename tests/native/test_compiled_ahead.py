"""Decoding as far as what follows bears it out: C equals the twins, at every level."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins
from tests.native.kernels import COMPILED, implementation
from tests.native.test_compiled_marks import noise
from tests.native.twins.test_follow import SIZES, follow

pytestmark = pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")


@pytest.mark.parametrize("kind", SIZES)
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(0, 9000),
    cuts=st.lists(st.integers(0, 9000), max_size=4),
    apart=st.booleans(),
)
def test_c_follows_as_the_twin_does(
    kind: str, seed: int, count: int, cuts: list[int], apart: bool
) -> None:
    data = noise(kind, count, seed)
    ends = [0, *sorted(min(cut * SIZES[kind], len(data)) for cut in cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(ends)]
    feeds = [[piece] for piece in pieces] if apart else [pieces]
    expected = follow(twins, kind, feeds)
    for isa in COMPILED:
        assert follow(implementation(isa), kind, feeds) == expected
