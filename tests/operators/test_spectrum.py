"""Spectrograms: a known swing is where it belongs, and as strong as it is."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.curve import Curve
from aevents.operators.spectrum import spectrogram_of
from aevents.types import Span

BIN_US = 512
HZ = 1e6 / BIN_US


def curve_of(off: object, on: object, first: int = 0) -> Curve:
    counts = np.array([off, on])
    return Curve(counts, first, BIN_US, Span(first, first + BIN_US * counts.shape[1]))


def swinging(hz: float, bins: int, mean: int = 1_000, swing: int = 500) -> Curve:
    seconds = np.arange(bins) / HZ
    on = np.rint(mean + swing * np.sin(2 * np.pi * hz * seconds)).astype(np.int64)
    return curve_of(np.zeros_like(on), on, first=-(1 << 20))


@pytest.mark.parametrize(("bins", "within"), [(300, 0.1), (2_000, 0.05), (40_000, 0.01)])
def test_a_swing_is_at_its_frequency_and_has_its_power(bins: int, within: float) -> None:
    found = spectrogram_of(swinging(200, bins))
    step = found.frequencies[1]
    assert found.frequencies[found.power.argmax(axis=0)] == pytest.approx(200, abs=step)
    assert found.power.shape == (len(found.frequencies), len(found.times))
    amplitude = 500 * HZ  # of the rate, in ev/s; a sine has half the square of it
    assert found.power.sum(axis=0) * step == pytest.approx(amplitude**2 / 2, rel=within)
    assert found.frequencies[-1] == pytest.approx(HZ / 2)


def test_the_times_are_the_middles_of_stretches_that_overlap() -> None:
    found = spectrogram_of(swinging(200, 100))  # 16 stretches fit: of 16 bins, each 4 on
    assert len(found.frequencies) == 9
    assert found.times[:2].tolist() == [-(1 << 20) + 8 * BIN_US, -(1 << 20) + 12 * BIN_US]
    assert found.times[-1] <= -(1 << 20) + 92 * BIN_US


def test_it_reaches_up_to_the_frequency_that_is_wanted() -> None:
    curve = swinging(30, 40_000)
    assert spectrogram_of(curve, highest_hz=100).frequencies[-1] == pytest.approx(HZ / 16)
    short = swinging(30, 2_000)  # would have too few bins left
    assert spectrogram_of(short, highest_hz=1).frequencies[-1] == pytest.approx(HZ / 2)


def test_a_steady_rate_has_no_power() -> None:
    assert spectrogram_of(curve_of([3] * 64, [4] * 64)).power.max() < 1e-9


def test_on_and_off_are_one_rate() -> None:
    on, off = [10, 0] * 32, [0, 10] * 32
    assert spectrogram_of(curve_of(off, on)).power.max() < 1e-9


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bins of a rate or more, not of 15"):
        spectrogram_of(curve_of([1] * 15, [1] * 15))
    with pytest.raises(ValueError, match="above 0, not 0"):
        spectrogram_of(swinging(200, 100), highest_hz=0)
