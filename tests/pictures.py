"""Videos, pictures and a camera of the network, of our own making, and where the truth is kept."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.video import VideoStream
from blockbuster import BlockBuster

from aevents.types import Frame, Sensor, Span
from tests.truth import CONVIS

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]


def allow_blocking_runs(blockbuster: BlockBuster) -> None:
    """Let a stream that is read by `for` look at files while a loop runs, as laws of sources do."""
    for function in blockbuster.functions.values():
        function.can_block_in("aevents/_driver.py", {"__next__"})


def truth(name: str) -> dict[str, Array]:
    """Return the arrays that convis really gave."""
    with np.load(CONVIS / f"{name}.npz") as arrays:
        return dict(arrays)


def frame(array: Array, start: int = 0, stop: int = 1, mode: str = "intensity") -> Frame:
    """Return a frame whose array cannot change."""
    array.flags.writeable = False
    return Frame(array, Span(start, stop), Sensor(array.shape[-1], array.shape[-2]), mode)


def spans(frames: Iterable[Frame]) -> list[tuple[int, int]]:
    """Return the span of each frame."""
    return [tuple(one.span) for one in frames]  # type: ignore[misc]  # two each


def numbered(number: int, width: int = 32, height: int = 24) -> Pixels:
    """Return a picture in RGB of which the number can be read again: 3 times its red."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = 3 * number, 200, 90
    return pixels


def film(
    path: Path,
    pictures: Sequence[Pixels],
    rate: Fraction | int = 30,
    *,
    times: Sequence[int] | None = None,
    codec: str = "ffv1",
    **options: str,
) -> Path:
    """Write a video, without loss unless the codec has some; `times` are in units of 1 / `rate`."""
    with av.open(str(path), "w") as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=rate, options=options))
        stream.height, stream.width, _ = pictures[0].shape
        stream.pix_fmt = "bgr0" if codec == "ffv1" else "yuv420p"
        for number, pixels in enumerate(pictures):
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts = number if times is None else times[number]
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def still(path: Path, pixels: Array, format: str) -> Path:
    """Write a picture file of these pixels, which FFmpeg calls `format`."""
    codec = {".png": "png", ".jpg": "mjpeg", ".bmp": "bmp"}[path.suffix]
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=1))
        stream.width, stream.height = pixels.shape[1], pixels.shape[0]
        stream.pix_fmt = format
        picture = av.VideoFrame.from_ndarray(pixels, format=format)
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def jpeg(number: int) -> bytes:
    """Return a picture as JPEG: its brightness is 40 times its number."""
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuvj420p"
        gray = np.full((24, 32, 3), 40 * number, np.uint8)
        picture = av.VideoFrame.from_ndarray(gray, format="rgb24").reformat(format="yuvj420p")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return out.getvalue()


class Camera:
    """A camera of the network that sends JPEG pictures over HTTP, as browsers take them."""

    def __init__(self, hz: float) -> None:
        self.port = 0
        self.served = 0  # connections
        self.silent = False  # goes on, but says nothing
        self._hz = hz
        self._pictures = [jpeg(number) for number in range(6)]
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/live"

    async def start(self) -> None:
        """Listen, on the port of the last time."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        """Cut all connections, and listen no more."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not self._writers:  # each has noticed
                return

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.served += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; ")
            writer.write(b"boundary=next\r\n\r\n")
            number = 0
            while True:
                if not self.silent:
                    picture = self._pictures[number % len(self._pictures)]
                    head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                    writer.write(head.encode() + b"\r\n\r\n" + picture + b"\r\n")
                    number += 1
                await writer.drain()
                await asyncio.sleep(1 / self._hz)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def camera(hz: float = 50) -> AsyncIterator[Camera]:
    """A camera that runs."""
    one = Camera(hz)
    await one.start()
    try:
        yield one
    finally:
        await one.kill()


class Scripted:
    """A capture that gives what it was told: times in µs, None for no clock, or an exception."""

    def __init__(self, script: Sequence[int | Exception | None], rate: int = 10) -> None:
        self.rate = Fraction(rate)
        self.counts = {"bad_packets": 1}
        self.closed = 0
        self.sought: list[int] = []
        self._script = iter(enumerate(script))
        self.on_seek: Callable[[int], None] = self.sought.append

    def seek(self, start_us: int, /) -> None:
        self.on_seek(start_us)

    def read(self) -> object:
        from aevents._capture.film import Shot

        number, said = next(self._script, (0, False))
        if isinstance(said, Exception):
            raise said
        return None if said is False else Shot(np.full((2, 3), number, np.uint8), said)

    def close(self) -> None:
        self.closed += 1
