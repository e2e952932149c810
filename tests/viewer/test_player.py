"""A recording is played, stepped and sought to the event."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import anyio
import numpy as np
import pytest

import aevents
from aevents._contracts import Origin
from aevents.sources.array import from_array
from aevents.stream import Stream, stream_of
from aevents.types import EventBatch, Frame, Sensor, Span
from aevents.viewer.packing import JUMP, PICTURE
from aevents.viewer.player import RecordingShow
from aevents.viewer.reader import Item
from tests.viewer.pages import Unpacked, looked_at, next_piece, next_told, some_events, until

EVENTS = some_events(40_000, start=1_000, stop=401_000)
END = int(EVENTS.t[-1]) + 1


def stream_of_events(batch: EventBatch = EVENTS) -> Stream[Item]:
    def parts() -> Generator[Item, None, None]:
        for first in range(0, len(batch), 3_000):
            yield batch[first : first + 3_000]

    return stream_of(Origin("events", blocking=parts))


def show_of(open: Callable[[], Stream[Item]] = stream_of_events) -> RecordingShow:
    return RecordingShow(0, "events", "events", open)


def expected(start: int, stop: int) -> list[tuple[int, int, bool]]:
    part = EVENTS.between(start, stop)
    return [(event.x, event.y, event.p) for event in part]


async def paused_at_the_beginning(page: object, show: RecordingShow) -> None:
    await until(lambda: show.first_us is not None)
    show.pause()


async def test_pieces_of_a_recording_are_all_its_events_in_time() -> None:
    show = show_of()
    seen: list[Unpacked] = []
    began = anyio.current_time()
    async with looked_at(show) as page:
        while not seen or seen[-1].stop < END:
            seen.append(await next_piece(page))
        assert (show.state, show.time_us) == ("ended", END)
    assert anyio.current_time() - began > 0.35  # as it happened
    assert [pixel for piece in seen for pixel in piece.pixels] == expected(0, 500_000)
    assert seen[0].start == int(EVENTS.t[0])
    assert [piece.start for piece in seen[1:]] == [piece.stop for piece in seen[:-1]]
    assert page.slots[0].skipped == 0


@pytest.mark.parametrize("window_us", [0, 10_000])
async def test_seeking_is_exact_to_the_event(window_us: int) -> None:
    show = show_of()
    async with looked_at(show) as page:
        await paused_at_the_beginning(page, show)
        to = int(EVENTS.t[20_000])
        show.seek(to, window_us)
        while True:
            piece = await next_piece(page)
            if piece.flags & JUMP:
                break
        assert (piece.start, piece.stop) == (to - window_us, to)
        assert piece.pixels == expected(to - window_us, to)
        assert show.time_us == to
        show.step(1_000, 0)
        stepped = await next_piece(page)
        assert (stepped.start, stepped.stop, stepped.flags) == (to, to + 1_000, 0)
        assert stepped.pixels == expected(to, to + 1_000)
        show.step(-2_000, 500)
        back = await next_piece(page)
        assert (back.start, back.stop, back.flags) == (to - 1_500, to - 1_000, JUMP)
        assert back.pixels == expected(to - 1_500, to - 1_000)
        assert show.state == "paused"


async def test_many_seeks_end_at_the_last_and_it_plays_on_from_there() -> None:
    show = show_of()
    async with looked_at(show) as page:
        await next_piece(page)
        for to in range(10_000, 300_000, 1_000):
            show.seek(to, 0)
        while True:
            piece = await next_piece(page)
            if piece.stop == 299_000:
                break
        assert show.state == "playing"
        after = await next_piece(page)
        assert after.start == 299_000
        assert after.pixels == expected(299_000, int(after.stop))


async def test_seeking_stays_within_the_recording() -> None:
    show = show_of()
    async with looked_at(show) as page:
        await paused_at_the_beginning(page, show)
        show.seek(-5, 100)
        while (piece := await next_piece(page)).flags != JUMP:
            pass
        assert piece.stop == show.first_us
        await until(lambda: show.last_us is not None)
        show.seek(2**60, 100)
        while (piece := await next_piece(page)).stop == show.first_us:
            pass
        assert (show.last_us, piece.stop) == (END - 1, END)


async def test_it_ends_and_begins_again() -> None:
    show = show_of()
    async with looked_at(show) as page:
        await paused_at_the_beginning(page, show)
        show.seek(390_000, 0)
        show.play()
        await next_told(page, "state", state="ended")
        show.play()
        assert (await next_told(page, "state", state="playing"))["time_us"] >= 390_000
        while (piece := await next_piece(page)).start > 100_000:
            pass
        assert piece.flags & JUMP


async def test_speed() -> None:
    show = show_of()
    async with looked_at(show) as page:
        show.set_speed(8.0)
        began = anyio.current_time()
        await next_told(page, "state", state="ended")
        assert anyio.current_time() - began < 0.35
        show.set_speed(0.0)
        assert show.speed == 0.001
        show.set_speed(float("inf"))
        assert show.speed == 1_000.0


async def test_nobody_looks_and_time_stands_still() -> None:
    show = show_of()
    async with looked_at(show) as page:
        await next_piece(page)
        show.detach(page)
        await anyio.sleep(0.05)
        reached = show.time_us
        await anyio.sleep(0.1)
        assert show.time_us == reached < 350_000
        show.attach(page)
        page.slots[0].credits = 4
        while (await next_piece(page)).start < reached:
            pass


async def test_a_file_that_is_gone_is_told_and_may_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    show = show_of(lambda: aevents.open(path))
    async with looked_at(show) as page:
        failed = await next_told(page, "state", state="failed")
        assert failed["error"] == f"{path}: No such file or directory"
        await from_array(np.asarray(EVENTS), EVENTS.sensor).to(str(path))
        show.play()
        await next_told(page, "state", state="playing", error=None)
        assert (await next_piece(page)).flags & JUMP
        await next_told(page, "state", state="ended")


async def test_rates_and_the_end_are_found_beside() -> None:
    show = show_of()
    async with looked_at(show) as page:
        rates = await next_told(page, "rates", whole=True)
        assert sum(rates["counts"]) == len(EVENTS)
        counts, _ = np.histogram(
            EVENTS.t, np.arange(len(rates["counts"]) + 1) * rates["step_us"] + rates["start_us"]
        )
        assert counts.tolist() == rates["counts"]
        assert show.last_us == int(EVENTS.t[-1])
        late = type(page)()
        show.attach(late)
        assert await next_told(late, "rates") == rates


async def test_pictures_come_at_their_time() -> None:
    def frames() -> Generator[Item, None, None]:
        for number in range(5):
            span = Span(number * 20_000, (number + 1) * 20_000)
            yield Frame(np.full((3, 4), number, np.uint8), span, Sensor(4, 3), "intensity")

    show = show_of(lambda: stream_of(Origin("pictures", blocking=frames)))
    seen: list[int] = []
    async with looked_at(show) as page:
        while 4 not in seen:
            piece = await next_piece(page)
            if piece.kind == PICTURE:
                seen.append(int(piece.payload[0, 0, 0]))
                assert show.time_us >= 20_000 * seen[-1]
    assert seen == sorted({*seen})  # the newest only, where the machine stalls


async def test_losses_of_a_torn_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "torn.dat"
    await from_array(np.asarray(EVENTS), EVENTS.sensor).to(str(path))
    path.write_bytes(path.read_bytes()[:-3])
    show = show_of(lambda: aevents.open(path))
    async with looked_at(show) as page:
        show.set_speed(100)
        await next_told(page, "state", state="ended")
        assert show.drops() == {"torn_bytes": 5}
