"""Picture files in a row as frames."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from aevents._capture.pyav import read_picture
from aevents._sequence import Timing, sequence_stream
from aevents.operators.view import Array, Colour, View
from aevents.stream import Stream
from aevents.types import Frame

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

NUMBER = re.compile(r"(\d+)")


def images(  # how they are seen, and when
    files: Files,
    /,
    *,
    rate_hz: float | Fraction = 30,
    repeat: int = 1,
    size: str | None = None,
    crop: str | None = None,
    colour: Colour = "rgb",
) -> Stream[Frame]:
    """Return the pictures of a pattern, like `"frames/*.png"`, or of a list of files, as frames.

    Those of a pattern are in natural order, 2 before 10; those of a list as they are given. There
    are `rate_hz` frames a second, and `repeat` frames in a row of each picture. `size`, `crop` and
    `colour` are as for `video`; pixels are as they are in the file, uint8, or uint16 where they
    have more bits.

    Raises `ValueError` for an option that is none. Reading raises `FileNotFoundError`, also for a
    pattern that nothing matches, `DecodeError`, `ValueError` for a crop beyond a picture, and
    `MissingExtraError` without PyAV.
    """
    view = View.parse(colour, size, crop)
    timing = Timing.of(rate_hz, 1)
    if repeat < 1:
        raise ValueError(f"repeat is a number of frames from 1 on, not {repeat!r}")
    name = os.fspath(files) if isinstance(files, str | os.PathLike) else "images"
    return sequence_stream(name, partial(_Pictures, files, view, repeat), timing, mode=view.mode)


class _Pictures:
    """The pictures of files, each so often, decoded when it is asked for."""

    spans = None

    def __init__(self, files: Files, view: View, repeat: int) -> None:
        self._view = view
        self._repeat = repeat
        self._shown: tuple[int, Array] | None = None
        if not isinstance(files, str | os.PathLike):
            self._files = [Path(file) for file in files]
            return
        found = [Path(file) for file in glob.glob(os.fspath(files))]  # noqa: PTH207  # absolute too
        if not found:
            raise FileNotFoundError(2, "no file matches", os.fspath(files))
        self._files = sorted(found, key=_natural)

    def __len__(self) -> int:
        return len(self._files) * self._repeat

    def __getitem__(self, number: int, /) -> Array:
        at = number // self._repeat
        if self._shown is None or self._shown[0] != at:
            self._shown = at, read_picture(self._files[at], self._view)
        return self._shown[1]

    def close(self) -> None:
        """Nothing is held open here."""


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key by which numbers in names count as numbers."""
    parts = NUMBER.split(str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
