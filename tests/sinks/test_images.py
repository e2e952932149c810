"""Pictures: files, sequences, and bytes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import anyio
import av
import numpy as np
import numpy.typing as npt
import pytest

import aevents
from aevents.errors import EncodeError
from aevents.sinks.images import ImageSink, create, png
from aevents.testing import check_sink
from aevents.types import Frame, Sensor, Span

ORANGE, BLUE, BACKGROUND = [255, 164, 48], [72, 156, 255], [17, 19, 24]


def signed(*values: float) -> Frame:
    array = np.array([values], np.float32)
    return Frame(array, Span(0, 1000), Sensor(len(values), 1), "signed")


def pixels_of(path: Path) -> npt.NDArray[np.generic]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_name_without_a_field_is_one_picture(tmp_path: Path) -> None:
    sink = create(tmp_path / "frame.png", scale=1)
    await sink.write(signed(1, -1, 0))
    await sink.aclose()
    assert pixels_of(tmp_path / "frame.png").tolist() == [[ORANGE, BLUE, BACKGROUND]]


async def test_a_second_frame_for_one_picture_says_what_to_do(tmp_path: Path) -> None:
    sink = create(tmp_path / "frame.png", scale=1)
    await sink.write(signed(1))
    with pytest.raises(EncodeError, match=r"name it frame_\{:05d\}\.png .* \(--take 1\)"):
        await sink.write(signed(-1))
    await sink.aclose()
    assert pixels_of(tmp_path / "frame.png").tolist() == [[ORANGE]]


async def test_a_name_with_a_field_is_numbered_from_0(tmp_path: Path) -> None:
    sink = create(tmp_path / "frame_{:05d}.png", scale=1, zoom=2)
    await check_sink(lambda: sink, [signed(1), signed(-1), signed(0)])
    assert names(tmp_path) == ["frame_00000.png", "frame_00001.png", "frame_00002.png"]
    assert pixels_of(tmp_path / "frame_00001.png").tolist() == [[BLUE, BLUE], [BLUE, BLUE]]


async def test_braces_in_the_folder_are_no_field(tmp_path: Path) -> None:
    (tmp_path / "{}").mkdir()
    sink = create(tmp_path / "{}" / "one.png")
    await sink.write(signed(1))
    await sink.aclose()
    assert (tmp_path / "{}" / "one.png").is_file()


@pytest.mark.parametrize("name", ["{name}.png", "{}_{}.png", "{:q}.png", "{.png"])
def test_a_field_that_takes_no_number_is_refused_at_once(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no place for one number .* frame_\{:05d\}\.png has"):
        create(tmp_path / name)


async def test_events_are_no_picture(tmp_path: Path) -> None:
    sink = create(tmp_path / "frame.png")
    with pytest.raises(TypeError, match=r"not of EventBatch: put \.frames\(\) \(--frames\) before"):
        await sink.write(cast("Frame", aevents.EventBatch.empty()))
    await sink.aclose()
    assert names(tmp_path) == []


async def test_a_stream_of_frames_goes_to_pictures_by_name(tmp_path: Path) -> None:
    events = aevents.synthetic.moving_bar(Sensor(32, 24), rate=1e5, duration_us=30_000)
    frames = events.window(duration_us=10_000).frames("polarity")
    report = await frames.to(str(tmp_path / "bar_{:02d}.png"))
    assert report.delivered == 3
    assert pixels_of(tmp_path / "bar_02.png").shape == (24, 32, 3)
    assert isinstance(aevents.create(tmp_path / "one.PNG", colours="light"), ImageSink)


async def test_frames_handed_over_are_written_when_the_run_is_cancelled(tmp_path: Path) -> None:
    endless = aevents.synthetic.poisson(Sensor(32, 24), duration_us=0)
    frames = endless.window(duration_us=10_000).frames()
    seen: list[Frame] = []
    with anyio.CancelScope() as scope:

        def look(frame: Frame) -> Frame:
            seen.append(frame)
            if len(seen) == 5:
                anyio.from_thread.run_sync(scope.cancel)
            return frame

        await frames.map(look).to(create(tmp_path / "{}.png", scale=4))
    written = names(tmp_path)
    assert written == [f"{number}.png" for number in range(len(written))]
    assert len(written) in (4, 5)  # the fifth may not have been handed over
    for name, frame in zip(written, seen, strict=False):
        assert (tmp_path / name).read_bytes() == png(frame, scale=4)


def test_a_frame_or_pixels_become_the_bytes_of_a_png(tmp_path: Path) -> None:
    (tmp_path / "frame.png").write_bytes(aevents.png(signed(1, -1), scale=1, colours="gray"))
    assert pixels_of(tmp_path / "frame.png").tolist() == [[[255, 255, 255], [0, 0, 0]]]
    (tmp_path / "pixels.png").write_bytes(png(np.array([[[1, 2, 3]]], np.uint8)))
    assert pixels_of(tmp_path / "pixels.png").tolist() == [[[1, 2, 3]]]


def test_a_frame_is_its_own_picture(tmp_path: Path) -> None:
    frame = signed(4, -4, 0)
    assert frame._repr_png_() == png(frame)
    frame.save(tmp_path / "frame.png")
    frame.save(str(tmp_path / "again.PNG"))
    for name in ("frame.png", "again.PNG"):
        assert pixels_of(tmp_path / name).tolist() == [[ORANGE, BLUE, BACKGROUND]]
    with pytest.raises(ValueError, match=r"saved as \.png, not as 'frame.jpg'"):
        frame.save(tmp_path / "frame.jpg")
    assert names(tmp_path) == ["again.PNG", "frame.png"]


def test_a_frame_that_is_no_picture_shows_none(tmp_path: Path) -> None:
    grid = Frame(np.zeros((2, 3, 4), np.float32), Span(0, 1), Sensor(4, 3), "voxel_grid")
    assert grid._repr_png_() is None
    with pytest.raises(ValueError, match="a picture is"):
        grid.save(tmp_path / "grid.png")
    assert names(tmp_path) == []
