"""A recording from some time on, read no further than it is asked for."""

from __future__ import annotations

import msgspec
import numpy as np

from aevents._driver import AsyncRun
from aevents.operators.order import running_times
from aevents.stream import Stream
from aevents.types import EventBatch, Frame, Span

Item = EventBatch | Frame


class Read(msgspec.Struct, frozen=True):
    """What was read up to `reached`."""

    batches: list[EventBatch]
    frame: Frame | None
    reached: int


class Reader:
    """A recording from some time on (from its beginning if None), read as far as it is asked for.

    Times that jump back are taken as they come.
    """

    def __init__(self, stream: Stream[Item], start: int | None) -> None:
        self.run: AsyncRun[Item] = (stream if start is None else stream.time_slice(start)).open()
        self.ended: bool = False
        self.stop: int = start or 0
        self._held: Item | None = None

    async def peek(self) -> Item | None:
        """Return what comes next, and hold it; None at the end."""
        if self._held is None and not self.ended:
            self._held = await anext(self.run, None)
            self.ended = self._held is None
        return self._held

    async def begin(self) -> int:
        """Return the time of the first event or picture; 0 where there is none."""
        while (item := await self.peek()) is not None:
            if isinstance(item, Frame):
                return item.span.start
            if len(item):
                return int(item.t[0])
            self._held, self.stop = None, item.span.stop
        return self.stop

    async def until(self, stop: int, *, most: int, newest: bool = False) -> Read:
        """Return the events before `stop`, and the last picture that begins before it: at most
        about so many events, the first unless the `newest` are wanted.
        """
        batches: list[EventBatch] = []
        frame, events = None, 0
        while (item := await self.peek()) is not None and item.span.start < stop:
            self.stop = max(self.stop, min(item.span.stop, stop))
            if isinstance(item, Frame):
                frame, self._held = item, None
                continue
            part = self._part(item, stop)
            batches.append(part)
            events += len(part)
            if events > most and not newest:
                return Read(batches, frame, self.stop)
            while events > most and len(batches) > 1:
                events -= len(batches.pop(0))
            if self._held is not None:
                break
        return Read(batches, frame, self.stop if self.ended else stop)

    async def aclose(self) -> None:
        """Read no more."""
        await self.run.aclose()

    def _part(self, batch: EventBatch, stop: int) -> EventBatch:
        """Return the events before `stop`, and hold the others."""
        times, _ = running_times(batch.t, batch.span.start)
        cut = int(np.searchsorted(times, stop))
        if cut == len(batch) and batch.span.stop <= stop:
            self._held = None
            return batch
        self._held = batch.cut(cut, len(batch), Span(stop, max(stop, batch.span.stop)))
        return batch.cut(0, cut, Span(batch.span.start, stop))
