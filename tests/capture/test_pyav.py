"""Files through PyAV, pixel by pixel."""

from __future__ import annotations

import asyncio
import struct
import sys
import zlib
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from aevents._capture.pyav import AvCapture, Link, read_picture
from aevents.errors import DecodeError, MissingExtraError
from aevents.operators.view import Colour, View
from tests.pictures import Array, Pixels, camera, film, numbered, still

RANDOM = np.random.default_rng(0)


def colourful(width: int = 31, height: int = 20) -> Pixels:
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return film(tmp_path / "a.mkv", [colourful() for _ in range(3)], 20)


def test_every_value_is_as_it_was(tmp_path: Path) -> None:
    pictures = [colourful() for _ in range(3)]
    capture = AvCapture(str(film(tmp_path / "a.avi", pictures, 20)), View())
    for number, expected in enumerate(pictures):
        shot = capture.read()
        assert shot is not None
        assert shot.time_us == number * 50_000
        np.testing.assert_array_equal(shot.pixels, expected)
    assert capture.read() is None
    assert capture.rate == 20
    assert set(capture.counts.values()) == {0}
    capture.close()
    capture.close()


def test_a_late_packet_is_what_ffmpeg_still_held_when_the_time_was_over(
    movie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0, 1, 2, 8])  # the second packet takes 6 s
    monkeypatch.setattr("aevents._capture.pyav.monotonic", lambda: next(clock))
    capture = AvCapture(str(movie), View(), Link(5))
    assert capture.read() is not None
    assert capture.read() is not None
    with pytest.raises(TimeoutError, match="did not answer in time"):
        capture.read()
    capture.close()


@pytest.mark.parametrize(
    ("colour", "channels"),
    [("rgb", [0, 1, 2]), ("bgr", [2, 1, 0]), ("r", 0), ("g", 1), ("b", 2)],
)
def test_red_is_red(colour: Colour, channels: int | list[int], tmp_path: Path) -> None:
    pixels = colourful()
    capture = AvCapture(str(film(tmp_path / "a.avi", [pixels])), View(colour))
    shot = capture.read()
    assert shot is not None
    np.testing.assert_array_equal(shot.pixels, cast("Array", pixels)[..., channels])
    assert shot.pixels.flags.c_contiguous
    capture.close()


def test_gray_is_what_the_eye_sees_of_it(tmp_path: Path) -> None:
    pixels = colourful()
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    capture = AvCapture(str(film(tmp_path / "a.avi", [pixels])), View("gray"))
    shot = capture.read()
    assert shot is not None
    np.testing.assert_allclose(cast("Array", shot.pixels), luma, atol=1.5)
    capture.close()


def test_it_is_scaled_and_then_cut(tmp_path: Path) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 20:] = 200  # the right half
    path = film(tmp_path / "a.avi", [pixels])
    capture = AvCapture(str(path), View.parse("r", "20x10", "4x2+8+5"))
    shot = capture.read()
    assert shot is not None
    np.testing.assert_allclose(cast("Array", shot.pixels), [[0, 0, 200, 200]] * 2, atol=60)
    capture.close()


def test_it_goes_to_a_picture_at_or_before_a_time(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(60)]
    path = film(tmp_path / "a.mp4", pictures, 20, codec="libx264", g="10", qp="4")
    capture = AvCapture(str(path), View())
    capture.seek(1_740_000)
    shot = capture.read()
    assert shot is not None
    assert shot.time_us is not None
    assert 1_000_000 <= shot.time_us <= 1_740_000
    assert abs(int(shot.pixels[0, 0, 0]) - 3 * shot.time_us // 50_000) < 5
    capture.close()


def test_packets_that_are_damaged_are_counted(tmp_path: Path) -> None:
    bad = damaged = 0
    for seed in range(6):  # how much of a packet can be guessed differs
        random = np.random.default_rng(seed)
        pictures = [random.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(30)]
        path = film(tmp_path / "a.mp4", pictures, codec="libx264")
        data = bytearray(path.read_bytes())
        for place in range(len(data) // 2, len(data) * 3 // 4, 7):
            data[place] ^= 0xA5
        path.write_bytes(data)
        capture = AvCapture(str(path), View())
        count = 0
        while capture.read() is not None:
            count += 1
        assert 10 < count <= 30
        bad += capture.counts["bad_packets"]
        damaged += capture.counts["damaged_frames"]
        capture.close()
    assert bad > 6
    assert damaged > 0


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(DecodeError, match=r"video: .*a\.mp4: Invalid data"):
        AvCapture(str(tmp_path / "a.mp4"), View())
    with pytest.raises(FileNotFoundError, match=r"'/nothing/here\.mp4'"):
        AvCapture("/nothing/here.mp4", View())
    with pytest.raises(IsADirectoryError):
        AvCapture(str(tmp_path), View())


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1000))
    with pytest.raises(DecodeError, match=r"a\.wav holds no video"):
        AvCapture(str(tmp_path / "a.wav"), View())


def test_a_server_that_is_not_there_says_so() -> None:
    with pytest.raises(ConnectionRefusedError):
        AvCapture("http://127.0.0.1:9/nothing", View(), Link(1.0))


async def test_a_camera_has_no_clock_and_meets_its_time_out() -> None:
    async with camera() as one:
        capture = await asyncio.to_thread(AvCapture, one.url, View("gray"), Link(0.3))
        shot = await asyncio.to_thread(capture.read)
        assert shot is not None
        assert (shot.time_us, shot.pixels.shape) == (None, (24, 32))
        one.silent = True
        with pytest.raises(TimeoutError, match="did not answer in time"):
            while True:
                await asyncio.to_thread(capture.read)
        await asyncio.to_thread(capture.close)


# -- pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_a_picture_is_as_it_is(suffix: str, tmp_path: Path) -> None:
    pixels = colourful(32)
    format = "rgb24" if suffix == ".png" else "bgr24"
    stored = pixels if suffix == ".png" else pixels[..., ::-1].copy()
    path = still(tmp_path / f"50%d{suffix}", stored, format)
    np.testing.assert_array_equal(read_picture(path, View()), pixels)


def test_gray_pictures_stay_as_they_are_in_8_and_16_bits(tmp_path: Path) -> None:
    gray = RANDOM.integers(0, 256, (20, 32), np.uint8)
    path = still(tmp_path / "a.png", gray, "gray")
    np.testing.assert_array_equal(read_picture(path, View("gray")), gray)
    np.testing.assert_array_equal(read_picture(path, View("b")), gray)
    deep = RANDOM.integers(0, 65_536, (20, 32), np.uint16)
    path = still(tmp_path / "b.png", deep, "gray16be")
    found = read_picture(path, View("gray"))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, deep)
    assert read_picture(path, View()).shape == (20, 32, 3)


def test_opacity_is_kept_if_it_is_asked_for(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (20, 32, 4), np.uint8)
    path = still(tmp_path / "a.png", pixels, "rgba")
    np.testing.assert_array_equal(read_picture(path, View("rgba")), pixels)
    np.testing.assert_array_equal(read_picture(path, View("rgb")), pixels[..., :3])


def test_a_picture_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + body)
    with pytest.raises(DecodeError):
        read_picture(tmp_path / "a.png", View())


def test_what_is_no_picture_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DecodeError, match=r"a\.png"):
        read_picture(tmp_path / "a.png", View())
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        container.start_encoding()
    with pytest.raises(DecodeError, match=r"a\.avi"):
        read_picture(tmp_path / "a.avi", View())


def test_without_pyav_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[video\]'"):
        AvCapture("a.mp4", View())
