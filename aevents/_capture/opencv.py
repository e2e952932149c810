"""Videos and cameras through OpenCV, which the extra `opencv` installs."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from aevents._capture.film import FORMAT, Shot
from aevents.errors import DecodeError, missing_extra
from aevents.operators.view import Array, View

PLANES = {"b": 0, "g": 1, "r": 2}


class OpenCvCapture:
    """The pictures of a file, a URL or a camera by its number, as `view` has them.

    With `timeout` (s) it is live: then the end of it is an error, and so is a wait that lasts
    longer; OpenCV does not tell them apart.
    """

    def __init__(self, name: str | int, view: View, timeout: float | None = None) -> None:
        self._cv = import_cv2()
        self.counts: dict[str, int] = {}
        self._view = view
        self._name = name
        if timeout is None:
            Path(str(name)).stat()  # this says better than OpenCV why it cannot be opened
            self._video = self._cv.VideoCapture(name, self._cv.CAP_FFMPEG)
        else:
            self._video = self._cv.VideoCapture(name, *self._waiting(name, int(timeout * 1000)))
        if not self._video.isOpened():
            if timeout is None:
                raise DecodeError(FORMAT, f"{name} is no video that OpenCV can read")
            raise ConnectionError(f"{name} cannot be opened")
        rate = self._video.get(self._cv.CAP_PROP_FPS)
        self.rate: Fraction = Fraction(rate).limit_denominator(1001) if rate > 0 else Fraction(25)
        self._timed = timeout is None
        self._timeout = inf if timeout is None else timeout
        self._late = False
        self._start: float | None = None

    def seek(self, start_us: int, /) -> None:
        """Stay at the beginning: OpenCV's seeking is not exact."""

    def read(self) -> Shot | None:
        """Return the next picture, None at the end."""
        if self._late:
            return None
        begun = monotonic()
        there, pixels = self._video.read()
        if not there:
            return None
        self._late = monotonic() - begun > self._timeout  # FFmpeg gave what its parser still held
        return Shot(self._seen(pixels), self._time() if self._timed else None)

    def close(self) -> None:
        """Close the video."""
        self._video.release()

    def _waiting(self, name: str | int, milliseconds: int) -> tuple[object, ...]:
        if isinstance(name, int):
            return ()
        open, read = self._cv.CAP_PROP_OPEN_TIMEOUT_MSEC, self._cv.CAP_PROP_READ_TIMEOUT_MSEC
        return self._cv.CAP_FFMPEG, [open, milliseconds, read, milliseconds]

    def _time(self) -> int:
        time = self._video.get(self._cv.CAP_PROP_POS_MSEC)
        if self._start is None:
            self._start = time
        ticks = Fraction(time - self._start).limit_denominator(10**6) * 1_000
        return int(ticks)

    def _seen(self, pixels: Array) -> Array:
        cv, view = self._cv, self._view
        if view.size is not None:
            pixels = cv.resize(pixels, view.size, interpolation=cv.INTER_AREA)
        pixels = view.cut(pixels)
        plane = PLANES.get(view.colour)
        if plane is not None:
            return np.ascontiguousarray(pixels[..., plane])
        codes = {"gray": cv.COLOR_BGR2GRAY, "rgb": cv.COLOR_BGR2RGB, "rgba": cv.COLOR_BGR2RGBA}
        code = codes.get(view.colour)
        return np.ascontiguousarray(pixels) if code is None else cv.cvtColor(pixels, code)


def import_cv2() -> Any:  # noqa: ANN401  # it has no types of its own
    """Return OpenCV. Raises `MissingExtraError`."""
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("cv2", "opencv") from error
    return cv2
