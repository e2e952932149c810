"""NPY: one NumPy array in a file, of events, or of frames stacked.

Events are structures with fields t, x, y, p (also ts, timestamp, xs, on, polarity, …) of any number
type, or the rows of an N x 4 matrix. They are read and written as a stream. The bytes are told in
`codecs/array.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents._native.room import Room
from aevents.codecs.array import MAGIC, ArrayReader, write_header
from aevents.codecs.base import Buffer, Codec, Jump, Patch, ReadAt, Watch
from aevents.codecs.fields import TimeUnit
from aevents.codecs.limits import Limits
from aevents.codecs.table import SLAB
from aevents.errors import EncodeError
from aevents.types import EVENT_DTYPE, Damage, EventBatch, Frame, Sensor


class NpyDecoder:
    """NPY bytes to events.

    `columns` is the order of a matrix's columns, `"txyp"` unless given (`-` is one to leave out).
    `time_unit` is `"us"` or `"s"`; without it, integers are µs and floats are seconds.
    """

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        columns: str | None = None,
        time_unit: TimeUnit | None = None,
    ) -> None:
        self._watch = Watch("npy", strict=strict)
        self._watch.use(sensor or Sensor())
        self._reader = ArrayReader(self._watch, columns=columns, time_unit=time_unit)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be: `bad_rows` that are no events, `torn_bytes` of a row that
        was cut off, `missing_rows` that the header promises, `unpromised_rows` where it says there
        are none (the writer was interrupted), `extra_bytes` after the array.
        """
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def keep_in(self, room: Room) -> None:
        """Put the events into `room`, where they stay."""
        self._reader.keep_in(room)

    def feed(self, data: Buffer, /) -> Iterator[EventBatch]:
        """Give the events that these bytes complete."""
        return self._reader.feed(data)

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        return self._reader.locate(read, size, start)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        self._watch.resume(jump.time)
        self._reader.resume(jump)

    def flush(self) -> Iterator[EventBatch]:
        """Give the rest; an empty batch with the sensor if there were no events at all."""
        yield from self._reader.flush()
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)


class NpyEncoder:
    """Events to an array of structures (`EVENT_DTYPE`), or frames to one array `(n, …)` of theirs.

    The first item says which. How many there are is known at the end only: until then the header
    says none, and a reader that knows this (ours) still gets the events of a file that was
    interrupted.
    """

    def __init__(self) -> None:
        self._dtype: npt.DTypeLike = EVENT_DTYPE
        self._shape: tuple[int, ...] = ()
        self._kind: type | None = None
        self._count = 0
        self._rows = np.zeros(SLAB, EVENT_DTYPE)  # the bytes between its fields stay 0

    def feed(self, item: EventBatch | Frame, /) -> Iterator[bytes]:
        """Give the bytes of a batch or a frame. Raises `EncodeError` for one unlike the first."""
        if self._kind is None:
            yield self._begin(item)
        elif type(item) is not self._kind:
            what = f"a file of {self._kind.__name__} cannot take a {type(item).__name__}"
            raise EncodeError("npy", what)
        if isinstance(item, EventBatch):
            yield from self._events(item)
        else:
            yield self._frame(item)

    def flush(self) -> Iterator[bytes | Patch]:
        """Give the header anew, with the count; a file of no events if nothing was ever written."""
        if self._kind is None:
            yield self._header()
        elif self._count:
            yield Patch(0, self._header())

    def _begin(self, item: EventBatch | Frame) -> bytes:
        if isinstance(item, Frame):
            self._dtype, self._shape = item.array.dtype, item.array.shape
        elif not isinstance(item, EventBatch):
            raise EncodeError("npy", f"an array holds events or frames, not {type(item).__name__}")
        self._kind = type(item)
        return self._header()

    def _header(self) -> bytes:
        """Return the header for the count so far: it is as long for any count."""
        return write_header(np.dtype(self._dtype), (self._count, *self._shape))

    def _events(self, batch: EventBatch) -> Iterator[bytes]:
        for start in range(0, len(batch), SLAB):
            part = batch.cut(start, start + SLAB, batch.span)
            rows = self._rows[: len(part)]
            for name in "txyp":
                rows[name] = getattr(part, name)
            yield rows.tobytes()
            self._count += len(part)

    def _frame(self, frame: Frame) -> bytes:
        dtype, shape = frame.array.dtype, frame.array.shape
        if (dtype, shape) != (self._dtype, self._shape):
            first = f"{self._shape} of {self._dtype}"
            raise EncodeError(
                "npy", f"a frame {shape} of {dtype} does not fit: the first was {first}"
            )
        self._count += 1
        return frame.array.tobytes()


def _matches(head: bytes) -> bool:
    return head.startswith(MAGIC)


CODEC = Codec(
    "npy",
    suffixes=(".npy",),
    matches=_matches,
    decoder=NpyDecoder,
    encoder=NpyEncoder,
    limits=Limits(kinds=((EventBatch,), (Frame,))),
    seekable=True,
    goes_back=True,
    about="NumPy array of events, or of frames when written (.npy)",
)
