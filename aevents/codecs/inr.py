"""INR (.inr): pictures behind a header of text, as INRIMAGE-4 defines it and as convis writes it.

    "#INRIMAGE-4#{\\n", lines KEY=VALUE, newlines to fill up, "##}\\n": 256 bytes or a multiple
    numbers of TYPE, PIXSIZE and CPU: VDIM of them at each of XDIM · YDIM · ZDIM places

How they follow on each other is not in the header. An order names the four, slowest first: the
first of them is time, x and y are rows and columns, whichever comes first, and the fourth tells the
planes of a picture apart. INRIMAGE-4 has "zyxv"; convis, in `streams.inr_streams`, has "vxyz", or,
where its writer counts images along z, "zxyv". That writer makes a header of 255 bytes, without the
last newline, which its own reader cannot read.

Unless it is told, the order of a file that has the size of a pixel (VX), as INRIMAGE's do, is
"zyxv"; else it is that of convis. A VDIM of 0 (or ZDIM, where that is time) is a file that was not
finished: it is read to its end. There are no times in a file, so `rate_hz` gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer, Codec, Jump, Patch, ReadAt, Watch
from aevents.codecs.inr_header import (
    BLOCK,
    MAGIC,
    SHORT,
    Layout,
    Order,
    axes,
    check_order,
    read_header,
    write_header,
)
from aevents.codecs.limits import Limits
from aevents.errors import EncodeError, TruncatedError
from aevents.types import PICTURES, Damage, Frame, Sensor, Span

SECOND_US = 1_000_000

Picture = npt.NDArray[np.generic]


class InrDecoder:
    """INR bytes to frames of mode `"intensity"`, of the numbers that the file has.

    A picture of several planes is `(planes, height, width)`. Raises `ValueError` for an unknown
    `order`, and for a rate that is not above 0 or beyond a frame a µs.
    """

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        order: Order | None = None,
        rate_hz: float = 1000.0,
    ) -> None:
        check_order(order)
        if not 0 < rate_hz <= SECOND_US:
            raise ValueError(f"rate_hz is above 0 and no more than a frame a µs, not {rate_hz!r}")
        self._watch = Watch("inr", strict=strict)
        self._sensor = sensor
        self._order = order
        self._rate = rate_hz
        self._held = bytearray()
        self._offset = 0  # in the file, of what is held
        self._layout: Layout | None = None
        self._number = 0  # of the next picture
        self._behind = 0  # bytes behind the last one

    @property
    def counts(self) -> Mapping[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[Frame]:
        """Give the pictures that these bytes complete."""
        self._held += data
        yield from self._decode(ended=False)

    def flush(self) -> Iterator[Frame]:
        """Give what a short file holds; count what is missing, and what is too much."""
        yield from self._decode(ended=True)
        if self._behind:
            self._watch.damaged(
                "skipped_bytes", self._offset, bytes=self._behind, count=self._behind
            )
        self._watch.torn(len(self._held), self._offset)
        missing = max(0, self._layout.pictures - self._number) if self._layout else 0
        reason = f"{missing} pictures that the header promises are not there"
        self._watch.note("missing_frames", missing, reason, error=TruncatedError)

    def locate(self, read: ReadAt, size: int, start: int, /) -> Jump | None:
        """Return the jump to the picture that is shown at a time (µs)."""
        layout = self._layout
        if layout is None:
            return None
        number = max(0, int(start * self._rate / SECOND_US) - 1)
        number = min(number, layout.pictures or number)  # behind the last there is nothing to see
        offset = layout.body + number * layout.picture_bytes
        return Jump(offset, self._time(number), (number,)) if offset < size else None

    def resume(self, jump: Jump, /) -> None:
        """Go on with the picture that begins there."""
        (self._number,) = jump.state  # type: ignore[misc]  # it is what `locate` gave
        self._watch.resume(jump.time)
        self._held.clear()
        self._behind, self._offset = 0, jump.offset

    def _decode(self, *, ended: bool) -> Iterator[Frame]:
        if self._layout is None:
            self._layout = read_header(self._held, self._order, ended=ended)
            if self._layout is None:
                return
            self._drop(self._layout.body)
        layout = self._layout
        whole = len(self._held) // layout.picture_bytes
        if layout.pictures:
            whole = min(whole, layout.pictures - self._number)
        if whole:
            stored = bytes(memoryview(self._held)[: whole * layout.picture_bytes])
            self._drop(len(stored))
            yield from map(self._frame, _pictures(stored, layout))
        if layout.pictures and self._number == layout.pictures:
            self._behind += len(self._held)
            self._held.clear()

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._offset += size

    def _frame(self, picture: Picture) -> Frame:
        span = Span(self._time(self._number), self._time(self._number + 1))
        self._number += 1
        height, width = picture.shape[-2:]
        return Frame(picture, span, self._sensor or Sensor(width, height), "intensity")

    def _time(self, number: int) -> int:
        return round(number * SECOND_US / self._rate)


class InrEncoder:
    """Frames to INR bytes, as float64, in the `order` of convis unless told otherwise.

    A frame is `(height, width)`, or `(planes, height, width)`; one of RGB or BGR, whose planes are
    last, is written by planes, red first. The header has 256 bytes, as INRIMAGE-4 has it and as
    convis reads it; `header_bytes=255` makes it as convis writes it. The count of pictures is put
    into it at the end; until then it is 0. Raises `ValueError` for an unknown order and another
    size of header.
    """

    def __init__(self, *, order: Order = "vxyz", header_bytes: int = BLOCK) -> None:
        check_order(order)
        if header_bytes not in (BLOCK, SHORT):
            raise ValueError(f"header_bytes is {BLOCK} or {SHORT}, not {header_bytes!r}")
        self._order = order
        self._size = header_bytes
        self._shape: tuple[int, ...] = ()
        self._count = 0

    def feed(self, frame: Frame, /) -> Iterator[bytes]:
        """Give the bytes of a picture. Raises `EncodeError` for what is none, and for one of
        another shape than the first.
        """
        if not isinstance(frame, Frame):
            raise EncodeError("inr", f"a file holds frames, not a {type(frame).__name__}")
        picture = _by_planes(frame)
        if not self._shape:
            self._shape = picture.shape
            yield self._header()
        if picture.shape != self._shape:
            raise EncodeError("inr", f"a frame of {picture.shape} is not of {self._shape}")
        planes, rows, columns = axes(self._order)
        stored = np.moveaxis(picture, (0, 1, 2), (planes, rows, columns))
        yield stored.astype("<f8").tobytes()
        self._count += 1

    def flush(self) -> Iterator[bytes | Patch]:
        """Give the count of pictures for the header; a header alone if there were none."""
        if self._shape:
            yield Patch(0, self._header())
        else:
            self._shape = (1, 1, 1)
            yield self._header()

    def _header(self) -> bytes:
        sizes = dict(zip(axes(self._order), self._shape, strict=True))
        named = {name: sizes[at] for at, name in enumerate(self._order[1:])}
        return write_header({**named, self._order[0]: self._count}, self._order, self._size)


def _pictures(stored: bytes, layout: Layout) -> Picture:
    """Return pictures as `(n, height, width)`, or `(n, planes, height, width)`."""
    numbers = np.frombuffer(stored, layout.dtype)
    numbers = numbers.astype(layout.dtype.newbyteorder("="), copy=False)
    pictures = numbers.reshape(-1, *layout.shape)
    planes, rows, columns = (1 + at for at in axes(layout.order))
    pictures = np.moveaxis(pictures, (planes, rows, columns), (1, 2, 3))
    pictures = pictures[:, 0] if pictures.shape[1] == 1 else pictures
    pictures.flags.writeable = False
    return pictures


def _by_planes(frame: Frame) -> Picture:
    """Return the picture as `(planes, height, width)`."""
    if frame.array.ndim not in (2, 3) or frame.array.dtype.kind not in "biuf":
        raise EncodeError("inr", f"a picture has a height, a width and perhaps planes, not {frame}")
    picture = frame.array if frame.axes == "yx" else np.swapaxes(frame.array, -1, -2)
    if picture.ndim == 2:
        return picture[np.newaxis]
    if frame.mode not in PICTURES or picture.shape[2] != 3:
        return picture
    planes = np.moveaxis(picture, 2, 0)
    return planes[::-1] if frame.mode == "bgr" else planes


def _matches(head: bytes) -> bool:
    return head.startswith(MAGIC)


CODEC = Codec(
    "inr",
    suffixes=(".inr",),
    decoder=InrDecoder,
    encoder=InrEncoder,
    matches=_matches,
    limits=Limits(kinds=((Frame,),)),
    kinds=(Frame,),
    seekable=True,
    goes_back=True,
    unverified="INRIMAGE-4 of other software",
    about="INR pictures, of INRIMAGE-4 and of convis (.inr)",
)
