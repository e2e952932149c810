"""Which names are of frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents._pictures import OPTIONS, SINKS, SOURCES, source_of, told
from aevents.types import EventBatch, Frame


@pytest.mark.parametrize(
    ("name", "kind", "of_frames"),
    [
        ("a.mp4", EventBatch, True),
        ("a.MKV", object, True),
        ("a.npy", Frame, True),
        ("a.h5", Frame, True),
        ("folder/a_*.png", Frame, True),
        ("a.png", EventBatch, True),
        ("a.npy", EventBatch, False),
        ("a.h5", object, False),
        ("a.aedat4", Frame, False),  # its codec has frames
        ("a", Frame, False),
    ],
)
def test_frames_are_read_from_videos_and_pictures_and_where_they_are_asked_for(
    name: str, kind: type, of_frames: bool
) -> None:
    assert (source_of(Path(name), kind) is not None) is of_frames


def test_what_is_written_as_a_video_is_read_as_one() -> None:
    assert set(SINKS) <= set(SOURCES)


@pytest.mark.parametrize(
    ("name", "path", "options"),
    [
        ("a.mp4", "a.mp4", {}),
        ("a.gif?speed=0.1&timecode=1", "a.gif", {"speed": 0.1, "timecode": True}),
        ("in/a.MP4?quality=90&size=64x48", "in/a.MP4", {"quality": 90, "size": "64x48"}),
        ("a.mkv?title=A%20disk&colours=light", "a.mkv", {"title": "A disk", "colours": "light"}),
        ("a_{:02d}.png?zoom=2&scale=1.5", "a_{:02d}.png", {"zoom": 2, "scale": 1.5}),
        ("a.raw?speed=1", "a.raw?speed=1", {}),  # a file may be called so
        ("udp://:3333?size=6x4", "udp://:3333?size=6x4", {}),
        ("-", "-", {}),
    ],
)
def test_options_stand_behind_the_name(name: str, path: str, options: dict[str, object]) -> None:
    assert told(name) == (path, options)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.png?speed=1", "a.png takes colours, scale, zoom, and no speed"),
        ("a.mp4?spede=1", "and no spede"),
        ("a.mp4?speed=fast", r"a.mp4\?speed=fast: Expected `float"),
        ("a.mp4?timecode=maybe", "Expected `bool`"),
        ("a.mp4?colours=pink", "Invalid enum value 'pink'"),
    ],
)
def test_options_that_there_are_not_are_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        told(name)


def test_every_sink_has_options() -> None:
    assert set(OPTIONS) == set(SINKS)
