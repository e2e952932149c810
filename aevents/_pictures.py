"""What reads and writes frames, by the suffix of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aevents.containers import frame_files
from aevents.sinks import coding, images, video
from aevents.sources.images import images as open_images
from aevents.sources.video import SUFFIXES
from aevents.sources.video import video as open_video
from aevents.stream import Stream
from aevents.types import Frame

SINKS: Mapping[str, Callable[..., object]] = {
    ".png": images.create,
    **dict.fromkeys(coding.CODECS, video.create),
}
"""Sinks that take frames and nothing else."""
STILLS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
SOURCES: Mapping[str, Callable[..., Stream[Frame]]] = {
    **dict.fromkeys(STILLS, open_images),
    **dict.fromkeys(SUFFIXES, open_video),
    **dict.fromkeys(frame_files.READERS, frame_files.open_frames),
}
"""Sources of frames, of pictures also by a pattern; files of arrays may hold events instead."""


def source_of(path: Path, kind: type[object]) -> Callable[..., Stream[Frame]] | None:
    """Return what opens a file of this name for its frames, if those are wanted: nothing else is in
    a video or a picture.
    """
    suffix = path.suffix.lower()
    return SOURCES.get(suffix) if kind is Frame or suffix in (*SUFFIXES, *STILLS) else None
