"""Picture files in a row, as convis has them and better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blockbuster import BlockBuster

import aevents
from aevents.errors import DecodeError
from aevents.sources.images import images
from aevents.testing import check_source
from tests.pictures import allow_blocking_runs, numbered, spans, still, truth
from tests.truth import CONVIS, needs_convis


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (10, 9, 1, 2):
        still(tmp_path / f"f_{number}.png", numbered(number), "rgb24")
    return tmp_path


async def test_files_obey_the_laws_of_sources(folder: Path, blockbuster: BlockBuster) -> None:
    allow_blocking_runs(blockbuster)
    frames = await check_source(images(folder / "*.png", rate_hz=10).origin)
    assert len(frames) == 4


def test_a_pattern_is_in_natural_order(folder: Path) -> None:
    frames = [*images(str(folder / "f_*.png"), colour="r", rate_hz=10).blocking()]
    assert [int(frame.array[0, 0]) for frame in frames] == [3, 6, 27, 30]
    assert spans(frames)[-1] == (300_000, 400_000)


def test_open_takes_a_pattern_too(folder: Path) -> None:
    stream = aevents.open(folder / "f_*.png", kind=aevents.Frame, colour="r", rate_hz=10)
    assert [int(frame.array[0, 0]) for frame in stream.blocking()] == [3, 6, 27, 30]


def test_a_list_is_in_the_order_given(folder: Path) -> None:
    files: list[Path | str] = [folder / "f_10.png", str(folder / "f_1.png")]
    frames = images(files, colour="r").blocking()
    assert [int(frame.array[0, 0]) for frame in frames] == [30, 3]


def test_each_is_shown_as_often_as_is_asked(folder: Path) -> None:
    stream = images(folder / "*.png", colour="r", repeat=3, rate_hz=10)
    found = [int(frame.array[0, 0]) for frame in stream.blocking()]
    assert found == [3, 3, 3, 6, 6, 6, 27, 27, 27, 30, 30, 30]
    assert spans(stream.time_slice(500_000).take(2).blocking()) == [
        (500_000, 600_000), (600_000, 700_000),
    ]  # fmt: skip


def test_no_file_at_all_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file matches"):
        next(images(folder / "*.jpg").blocking())
    with pytest.raises(FileNotFoundError):
        next(images([folder / "f_3.png"]).blocking())


def test_a_damaged_picture_is_an_error_behind_those_before_it(folder: Path) -> None:
    (folder / "f_5.png").write_bytes(b"nothing")
    frames = images(folder / "*.png").blocking()
    next(frames), next(frames)
    with pytest.raises(DecodeError, match=r"f_5\.png"):
        next(frames)


def test_it_is_scaled_and_in_the_colour_asked_for(folder: Path) -> None:
    frame = next(images(folder / "*.png", size="16x12", colour="bgr").blocking())
    assert (frame.shape, frame.mode) == ((12, 16, 3), "bgr")
    assert frame.array[3, 3].tolist() == [90, 200, 3]


@pytest.mark.parametrize("options", [{"rate_hz": 0}, {"repeat": 0}, {"crop": "5"}])
def test_options_that_are_none_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not"):
        images("*.png", **options)  # type: ignore[arg-type]  # that is the point


# -- as convis has them ----------------------------------------------------------------------------


@needs_convis
@pytest.mark.parametrize(
    ("key", "files", "options"),
    [
        ("gray_center", "gray_*.png", {"crop": "12x10", "repeat": 2, "colour": "gray"}),
        ("gray_offset", "gray_*.png", {"crop": "12x10+5+3", "colour": "gray"}),
        ("rgb_color", "rgb_*.png", {"crop": "12x9+1+0"}),
        ("rgba_color", "rgba_*.png", {"crop": "12x9"}),
        ("gray16", "gray16_0.png", {"crop": "12x9", "colour": "gray"}),
    ],
)
def test_pixels_are_those_that_convis_gives(
    key: str, files: str, options: dict[str, object]
) -> None:
    expected = truth("image_sequence")[key]
    if expected.ndim == 5:  # (1, colour, time, row, column)
        expected = np.moveaxis(expected[0], 0, -1)
    frames = images(CONVIS / "images" / files, **options).blocking()  # type: ignore[arg-type]
    found = np.stack([frame.array for frame in frames])
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@needs_convis
@pytest.mark.parametrize(
    ("key", "files", "colour"),
    [("rgb_mean_center", "rgb_*.png", "rgb"), ("rgba_mean", "rgba_*.png", "rgba")],
)
def test_a_mean_over_colours_is_a_map(key: str, files: str, colour: str) -> None:
    pictures = images(CONVIS / "images" / files, crop="12x9", colour=colour)  # type: ignore[arg-type]
    found = [*pictures.map(lambda frame: frame.array.mean(axis=-1)).blocking()]
    np.testing.assert_allclose(np.stack(found), truth("image_sequence")[key], rtol=1e-12)


@needs_convis
def test_the_order_of_convis_is_had_by_a_list() -> None:
    kept = truth("image_sequence")
    files = sorted((CONVIS / "images").glob("f_*.png"))
    for key, order in (("lexsort", files), ("list_order", [files[1], files[0]] * 2)):
        frames = images(order, crop="2x2", colour="gray").blocking()
        np.testing.assert_array_equal(np.stack([one.array for one in frames]), kept[key])


@needs_convis
@pytest.mark.parametrize("crop", ["12x10+25+15", "40x30"])
def test_a_crop_beyond_the_picture_is_refused_where_convis_cuts_it_short(crop: str) -> None:
    with pytest.raises(ValueError, match="reaches beyond a picture of 30x20"):
        next(images(CONVIS / "images/gray_0.png", crop=crop).blocking())


@needs_convis
def test_gray_pictures_in_colour_have_three_like_channels() -> None:
    frame = next(images(CONVIS / "images/gray_0.png", crop="4x4").blocking())
    assert frame.shape == (4, 4, 3)
    assert (frame.array == frame.array[..., :1]).all()
