"""What comes by itself becomes pieces, and what cannot be shown is counted."""

from __future__ import annotations

import anyio
import numpy as np

from aevents.types import Frame, Span
from aevents.viewer.feed import MOST_EVENTS
from aevents.viewer.live import PushedShow
from tests.viewer.pages import SENSOR, looked_at, next_piece, some_events


async def test_all_that_came_meanwhile_is_one_piece() -> None:
    show = PushedShow(0, "pushed", "view:")
    async with looked_at(show) as page:
        for number in range(10):
            show.put(some_events(100, start=number * 100, stop=number * 100 + 100))
        piece = await next_piece(page)
        assert (piece.count, piece.start, piece.stop, piece.flags) == (1_000, 0.0, 1_000.0, 1)
        show.put(some_events(5, start=2_000, stop=3_000))
        piece = await next_piece(page)
        assert (piece.count, piece.start, piece.stop, piece.flags) == (5, 1_000.0, 3_000.0, 0)


async def test_a_little_disorder_is_no_jump_and_a_new_beginning_is() -> None:
    show = PushedShow(0, "pushed", "view:")
    async with looked_at(show) as page:
        show.put(some_events(5, start=900_000, stop=1_000_000))
        assert (await next_piece(page)).flags == 1
        show.put(some_events(5, start=950_000, stop=960_000))
        piece = await next_piece(page)
        assert (piece.start, piece.stop, piece.flags) == (1e6, 1e6, 0)
        show.put(some_events(5, start=1_000_000, stop=1_100_000))
        show.put(some_events(7, start=0, stop=10))
        pieces = [await next_piece(page)]
        if pieces[-1].stop != 10:
            pieces.append(await next_piece(page))
        assert (pieces[-1].start, pieces[-1].count, pieces[-1].flags) == (0.0, 7, 1)


async def test_the_newest_picture_comes_beside_the_events() -> None:
    show = PushedShow(0, "pushed", "view:")
    async with looked_at(show) as page:
        for shade in (1, 2):
            frame = Frame(np.full((48, 64), shade, np.uint8), Span(0, 10), SENSOR, "intensity")
            show.put(frame)
        show.put(some_events(5))
        kinds = {}
        for _ in range(2):
            piece = await next_piece(page)
            kinds[piece.kind] = piece
        assert kinds[3].payload.max() == 2
        assert kinds[1].count == 5


async def test_more_than_there_is_room_for_is_let_go_and_counted() -> None:
    show = PushedShow(0, "pushed", "view:")
    async with looked_at(show) as page:
        batch = some_events(1_000_000)
        for _ in range(3):
            show.put(batch)
        assert show.drops() == {"unshown_events": 3_000_000 - MOST_EVENTS}
        assert (await next_piece(page)).count == MOST_EVENTS
        assert show.figures.taken()[0] == 3_000_000


async def test_nobody_looks_and_nothing_is_packed() -> None:
    show = PushedShow(0, "pushed", "view:")
    async with looked_at(show) as page:
        show.detach(page)
        show.put(some_events(100, stop=500))
        await anyio.sleep(0.05)
        assert (show.packer.seq, show.time_us) == (0, 500)
        assert show.figures.taken()[0] == 100
