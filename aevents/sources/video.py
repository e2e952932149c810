"""Videos, cameras and streams of the network as frames, through PyAV or OpenCV."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Literal

from aevents._capture.film import Film, Opener
from aevents._capture.live import LiveVideo
from aevents._capture.opencv import OpenCvCapture
from aevents._capture.pyav import AvCapture, Link
from aevents._contracts import Origin
from aevents.operators.resample import Resample
from aevents.operators.view import Colour, View, rate_of
from aevents.stream import Stream, stream_of
from aevents.types import Frame

Backend = Literal["av", "opencv"]

SUFFIXES = (
    ".mp4",
    ".m4v",
    ".mkv",
    ".avi",
    ".webm",
    ".mov",
    ".mpg",
    ".mpeg",
    ".ts",
    ".flv",
    ".wmv",
    ".gif",
)
"""Of files that `aevents.open` takes for videos."""
URL = re.compile(r"[a-z][a-z0-9+]+://")
DEVICE = re.compile(r"/dev/video\d+")
SECOND_US = 1_000_000
RTSP = {"rtsp_flags": "prefer_tcp"}
"""UDP only where a server has nothing else: a lost datagram spoils the pictures of a second."""


def video(  # noqa: PLR0913  # how it is seen, and how it is had
    name: str | os.PathLike[str] | int,
    /,
    *,
    size: str | None = None,
    crop: str | None = None,
    colour: Colour = "rgb",
    rate_hz: float | Fraction | None = None,
    start_us: int = 0,
    live: bool | None = None,
    timeout_us: int = 5_000_000,
    reconnect_us: int | None = None,
    backend: Backend = "av",
) -> Stream[Frame]:
    """Return the frames of a video file, of a URL (`rtsp://…`, `http://…`), or of a camera: its
    number, or a device like `/dev/video0`.

    Frames are uint8, `(height, width, 3)`, or `(height, width)` where `colour` is `"gray"`, `"r"`,
    `"g"` or `"b"`; `mode` is `"intensity"`, of `"bgr"` that. A picture is scaled to `size`, as in
    `"640x480"`, and cut to `crop`, as in `"320x240+10+20"` (from column 10 and row 20 on) or
    `"320x240"` (the middle).

    The span of a frame is the time for which it is shown, from its presentation time on, in µs
    since the video began. `rate_hz` gives frames at the times 0, 1 / rate, … instead: those shown
    then, repeated or left out; see `Resample`. `start_us` begins there, and so does `time_slice`.

    URLs and cameras are `live`, unless it is False, for a file on a server. What is live is waited
    for `timeout_us` at most, and opened again when it is lost, for `reconnect_us`, unless given for
    ever, and not at all with 0: in the `Report` that is a gap (`gaps`, `gap_us`), and spans go on
    by wall time. Files end where they end.

    `backend` is PyAV, which `aevents[video]` installs, or OpenCV, of `aevents[opencv]`, which is
    the one for the numbers of cameras. Raises `ValueError` for an option that is none; reading
    raises `OSError` (a missing file, a time-out), `DecodeError` for what is no video,
    `ValueError` for a crop beyond the picture, and `MissingExtraError`.
    """
    if timeout_us <= 0:
        raise ValueError(f"timeout_us is a time above 0, not {timeout_us!r}")
    view = View.parse(colour, size, crop)
    resample = None if rate_hz is None else partial(Resample, rate_of(rate_hz))
    place = name if isinstance(name, int) else os.fspath(name)
    remote = isinstance(place, int) or bool(URL.match(place) or DEVICE.fullmatch(place))
    timeout = timeout_us / SECOND_US if remote else None
    opener = _opener(place, view, backend, timeout)
    if remote if live is None else live:
        origin = Origin(
            str(place), waiting=lambda: LiveVideo(opener, view, reconnect_us), live=True
        )
        stream = stream_of(origin)
        return stream if resample is None else stream.through(resample)
    stream = stream_of(_origin(str(place), opener, view, resample))
    return stream.time_slice(start_us) if start_us else stream


def _origin(
    name: str, opener: Opener, view: View, resample: Callable[[], Resample] | None
) -> Origin[Frame]:
    def film(start: int) -> Film:
        return Film(opener, view, start, resample and resample())

    def within(start: int) -> Origin[Frame]:
        return Origin(name, blocking=lambda: film(start), within=within)

    return within(0)


def _opener(name: str | int, view: View, backend: Backend, timeout: float | None) -> Opener:
    if backend == "opencv":
        return partial(OpenCvCapture, name, view, timeout)
    if backend != "av":
        raise ValueError(f"backend is 'av' or 'opencv', not {backend!r}")
    if isinstance(name, int):
        if sys.platform != "linux":
            raise ValueError("a camera by its number needs backend='opencv' here")
        name = f"/dev/video{name}"
    if timeout is None:
        return partial(AvCapture, name, view)
    device = DEVICE.fullmatch(name)
    options = RTSP if name.startswith("rtsp") else {}
    return partial(AvCapture, name, view, Link(timeout, "v4l2" if device else None, options))
