"""Video, decoded back: every frame is in it, in its colours, however writing ended."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import anyio
import anyio.from_thread
import anyio.to_thread
import av
import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

import aevents
from aevents.errors import EncodeError, MissingExtraError, UnknownFormatError
from aevents.sinks import coding
from aevents.sinks.video import create
from aevents.testing import check_sink
from aevents.types import Frame, Sensor, Span
from tests.pictures import film, numbered, truth
from tests.truth import needs_convis

ORANGE, BLUE, BACKGROUND = (255, 164, 48), (72, 156, 255), (17, 19, 24)


def stripes(number: int, width: int = 32, height: int = 24) -> Frame:
    """A frame with ON above, OFF below, and in between nothing, but for a corner that counts."""
    array = np.zeros((height, width), np.float32)
    array[:8], array[16:] = 1, -1
    array[:2, : 2 * number] = 0
    return Frame(array, Span(0, 1000), Sensor(width, height), "signed")


def decoded(path: Path) -> list[npt.NDArray[np.int16]]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [frame.astype(np.int16) for frame in frames]


def files(folder: Path) -> Iterator[Path]:
    return folder.iterdir()


def facts(path: Path) -> tuple[object, ...]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        return codec.name, codec.pix_fmt, stream.average_rate, stream.width, stream.height


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "h264"), ("a.MP4", "h264"), ("a.mkv", "h264"), ("a.avi", "h264"), ("a.webm", "vp9")],
)
async def test_every_frame_is_in_the_video(name: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / name
    await check_sink(lambda: create(path, scale=1), [stripes(number) for number in range(12)])
    assert facts(path) == (codec, "yuv420p", 30, 32, 24)
    frames = decoded(path)
    assert len(frames) == 12
    for number, frame in enumerate(frames):
        dark = (frame[0].sum(axis=1) < 200).sum()
        assert abs(int(dark) - 2 * number) <= 1


async def test_the_colours_are_those_of_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    sink = create(path, scale=1, quality=90)
    for _ in range(3):
        await sink.write(stripes(0))
    await sink.aclose()
    frame = decoded(path)[1]
    for row, colour in ((4, ORANGE), (12, BACKGROUND), (20, BLUE)):
        np.testing.assert_allclose(frame[row, 16], colour, atol=6)


async def test_an_odd_size_is_made_even(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    sink = create(path, scale=1, quality=90)
    await sink.write(stripes(0, width=33, height=25))
    await sink.aclose()
    (frame,) = decoded(path)
    assert frame.shape == (26, 34, 3)
    np.testing.assert_allclose(frame[25, 33], BLUE, atol=8)


async def test_zoom_and_rate_are_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    sink = create(path, rate_hz=12.5, zoom=3)
    for number in range(4):
        await sink.write(stripes(number))
    await sink.aclose()
    assert facts(path) == ("h264", "yuv420p", Fraction(25, 2), 96, 72)
    assert len(decoded(path)) == 4


async def test_a_lower_quality_makes_a_smaller_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = Frame(random.poisson(1, (96, 96)).astype(np.float32), Span(0, 1), Sensor(96, 96))
    for codec in ("libx264", "mpeg4"):
        for quality in (10, 90):
            sink = create(tmp_path / f"{quality}.mp4", quality=quality, codec=codec)
            await sink.write(noise)
            await sink.aclose()
        sizes = [(tmp_path / f"{quality}.mp4").stat().st_size for quality in (10, 90)]
        assert sizes[0] < sizes[1] / 2


async def test_without_x264_it_falls_back_to_mpeg4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(coding.CODECS, ".mp4", ("libnothing", "mpeg4"))
    sink = create(tmp_path / "a.mp4")
    for number in range(5):
        await sink.write(stripes(number))
    await sink.aclose()
    assert facts(tmp_path / "a.mp4")[0] == "mpeg4"
    assert len(decoded(tmp_path / "a.mp4")) == 5


async def test_a_frame_of_another_size_is_refused_and_the_rest_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    sink = create(path)
    await sink.write(stripes(0))
    with pytest.raises(EncodeError, match=r"a\.mp4: a frame of 48x24 after frames of 32x24"):
        await sink.write(stripes(0, width=48))
    await sink.aclose()
    assert len(decoded(path)) == 1


async def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    sink = create(tmp_path / "a.mp4")
    with pytest.raises(TypeError, match="not of EventBatch"):
        await sink.write(cast("Frame", aevents.EventBatch.empty()))
    await sink.aclose()
    assert not any(files(tmp_path))


async def test_a_file_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    sink = create(tmp_path / "a.mp4")
    with pytest.raises(OSError, match="Is a directory"):
        await sink.write(stripes(0))
    await sink.aclose()


async def test_a_size_that_the_codec_cannot_hold_is_an_error_and_closes_cleanly(
    tmp_path: Path,
) -> None:
    sink = create(tmp_path / "a.mp4", codec="libx264")
    with pytest.raises(EncodeError, match=r"a\.mp4: libx264 fails at frames of 40000x24: "):
        await sink.write(stripes(0, width=40_000, height=24))
    await sink.aclose()


async def run_until_the_fifth_frame(path: Path, stop: anyio.Event) -> None:
    seen: list[Frame] = []

    def look(frame: Frame) -> Frame:
        seen.append(frame)
        if len(seen) == 5:
            anyio.from_thread.run_sync(stop.set)
        return frame

    endless = aevents.synthetic.rotating_disk(Sensor(64, 48), duration_us=0)
    await endless.window(duration_us=10_000).frames("polarity").map(look).to(str(path))


async def test_the_video_is_whole_when_a_scope_is_cancelled(tmp_path: Path) -> None:
    stop = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_until_the_fifth_frame, tmp_path / "a.mp4", stop)
        await stop.wait()
        tasks.cancel_scope.cancel()
    assert len(decoded(tmp_path / "a.mp4")) >= 4


async def test_the_video_is_whole_when_the_task_is_cancelled(tmp_path: Path) -> None:
    stop = anyio.Event()
    threads = threading.active_count()
    task = asyncio.ensure_future(run_until_the_fifth_frame(tmp_path / "a.mp4", stop))
    await stop.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(decoded(tmp_path / "a.mp4")) >= 4
    assert threading.active_count() <= threads + 2  # anyio keeps its workers for a while


SCRIPT = """
import sys, aevents
seen = []
def look(frame):
    seen.append(frame)
    if len(seen) == 5:
        print("go", flush=True)
    return frame
endless = aevents.synthetic.rotating_disk(aevents.Sensor(64, 48), duration_us=0)
frames = endless.window(duration_us=10_000).frames("polarity").map(look)
aevents.run(lambda: frames.to(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_the_video_is_whole_after_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "a.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=15)
    assert b"KeyboardInterrupt" in errors
    assert len(decoded(tmp_path / "a.mp4")) >= 4


async def test_a_codec_that_is_not_there_is_an_error_at_the_first_frame(tmp_path: Path) -> None:
    for codec in ("nothing", "aac"):
        sink = create(tmp_path / "a.mp4", codec=codec)
        with pytest.raises(ValueError, match=f"no video encoder called {codec}"):
            await sink.write(stripes(0))
        await sink.aclose()
    assert not any(files(tmp_path))


LOADED = """
import asyncio, sys, threading, aevents
async def main():
    sink = aevents.create(sys.argv[1])
    stream = aevents.video(sys.argv[2])
    assert "cv2" not in sys.modules
    await stream.to(sink)
def look(event, about):
    if event == "import" and about[0] == "av":
        print(threading.current_thread() is threading.main_thread())
sys.addaudithook(look)
asyncio.run(main())
"""


def test_pyav_is_loaded_by_a_worker(tmp_path: Path) -> None:
    movie = film(tmp_path / "b.avi", [numbered(1)] * 3)
    command = [sys.executable, "-c", LOADED, str(tmp_path / "a.mp4"), str(movie)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "False\n"
    assert len(decoded(tmp_path / "a.mp4")) == 3


# -- pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "name"),
    [(Fraction(30_000, 1001), "a.mp4"), (Fraction(25), "a.avi"), (Fraction(24), "a.webm")],
)
async def test_a_film_is_played_at_the_rate_at_which_it_was_made(
    rate: Fraction, name: str, tmp_path: Path
) -> None:
    movie = film(tmp_path / "in.mp4", [numbered(n) for n in range(20)], rate, codec="libx264")
    report = await aevents.video(movie).to(str(tmp_path / name))
    assert report.delivered == 20
    assert facts(tmp_path / name)[2] == rate
    frames = decoded(tmp_path / name)
    assert len(frames) == 20
    for number, one in enumerate(frames):
        np.testing.assert_allclose(one[5, 5], [3 * number, 200, 90], atol=12)


async def test_without_loss_every_value_is_kept(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 25, 33, 3), np.uint8)
    film_of = aevents.from_frames(pixels, rate_hz=12.5)
    await film_of.to(create(tmp_path / "a.mkv", codec="ffv1"))
    assert facts(tmp_path / "a.mkv") == ("ffv1", "bgr0", Fraction(25, 2), 33, 25)
    np.testing.assert_array_equal(np.stack(decoded(tmp_path / "a.mkv")), pixels)
    found = await aevents.video(tmp_path / "a.mkv").stack()
    np.testing.assert_array_equal(found, pixels)


async def test_it_is_scaled_and_gray_if_asked_for(tmp_path: Path) -> None:
    pictures = aevents.from_frames([numbered(5)] * 3)
    await pictures.to(create(tmp_path / "a.mp4", size="64x48", colour="gray"))
    assert facts(tmp_path / "a.mp4")[3:] == (64, 48)
    luma = 0.299 * 15 + 0.587 * 200 + 0.114 * 90
    np.testing.assert_allclose(decoded(tmp_path / "a.mp4")[1][20, 20], [luma] * 3, atol=6)
    await pictures.to(create(tmp_path / "b.mkv", size="65x49", colour="gray", codec="ffv1"))
    assert facts(tmp_path / "b.mkv")[1:] == ("gray", 30, 65, 49)


@needs_convis
@pytest.mark.parametrize(
    ("key", "colour"),
    [("w_gray_color", "rgb"), ("w_gray_bw", "gray"), ("w_col_color", "rgb")],
)
async def test_videos_read_as_those_of_convis_do(
    key: str, colour: Literal["rgb", "gray"], tmp_path: Path
) -> None:
    expected = truth("video_writer")[key][..., ::-1]  # convis has blue first
    given = truth("video_reader")["bgr_frames"][..., ::-1]
    if "gray" in key:
        given = gray_source(expected)
    pictures = aevents.from_frames(given, rate_hz=20)
    await pictures.to(create(tmp_path / "a.avi", codec="ffv1", colour=colour))
    assert facts(tmp_path / "a.avi")[2] == 20
    found = await aevents.video(tmp_path / "a.avi").stack()
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


@needs_convis
async def test_a_mean_over_colours_is_a_map(tmp_path: Path) -> None:
    expected = truth("video_writer")["w_col_bw"]
    pictures = aevents.from_frames(truth("video_reader")["bgr_frames"], rate_hz=20)
    gray = pictures.map(lambda one: replace(one, array=one.array.mean(axis=-1)))
    await gray.to(create(tmp_path / "a.avi", codec="ffv1"))
    found = await aevents.video(tmp_path / "a.avi").stack()
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)  # it cuts off


def gray_source(expected: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    assert (expected == expected[..., :1]).all()
    return expected[..., 0]


@needs_convis
async def test_values_that_are_too_bright_stay_bright(tmp_path: Path) -> None:
    wrapped = truth("video_writer")["w_over"][..., 0].astype(np.float32)
    values = wrapped + 256 * (wrapped < 100)  # convis begins at 0 again
    pictures = aevents.from_frames(values)
    await pictures.to(create(tmp_path / "a.avi", codec="ffv1", colour="gray"))
    found = (await aevents.video(tmp_path / "a.avi", colour="gray").stack()).astype(int)
    np.testing.assert_array_equal(found, np.minimum(values, 255).astype(int))


async def test_a_frame_of_the_wrong_size_is_refused_where_convis_writes_nothing(
    tmp_path: Path,
) -> None:
    sink = create(tmp_path / "a.avi")
    await sink.write(aevents.Frame(numbered(1), Span(0, 1), Sensor(32, 24), "intensity"))
    turned = numbered(1, width=24, height=32)
    with pytest.raises(EncodeError, match="a frame of 24x32 after frames of 32x24"):
        await sink.write(aevents.Frame(turned, Span(0, 1), Sensor(24, 32), "intensity"))
    await sink.aclose()


def test_without_pyav_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"av is not installed: pip install 'aevents\[vid"):
        aevents.create(tmp_path / "a.mp4")


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match=r"a\.ogv is no video .* known formats: \.avi, "):
        create(tmp_path / "a.ogv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate_hz": 0}, "greater than 0, not 0"),
        ({"rate_hz": -25}, "greater than 0, not -25"),
        ({"quality": 101}, "from 0 to 100, not 101"),
        ({"size": "5"}, "WIDTHxHEIGHT"),
        ({"colour": "red"}, "colour is 'rgb' or 'gray', not 'red'"),
        ({"colours": "rainbow"}, "dark, light, gray, not 'rainbow'"),
    ],
)
def test_options_out_of_range_are_refused_at_once(
    options: dict[str, float], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        create(tmp_path / "a.mp4", **options)  # type: ignore[arg-type]  # that is the point


# -- speed, time code, GIF --------------------------------------------------------------------


def lasting(start: int, us: int = 2_000, number: int = 0) -> Frame:
    return replace(stripes(number), span=Span(start, start + us))


def shown_at(path: Path) -> list[int]:
    """Return when each frame is shown, in ms."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        pts = [frame.pts for frame in container.decode(stream)]
        return [round(1000 * float(one * stream.time_base)) for one in pts if one is not None]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif"])
async def test_each_frame_is_shown_when_its_time_has_come(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    starts = [10_000, 12_000, 14_000, 20_000, 22_000]  # without two windows that were empty
    sink = create(path, speed=0.05)
    for start in starts:
        await sink.write(lasting(start))
    await sink.aclose()
    assert shown_at(path) == [0, 40, 80, 200, 240]


async def test_frames_that_overlap_are_shown_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    sink = create(path, speed=0.05)
    for start in (0, 500, 1_000, 6_000):
        await sink.write(lasting(start))
    await sink.aclose()
    assert shown_at(path) == [0, 40, 80, 120]


async def test_a_gif_keeps_colours_and_goes_on_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    await check_sink(
        lambda: create(path, scale=1, zoom=2, rate_hz=20), [stripes(number) for number in range(5)]
    )
    frames = decoded(path)
    assert (len(frames), frames[0].shape) == (5, (48, 64, 3))
    assert [tuple(frames[0][y, 40].tolist()) for y in (0, 24, 40)] == [ORANGE, BACKGROUND, BLUE]
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in path.read_bytes()
    assert shown_at(path) == [0, 50, 100, 150, 200]


async def test_a_gif_is_scaled_and_gray_as_videos_are(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    sink = create(path, scale=1, size="17x11", colour="gray")
    await sink.write(stripes(0))
    await sink.aclose()
    [frame] = decoded(path)
    assert frame.shape == (11, 17, 3)
    assert (frame == frame[..., :1]).all()


@pytest.mark.parametrize("mode", ["signed", "intensity"])
async def test_the_caption_is_on_the_frames_and_the_frames_stay_as_they_are(
    mode: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.gif"
    array = np.zeros((48, 120, 3) if mode == "intensity" else (48, 120), np.uint8)
    array.flags.writeable = False
    frame = Frame(array, Span(1_000, 41_000), Sensor(120, 48), mode)
    sink = create(path, timecode=True, title="Night")
    await sink.write(frame)
    await sink.aclose()
    [found] = decoded(path)
    inked = (found == (245, 245, 240)).all(axis=2)
    assert inked[:10].any()
    assert inked[-10:].any()
    assert not inked[12:-12].any()
    assert not array.any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"speed": 0}, "a speed is a number greater than 0, not 0"),
        ({"speed": float("nan")}, "a speed is a number greater than 0"),
        ({"speed": float("inf")}, "a speed is a number greater than 0"),
        ({"speed": 1, "rate_hz": 30}, "a rate and a speed say the same"),
    ],
)
def test_speeds_that_cannot_be_are_refused(
    options: dict[str, float], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        create(tmp_path / "a.mp4", **options)  # type: ignore[arg-type]  # numbers all


@pytest.mark.parametrize(("name", "options"), [("a.mp4", {"speed": 1}), ("a.gif", {"rate_hz": 51})])
async def test_what_is_too_fast_makes_no_file(
    name: str, options: dict[str, float], tmp_path: Path
) -> None:
    sink = create(tmp_path / name, **options)  # type: ignore[arg-type]  # numbers all
    with pytest.raises(ValueError, match="frames a second are more than"):
        await sink.write(lasting(0))
    await sink.aclose()
    assert [*files(tmp_path)] == []
