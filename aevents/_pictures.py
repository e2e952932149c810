"""What reads and writes frames, by the suffix of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_type_hints
from urllib.parse import parse_qsl

import msgspec

from aevents.containers import frame_files
from aevents.operators.colour import Look
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
OPTIONS: Mapping[str, type[object]] = {
    ".png": Look,
    **dict.fromkeys(coding.CODECS, video.Told),
}
"""What these sinks can be told in a name."""
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


def told(name: str) -> tuple[str, dict[str, object]]:
    """Return the name of a file of frames, and the options that stand behind it, as in
    `"out.mp4?speed=0.1&timecode=1"`; any other name as it is.

    Raises `ValueError` for options that such a file does not take.
    """
    path, mark, query = name.partition("?")
    known = OPTIONS.get(Path(path).suffix.lower())
    if not mark or known is None:
        return name, {}
    given: dict[str, object] = dict(parse_qsl(query, keep_blank_values=True))
    names = get_type_hints(known)
    for option in given:
        if option not in names:
            raise ValueError(f"{path} takes {', '.join(sorted(names))}, and no {option}")
    try:
        return path, msgspec.convert(given, known, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from None
