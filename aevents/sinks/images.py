"""Pictures: frames as PNG files, one by one or numbered, and as bytes."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Unpack

import numpy as np
import numpy.typing as npt

from aevents.codecs.png import encode_png
from aevents.errors import EncodeError
from aevents.operators.colour import Look, Paint
from aevents.sinks.worker import WorkerSink
from aevents.types import Frame, save_frames_with


def png(picture: Frame | npt.NDArray[np.uint8], /, **look: Unpack[Look]) -> bytes:
    """Return the bytes of a PNG file: of a frame, in the colours of `Paint`, or of uint8 pixels.

    Pixels are `(height, width)` gray, `(height, width, 3)` RGB or `(height, width, 4)` with
    opacity; the options, those of `Paint`, are for frames. A frame of 640x480 takes about 10 ms,
    one full of events several times that: on an event loop, call it in a worker thread.

    >>> png(np.zeros((2, 2), np.uint8))[:4]
    b'\\x89PNG'
    """
    return encode_png(Paint(**look)(picture) if isinstance(picture, Frame) else picture)


def save(frame: Frame, path: str | PathLike[str], /) -> None:
    """Write the PNG file of a frame. Raises `ValueError` for a name that does not end in .png."""
    file = Path(path)
    if file.suffix.lower() != ".png":
        raise ValueError(f"a picture is saved as .png, not as {file.name!r}")
    file.write_bytes(png(frame))


def create(path: Path, **look: Unpack[Look]) -> ImageSink:
    """Return a sink of frames that makes PNG files: `frame.png` is a single picture,
    `frame_{:05d}.png` one for each frame.

    The options are those of `Paint`. Raises `ValueError` for a field that takes no number.
    """
    return ImageSink(path, Paint(**look))


class ImageSink(WorkerSink[Frame]):
    """Writes frames as PNG files, counting from 0 where the name has a field, as `{:05d}`.

    Writing raises `EncodeError` for a second frame where it has none, `TypeError` for what is no
    frame, and what writing a file raises.
    """

    def __init__(self, path: Path, paint: Paint) -> None:
        super().__init__()
        self._path = path
        self._paint = paint
        self._count = 0
        self._numbered = self._file(0) != self._file(1)

    def put(self, item: Frame, /) -> None:
        """Write one picture."""
        data = encode_png(self._paint(item))
        if self._count and not self._numbered:
            raise EncodeError(
                "png",
                f"{self._path.name} holds one picture and a second frame came: name it "
                f"{self._path.stem}_{{:05d}}.png for a file each, or take one frame (--take 1)",
            )
        self._file(self._count).write_bytes(data)
        self._count += 1

    def end(self) -> None:
        """Do nothing: each picture was whole when it was written."""

    def _file(self, number: int) -> Path:
        try:
            return self._path.with_name(self._path.name.format(number))
        except (ValueError, LookupError) as error:
            raise ValueError(
                f"{self._path.name} has no place for one number ({error}): "
                "a name like frame_{:05d}.png has"
            ) from error


save_frames_with(save)
