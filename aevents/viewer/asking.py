"""Models that are asked what they see in a show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import anyio
import msgspec
from anyio.abc import TaskGroup

from aevents.junctions.channel import Channel, Overflow
from aevents.junctions.infer import Given, infer
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps
from aevents.operators.base import Chain
from aevents.operators.frames import Frames
from aevents.operators.window import Window
from aevents.types import EventBatch, Frame
from aevents.viewer.messages import Problem
from aevents.viewer.results import said
from aevents.viewer.words import line_of

if TYPE_CHECKING:
    from aevents.viewer.shows import Show

Item = EventBatch | Frame

EVERY_US = 100_000
SHORTEST_US, LONGEST_US = 1_000, 60_000_000
ROOM = Overflow("drop_oldest", capacity=4_096, capacity_bytes=64 << 20)
"""What waits for a model; of more, the oldest is let go."""


class Framed:
    """An operator that counts events into a frame each `every_us`; frames pass."""

    def __init__(self, every_us: int) -> None:
        self._frames: Chain[EventBatch, Frame] = Chain([
            Window(duration_us=every_us, partial=False), Frames()
        ])  # fmt: skip

    def feed(self, item: Item, /) -> Iterator[Frame]:
        """Give the frames that are complete."""
        if isinstance(item, Frame):
            yield item
        else:
            yield from self._frames.feed(item)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Asked(msgspec.Struct, frozen=True, eq=False):
    """A model that is being asked."""

    model: Given
    channel: Channel[Item]
    scope: anyio.CancelScope
    every_us: int


class Asker:
    """Asks models what they see in what a show shows, each when it is ready; tells the pages."""

    def __init__(self, show: Show, models: Mapping[str, Given]) -> None:
        self.models: Mapping[str, Given] = models
        self._show = show
        self._asked: dict[str, Asked] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Ask, until cancelled."""
        async with anyio.create_task_group() as self._tasks:
            for name, asked in self._asked.items():
                self._tasks.start_soon(self._answer, name, asked)
            await anyio.sleep_forever()

    def put(self, item: Item) -> None:
        """Have the models see this."""
        for asked in self._asked.values():
            asked.channel.offer(item)

    def jump(self) -> None:
        """Time has jumped: what comes has nothing to do with what came."""
        for name, asked in [*self._asked.items()]:
            self.ask(name, asked.every_us, on=True)

    def ask(self, name: str, every_us: int, *, on: bool) -> None:
        """Ask a model from now on every `every_us`, 100 ms if that is 0, or no more. Raises
        `KeyError` for one that is not there.
        """
        model = self.models[name]
        if (asked := self._asked.pop(name, None)) is not None:
            asked.scope.cancel()
        if on:
            every = min(max(every_us or EVERY_US, SHORTEST_US), LONGEST_US)
            asked = Asked(model, Channel(ROOM), anyio.CancelScope(), every)
            self._asked[name] = asked
            if self._tasks is not None:
                self._tasks.start_soon(self._answer, name, asked)

    async def _answer(self, name: str, asked: Asked) -> None:
        with asked.scope:
            items = outlet(asked.channel, "a show", Pumps([asked.channel]), live=True)
            frames = items.through(lambda: Framed(asked.every_us))
            try:
                async with infer(frames, {name: asked.model}, realtime=True) as results:
                    async for result in results:
                        told = said(self._show.id, result)
                        self._show.told(told, ("result", self._show.id, name))
            except Exception as error:  # a person is told, and may try again
                self._asked.pop(name, None)
                self._show.tell(Problem(self._show.id, f"{name}: {line_of(error)}"))
