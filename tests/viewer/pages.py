"""Pages as the server meets them: a real client over a real socket, or an outbox by itself."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from zlib import decompress

import anyio
import numpy as np
import numpy.typing as npt
from websockets.asyncio.client import ClientConnection, connect

from aevents.types import EventBatch, Sensor, Span
from aevents.viewer.serve import Served
from aevents.viewer.server import Place
from aevents.viewer.shows import Show
from aevents.viewer.slots import Outbox
from aevents.viewer.tasks import task_group

ANYWHERE = Place(port=0)
HEADER = "<BBHHHIIddII"
SENSOR = Sensor(64, 48)


@dataclass(frozen=True)
class Unpacked:
    """A piece, as a page that follows the description reads it."""

    kind: int
    show: int
    flags: int
    width: int
    height: int
    seq: int
    count: int
    start: float
    stop: float
    payload: npt.NDArray[Any]

    @property
    def pixels(self) -> list[tuple[int, int, bool]]:
        """Column, row and polarity of each event of a sparse piece."""
        index = self.payload & 0x1FFFFF
        found = zip(index % self.width, index // self.width, self.payload >> 21 & 1, strict=True)
        return [(int(x), int(y), bool(p)) for x, y, p in found]


def unpacked(data: bytes) -> Unpacked:
    head = struct.unpack_from(HEADER, data)
    kind, show, flags, width, height, seq, count, start, stop, size, reserved = head
    assert reserved == 0
    rest = data[struct.calcsize(HEADER) :]
    plain = rest if kind == 1 else decompress(rest, -15)
    assert len(plain) == size
    shapes = {1: (-1,), 2: (2, height, width), 3: (height, width, count)}
    payload = np.frombuffer(plain, "<u4" if kind == 1 else "u1").reshape(shapes[kind])
    return Unpacked(kind, show, flags, width, height, seq, count, start, stop, payload)


async def until(wanted: Callable[[], object]) -> None:
    """Wait until it is so."""
    while not wanted():  # noqa: ASYNC110  # no event is set by what is tested
        await anyio.sleep(0.002)


class Page:
    """A page that keeps what it has got."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.said: list[dict[str, Any]] = []
        self.pieces: list[Unpacked] = []

    async def say(self, type: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def credit(self, show: int = 0, count: int = 2) -> None:
        await self.say("credit", show=show, count=count)

    async def hear(self) -> dict[str, Any] | Unpacked:
        """Return what comes next; draw pieces at once."""
        got = await self.socket.recv()
        if isinstance(got, str):
            self.said.append(json.loads(got))
            return self.said[-1]
        piece = unpacked(got)
        self.pieces.append(piece)
        await self.say("credit", show=piece.show, seq=piece.seq, count=1)
        return piece

    async def told(
        self, type: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """Return the next message of this type that is as wanted."""
        while True:
            got = await self.hear()
            if isinstance(got, dict) and got["type"] == type and wanted(got):
                return got

    async def knows(
        self, type: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """Return a message of this type that is as wanted, of those that came or the next."""
        for one in self.said:
            if one["type"] == type and wanted(one):
                return one
        return await self.told(type, wanted)

    async def drawn(self, wanted: Callable[[Unpacked], bool] = lambda _: True) -> Unpacked:
        """Return the next piece that is as wanted."""
        while True:
            got = await self.hear()
            if isinstance(got, Unpacked) and wanted(got):
                return got


@asynccontextmanager
async def page_at(url: str, **options: Any) -> AsyncIterator[Page]:  # noqa: ANN401
    """Give a page that looks at this address."""
    address, _, query = url.partition("/?")
    path = f"{address.replace('http', 'ws', 1)}/ws" + (f"?{query}" if query else "")
    async with connect(path, max_size=None, proxy=None, **options) as socket:
        yield Page(socket)


@asynccontextmanager
async def served(*shows: Show, **options: Any) -> AsyncIterator[tuple[Served, str]]:  # noqa: ANN401
    """Give a server of these shows, and its address."""
    server = Served(options.pop("place", ANYWHERE), **options)
    async with server.running(shows) as url:
        yield server, url


@asynccontextmanager
async def looked_at(show: Show, credits: int = 4) -> AsyncIterator[Outbox]:
    """Run a show that one page looks at, without a server."""
    page = Outbox()
    show.told = page.tell
    async with task_group() as tasks:
        show.attach(page)
        page.slots[show.id].credits = credits
        tasks.start_soon(show.asker.run)
        tasks.start_soon(show.run)
        yield page


async def next_piece(page: Outbox, credits: int = 4) -> Unpacked:
    """Return the next piece that an outbox has, and ask for more."""
    while True:
        got = await page.next()
        if isinstance(got, bytes):
            piece = unpacked(got)
            page.slots[piece.show].credits = credits
            return piece


async def next_told(page: Outbox, type: str, **wanted: object) -> Mapping[str, Any]:
    """Return the next message of a type with these values."""
    while True:
        got = await page.next()
        if isinstance(got, str):
            said: dict[str, Any] = json.loads(got)
            if said["type"] == type and wanted.items() <= said.items():
                return said
        else:
            page.slots[unpacked(got).show].credits = 4


def some_events(
    count: int, *, start: int = 0, stop: int = 10_000, sensor: Sensor = SENSOR, seed: int = 0
) -> EventBatch:
    """Return so many events anywhere, in order."""
    dice = np.random.default_rng(seed)
    return EventBatch.from_columns(
        t=np.sort(dice.integers(start, stop, count)),
        x=dice.integers(0, sensor.width, count),
        y=dice.integers(0, sensor.height, count),
        p=dice.integers(0, 2, count),
        sensor=sensor,
        span=Span(start, stop),
    )
