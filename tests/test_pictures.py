"""Which names are of frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents._pictures import SINKS, SOURCES, source_of
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
