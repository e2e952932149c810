"""The table of normal numbers: against the quantiles of the standard library."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from aevents._native.normals import NORMALS, STEPS, normal_table


def shares(at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    octave = at // STEPS
    return list(2.0 ** (octave - 32) * (1 + at / STEPS - octave))


def test_entries_are_quantiles() -> None:
    table = normal_table()
    found = [-NormalDist().inv_cdf(share) for share in shares(np.arange(NORMALS - 2.0))]
    assert (table.dtype, table.shape) == (np.float32, (NORMALS,))
    np.testing.assert_allclose(table[:-2], found, rtol=1e-6)
    assert table[-2:].tolist() == [0, 0]
    assert -NormalDist().inv_cdf(0.5 - 1e-9) == pytest.approx(table[-2], abs=1e-8)


def test_between_entries_it_is_nearly_straight() -> None:
    table = normal_table()
    middle = [-NormalDist().inv_cdf(share) for share in shares(np.arange(NORMALS - 2) + 0.5)]
    np.testing.assert_allclose((table[:-2] + table[1:-1]) / 2, middle, atol=2e-4)


def test_the_table_is_one_and_cannot_be_changed() -> None:
    assert normal_table() is normal_table()
    assert not normal_table().flags.writeable
