"""Arrays of frames as streams."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from aevents._sequence import Timing, sequence_stream
from aevents.operators.view import Array
from aevents.stream import Stream
from aevents.types import Frame


def from_frames(
    frames: npt.ArrayLike,
    /,
    *,
    rate_hz: float | Fraction = 30,
    repeat: int | bool = 1,
    start_us: int = 0,
) -> Stream[Frame]:
    """Return the frames of an array `(n, height, width)` or `(n, height, width, 3)`, in RGB, at a
    steady rate from `start_us` on, each a view of it; `mode` is `"intensity"`.

    `repeat` is how often they are shown, `True` for ever; times go on. `time_slice` begins in the
    middle. For another rate, by repeating, leaving out or interpolating, put `Resample` behind it.

    Raises `ValueError` for an array of less than three dimensions, for a rate that is not above 0,
    and for `repeat` below 1.

    >>> stream = from_frames(np.zeros((2, 4, 6)), rate_hz=10, repeat=2)
    >>> [frame.span.start for frame in stream.blocking()]
    [0, 100000, 200000, 300000]
    """
    array = np.asarray(frames)
    if array.ndim < 3:
        raise ValueError(f"frames are (n, height, width) or more, not of shape {array.shape}")
    timing = Timing.of(rate_hz, repeat, start_us)
    return sequence_stream("frames", lambda: _Array(array), timing)


class _Array:
    """An array, row by row."""

    spans = None

    def __init__(self, array: Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, number: int, /) -> Array:
        row: Array = self._array[number]
        return row

    def close(self) -> None:
        """Nothing is held open here."""
