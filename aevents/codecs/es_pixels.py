"""The body of an Event Stream of pixels: DVS, ATIS or colour. The layout is told in `_native/es.c`.

The file counts rows from the bottom; they are turned upright.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.codecs.base import Buffer, ReadAt, Watch
from aevents.codecs.seek import FOREVER, Index, Mark
from aevents.errors import EncodeError
from aevents.types import (
    Bytes,
    ColourBatch,
    Coordinates,
    EventBatch,
    ExposureBatch,
    Flags,
    Sensor,
    Span,
    Times,
)

DVS, ATIS, COLOUR = 1, 2, 4
"""What a file holds, as its header says it."""
MARK_BYTES = 1 << 18
"""From mark to mark of an index."""
RECORD_BYTES = 8
"""No record is longer."""

PixelBatch = EventBatch | ExposureBatch | ColourBatch
_A = TypeVar("_A", bound=np.generic)


class PixelReader:
    """Bytes, cut anywhere, to batches. `offset` is where the record under way begins.

    Rows stay as they are in the file if `height` is 0.
    """

    def __init__(self, watch: Watch, kind: int, *, height: int, time: int, offset: int) -> None:
        self.offset: int = offset
        self._watch = watch
        self._kind = kind
        self._height = height
        self._body = offset
        self._state = kernels.es_state(kind, height=height, time=time)
        self._out = kernels.columns()
        self._rgb = np.empty((self._out.capacity, 3), np.uint8) if kind == COLOUR else None
        self._tail = b""

    def __len__(self) -> int:
        """Return how many bytes have come of a record that is not whole."""
        return len(self._tail)

    def feed(self, data: Buffer) -> Iterator[PixelBatch]:
        """Give the batches that these bytes complete; only the record at a seam is copied."""
        view = memoryview(data)
        if self._tail:
            held = len(self._tail)
            seam = self._tail + bytes(view[:RECORD_BYTES])
            end = yield from self._decode(seam)
            if end < held:
                self._tail = seam
                return
            view = view[end - held :]
        end = yield from self._decode(view)
        self._tail = bytes(view[end:])

    def index(self, read: ReadAt, until: int, begun: Index | None) -> Index:
        """Return marks through a file whose clock begins at 0, up to the time `until`, by reading
        what has none in the index that is `begun`.
        """
        marks = list(begun.marks) if begun else []
        state, offset = kernels.es_state(self._kind), self._body
        if marks:
            state.time, offset = marks[-1].latest, marks[-1].offset
        while state.time < until and (data := read(offset, MARK_BYTES)):
            last, at = -1, 0
            while last < at < len(data):
                last, at = at, kernels.es_decode(data, at, state, self._out, self._rgb)
            if not at:
                break
            offset += at
            marks.append(Mark(state.time, offset))
        return Index(tuple(marks), FOREVER if state.time < until else state.time)

    def resume(self, offset: int, time: int) -> None:
        """Go on with a record at `offset`, where the stream has reached `time`."""
        self.offset, self._tail = offset, b""
        self._state = kernels.es_state(self._kind, height=self._height, time=time)

    def _decode(self, run: Buffer) -> Generator[PixelBatch, None, int]:
        """Give the batches of these bytes; return where the record begins that is not whole."""
        last, at = -1, 0
        while last < at < len(run):
            last, at = at, kernels.es_decode(run, at, self._state, self._out, self._rgb)
            if self._out.n:
                yield from self._batches()
        self.offset += at
        return at

    def _batches(self) -> Iterator[PixelBatch]:
        out = self._out
        if self._rgb is not None:
            t, x, y, _ = out.take()
            self._check(x, y)
            r, g, b = (_kept(self._rgb[: out.n, channel].copy()) for channel in range(3))
            yield ColourBatch(t, x, y, r, g, b, self._watch.sensor, _span(t))
        elif self._kind == ATIS:
            yield from self._halves(out.p[: out.n] & 1 != 0)
        else:
            yield self._watch.batch(*out.take())

    def _halves(self, exposure: Flags) -> Iterator[PixelBatch]:
        """Give the exposures, then the events."""
        out = self._out
        out.p[: out.n] >>= 1
        if not exposure.any():
            yield self._watch.batch(*out.take())
            return
        all_t, all_x, all_y, flag = out.t[: out.n], out.x[: out.n], out.y[: out.n], out.p[: out.n]
        t, x, y = (_kept(all_t[exposure]), _kept(all_x[exposure]), _kept(all_y[exposure]))
        self._check(x, y)
        stop = _kept(flag[exposure] != 0)
        yield ExposureBatch(t, x, y, stop, self._watch.sensor, _span(t))
        change = ~exposure
        if change.any():
            t, x, y = (_kept(all_t[change]), _kept(all_x[change]), _kept(all_y[change]))
            yield self._watch.batch(t, x, y, _kept(flag[change] != 0))

    def _check(self, x: Coordinates, y: Coordinates) -> None:
        """Count what is off the sensor, as the watch does for events."""
        sensor = self._watch.sensor
        if sensor.sized:
            off = np.count_nonzero((x >= sensor.width) | (y >= sensor.height))
            size = f"{sensor.width}x{sensor.height}"
            self._watch.note("off_sensor", int(off), f"events outside {size}")


class _Rows(NamedTuple):
    """What the kernel writes: `p` holds polarity, or ATIS's two flags."""

    t: Times
    x: Coordinates
    y: Coordinates
    p: Flags | Bytes


class PixelWriter:
    """Batches to bytes. Exposures are held until the next batch, to be written in order with it."""

    def __init__(self, kind: int, sensor: Sensor, *, time: int) -> None:
        self._kind = kind
        self._sensor = sensor
        self._state = kernels.es_state(kind, width=sensor.width, height=sensor.height, time=time)
        self._held: _Rows | None = None

    def write(self, batch: PixelBatch) -> Iterator[bytes]:
        """Give the bytes of this batch, perhaps later. Raises `EncodeError` for what does not fit.

        The batch is of a type that files of this kind hold.
        """
        if isinstance(batch, ColourBatch):
            rgb = np.stack([batch.r, batch.g, batch.b], axis=1)
            yield from self._rows(_Rows(batch.t, batch.x, batch.y, batch.r), rgb)
        elif isinstance(batch, ExposureBatch):
            yield from self.flush()
            self._held = _Rows(
                batch.t, batch.x, batch.y, np.where(batch.stop, 3, 1).astype(np.uint8)
            )
        elif self._kind == DVS:
            yield from self._rows(_Rows(batch.t, batch.x, batch.y, batch.p))
        else:
            rows = _Rows(batch.t, batch.x, batch.y, np.where(batch.p, 2, 0).astype(np.uint8))
            held, self._held = self._held, None
            yield from self._rows(_merged(held, rows) if held else rows)

    def flush(self) -> Iterator[bytes]:
        """Give the bytes of the exposures that are held."""
        if self._held:
            held, self._held = self._held, None
            yield from self._rows(held)

    def _rows(self, rows: _Rows, rgb: Bytes | None = None) -> Iterator[bytes]:
        state = self._state
        state.next = 0
        while state.next < len(rows.t):
            yield kernels.es_encode(*rows, state, rgb)
            if state.refused:
                t, x, y = (int(column[state.next]) for column in rows[:3])
                size = f"{self._sensor.width}x{self._sensor.height}"
                raise EncodeError(
                    "es",
                    f"an event at t={t}, x={x}, y={y} does not fit behind t={state.time} on "
                    f"{size}: times may not go back, nor leap by more than 2**34 µs "
                    "(t0_us= says where they begin)",
                )


def _merged(one: _Rows, other: _Rows) -> _Rows:
    """Return both in the order of time, if each is in order; else one after the other, as times
    that go back are to be refused and not mended.
    """
    t, x, y = (
        np.concatenate([one.t, other.t]),
        np.concatenate([one.x, other.x]),
        np.concatenate([one.y, other.y]),
    )
    p = np.concatenate([one.p, other.p])
    if any((rows.t[1:] < rows.t[:-1]).any() for rows in (one, other)):
        return _Rows(t, x, y, p)
    order = np.argsort(t, kind="stable")
    return _Rows(t[order], x[order], y[order], p[order])


def _span(t: Times) -> Span:
    return Span(int(t[0]), int(t[-1]))


def _kept(array: npt.NDArray[_A]) -> npt.NDArray[_A]:
    array.flags.writeable = False
    return array
