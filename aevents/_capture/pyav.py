"""Videos, cameras and pictures through PyAV (FFmpeg), which the extra `video` installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from aevents._capture.film import FORMAT, Shot
from aevents.errors import DecodeError, missing_extra
from aevents.operators.view import Array, View

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

FORMATS = {"gray": "gray", "bgr": "bgr24", "rgba": "rgba"}
DEEP = {"gray": "gray16le", "bgr": "bgr48le", "rgba": "rgba64le"}
"""FFmpeg's names for 8 and 16 bits a sample; anything else is cut out of RGB."""
PLANES = {"r": 0, "g": 1, "b": 2}
MOST_PIXELS = 1 << 27
"""16384x8192: a damaged or hostile file may promise any number."""
NO_CLOCK = ("mpjpeg", "mjpeg")
"""What numbers its pictures as if they came 25 a second."""


class Link(msgspec.Struct, frozen=True):
    """How something live is opened: FFmpeg's format and options, and how long a wait may last."""

    timeout: float
    format: str | None = None
    options: dict[str, str] = {}


class AvCapture:
    """The pictures of a file, a URL or a device, as `view` has them. `counts` has `bad_packets`,
    which could not be decoded, and `damaged_frames`, which were, but in part.
    """

    def __init__(self, name: str, view: View, link: Link | None = None) -> None:
        av = import_av()
        self.counts: dict[str, int] = {"bad_packets": 0, "damaged_frames": 0}
        self._view = view
        self._closed = False
        self._timeout = inf if link is None else link.timeout
        with translated(name):
            if link is None:
                self._container: InputContainer = av.open(f"file:{name}")
            else:
                wait = (link.timeout, link.timeout)
                self._container = av.open(
                    name, format=link.format, options=link.options, timeout=wait
                )
        self._name = name
        self._stream = _video_of(self._container, name)
        self._stream.thread_type = "AUTO" if link is None else "SLICE"  # frames at once wait
        self._timed = self._container.format.name not in NO_CLOCK
        stream = self._stream
        self.rate: Fraction = stream.average_rate or stream.guessed_rate or Fraction(25)
        self._first = stream.start_time or 0
        self._frames = self._decoded()

    def seek(self, start_us: int, /) -> None:
        """Go to a picture at or before this time."""
        if start_us <= 0:
            return
        base = self._stream.time_base or Fraction(1, 1_000_000)
        with translated(self._name):
            place = self._first + int(start_us / (base * 1_000_000))
            self._container.seek(place, stream=self._stream)
        self._frames = self._decoded()

    def read(self) -> Shot | None:
        """Return the next picture, None at the end."""
        with translated(self._name):
            frame = next(self._frames, None)
            if frame is None:
                return None
            return Shot(pixels_of(frame, self._view), self._time(frame))

    def close(self) -> None:
        """Close the file."""
        if not self._closed:
            self._closed = True
            self._frames.close()  # type: ignore[attr-defined]  # a generator
            self._container.close()

    def _decoded(self) -> Iterator[VideoFrame]:
        from av.error import InvalidDataError

        for packet in self._packets():
            try:
                frames = packet.decode()
            except InvalidDataError:
                self.counts["bad_packets"] += 1
                continue
            for frame in frames:
                self.counts["damaged_frames"] += frame.is_corrupt
                yield frame

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """Instead of a time-out FFmpeg gives what its parser still holds, and would wait again."""
        packets = self._container.demux(self._stream)
        begun = monotonic()
        for packet in packets:
            late = monotonic() - begun > self._timeout
            yield packet
            if late:
                raise TimeoutError(f"{self._name} did not answer in time")
            begun = monotonic()

    def _time(self, frame: VideoFrame) -> int | None:
        if frame.pts is None or frame.time_base is None or not self._timed:
            return None
        base = frame.time_base
        ticks = frame.pts - self._first
        return ticks * base.numerator * 1_000_000 // base.denominator


def read_picture(path: Path, view: View) -> Array:
    """Return the picture in a file, with 16 bits a sample where it has more than 8.

    Raises `OSError`, `DecodeError`, and `MissingExtraError`.
    """
    av = import_av()
    # to FFmpeg, a name with % would be a pattern
    with path.open("rb") as file, translated(str(path)), av.open(file) as container:
        _video_of(container, str(path))
        frame = next(container.decode(video=0), None)
        if frame is None:
            raise DecodeError(FORMAT, f"{path} holds no picture")
        return pixels_of(frame, view)


def pixels_of(frame: VideoFrame, view: View) -> Array:
    """Return the pixels of a decoded frame as they are wanted, turned as a camera notes it."""
    deep = frame.format.components[0].bits > 8 and not frame.format.name.startswith("yuv")
    plain = "rgb48le" if deep else "rgb24"
    format = (DEEP if deep else FORMATS).get(view.colour, plain)
    turns = frame.rotation // 90 % 4
    width, height = view.size or (None, None)
    if turns % 2:
        width, height = height, width
    pixels: Array = frame.to_ndarray(format=format, width=width, height=height)
    pixels = view.cut(np.rot90(pixels, turns))
    plane = PLANES.get(view.colour)
    return np.ascontiguousarray(pixels if plane is None else pixels[..., plane])


def import_av() -> Any:  # noqa: ANN401  # its types are those of functions in C
    """Return PyAV. Raises `MissingExtraError`."""
    try:
        import av
        import av.error
    except ImportError as error:
        raise missing_extra("av", "video") from error
    return av


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Let what PyAV raises become `OSError`, of which `TimeoutError` is one, or `DecodeError`."""
    from av.error import ExitError, FFmpegError, HTTPClientError, HTTPServerError

    try:
        yield
    except FFmpegError as error:
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, name) from error
        if isinstance(error, ExitError):
            raise TimeoutError(f"{name} did not answer in time") from error
        if isinstance(error, HTTPClientError | HTTPServerError):  # RTSP's, too
            raise ConnectionError(f"{name}: {error.strerror}") from error
        raise DecodeError(FORMAT, f"{name}: {error.strerror}") from error


def _video_of(container: InputContainer, name: str) -> Any:  # noqa: ANN401  # as above
    if not container.streams.video:
        container.close()
        raise DecodeError(FORMAT, f"{name} holds no video")
    stream = container.streams.video[0]
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return stream
