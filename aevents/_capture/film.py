"""A video file as frames, each with the time for which it is shown."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from fractions import Fraction
from math import ceil
from typing import NamedTuple, Protocol

from aevents.operators.resample import Resample
from aevents.operators.view import Array, View, frame_of
from aevents.types import Frame, Span

SECOND_US = 1_000_000
FORMAT = "video"
"""The name in the `DecodeError` of whatever is no video."""


class Shot(NamedTuple):
    """A picture, and when it is shown, in µs since the video began; None if there is no clock."""

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


class Film:
    """The frames of a video from `start` µs on, as a blocking source: the first is the one that is
    shown then. A frame's span ends where the next begins.

    A frame whose time does not go on follows on the one before, and is counted: `backward_jumps`.
    """

    def __init__(
        self, open_capture: Opener, view: View, start: int = 0, resample: Resample | None = None
    ) -> None:
        self._open = open_capture
        self._view = view
        self._start = start
        self._counts: dict[str, int] = {"backward_jumps": 0}
        self._capture: Capture | None = None
        self._period = Fraction(0)
        self._frames = self._read() if resample is None else self._resampled(resample)

    @property
    def counts(self) -> Mapping[str, int]:
        """What was not as it should be, by name."""
        return self._counts | (self._capture.counts if self._capture else {})

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Close the file."""
        self._frames.close()

    def _resampled(self, resample: Resample) -> Generator[Frame, None, None]:
        frames = self._read()
        try:
            for frame in frames:
                yield from resample.feed(frame)
            yield from resample.flush()
        finally:
            frames.close()

    def _read(self) -> Generator[Frame, None, None]:
        try:
            shots = self._opened(self._start)
            held = next(shots, None)
            if held is not None and held[1] > self._start > 0:  # sought too far
                shots = self._opened(0)
                held = next(shots, None)
            if held is None:
                return
            pixels, time = held
            for following, at in shots:
                if at > self._start:
                    yield frame_of(pixels, Span(time, at), self._view.mode)
                pixels, time = following, at
            yield frame_of(pixels, Span(time, ceil(time + self._period)), self._view.mode)
        finally:
            if self._capture is not None:
                self._capture.close()

    def _opened(self, start: int) -> Iterator[tuple[Array, int]]:
        if self._capture is not None:
            self._capture.close()
        self._capture = self._open()
        self._period = SECOND_US / self._capture.rate
        self._capture.seek(start)
        return self._timed(self._capture)

    def _timed(self, capture: Capture) -> Iterator[tuple[Array, int]]:
        last: int | None = None
        while (shot := capture.read()) is not None:
            time = shot.time_us
            if last is not None and (time is None or time <= last):
                self._counts["backward_jumps"] += time is not None
                time = last + int(self._period)
            last = time or 0
            yield shot.pixels, last
