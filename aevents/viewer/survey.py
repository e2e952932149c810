"""A recording looked through beside its playing: how far it reaches, and its rate over time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import anyio
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents.stream import Stream
from aevents.types import EventBatch, Frame
from aevents.viewer.messages import Rates

Item = EventBatch | Frame

BINS = 1_000
"""At most so many counts make the curve."""
PART_EVENTS = 1 << 21
"""After so many events it pauses for as long as they took: the player goes first."""
TOLD_SECONDS = 0.5
LATE_US = 2**53
"""Later than any recording: what is read from there on, where a format can, is its end."""


class RateCurve:
    """An operator that counts what comes in bins of equal time, and gives itself now and then, and
    at the end. When the bins do not suffice, each two become one.
    """

    def __init__(self, first: int) -> None:
        self.first: int = first
        self.step: int = 1_000
        self.last: int | None = None
        self._counts: npt.NDArray[np.int64] = np.zeros(BINS, np.int64)
        self._since = 0

    @property
    def counts(self) -> list[int]:
        """How many there are in each step so far."""
        reached = 0 if self.last is None else (self.last - self.first) // self.step + 1
        found: list[int] = self._counts[: max(0, reached)].tolist()
        return found

    def feed(self, item: Item, /) -> Iterator[RateCurve]:
        """Count what is in the item; a frame is one."""
        times = np.array([item.span.start]) if isinstance(item, Frame) else item.t
        if not len(times):
            return
        last = int(times.max())
        self.last = last if self.last is None else max(self.last, last)
        while (self.last - self.first) // self.step >= BINS:
            self._halve()
        bins = np.clip((times - self.first) // self.step, 0, BINS - 1)
        self._counts += np.bincount(bins, minlength=BINS)
        self._since += len(times)
        if self._since >= PART_EVENTS:
            self._since = 0
            yield self

    def flush(self) -> tuple[RateCurve]:
        """Give it when all is counted."""
        return (self,)

    def _halve(self) -> None:
        half = self._counts.reshape(-1, 2).sum(1)
        self._counts = np.concatenate((half, np.zeros(BINS - len(half), np.int64)))
        self.step *= 2


async def last_of(stream: Stream[Item]) -> int | None:
    """Return the latest time near the end of a recording, without reading what is before where its
    format allows that; None where it does not. Raises what reading raises.
    """
    within = stream.origin.within
    if within is None:
        return None
    last: int | None = None
    async with replace(stream, origin=within(LATE_US)).open() as items:
        async for item in items:
            if isinstance(item, Frame) or len(item):
                late = item.span.start if isinstance(item, Frame) else int(item.t.max())
                last = late if last is None else max(last, late)
    return last


async def survey(
    stream: Stream[Item], first: int, show: int, tell: Callable[[Rates, int | None], None]
) -> None:
    """Read a recording once more, never for longer than it pauses, and tell of its rates, and of
    its last time in the end. Raises what reading raises.
    """
    loop = asyncio.get_running_loop()
    told = began = loop.time()
    async with stream.through(lambda: RateCurve(first)).open() as curves:
        async for curve in curves:
            now = loop.time()
            if now - told > TOLD_SECONDS:
                told = now
                tell(Rates(show, first, curve.step, curve.counts, False), None)
            await anyio.sleep(now - began)
            began = loop.time()
    tell(Rates(show, first, curve.step, curve.counts, True), curve.last)
