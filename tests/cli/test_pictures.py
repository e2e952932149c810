"""`aevents convert` of videos and pictures, and of the frames of recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents.cli.conversion import Wanted
from aevents.cli.main import execute
from aevents.cli.pictures import of_pictures
from aevents.cli.reading import Input
from aevents.types import EventBatch, Frame
from tests.pictures import film, numbered


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "in.avi", [numbered(number) for number in range(6)], 20)


def seen(name: str) -> list[Frame]:
    return [*aevents.open(name, kind=Frame).blocking()]


@pytest.mark.parametrize("name", ["out.h5", "out.npy", "out.aedat4", "out.mkv", "out.inr"])
def test_a_video_goes_wherever_frames_go(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["convert", "in.avi", name]) == 0
    assert capsys.readouterr().out.split() == ["frames", "6", "wrote", name]
    frames = seen(name)
    assert len(frames) == 6
    red = frames[5].array[0] if name == "out.inr" else frames[5].array[..., 0]
    assert abs(int(red[0, 0]) - 15) <= 3  # H.264 is not exact


def test_times_go_along() -> None:
    assert execute(["convert", "in.avi", "out.h5"]) == 0
    assert [frame.span for frame in seen("out.h5")] == [
        (50_000 * number, 50_000 * (number + 1)) for number in range(6)
    ]


def test_pictures_become_a_video_and_a_video_pictures() -> None:
    assert execute(["convert", "in.avi", "out_{:02d}.png"]) == 0
    assert [path.name for path in sorted(Path().glob("*.png"))] == [
        f"out_{number:02d}.png" for number in range(6)
    ]
    assert execute(["convert", "out_*.png", "again.avi"]) == 0
    assert len(seen("again.avi")) == 6


def test_frames_of_a_recording_are_taken_when_that_is_said() -> None:
    assert execute(["convert", "in.avi", "in.aedat4"]) == 0
    assert execute(["convert", "in.aedat4", "out.avi", "--only", "frames"]) == 0
    assert execute(["convert", "in.aedat4", "out.npy", "--only", "frames"]) == 0
    assert np.load("out.npy").shape == (6, 24, 32, 3)
    assert len(seen("out.avi")) == 6


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("in.avi out.raw", "out.raw holds events, and these are frames"),
        ("in.avi out.zzz", "'.zzz' is no format that can be written here"),
        ("in.avi out.mkv --zero-time", "in.avi gives frames: operators, --zero-time and --only"),
        ("in.avi out.mkv --crop 0,0,2,2", "in.avi gives frames: operators"),
        ("in.avi out.mkv --only events", "in.avi gives frames: operators"),
        ("in.avi out.mkv --size 5x5", "are for recordings of events"),
        ("in.h5 out.mkv", "aevents convert … --only frames"),
    ],
)
def test_what_is_for_events_is_refused(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["convert", *line.split()]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["in.avi"]


def test_what_exists_is_overwritten_only_by_force(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.npy").write_bytes(b"precious")
    assert execute(["convert", "in.avi", "out.npy"]) == 1
    assert capsys.readouterr().err == "aevents: out.npy exists: --force overwrites it\n"
    assert Path("out.npy").read_bytes() == b"precious"
    assert execute(["convert", "in.avi", "out.npy", "--force"]) == 0
    assert execute(["convert", "in.avi", "one.png"]) == 1  # and there are six
    assert not Path("one.png").exists()


def test_what_is_read_as_events_goes_the_other_way() -> None:
    assert of_pictures("in.avi", "out.h5", Wanted())
    assert of_pictures("in.h5", "out.h5", Wanted(only=(Frame,)))
    assert of_pictures("in.aedat4", "out.mp4", Wanted(only=(Frame,)))
    assert not of_pictures("in.aedat4", "out.aedat4", Wanted(only=(Frame,)))
    assert not of_pictures("in.h5", "out.h5", Wanted())
    assert not of_pictures("in.h5", "out.h5", Wanted(only=(EventBatch,)))
    assert not of_pictures("synthetic:bar", "out.mp4", Wanted())
    assert not of_pictures("in.avi", "out.raw", Wanted(given=Input(from_="evt3")))
