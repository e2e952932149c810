"""The table of normal numbers: against the quantiles of the standard library."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from aevents._native.normals import NORMALS, STEPS, normal_table


def quantile(at: float) -> float:
    octave = at // STEPS
    return -NormalDist().inv_cdf(2 ** (octave - 32) * (1 + at / STEPS - octave))


def test_entries_are_quantiles() -> None:
    table = normal_table()
    found = [quantile(at) for at in range(NORMALS - 2)]
    assert table.dtype == np.float32
    assert table.shape == (NORMALS,)
    np.testing.assert_allclose(table[:-2], found, rtol=1e-6)
    assert table[-2:].tolist() == [0, 0]


def test_between_entries_it_is_nearly_straight() -> None:
    table = normal_table()
    middle = [quantile(at + 0.5) for at in range(NORMALS - 2)]
    np.testing.assert_allclose((table[:-2] + table[1:-1]) / 2, middle, atol=2e-4)


def test_the_table_is_one_and_cannot_be_changed() -> None:
    assert normal_table() is normal_table()
    assert not normal_table().flags.writeable
