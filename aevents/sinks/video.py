"""Video files through PyAV (FFmpeg), which the extra `video` installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack, cast

import msgspec
import numpy as np

from aevents.errors import EncodeError, UnknownFormatError, missing_extra
from aevents.operators.colour import Look, Paint, Pixels
from aevents.operators.view import rate_of
from aevents.sinks.coding import (
    CODECS,
    WITH_LOSS,
    encoder_of,
    even,
    gray_of,
    options_of,
    pixel_format,
    played_rate,
)
from aevents.sinks.worker import WorkerSink
from aevents.types import Frame, Sensor

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video import VideoStream


def create(  # what goes into a file, and how
    path: Path,
    *,
    rate_hz: float | Fraction | None = None,
    codec: str | None = None,
    quality: int = 65,
    size: str | None = None,
    colour: Literal["rgb", "gray"] = "rgb",
    **look: Unpack[Look],
) -> VideoSink:
    """Return a sink of frames that writes a video: .mp4, .mkv, .avi or .webm.

    Every frame is in it, and shown for the same time, `rate_hz` of them a second: unless given,
    pictures as long as the first one's span, frames of events for 1/30 s. For slow motion, make
    these of shorter windows. `codec` is FFmpeg's name of an encoder, unless given H.264 (VP9 in
    .webm); one without loss, as `"ffv1"` in .mkv or .avi, keeps every value. `quality` goes from 0
    (small) to 100 (fine). `size`, as in `"640x480"`, scales; `colour="gray"` keeps brightness only.
    The other options are those of `Paint`; a video keeps colour at half the resolution, so `zoom=2`
    makes single pixels clearer.

    Raises `MissingExtraError` without PyAV, `ValueError` for a rate, size or quality out of range,
    `UnknownFormatError` for another suffix. The first frame raises `ValueError` for a codec that
    FFmpeg does not have.
    """
    rate = None if rate_hz is None else rate_of(rate_hz)
    if not 0 <= quality <= 100:
        raise ValueError(f"quality goes from 0 to 100, not {quality!r}")
    if colour not in ("rgb", "gray"):
        raise ValueError(f"colour is 'rgb' or 'gray', not {colour!r}")
    if path.suffix.lower() not in CODECS:
        raise UnknownFormatError(f"{path.name} is no video that can be written here", CODECS)
    sensor = None if size is None else Sensor.parse(size)
    if find_spec("av") is None:
        raise missing_extra("av", "video")
    codecs = (codec,) if codec else CODECS[path.suffix.lower()]
    written = Written(codecs, rate, quality, sensor, colour == "gray")
    return VideoSink(path, Paint(**look), written)


class Written(msgspec.Struct, frozen=True):
    """How a video is written; without a rate, at that of the first frame."""

    codecs: tuple[str, ...]
    rate: Fraction | None
    quality: int
    size: Sensor | None
    gray: bool


class VideoSink(WorkerSink[Frame]):
    """Encodes frames into a video file, which appears with the first one and is whole after the
    close.

    A size that is odd is made even by doubling the last row or column, unless the codec is without
    loss. Writing raises `EncodeError` for a frame of another size than the first, and `TypeError`
    for what is no frame.
    """

    def __init__(self, path: Path, paint: Paint, written: Written) -> None:
        super().__init__()
        self._path = path
        self._paint = paint
        self._written = written
        self._codec = ""
        self._size = (0, 0)  # of what is fed
        self._count = 0
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def put(self, item: Frame, /) -> None:
        """Encode one frame."""
        pixels = self._paint(item)
        stream = self._stream or self._open(item, pixels)
        if pixels.shape[1::-1] != self._size:
            width, height = self._size
            what = (
                f"a frame of {pixels.shape[1]}x{pixels.shape[0]} after frames of {width}x{height}"
            )
            raise EncodeError(self._path.name, what)
        picture = self._picture(pixels, stream)
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

    def _picture(self, pixels: Pixels, stream: VideoStream) -> VideoFrame:
        from av import VideoFrame
        from av.video.reformatter import ColorRange, Colorspace

        if self._written.gray:
            pixels = gray_of(pixels)
        if stream.pix_fmt == "gray" and self._written.size is None:
            return VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., 0]), format="gray")
        if stream.pix_fmt == WITH_LOSS and self._written.size is None:
            pixels = even(pixels)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        colours = (
            {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
            if stream.pix_fmt == WITH_LOSS
            else {}
        )
        return frame.reformat(
            width=stream.width, height=stream.height, format=stream.pix_fmt, **colours
        )

    def _open(self, first: Frame, pixels: Pixels) -> VideoStream:
        import av

        written = self._written
        codec = encoder_of(written.codecs)
        format = pixel_format(codec, gray=written.gray)
        height, width, _ = (even(pixels) if format == WITH_LOSS else pixels).shape
        if written.size is not None:
            width, height = written.size.width, written.size.height
        self._codec, self._size = codec.name, (pixels.shape[1], pixels.shape[0])
        self._container = av.open(str(self._path), "w")
        made = self._container.add_stream(
            codec.name,
            rate=written.rate or played_rate(first),
            options=options_of(codec, written.quality),
        )
        stream = self._stream = cast("VideoStream", made)  # `encoder_of` has seen to it
        stream.width, stream.height, stream.pix_fmt = width, height, format
        if format == WITH_LOSS:
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
            width, height = self._size
            what = f"{self._codec} fails at frames of {width}x{height}: {error.strerror}"
            raise EncodeError(self._path.name, what) from error
