"""What comes from a live source, into a file: all of it, from one moment to another."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import anyio
import anyio.to_thread

from aevents._contracts import Sink
from aevents._driver import CLOSE_SECONDS
from aevents.junctions.channel import Channel, Overflow
from aevents.types import EventBatch, Frame

SUFFIX = ".aedat4"
"""Recordings are AEDAT4: any sensor, any time, pictures too."""
HELD = Overflow("block", capacity=256, capacity_bytes=64 << 20)
"""What waits to be written. When it is full, the source waits: nothing is lost here."""

Item = EventBatch | Frame


class Recorder:
    """Writes files into one folder, one at a time."""

    def __init__(self, folder: Path, create: Callable[[str], Sink[Item]]) -> None:
        self._folder = folder
        self._create = create
        self._channel: Channel[Item] | None = None

    async def take(self, item: Item) -> None:
        """Have this written too, if anything is; waits for room."""
        if self._channel is not None:
            await self._channel.send(item)

    async def begin(self, what: str) -> str:
        """Write what is taken from now on; return the name of the file, made from `what`."""
        name = await anyio.to_thread.run_sync(self._free_name, what)
        self._channel = Channel(HELD)
        return name

    def end(self) -> None:
        """Take no more."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    async def write(self, name: str) -> None:
        """Write until the end, and finish the file however that comes. Raises what writing
        raises.
        """
        channel = self._channel
        if channel is None:
            return
        sink = self._create(str(self._folder / name))
        try:
            while True:
                await sink.write(await channel.receive())
        except anyio.EndOfStream:
            pass
        finally:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                try:
                    while len(channel):  # what came before a cancellation
                        await sink.write(await channel.receive())
                finally:
                    channel.abandon()
                    await sink.aclose()
                    self.end()

    def _free_name(self, what: str) -> str:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", what).strip("-")[:60] or "recording"
        stem = f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}"
        names = (f"{stem}{f'-{number}' if number else ''}{SUFFIX}" for number in count())
        return next(name for name in names if not (self._folder / name).exists())
