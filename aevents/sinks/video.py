"""Video files through PyAV (FFmpeg), which the extra `video` installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack, cast

import msgspec
import numpy as np

from aevents.errors import EncodeError, UnknownFormatError, missing_extra
from aevents.operators.caption import Caption
from aevents.operators.colour import Look, Paint, Pixels
from aevents.operators.view import rate_of
from aevents.sinks.coding import (
    CODECS,
    IN_A_PALETTE,
    WITH_LOSS,
    encoder_of,
    even,
    gray_of,
    options_of,
    pixel_format,
    played_rate,
    rate_at,
    refuse_too_fast,
)
from aevents.sinks.palette import Palette
from aevents.sinks.worker import WorkerSink
from aevents.types import Frame, Sensor, Span

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
    **shown: Unpack[Shown],
) -> VideoSink:
    """Return a sink of frames that writes a video, .mp4, .mkv, .avi or .webm, or a .gif.

    Every frame is in it, and shown for the same time, `rate_hz` of them a second: unless given,
    pictures as long as the first one's span, frames of events for 1/30 s. With `speed` instead each
    is shown as long as it lasted, divided by that: 0.1 is ten times slower; where windows are
    missing, the one before stays. `timecode` writes on each when it begins, and how fast it goes,
    `title` what it is. `codec` is FFmpeg's name of an encoder, unless given H.264 (VP9 in
    .webm); one without loss, as `"ffv1"` in .mkv or .avi, keeps every value. `quality` goes from 0
    (small) to 100 (fine). `size`, as in `"640x480"`, scales; `colour="gray"` keeps brightness only.
    The other options are those of `Paint`; a video keeps colour at half the resolution, so `zoom=2`
    makes single pixels clearer. A .gif has 256 colours a picture.

    Raises `MissingExtraError` without PyAV, `ValueError` for a rate, speed, size or quality out of
    range, `UnknownFormatError` for another suffix. The first frame raises `ValueError` for a codec
    that FFmpeg does not have, and for a rate that is too high.
    """
    rate = None if rate_hz is None else rate_of(rate_hz)
    caption, look = _caption(shown, rate)
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
    written = Written(codecs, rate, quality, sensor, colour == "gray", caption)
    return VideoSink(path, Paint(**look), written)


def _caption(shown: Shown, rate: Fraction | None) -> tuple[Caption, Look]:
    """Return what is written on the frames, and how they are painted."""
    speed = shown.get("speed")
    if speed is not None and not 0 < speed < inf:
        raise ValueError(f"a speed is a number greater than 0, not {speed!r}")
    if speed is not None and rate is not None:
        raise ValueError("a rate and a speed say the same: give one of them")
    look: Look = {name: shown[name] for name in Look.__annotations__ if name in shown}  # type: ignore[literal-required, assignment]  # both have them
    return Caption(shown.get("title", ""), shown.get("timecode", False), speed), look


class Shown(Look, total=False):
    """How frames are painted, how fast they go by, and what is written on them."""

    speed: float | None
    timecode: bool
    title: str


class Told(Shown, total=False):
    """All options of a video that are told by name."""

    rate_hz: float
    codec: str
    quality: int
    size: str
    colour: Literal["rgb", "gray"]


class Written(msgspec.Struct, frozen=True):
    """How a video is written; without a rate or a speed, at the rate of the first frame."""

    codecs: tuple[str, ...]
    rate: Fraction | None
    quality: int
    size: Sensor | None
    gray: bool
    caption: Caption


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
        self._count = 0  # of the times that have been shown
        self._first = Span(0, 0)
        self._palette: Palette | None = None
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
        picture = self._picture(self._written.caption.on(pixels, item.span), stream)
        picture.pts = self._count = max(self._count, self._due(item))
        self._write(picture)
        self._count += 1

    def _due(self, frame: Frame) -> int:
        """Return how many times the length of the first frame this one begins after it, where that
        matters.
        """
        if self._written.caption.speed is None:
            return 0
        return round((frame.span.start - self._first.start) / self._first.duration_us)

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
        if self._palette is not None:
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            return self._palette(frame.reformat(width=stream.width, height=stream.height))
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
        rate = written.rate or self._rate_of(first)
        if written.caption.speed is not None or format == IN_A_PALETTE:
            refuse_too_fast(rate, self._path.suffix.lower())
        height, width, _ = (even(pixels) if format == WITH_LOSS else pixels).shape
        if written.size is not None:
            width, height = written.size.width, written.size.height
        self._codec, self._size = codec.name, (pixels.shape[1], pixels.shape[0])
        if format == IN_A_PALETTE:
            self._palette = Palette(width, height, rate)
        self._container = av.open(str(self._path), "w")
        made = self._container.add_stream(
            codec.name,
            rate=rate,
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

    def _rate_of(self, first: Frame) -> Fraction:
        self._first, speed = first.span, self._written.caption.speed
        return played_rate(first) if speed is None else rate_at(speed, first)

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
