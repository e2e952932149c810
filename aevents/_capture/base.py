"""What a back end gives: shots of a film, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, Protocol

from aevents.operators.view import Array

FORMAT = "video"
"""The name in the `DecodeError` of whatever is no video."""


class Shot(NamedTuple):
    """A picture, and when it is shown, in µs since the video began; None where there is no clock."""

    pixels: Array
    time_us: int | None


class Capture(Protocol):
    """An open video. `counts` says what was not as it should be; `rate` is that of its pictures."""

    rate: Fraction
    counts: dict[str, int]

    def seek(self, start_us: int, /) -> None:
        """Go to a picture at or before this time, of a file."""

    def read(self) -> Shot | None:
        """Return the next picture, None at the end; it may block. Raises `OSError`, of which
        `TimeoutError` is one, and `DecodeError`.
        """

    def close(self) -> None:
        """Release everything. May be called twice."""


Opener = Callable[[], Capture]
"""Opens a video, in a worker; raises `OSError`, `DecodeError` or `MissingExtraError`."""
