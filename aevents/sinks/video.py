"""Video files through PyAV (FFmpeg), which the extra `video` installs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, cast

import numpy as np

from aevents.errors import EncodeError, UnknownFormatError, missing_extra
from aevents.operators.colour import Look, Paint, Pixels
from aevents.sinks.worker import WorkerSink
from aevents.types import Frame

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video import VideoStream

CODECS = {
    ".mp4": ("libx264", "mpeg4"),
    ".mkv": ("libx264", "mpeg4"),
    ".avi": ("libx264", "mpeg4"),
    ".webm": ("libvpx-vp9", "libvpx"),
}
"""The codecs that go into a file of this suffix; the first that FFmpeg has is taken."""
FAST = {"libx264": {"preset": "veryfast"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6"}}
"""Points on a plain ground gain nothing from a slower search: with x264 it made larger files."""


def create(
    path: Path,
    *,
    rate_hz: float = 30,
    codec: str | None = None,
    quality: int = 65,
    **look: Unpack[Look],
) -> VideoSink:
    """Return a sink of frames that writes a video: .mp4, .mkv, .avi or .webm.

    Every frame is shown for the same time, `rate_hz` of them a second; for slow motion, make them
    of shorter windows. `codec` is FFmpeg's name of an encoder, unless given H.264 (VP9 in .webm).
    `quality` goes from 0 (small) to 100 (fine). The other options are those of `Paint`; a video
    keeps colour at half the resolution, so `zoom=2` makes single pixels clearer.

    Raises `MissingExtraError` without PyAV, `ValueError` for an unknown codec and for a rate or
    quality out of range, `UnknownFormatError` for another suffix.
    """
    rate = Fraction(rate_hz).limit_denominator(1000)
    if rate <= 0:
        raise ValueError(f"rate_hz is a number of frames a second greater than 0, not {rate_hz!r}")
    if not 0 <= quality <= 100:
        raise ValueError(f"quality goes from 0 to 100, not {quality!r}")
    if path.suffix.lower() not in CODECS:
        raise UnknownFormatError(f"{path.name} is no video that can be written here", CODECS)
    name = _first_of((codec,) if codec else CODECS[path.suffix.lower()])
    options = FAST.get(name, {}) | _quality(name, (100 - quality) / 100)
    return VideoSink(path, Paint(**look), name, rate, options)


class VideoSink(WorkerSink[Frame]):
    """Encodes frames into a video file, which appears with the first one and is whole after the
    close.

    A size that is odd is made even by doubling the last row or column. Writing raises `EncodeError`
    for a frame of another size than the first, and `TypeError` for what is no frame.
    """

    def __init__(
        self, path: Path, paint: Paint, codec: str, rate: Fraction, options: dict[str, str]
    ) -> None:
        super().__init__()
        self._path = path
        self._paint = paint
        self._codec = codec
        self._rate = rate
        self._options = options
        self._size = (0, 0)
        self._count = 0
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def put(self, item: Frame, /) -> None:
        """Encode one frame."""
        from av import VideoFrame
        from av.video.reformatter import ColorRange, Colorspace

        pixels = _even(self._paint(item))
        height, width, _ = pixels.shape
        if self._stream is None:
            self._stream = self._open(width, height)
        if (width, height) != self._size:
            what = f"a frame of {_text((width, height))} after frames of {_text(self._size)}"
            raise EncodeError(self._path.name, what)
        picture = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        picture.pts = self._count
        self._write(picture)
        self._count += 1

    def end(self) -> None:
        """Encode what the codec has held back, and finish the file."""
        if self._container is None:
            return
        try:
            if self._count:
                self._write(None)
        finally:
            self._container.close()

    def _open(self, width: int, height: int) -> VideoStream:
        import av

        self._container = av.open(str(self._path), "w")
        made = self._container.add_stream(self._codec, rate=self._rate, options=self._options)
        stream = cast("VideoStream", made)  # `_first_of` has seen to it
        self._size = stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"  # what every player can show
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # ITU-R BT.709
        context.color_range = 1  # of television, 16 to 235
        with self._naming_the_file():
            self._container.start_encoding()  # makes the file now, not at the first packet
        return stream

    def _write(self, picture: VideoFrame | None) -> None:
        assert self._container is not None
        assert self._stream is not None
        with self._naming_the_file():
            self._container.mux(self._stream.encode(picture))

    @contextmanager
    def _naming_the_file(self) -> Iterator[None]:
        from av import FFmpegError

        try:
            yield
        except FFmpegError as error:
            if isinstance(error, OSError):  # no permission, the disk is full, and the like
                raise
            what = f"{self._codec} fails at frames of {_text(self._size)}: {error.strerror}"
            raise EncodeError(self._path.name, what) from error


def _first_of(names: Sequence[str]) -> str:
    try:
        import av
    except ImportError as error:
        raise missing_extra("av", "video") from error
    for name in names:
        try:
            found = av.Codec(name, "w")
        except ValueError:
            continue
        if found.type == "video":
            return name
    raise ValueError(f"this FFmpeg has no video encoder called {' or '.join(names)}")


def _quality(codec: str, coarseness: float) -> dict[str, str]:
    """Return the codec's own option for how coarse a picture may be, from 0 to 1."""
    if codec == "mpeg4":
        step = str(1 + round(30 * coarseness**2))  # of the quantiser, from 1 to 31
        return {"qmin": step, "qmax": step}
    steps = 51 if codec.startswith("libx26") else 63
    return {"crf": str(round(steps * coarseness)), "b": "0"}


def _even(pixels: Pixels) -> Pixels:
    height, width, _ = pixels.shape
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _text(size: tuple[int, int]) -> str:
    return "{}x{}".format(*size)
