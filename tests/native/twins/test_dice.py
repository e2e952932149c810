"""Random numbers that depend on their number and a key alone: even, and without a pattern."""

from __future__ import annotations

import numpy as np
import pytest

from aevents._native.normals import normal_table
from aevents._native.twins.dice import below, dice, normal, share

NUMBERS = np.arange(200_000)
EXPECTED = [664193924, 1606317162, 867435477]


def test_numbers_are_what_they_always_were() -> None:
    assert dice(np.arange(3), 1, 2).tolist() == EXPECTED
    assert below(dice(np.arange(3), 1, 2), 1000).tolist() == [one * 1000 >> 32 for one in EXPECTED]


def test_every_bit_is_set_half_of_the_time() -> None:
    bits = dice(NUMBERS, 12345, 678)
    for bit in range(32):
        assert np.mean(bits >> bit & 1) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("other", [(12346, 678), (12345, 679), (12344, 677)])
def test_neighbouring_keys_have_nothing_to_do_with_each_other(other: tuple[int, int]) -> None:
    one, two = dice(NUMBERS, 12345, 678), dice(NUMBERS, *other)
    assert np.count_nonzero(one == two) <= 2
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(0, abs=0.01)


def test_neighbouring_numbers_have_nothing_to_do_with_each_other() -> None:
    bits = dice(NUMBERS, 3, 4)
    for step in (1, 2, 346, 1280):
        assert np.corrcoef(bits[step:], bits[:-step])[0, 1] == pytest.approx(0, abs=0.01)


def test_shares_are_even_from_0_to_1() -> None:
    shares = share(dice(NUMBERS, 5, 6), dice(NUMBERS, 7, 8))
    counts, _ = np.histogram(shares, bins=50, range=(0, 1))
    assert counts.sum() == len(NUMBERS)
    assert np.sum((counts - 4000.0) ** 2 / 4000) < 85  # chi squared, 49 degrees of freedom: 0.1 %


def test_normal_numbers_are_normal_far_out_too() -> None:
    numbers = normal(dice(np.arange(2_000_000), 1, 2), normal_table()).astype(np.float64)
    assert numbers.mean() == pytest.approx(0, abs=2e-3)
    assert numbers.std() == pytest.approx(1, rel=2e-3)
    for sign in (1, -1):
        for far, share_beyond in ((1, 0.158655), (2, 0.0227501), (3, 1.34990e-3), (4, 3.1671e-5)):
            expected = share_beyond * len(numbers)
            found = np.count_nonzero(sign * numbers > far)
            assert found == pytest.approx(expected, abs=4 * expected**0.5)


def test_the_farthest_normal_numbers() -> None:
    bits = np.array([0, 1, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF], np.uint32)
    far = 6.2302604
    assert normal(bits, normal_table()).tolist() == pytest.approx([far, far, -far, 0, 0])
