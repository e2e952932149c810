"""Palettes: pictures of few colours keep them, each at once."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av import VideoFrame

from aevents.sinks.palette import Palette


def test_each_picture_comes_out_at_once_in_its_own_colours() -> None:
    palette = Palette(16, 12, Fraction(25))
    random = np.random.default_rng(1)
    for _ in range(4):
        colours = random.integers(0, 256, (200, 3), np.uint8)
        pixels = colours[random.integers(0, 200, (12, 16))]
        found = palette(VideoFrame.from_ndarray(pixels, format="rgb24"))
        assert found.format.name == "pal8"
        near = found.to_ndarray(format="rgb24").astype(int) - pixels
        assert np.abs(near).max() <= 8  # colours that are near each other become one
