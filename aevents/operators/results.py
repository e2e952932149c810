"""What a model has said of some frames, and how that is drawn on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Generic, TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace

from aevents.types import Frame, Span

U = TypeVar("U")


class Result(msgspec.Struct, Generic[U], frozen=True, eq=False):
    """What a model has made of some frames: its `value`, or the `error` that it raised.

    `index` counts the slots that were due for the model, `skipped` how many right before this one
    it was too slow for: over a stream, results and skipped slots add up to all. `frames_used` are
    the numbers in the stream of the frames that it saw, oldest first, and `span` is that of the
    newest. `age_us` is the wall time from the arrival of that frame to the beginning of the work,
    `latency_us` that to its end; `wall` is when that was, in seconds since 1970.
    """

    model: str
    index: int
    span: Span
    frames_used: tuple[int, ...]
    skipped: int
    wall: float
    age_us: int
    latency_us: int
    value: U | None = None
    error: Exception | None = None

    @property
    def t_us(self) -> int:
        """When the newest frame was presented, in the time of the stream."""
        return self.span.start

    def record(self) -> dict[str, object]:
        """Return it as it is written down: `value` or `error`, as text, stands last."""
        said: dict[str, object] = {"value": self.value}
        if self.error is not None:
            said = {"error": f"{type(self.error).__name__}: {self.error}"}
        return {
            "model": self.model,
            "index": self.index,
            "t_us": self.t_us,
            "wall": self.wall,
            "latency_us": self.latency_us,
            "age_us": self.age_us,
            "frames_used": self.frames_used,
            "skipped": self.skipped,
            **said,
        }


Draw = Callable[[Frame, Mapping[str, Result[object]]], object]


class Annotate:
    """Draw on frames what was last said of them: of results and frames in one stream, as
    `infer(with_frames=True)` gives, frames come out.

    `draw(frame, results)` gets a frame whose array is a copy that may be drawn on, and the latest
    result of each model by its name. What it returns, an array or a frame, takes the place of that
    frame; `None` leaves it. It runs in a worker thread.
    """

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._latest: dict[str, Result[object]] = {}

    def feed(self, item: Frame | Result[object], /) -> Iterator[Frame]:
        """Give the frame with what was drawn; take note of a result."""
        if isinstance(item, Result):
            self._latest[item.model] = item
            return
        copy = replace(item, array=item.array.copy())
        drawn = self._draw(copy, dict(self._latest))
        if isinstance(drawn, np.ndarray):
            copy = replace(copy, array=drawn)
        elif isinstance(drawn, Frame):
            copy = drawn
        array = copy.array.view()
        array.flags.writeable = False
        yield replace(copy, array=array)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def annotate(draw: Draw, /) -> Callable[[], Annotate]:
    """Return what makes the operator `Annotate` of a function that draws: for `Stream.through`.

    >>> def tell(frame, results):
    ...     frame.array[0] = results["brightness"].value
    >>> async def record(frames, models):
    ...     async with infer(frames, models, with_frames=True) as items:
    ...         await items.through(annotate(tell)).to("seen.mp4")
    """
    return partial(Annotate, draw)
