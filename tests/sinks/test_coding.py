"""How frames become a video: rates, encoders and forms of pixels."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from aevents.sinks.coding import (
    encoder_of,
    even,
    gray_of,
    options_of,
    pixel_format,
    played_rate,
    rate_at,
    refuse_too_fast,
)
from tests.pictures import frame


@pytest.mark.parametrize(
    ("period", "rate"),
    [
        (33_333, 30),
        (33_334, 30),
        (33_366, Fraction(30_000, 1001)),
        (33_367, Fraction(30_000, 1001)),
        (41_666, 24),
        (41_708, Fraction(24_000, 1001)),
        (40_000, 25),
        (16_683, Fraction(60_000, 1001)),
        (100_000, 10),
        (1_000_000, 1),
        (1_000, 1000),
        (33_000, 30),  # of .mkv, in whole milliseconds
        (34_000, 30),
        (17_000, 60),
        (42_000, 24),
        (2_500_000, Fraction(2, 5)),
        (31_234, Fraction(1_000_000, 31_234).limit_denominator(1001)),
        (1, 30),  # nobody knows
        (0, 30),
    ],
)
def test_a_picture_is_played_as_long_as_it_was_taken(period: int, rate: Fraction) -> None:
    assert played_rate(frame(np.zeros((1, 1)), 70, 70 + period)) == rate


def test_frames_of_events_are_played_at_30_a_second() -> None:
    assert played_rate(frame(np.zeros((1, 1)), 0, 1_000, "count")) == 30


@pytest.mark.parametrize(
    ("codec", "gray", "format"),
    [
        ("libx264", False, "yuv420p"),
        ("libx264", True, "yuv420p"),
        ("mpeg4", False, "yuv420p"),
        ("mjpeg", False, "yuv420p"),
        ("ffv1", False, "bgr0"),
        ("ffv1", True, "gray"),
        ("png", False, "rgb24"),
        ("huffyuv", True, "rgb24"),
        ("rawvideo", False, "yuv420p"),
    ],
)
def test_pixels_go_in_as_the_codec_takes_them(codec: str, gray: bool, format: str) -> None:
    assert pixel_format(av.Codec(codec, "w"), gray=gray) == format


def test_quality_is_said_in_the_words_of_the_codec() -> None:
    assert options_of(av.Codec("mpeg4", "w"), 100) == {"qmin": "1", "qmax": "1"}
    assert options_of(av.Codec("libx264", "w"), 0)["crf"] == "51"
    assert options_of(av.Codec("libvpx-vp9", "w"), 50)["crf"] == "32"
    assert options_of(av.Codec("ffv1", "w"), 50) == {}


def test_the_first_encoder_that_is_there_is_taken() -> None:
    assert encoder_of(("nothing", "aac", "mpeg4")).name == "mpeg4"
    with pytest.raises(ValueError, match="no video encoder called nothing or aac"):
        encoder_of(("nothing", "aac"))


def test_brightness_is_that_of_the_eye_and_gray_stays_gray() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [77, 77, 77]]], np.uint8)
    assert gray_of(pixels)[0, :, 0].tolist() == [76, 150, 29, 77]
    assert gray_of(pixels).shape == pixels.shape


def test_an_odd_side_is_doubled_at_its_end() -> None:
    assert even(np.arange(9, dtype=np.uint8).reshape(3, 1, 3)).shape == (4, 2, 3)


@pytest.mark.parametrize(("speed", "rate"), [(1, 500), (0.1, 50), (1 / 3, Fraction(500, 3))])
def test_a_speed_is_a_rate_by_how_long_a_frame_lasts(speed: float, rate: Fraction) -> None:
    one = frame(np.zeros((2, 3)), 0, 2_000)
    assert rate_at(speed, one) == rate


def test_what_has_no_length_has_no_speed() -> None:
    with pytest.raises(ValueError, match="frames without length have no speed"):
        rate_at(1, frame(np.zeros((2, 3)), 5, 5))


def test_more_than_can_be_shown_is_refused() -> None:
    refuse_too_fast(Fraction(240), ".mp4")
    refuse_too_fast(Fraction(50), ".gif")
    with pytest.raises(ValueError, match=r"241 frames a second are more than the 240"):
        refuse_too_fast(Fraction(241), ".mp4")
    with pytest.raises(ValueError, match=r"50\.5 frames a second .* the 50 that a \.gif"):
        refuse_too_fast(Fraction(101, 2), ".gif")


def test_a_gif_has_a_palette() -> None:
    assert pixel_format(av.Codec("gif", "w"), gray=False) == "pal8"
