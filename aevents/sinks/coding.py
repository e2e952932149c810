"""How frames become a video: which encoder of FFmpeg, at which rate, in which form of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from aevents.operators.colour import Pixels
from aevents.operators.view import rate_of
from aevents.types import PICTURES, Frame

if TYPE_CHECKING:
    from av import Codec

CODECS: dict[str, tuple[str, ...]] = {
    ".mp4": ("libx264", "mpeg4"),
    ".mkv": ("libx264", "mpeg4"),
    ".avi": ("libx264", "mpeg4"),
    ".webm": ("libvpx-vp9", "libvpx"),
    ".gif": ("gif",),
}
"""The codecs that go into a file of this suffix; the first that FFmpeg has is taken."""
FAST: Mapping[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6"},
}
"""Points on a plain ground gain nothing from a slower search: with x264 it made larger files."""
WITH_LOSS = "yuv420p"
"""What every player can show."""
IN_A_PALETTE = "pal8"
"""What a GIF holds: 256 colours, chosen anew for each picture."""
WITHOUT_LOSS = ("rgb24", "bgr0", "gbrp", "bgra")
"""Pixels as they are: the first that an encoder without loss takes."""
USUAL_HZ = Fraction(30)
MOST_HZ = 240
"""Players leave out what comes faster than the screen: 240 pictures a second, at most."""
MOST_HZ_OF_GIF = 50
"""A GIF tells times in hundredths of a second, and browsers show what is shorter than two of them
for ten.
"""
CLOCKED_HZ = (24, 25, 30, 48, 50, 60, 90, 100, 120)
"""What times in whole milliseconds are meant to be, as .mkv has them."""
SECOND_US = 1_000_000


def encoder_of(names: Sequence[str]) -> Codec:
    """Return the first of these encoders that FFmpeg has. Raises `ValueError` if it has none."""
    import av

    for name in names:
        try:
            found = av.Codec(name, "w")
        except ValueError:
            continue
        if found.type == "video":
            return found
    raise ValueError(f"this FFmpeg has no video encoder called {' or '.join(names)}")


def pixel_format(codec: Codec, *, gray: bool) -> str:
    """Return the form in which a codec takes pixels."""
    known = [format.name for format in codec.video_formats or ()]
    if codec.name == "gif":
        return IN_A_PALETTE
    if not known or codec.lossy or not codec.lossless:
        return WITH_LOSS if WITH_LOSS in known or not known else known[0]
    wanted = ("gray", *WITHOUT_LOSS) if gray else WITHOUT_LOSS
    return next((format for format in wanted if format in known), known[0])


def options_of(codec: Codec, quality: int) -> dict[str, str]:
    """Return the codec's own options for a quality from 0 to 100."""
    coarseness = (100 - quality) / 100
    options = dict(FAST.get(codec.name, {}))
    if codec.name == "mpeg4":
        step = str(1 + round(30 * coarseness**2))  # of the quantiser, from 1 to 31
        return options | {"qmin": step, "qmax": step}
    if codec.lossless and not codec.lossy:
        return options
    steps = 51 if codec.name.startswith("libx26") else 63
    return options | {"crf": str(round(steps * coarseness)), "b": "0"}


def played_rate(frame: Frame) -> Fraction:
    """Return the rate at which a picture was taken, by its span; 30 Hz for frames of events, whose
    windows may have any length.
    """
    period = frame.span.duration_us
    if frame.mode not in PICTURES or period <= 1:
        return USUAL_HZ
    whole, less = round(SECOND_US / period), round(1001 / 1000 * SECOND_US / period)
    for rate in (Fraction(whole), Fraction(1000 * less, 1001)):
        if rate and abs(SECOND_US / rate - period) <= 1:
            return rate
    near = min(CLOCKED_HZ, key=lambda hz: abs(SECOND_US / hz - period))
    if period % 1000 == 0 and abs(SECOND_US / near - period) < 1000:
        return Fraction(near)
    return Fraction(SECOND_US, period).limit_denominator(1001)


def rate_at(speed: float, frame: Frame) -> Fraction:
    """Return the rate at which frames as long as this one go by at a speed, 1 as it happened.

    Raises `ValueError` where the frame has no length.
    """
    if not frame.span.duration_us:
        raise ValueError("frames without length have no speed: cut windows by time")
    return rate_of(Fraction(speed).limit_denominator(10**6) * SECOND_US / frame.span.duration_us)


def refuse_too_fast(rate: Fraction, suffix: str) -> None:
    """Raise `ValueError` for more frames a second than can be shown."""
    most = MOST_HZ_OF_GIF if suffix == ".gif" else MOST_HZ
    if rate > most:
        raise ValueError(
            f"{float(rate):,.6g} frames a second are more than the {most} that a {suffix} shows: "
            "make longer windows, or lower the speed or the rate"
        )


def gray_of(pixels: Pixels) -> Pixels:
    """Return the brightness of RGB pixels, three times (ITU-R BT.601)."""
    luma = (pixels.astype(np.uint32) @ np.array([299, 587, 114], np.uint32) + 500) // 1000
    return np.repeat(luma.astype(np.uint8)[..., np.newaxis], 3, axis=2)


def even(pixels: Pixels) -> Pixels:
    """Double the last row or column where there is an odd number of them."""
    height, width, _ = pixels.shape
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
