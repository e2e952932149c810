"""What comes by itself, gathered into pieces."""

from __future__ import annotations

import asyncio

import anyio
import anyio.to_thread
import numpy as np

from aevents.types import EventBatch, Frame, Span
from aevents.viewer.packing import Piece
from aevents.viewer.shows import PIECE_SECONDS, Show

INLINE_EVENTS = 4_096
"""So few events (0.1 ms of work) are packed on the loop: a hop to a worker would cost more."""
MOST_EVENTS = 1_000_000
"""More events than this do not wait for a piece: the oldest batches are not shown, and counted."""


DISORDER_US = 100_000
"""Time that goes back further than this has jumped: a camera begins anew."""


class Feed:
    """Gathers what comes to a show, and has it publish a piece at most every 1/75 s.

    While nobody looks, or the show stands still, events are counted and let go.
    """

    def __init__(self, show: Show) -> None:
        self.unshown: int = 0
        self._show = show
        self._batches: list[EventBatch] = []
        self._frame: Frame | None = None
        self._waiting = 0
        self._reached: int | None = None
        self._arrived = 0.0
        self._came = anyio.Event()
        self._packing = anyio.Lock()

    def begin(self) -> None:
        """What comes next has nothing to do with what came."""
        self._reached = None

    def add(self, item: EventBatch | Frame) -> None:
        """Take an item."""
        show = self._show
        if show.state == "playing":
            show.asker.put(item)
        if show.state != "playing" or not show.watched:
            self._let_go(item)
            return
        self._arrived = asyncio.get_running_loop().time()
        if isinstance(item, Frame):
            self._frame = item
        else:
            self._batches.append(item)
            self._waiting += len(item)
            while self._waiting > MOST_EVENTS and len(self._batches) > 1:
                oldest = self._batches.pop(0)
                self._waiting -= len(oldest)
                self.unshown += len(oldest)
                show.figures.count(len(oldest), int(np.count_nonzero(oldest.p)))
        self._came.set()

    async def run(self) -> None:
        """Publish what has come, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._came.wait()
            due = max(due + PIECE_SECONDS, loop.time())
            await self.flush()
            await anyio.sleep_until(due)

    async def flush(self) -> None:
        """Publish what has come, now."""
        async with self._packing:
            if self._came.is_set():
                await self._publish()

    async def _publish(self) -> None:
        self._came = anyio.Event()
        batches, frame, waiting = self._batches, self._frame, self._waiting
        self._batches, self._frame, self._waiting = [], None, 0
        if waiting > INLINE_EVENTS or frame is not None:
            pieces = await anyio.to_thread.run_sync(self._packed, batches, frame, self._arrived)
        else:
            pieces = self._packed(batches, frame, self._arrived)
        for piece in pieces:
            self._show.publish(piece)

    def _packed(
        self, batches: list[EventBatch], frame: Frame | None, arrived: float
    ) -> list[Piece]:
        packer = self._show.packer
        pieces = [self._piece(run, arrived) for run in _runs(batches)]
        if frame is not None:
            pieces.append(packer.picture(frame, arrived=arrived))
        return pieces

    def _piece(self, batches: list[EventBatch], arrived: float) -> Piece:
        """Return the piece of batches that follow one another, from where the last one ended."""
        first, stop = batches[0].span.start, max(batch.span.stop for batch in batches)
        reached = self._reached
        jump = reached is None or stop < reached - DISORDER_US
        start = first if jump or reached is None else reached
        self._reached = max(start, stop)
        span = Span(start, self._reached)
        return self._show.packer.events(batches, span, jump=jump, arrived=arrived)

    def _let_go(self, item: EventBatch | Frame) -> None:
        self._show.time_us = item.span.stop
        self._reached = None
        if isinstance(item, EventBatch):
            self._show.figures.count(len(item), int(np.count_nonzero(item.p)))


def _runs(batches: list[EventBatch]) -> list[list[EventBatch]]:
    """Return batches in runs between which time jumps back."""
    runs: list[list[EventBatch]] = []
    reached = 0
    for batch in batches:
        if runs and batch.span.stop >= reached - DISORDER_US:
            runs[-1].append(batch)
            reached = max(reached, batch.span.stop)
        else:
            runs.append([batch])
            reached = batch.span.stop
    return runs
