"""Files through OpenCV, pixel by pixel, and what it is told of live things."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from aevents._capture.opencv import OpenCvCapture
from aevents.errors import DecodeError, MissingExtraError
from aevents.operators.view import Colour, View
from tests.pictures import Array, film, numbered

RANDOM = np.random.default_rng(0)


def test_every_value_is_as_it_was(tmp_path: Path) -> None:
    pictures = [RANDOM.integers(0, 256, (20, 30, 3), np.uint8) for _ in range(3)]
    capture = OpenCvCapture(str(film(tmp_path / "a.avi", pictures, 30)), View())
    capture.seek(50_000)
    for number, expected in enumerate(pictures):
        shot = capture.read()
        assert shot is not None
        assert shot.time_us == number * 1_000_000 // 30
        np.testing.assert_array_equal(shot.pixels, expected)
    assert capture.read() is None
    assert capture.rate == 30
    assert capture.counts == {}
    capture.close()
    capture.close()


@pytest.mark.parametrize(
    ("colour", "channels"),
    [("rgb", [0, 1, 2]), ("bgr", [2, 1, 0]), ("r", 0), ("g", 1), ("b", 2)],
)
def test_red_is_red(colour: Colour, channels: int | list[int], tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)
    capture = OpenCvCapture(str(film(tmp_path / "a.avi", [pixels])), View(colour))
    shot = capture.read()
    assert shot is not None
    np.testing.assert_array_equal(shot.pixels, pixels[..., channels])
    capture.close()


@pytest.mark.parametrize(("colour", "shape"), [("gray", (8, 10)), ("rgba", (8, 10, 4))])
def test_it_is_scaled_and_then_cut(colour: Colour, shape: tuple[int, ...], tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", [numbered(5)])
    capture = OpenCvCapture(str(path), View.parse(colour, "16x12", "10x8"))
    shot = capture.read()
    assert shot is not None
    assert shot.pixels.shape == shape
    if colour == "gray":
        np.testing.assert_allclose(
            cast("Array", shot.pixels), 0.299 * 15 + 0.587 * 200 + 0.114 * 90, atol=1.5
        )
    capture.close()


def test_a_late_picture_is_what_ffmpeg_still_held_when_the_time_was_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0, 1, 2, 8])  # the second picture takes 6 s
    monkeypatch.setattr("aevents._capture.opencv.monotonic", lambda: next(clock))
    path = film(tmp_path / "a.avi", [numbered(number) for number in range(3)])
    capture = OpenCvCapture(str(path), View(), 5)
    assert capture.read() is not None
    assert capture.read() is not None
    assert capture.read() is None
    capture.close()


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(DecodeError, match=r"a\.mp4 is no video that OpenCV can read"):
        OpenCvCapture(str(tmp_path / "a.mp4"), View())
    with pytest.raises(FileNotFoundError):
        OpenCvCapture("/nothing/here.mp4", View())


@pytest.mark.parametrize("name", [9999, "http://127.0.0.1:9/nothing"])
def test_what_is_live_and_not_there_is_an_error_of_the_connection(name: str | int) -> None:
    with pytest.raises(ConnectionError, match="cannot be opened"):
        OpenCvCapture(name, View(), 1.0)


def test_without_opencv_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[opencv\]'"):
        OpenCvCapture("a.mp4", View())
