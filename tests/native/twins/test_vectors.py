"""Vectors in NumPy: bits to events, and which events make a vector."""

from __future__ import annotations

import numpy as np
import pytest

from aevents._native.twins.vectors import bits, counted, groups
from tests.native.kernels import arrays


def test_bits_are_listed_mask_by_mask_from_the_lowest() -> None:
    masks = np.array([0b101, 0, 0x80000001, 0xFFFFFFFF])
    indices, numbers = bits(masks[:3])
    assert indices.tolist() == [0, 0, 2, 2]
    assert numbers.tolist() == [0, 2, 0, 31]
    assert counted(masks).tolist() == [2, 0, 2, 32]


# What it shows, events (t, x, y, p), where vectors begin, masks.
CASES = [
    ("nothing", [], [], []),
    ("one", [(0, 33, 0, 1)], [0], [2]),
    ("neighbours", [(0, 32, 0, 1), (0, 33, 0, 1), (0, 63, 0, 1)], [0], [0x80000003]),
    ("another 32", [(0, 31, 0, 1), (0, 32, 0, 1)], [0, 1], [1 << 31, 1]),
    ("the same column", [(0, 1, 0, 1), (0, 1, 0, 1)], [0, 1], [2, 2]),
    ("descending columns", [(0, 2, 0, 1), (0, 1, 0, 1)], [0, 1], [4, 2]),
    ("another time", [(0, 1, 0, 1), (1, 2, 0, 1)], [0, 1], [2, 4]),
    ("another row", [(0, 1, 0, 1), (0, 2, 1, 1)], [0, 1], [2, 4]),
    ("another polarity", [(0, 1, 0, 1), (0, 2, 0, 0)], [0, 1], [2, 4]),
]


@pytest.mark.parametrize(
    ("events", "starts", "masks"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_vector_holds_neighbours_of_one_time_row_and_polarity(
    events: list[tuple[int, int, int, int]], starts: list[int], masks: list[int]
) -> None:
    found = groups(*arrays(events))
    assert (found[0].tolist(), found[1].tolist()) == (starts, masks)
