"""Videos as frames: files, cameras, streams of the network; as convis has them and better."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import anyio
import numpy as np
import pytest
from blockbuster import BlockBuster

import aevents
from aevents.errors import DecodeError
from aevents.operators.view import Colour
from aevents.sources.video import video
from aevents.testing import check_source
from tests.pictures import (
    allow_blocking_runs,
    camera,
    film,
    numbered,
    spans,
    truth,
)
from tests.rtsp import rtsp_camera
from tests.truth import CONVIS, needs_convis

BACKENDS: tuple[Literal["av", "opencv"], ...] = ("av", "opencv")
NTSC = Fraction(30_000, 1001)


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    """Forty pictures, two seconds."""
    return film(tmp_path / "a.avi", [numbered(number) for number in range(40)], 20)


def seen(frames: object) -> list[int]:
    return [int(frame.array[0, 0]) // 3 for frame in frames]  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_file_obeys_the_laws_of_sources(
    backend: Literal["av", "opencv"], movie: Path, blockbuster: BlockBuster
) -> None:
    allow_blocking_runs(blockbuster)
    frames = await check_source(video(movie, colour="r", backend=backend).origin)
    assert seen(frames) == list(range(40))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_slice_begins_and_ends_where_it_says(
    backend: Literal["av", "opencv"], movie: Path
) -> None:
    stream = video(movie, colour="r", backend=backend)
    assert seen(stream.time_slice(500_000, 700_000).blocking()) == [10, 11, 12, 13]
    assert seen(stream.time_slice(1_820_000).blocking()) == [37, 38, 39]
    assert seen(stream.time_slice(9_000_000).blocking()) == []
    started = video(movie, colour="r", start_us=1_820_000, backend=backend)
    assert seen(started.blocking()) == [37, 38, 39]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_slice_of_any_file_begins_between_key_frames(suffix: str, tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(80)]
    path = film(tmp_path / f"a.{suffix}", pictures, 20, codec="libx264", g="12", qp="2")
    for start in (0, 1, 333_000, 1_650_000, 3_900_000):
        first = -(-start // 50_000)
        frames = [*video(path, colour="r").time_slice(start).take(3).blocking()]
        assert [frame.span.start for frame in frames] == [
            number * 50_000 for number in range(first, min(first + 3, 80))
        ]
        assert abs(int(frames[0].array[0, 0]) - 3 * first) < 6


def test_a_rate_of_its_own_is_kept_by_presentation_time(movie: Path) -> None:
    stream = video(movie, colour="r", rate_hz=10)
    assert seen(stream.blocking()) == list(range(0, 40, 2))
    frames = [*video(movie, colour="r", rate_hz=NTSC).time_slice(1_000_000).blocking()]
    assert frames[0].span == (1_001_000, 1_034_366)
    assert seen(frames)[:4] == [20, 20, 21, 22]
    assert frames[-1].span.start < 2_000_000


def test_ntsc_keeps_time(tmp_path: Path) -> None:
    pictures = [numbered(number % 80) for number in range(300)]
    path = film(tmp_path / "a.mp4", pictures, NTSC, codec="libx264")
    frames = [*video(path).blocking()]
    assert [frame.span.start for frame in frames] == [
        number * 1_001_000 // 30 for number in range(300)
    ]
    assert abs(frames[-1].span.stop - 10_010_000) <= 1


def test_pictures_that_come_unevenly_are_shown_until_the_next(tmp_path: Path) -> None:
    times = [0, 1, 5, 6]
    path = film(tmp_path / "a.mkv", [numbered(n) for n in range(4)], 10, times=times)
    assert spans(video(path).blocking()) == [
        (0, 100_000), (100_000, 500_000), (500_000, 600_000), (600_000, 700_000),
    ]  # fmt: skip
    assert seen(video(path, colour="r", rate_hz=10).blocking()) == [0, 1, 1, 1, 1, 2, 3]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("matrix", "corner", "shape"),
    [
        ((0, 1, 0, -1, 0, 0), (0, 1), (32, 24)),  # clockwise: a telephone that is held upright
        ((0, -1, 0, 1, 0, 0), (1, 0), (32, 24)),
        ((-1, 0, 0, 0, -1, 0), (1, 1), (24, 32)),
    ],
)
def test_a_film_is_turned_as_the_camera_noted(
    matrix: tuple[int, ...],
    corner: tuple[int, int],
    shape: tuple[int, int],
    backend: Literal["av", "opencv"],
    tmp_path: Path,
) -> None:
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[:12, :16, 0] = 250
    path = film(tmp_path / "a.mp4", [pixels], codec="libx264", qp="2")
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2
    data[place : place + 24] = struct.pack(">6i", *(one << 16 for one in matrix))
    path.write_bytes(data)
    frame = next(video(path, colour="r", backend=backend).blocking())
    assert frame.shape == shape
    bright = [(y, x) for y in (0, 1) for x in (0, 1) if frame.array[3 - 7 * y, 3 - 7 * x] > 128]
    assert bright == [corner]
    half = next(video(path, size=f"{shape[1] // 2}x{shape[0] // 2}", backend=backend).blocking())
    assert half.shape == (shape[0] // 2, shape[1] // 2, 3)


async def test_open_takes_a_file_for_a_video_by_its_name(movie: Path) -> None:
    assert len(await aevents.open(movie).to_list()) == 40
    frames = aevents.open(str(movie), kind=aevents.Frame, colour="gray", size="16x12")
    assert (await frames.first()).shape == (12, 16)
    for options in ({"strict": True}, {"index": True}, {"sensor": aevents.Sensor(5, 5)}):
        with pytest.raises(ValueError, match="are for recordings of events"):
            aevents.open(movie, **options)
    with pytest.raises(TypeError, match="'columns'"):
        aevents.open(movie, columns="txyp")


async def test_what_is_no_video_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(DecodeError):
        await video(tmp_path / "a.mp4").first()
    with pytest.raises(FileNotFoundError):
        await video(tmp_path / "b.mp4").first()
    with pytest.raises(FileNotFoundError):
        await video(tmp_path / "b.mp4", backend="opencv").first()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "vlc"}, "backend is 'av' or 'opencv', not 'vlc'"),
        ({"timeout_us": 0}, "timeout_us is a time above 0, not 0"),
        ({"rate_hz": -1}, "greater than 0, not -1"),
        ({"colour": "pink"}, "colour is one of"),
        ({"size": "5"}, "WIDTHxHEIGHT"),
        ({"crop": "5"}, "WIDTHxHEIGHT"),
    ],
)
def test_options_that_are_none_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        video("a.mp4", **options)


@pytest.mark.parametrize(
    ("name", "live"),
    [
        ("a.mp4", False),
        ("rtsp://camera/1", True),
        ("http://camera/1", True),
        ("udp://:3333", True),
        (0, True),
        ("/dev/video2", True),
        ("/dev/video", False),
        ("C:/a.mp4", False),
    ],
)
def test_urls_and_cameras_are_live(name: str | int, live: bool) -> None:
    assert video(name).endless is live
    assert video(name, live=not live).endless is not live
    assert video(name, rate_hz=5, backend="opencv").endless is live


async def test_a_camera_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match=r"video97|Unknown"):
        await video(97).first()
    with pytest.raises(ConnectionError):
        await video(97, backend="opencv").first()


def test_a_camera_by_its_number_is_for_opencv_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(ValueError, match="needs backend='opencv' here"):
        video(0)


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_camera_of_the_network_is_live(backend: Literal["av", "opencv"]) -> None:
    async with camera() as one:
        with anyio.fail_after(10):
            frames = await video(one.url, colour="gray", backend=backend).take(4).to_list()
        resampled = video(one.url, rate_hz=1000, size="16x12", backend=backend)
        with anyio.fail_after(10):
            assert (await resampled.take(2).to_list())[1].shape == (12, 16, 3)
    assert all(a.span.stop <= b.span.start for a, b in pairwise(frames))
    with pytest.raises(TypeError, match="no blocking form"):
        video(one.url).blocking()


# -- over RTSP, from GStreamer's server ------------------------------------------------------------


@pytest.mark.timeout(60)  # a process, and pictures in real time
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", ["jpeg", "h264", "udp"])
async def test_a_camera_that_speaks_rtsp_is_seen(
    path: str, backend: Literal["av", "opencv"]
) -> None:
    async with rtsp_camera() as one:
        with anyio.fail_after(20):
            frames = await video(one.url(path), colour="gray", backend=backend).take(10).to_list()
    assert {frame.shape for frame in frames} == {(48, 64)}
    assert len({frame.array.tobytes() for frame in frames}) > 5  # the ball moves
    assert all(a.span.stop <= b.span.start for a, b in pairwise(frames))
    if backend == "av":
        assert [frame.span.start for frame in frames] == [20_000 * n for n in range(10)]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_an_rtsp_camera_that_was_gone_is_seen_again(
    backend: Literal["av", "opencv"],
) -> None:
    async with rtsp_camera() as one:
        stream = video(one.url("h264"), colour="gray", backend=backend)
        with anyio.fail_after(40):
            async with stream.open() as run:
                frames = [await anext(run) for _ in range(5)]
                await one.kill()
                await one.start()
                while not run.report.anomalies.get("gaps"):
                    frames.append(await anext(run))
                frames += [await anext(run) for _ in range(5)]
    assert all(a.span.stop <= b.span.start for a, b in pairwise(frames))
    steps = [b.span.start - a.span.stop for a, b in pairwise(frames)]
    assert run.report["gaps"] == 1
    assert run.report["gap_us"] in steps


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("path", "backend"), [("h264", "av"), ("udp", "av"), ("h264", "opencv")])
async def test_an_rtsp_camera_that_falls_silent_meets_the_time_out(
    path: str, backend: Literal["av", "opencv"]
) -> None:
    async with rtsp_camera() as one:
        stream = video(one.url(path), timeout_us=3_000_000, reconnect_us=0, backend=backend)
        with anyio.fail_after(20):
            async with stream.open() as run:
                await anext(run)
                one.stop()
                with pytest.raises(OSError, match=r"in time|has ended"):
                    while True:
                        await anext(run)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_an_rtsp_camera_without_such_a_path_is_an_error(
    backend: Literal["av", "opencv"],
) -> None:
    async with rtsp_camera() as one:
        with anyio.fail_after(20), pytest.raises(OSError, match=r"404|cannot be opened"):
            await video(one.url("none"), backend=backend).first()


# -- as convis has them ----------------------------------------------------------------------------


@needs_convis
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("key", "colour"),
    [("mean", "rgb"), ("r", "b"), ("g", "g"), ("b", "r"), ("rgb", "bgr")],
)
@pytest.mark.parametrize(("place", "crop"), [("c", "14x10"), ("off", "14x10+5+2")])
def test_pixels_are_those_that_convis_gives_and_red_is_red(
    key: str, colour: Colour, place: str, crop: str, backend: Literal["av", "opencv"]
) -> None:
    kept = truth("video_reader")
    expected = kept[f"{key}_{place}"]
    path = CONVIS / "video/test_FFV1.avi"
    frames = [*video(path, crop=crop, colour=colour, backend=backend).blocking()]
    assert len(frames) == 12  # the end of the file is the end
    found = np.stack([frame.array for frame in frames])
    if key == "mean":
        found = found.mean(axis=-1)
    if key == "rgb":
        found = np.moveaxis(found, -1, 0)[np.newaxis]
        np.testing.assert_array_equal(found[:, :, :4], expected)
        return
    np.testing.assert_allclose(found[:4], expected, rtol=1e-12)
    if place == "c":  # convis goes on with zeros for ever
        tail = kept[f"{key}_c_tail12"]
        np.testing.assert_allclose(found[4:], tail[:8], rtol=1e-12)
        assert not tail[8:].any()
