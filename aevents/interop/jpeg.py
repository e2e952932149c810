"""JPEG: frames as pictures that browsers show, and events on the way there.

Importing this raises `MissingExtraError` without Pillow.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Unpack

from aevents.errors import missing_extra
from aevents.operators.base import Chain, Operator
from aevents.operators.colour import Look, Paint
from aevents.operators.frames import Frames
from aevents.operators.window import Window
from aevents.types import EventBatch, Frame

try:
    from PIL import Image
except ImportError as _missing:
    raise missing_extra("pillow", "web") from _missing

__all__ = ["Pictures", "jpeg"]


def jpeg(frame: Frame, /, *, quality: int = 80, **look: Unpack[Look]) -> bytes:
    """Return a frame as a JPEG file, in the colours of `Paint`, whose options it takes.

    `quality` goes from 1 to 95. A frame of 1280x720 takes some 10 ms: call it in a worker thread,
    as `stream.map(jpeg)` does.
    """
    file = io.BytesIO()
    Image.fromarray(Paint(**look)(frame)).save(file, "JPEG", quality=quality)
    return file.getvalue()


class Pictures:
    """Frames, and events cut into windows, to JPEG files while somebody looks."""

    def __init__(self, window_us: int, seen: Callable[[], bool]) -> None:
        cut: list[Operator[Any, Any]] = [Window(duration_us=window_us), Frames("polarity")]
        self._frames: Chain[Any, Frame] = Chain(cut)
        self._seen = seen

    @property
    def counts(self) -> Mapping[str, int]:
        """What was odd on the way to frames."""
        return self._frames.counts

    def feed(self, item: object, /) -> Iterator[bytes]:
        """Give the pictures that this completes."""
        frames: Iterable[object] = (
            self._frames.feed(item) if isinstance(item, EventBatch) else (item,)
        )
        for frame in frames:
            if isinstance(frame, Frame) and self._seen():
                yield jpeg(frame)

    def flush(self) -> Iterator[bytes]:
        """Give the last picture."""
        yield from map(jpeg, self._frames.flush())
