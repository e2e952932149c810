"""Keep some of a stream: a region, a mask, a polarity, a stretch of time, the first few."""

from __future__ import annotations

from typing import Generic, TypeVar, overload

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.operators.order import running_times
from aevents.operators.pixels import check_size, kept_by, picked, with_columns
from aevents.types import EventBatch, Frame, Span

T = TypeVar("T")


class Crop:
    """Keep the events with `x[0] <= x < x[1]` and `y[0] <= y < y[1]`; the sensor becomes that
    region.

    Coordinates count from the region's corner. Leave out `x` or `y` to keep all of it.
    Raises `ValueError` for an empty or negative range, and for one that reaches beyond the sensor.
    """

    def __init__(
        self, *, x: tuple[int, int] | None = None, y: tuple[int, int] | None = None
    ) -> None:
        for name, limits in (("x", x), ("y", y)):
            if limits is not None and not 0 <= limits[0] < limits[1] <= 1 << 16:
                raise ValueError(
                    f"crop {name} is (start, stop) with 0 <= start < stop, not {limits}"
                )
        self._x = x
        self._y = y

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the part of the batch that lies in the region."""
        left, right = _within(self._x, batch.sensor.width, "x")
        top, bottom = _within(self._y, batch.sensor.height, "y")
        inside = (batch.x >= left) & (batch.x < right) & (batch.y >= top) & (batch.y < bottom)
        sensor = msgspec.structs.replace(batch.sensor, width=right - left, height=bottom - top)
        kept = picked(batch, inside)
        x, y = kept.x - np.uint16(left), kept.y - np.uint16(top)
        return (with_columns(kept, kept.t, x, y, kept.p, sensor),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Polarity:
    """Keep the events of one polarity: `True` for ON, `False` for OFF."""

    def __init__(self, keep: bool, /) -> None:
        self._keep = keep

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events of that polarity."""
        return (picked(batch, batch.p if self._keep else ~batch.p),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Mask:
    """Keep the events of the pixels where `mask`, of shape (height, width), is true.

    Events off the sensor are left out and counted: `outside_sensor`. Raises `ValueError` for a mask
    that is not two-dimensional, or not of the sensor's size, or where that is not known.
    """

    def __init__(self, mask: npt.ArrayLike, /) -> None:
        self._mask = np.array(mask, np.bool_)
        if self._mask.ndim != 2:
            raise ValueError(f"a mask is (height, width), not {self._mask.shape}")
        self.counts: dict[str, int] = {"outside_sensor": 0}

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events of those pixels."""
        sensor = batch.sensor
        check_size(sensor)
        if self._mask.shape != (sensor.height, sensor.width):
            raise ValueError(
                f"the mask is {self._mask.shape}, the sensor ({sensor.height}, {sensor.width})"
            )
        keep, outside = kept_by(self._mask, batch)
        self.counts["outside_sensor"] += outside
        return (picked(batch, keep),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class TimeSlice:
    """Keep the events of `start <= t < stop` (µs, as recorded), and stop reading at the first event
    past `stop`. Of frames, those are kept whose spans begin then.

    Raises `ValueError` when `stop` is before `start`.
    """

    def __init__(self, start: int = 0, stop: int | None = None) -> None:
        if stop is not None and stop < start:
            raise ValueError(f"a time slice goes forward: {start} to {stop}")
        self.done: bool = False
        self._start = start
        self._stop = stop
        self._running = start

    @overload
    def feed(self, item: EventBatch, /) -> tuple[EventBatch, ...]: ...

    @overload
    def feed(self, item: Frame, /) -> tuple[Frame, ...]: ...

    def feed(self, item: EventBatch | Frame, /) -> tuple[EventBatch, ...] | tuple[Frame, ...]:
        """Give the part of the batch that lies in the slice, if time has come to it."""
        return self._part(item) if isinstance(item, EventBatch) else self._whole(item)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _whole(self, frame: Frame) -> tuple[Frame, ...]:
        start = frame.span.start
        self.done = self._stop is not None and start >= self._stop
        return () if self.done or start < self._start else (frame,)

    def _part(self, batch: EventBatch) -> tuple[EventBatch, ...]:
        reading = batch
        if self._stop is not None:
            reading = self._until(batch, self._stop)
        if reading.span.stop < self._start:
            return ()
        start, stop = (max(self._start, time) for time in reading.span)
        kept = reading.where(reading.t >= self._start)
        return (msgspec.structs.replace(kept, span=Span(start, stop)),)

    def _until(self, batch: EventBatch, stop: int) -> EventBatch:
        times, _ = running_times(batch.t, self._running)
        self._running = int(times[-1]) if len(times) else self._running
        end = int(np.searchsorted(times, stop))
        self.done = end < len(times) or batch.span.stop > stop
        span = Span(min(batch.span.start, stop), min(batch.span.stop, stop))
        return msgspec.structs.replace(batch.cut(0, end, span), window=batch.window)


class Take(Generic[T]):
    """Keep the first `count` items. Raises `ValueError` for a negative count."""

    def __init__(self, count: int, /) -> None:
        if count < 0:
            raise ValueError(f"cannot take {count} items")
        self._left = count

    @property
    def done(self) -> bool:
        """Whether all have been taken."""
        return self._left == 0

    def feed(self, item: T, /) -> tuple[T, ...]:
        """Give the item while there are some to take."""
        if not self._left:
            return ()
        self._left -= 1
        return (item,)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class TakeEvents:
    """Keep the first `count` events, however they are cut into batches. Raises `ValueError` for a
    negative count.
    """

    def __init__(self, count: int, /) -> None:
        if count < 0:
            raise ValueError(f"cannot take {count} events")
        self._left = count

    @property
    def done(self) -> bool:
        """Whether all have been taken."""
        return self._left == 0

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch, ...]:
        """Give the batch, or what of it there still is to take."""
        if len(batch) < self._left:
            self._left -= len(batch)
            return (batch,)
        count, self._left = self._left, 0
        start = batch.span.start
        reached = int(batch.t[:count].max(initial=start))
        return (batch.cut(0, count, Span(start, reached)),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def _within(limits: tuple[int, int] | None, size: int, name: str) -> tuple[int, int]:
    start, stop = limits or (0, size or 1 << 16)
    if size and stop > size:
        raise ValueError(
            f"crop {name}=({start}, {stop}) reaches beyond the sensor, which has {size}"
        )
    return start, stop
