"""How strongly the rate of events swings at each frequency, over time."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.operators.curve import Curve

HIGHEST_HZ = 1_000.0
"""Mains light flickers at 100 or 120 Hz, propellers turn below this."""
FEWEST_BINS = 1 << 10
"""A short recording keeps its short bins, and shows higher frequencies instead."""


class Spectrogram(msgspec.Struct, frozen=True, eq=False):
    """Power of the swings of a rate: `power` float64 `(frequencies, times)` in (ev/s)²/Hz, at the
    `frequencies` in Hz, from 0 on, and the `times` in µs of the middles of stretches that overlap.
    """

    power: npt.NDArray[np.float64]
    frequencies: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]


def spectrogram_of(curve: Curve, /, *, highest_hz: float = HIGHEST_HZ) -> Spectrogram:
    """Return the spectrogram of a rate, of all events: up to `highest_hz`, or somewhat more where
    the recording is so short that little would be left, or less where its bins are longer.

    Stretches under a Hann window, of which each overlaps the next by three quarters, without their
    mean; one-sided densities (Welch, The use of fast Fourier transform for the estimation of power
    spectra, 1967). Raises `ValueError` for a frequency that is not above 0, and for a curve of less
    than 16 bins.
    """
    if not highest_hz > 0:
        raise ValueError(f"highest_hz is a frequency above 0, not {highest_hz}")
    bins = curve.counts.shape[1]
    while bins // 2 >= FEWEST_BINS and 2 * curve.bin_us <= 5e5 / highest_hz:
        curve = curve.coarser(bins - 1)
        bins = curve.counts.shape[1]
    if bins < 16:
        raise ValueError(f"a spectrogram is made of 16 bins of a rate or more, not of {bins}")
    sample_hz = 1e6 / curve.bin_us
    length = 1 << (bins.bit_length() + 2) // 2  # about as many frequencies as stretches
    hop = length // 4
    rate = curve.counts.sum(axis=0) * sample_hz
    stretches = np.lib.stride_tricks.sliding_window_view(rate, length)[::hop]
    window = np.hanning(length + 1)[:-1]
    swings = (stretches - stretches.mean(axis=1, keepdims=True)) * window
    power = np.abs(np.fft.rfft(swings, axis=1)) ** 2 / (sample_hz * (window**2).sum())
    power[:, 1:-1] *= 2
    frequencies: npt.NDArray[np.float64] = np.arange(length // 2 + 1) * (sample_hz / length)
    middles = curve.first + curve.bin_us * (hop * np.arange(len(stretches)) + length / 2)
    return Spectrogram(power.T, frequencies, middles)
