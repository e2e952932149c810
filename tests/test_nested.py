"""What happens around a running stream in wall time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import anyio
import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor, Span
from aevents._contracts import Origin
from aevents._nested import _sleep_until
from aevents.stream import Stream, stream_of
from tests.junctions.streams import Live, batch_at, batches, no_tasks_left

SECOND = 1_000_000


class Clock:
    """Wall time that passes only while somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.late = 0.0  # how late a sleeper wakes
        monkeypatch.setattr("aevents._nested._now", lambda: self.now)
        monkeypatch.setattr("aevents._nested._sleep_until", self.sleep_until)

    async def sleep_until(self, wall: float) -> None:
        await asyncio.sleep(0)
        self.now = max(self.now, wall + self.late)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def recorded(*items: EventBatch) -> Stream[EventBatch]:
    def read() -> Iterator[EventBatch]:
        yield from items

    return stream_of(Origin("recorded", blocking=read))  # type: ignore[arg-type]  # a generator


# -- paced ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 3.0), (0.5, 6.0), (10.0, 0.3)])
async def test_a_recording_takes_the_time_it_took(
    clock: Clock, speed: float, seconds: float
) -> None:
    stream = recorded(batch_at(5 * SECOND), batch_at(7 * SECOND), batch_at(8 * SECOND - 3))
    came = []
    async for batch in stream.paced(speed=speed):
        came += [(t, clock.now) for t in batch.t.tolist()]
    assert [t for t, _ in came] == [t for one in stream.blocking() for t in one.t.tolist()]
    for t, wall in came:
        due = 100 + (t - 5 * SECOND) / SECOND / speed
        assert due - 1e-6 <= wall <= due + 0.002
    assert clock.now == pytest.approx(100 + seconds, abs=0.003)


async def test_pieces_are_of_about_a_millisecond_and_their_spans_follow(clock: Clock) -> None:
    stream = aevents.open("synthetic:bar?rate=1e6&duration_us=50000")
    pieces = [batch async for batch in stream.paced() if len(batch)]
    assert 40 <= len(pieces) <= 120
    for one, after in pairwise(pieces):
        assert one.span.stop <= after.span.start
        assert one.t[-1] <= after.t[0]
    whole = await stream.collect()
    assert EventBatch.concat(pieces).t.tolist() == whole.t.tolist()


async def test_what_is_late_comes_at_once(clock: Clock) -> None:
    stream = recorded(*(batch_at(SECOND * i) for i in range(10)))
    run = stream.paced().open()
    await anext(run)
    clock.now += 5.5  # a stall
    walls = {int(batch.t[0]): clock.now async for batch in run if len(batch)}
    assert all(walls[t * SECOND] < 105.6 for t in range(1, 6))
    assert walls[9 * SECOND] == pytest.approx(109, abs=0.01)


async def test_it_can_be_repeated_and_times_go_on(clock: Clock) -> None:
    stream = recorded(batch_at(SECOND), batch_at(2 * SECOND))
    batch = await stream.paced(repeat=2).collect()
    length = SECOND + 3
    expected = [t + turn * length for turn in range(3) for t in (SECOND, SECOND + 1, SECOND + 2)]
    assert batch.t.tolist()[::6][:3] == expected[::3]
    assert clock.now == pytest.approx(100 + 3 * length / SECOND, abs=0.01)
    endless = stream.paced(repeat=True)
    assert endless.endless
    assert len(await endless.take(20).to_list()) == 20


async def test_frames_are_paced_by_their_spans(clock: Clock) -> None:
    stream = aevents.open("synthetic:bar?duration_us=100000").window(duration_us=10_000).frames()
    walls = [(frame.span.stop, clock.now) async for frame in stream.paced()]
    assert len(walls) == 10
    assert all(wall == pytest.approx(100 + stop / SECOND, abs=0.002) for stop, wall in walls)


async def test_pictures_are_shown_from_the_beginning_of_their_spans(clock: Clock) -> None:
    stream = aevents.from_frames(np.zeros((5, 2, 2)), rate_hz=10, start_us=7 * SECOND)
    for speed, repeat in ((1.0, 0), (2.0, 1)):
        begun = clock.now
        walls = [clock.now - begun async for _ in stream.paced(speed=speed, repeat=repeat)]
        expected = [number / 10 / speed for number in range(5 + 5 * repeat)]
        assert walls == pytest.approx(expected, abs=0.002)
        assert clock.now - begun == pytest.approx(0.5 * (1 + repeat) / speed, abs=0.002)


async def test_a_film_is_paced_to_its_end_and_none_is_late(clock: Clock) -> None:
    film = aevents.from_frames(np.zeros((300, 1, 1)), rate_hz=Fraction(30_000, 1001))
    begun = clock.now
    late = [clock.now - begun - one.span.start / SECOND async for one in film.paced()]
    assert max(late) < 0.002
    assert clock.now - begun == pytest.approx(10.01, abs=0.002)


async def test_what_has_no_span_cannot_be_paced() -> None:
    with pytest.raises(TypeError, match="a int has no span"):
        await recorded(batch_at(0)).map(len).paced().to_list()


async def test_after_a_minute_it_is_as_late_as_at_first(clock: Clock) -> None:
    clock.late = 0.0003
    stream = recorded(*(batch_at(10_000 * i) for i in range(6_001)))
    late = [clock.now - 100 - batch.t[0] / SECOND async for batch in stream.paced()]
    assert len(late) >= 6_001
    assert max(late) < 0.002
    assert late[-1] - late[0] < 0.001


async def test_time_may_pass_between_a_look_at_the_clock_and_a_sleep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([1.0, 3.0])
    monkeypatch.setattr("aevents._nested._now", lambda: next(times))
    await _sleep_until(2.0)


async def test_a_real_minute_is_a_minute_in_small() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    stream = aevents.open("synthetic:bar?rate=1e5&duration_us=300000")
    async for _ in stream.paced():
        pass
    assert 0.29 < loop.time() - began < 1


async def test_cancelled_reads_lose_nothing() -> None:
    stream = aevents.open("synthetic:bar?rate=1e5&duration_us=300000")
    got: list[int] = []
    async with stream.paced().open() as run:
        for _ in range(40):
            with anyio.move_on_after(0.001):
                got += (await anext(run)).t.tolist()
        async for batch in run:
            got += batch.t.tolist()
    assert got == (await stream.collect()).t.tolist()
    assert no_tasks_left()


# -- marked ---------------------------------------------------------------------------------------


async def test_a_silent_source_is_marked_and_time_goes_on() -> None:
    live = Live([batch_at(1000)], silent=True)
    async with live.stream.marked(timeout_us=20_000).open() as run:
        items = [await anext(run) for _ in range(4)]
    assert [len(item) for item in items] == [3, 0, 0, 0]
    stops = [item.span.stop for item in items]
    assert stops == sorted(set(stops))
    assert 1003 + 55_000 < stops[-1] < 1003 + 1_000_000
    assert all(one.span.stop == after.span.start for one, after in pairwise(items))
    assert items[-1].sensor == Sensor(8, 4)


async def test_windows_close_while_nothing_comes() -> None:
    live = Live([batch_at(0)], silent=True)
    windows = live.stream.marked(timeout_us=5_000).window(duration_us=10_000).frames()
    with anyio.fail_after(5):
        frames = await windows.take(3).to_list()
    assert [int(frame.array.sum()) for frame in frames] == [3, 0, 0]


async def test_a_busy_source_is_left_alone() -> None:
    got = await Live(batches(20)).stream.marked(timeout_us=SECOND).take(20).to_list()
    assert [batch.span for batch in got] == [batch.span for batch in batches(20)]


async def test_what_comes_behind_a_mark_does_not_go_back(clock: Clock) -> None:
    turn = 0

    class Slow:
        async def __anext__(self) -> EventBatch:
            nonlocal turn
            if turn == 1 and clock.now < 101:
                clock.now += 1
                await anyio.sleep(5)  # cancelled, which loses nothing
            turn += 1
            return batch_at(10 * turn)

        def close(self) -> None: ...
        async def aclose(self) -> None: ...

    stream = stream_of(Origin("slow", waiting=Slow, live=True))
    items = await stream.marked(timeout_us=10_000).take(3).to_list()
    assert [len(item) for item in items] == [3, 0, 3]
    assert items[1].span == Span(13, 1_000_013)
    assert items[2].span == Span(1_000_013, 1_000_013)
    assert items[2].t.tolist() == [20, 21, 22]


# -- limited, map_async, tap ----------------------------------------------------------------------


async def test_items_are_kept_apart(clock: Clock) -> None:
    walls = [clock.now async for _ in Live(batches(5)).stream.limited(hz=10)]
    assert [wall - 100 for wall in walls] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


async def test_a_coroutine_function_is_applied_and_a_cancelled_one_again() -> None:
    calls = 0

    async def slow(batch: EventBatch) -> int:
        nonlocal calls
        calls += 1
        await anyio.sleep(0 if calls > 1 else 10)
        return int(batch.t[0])

    async with Live(batches(3)).stream.map_async(slow).open() as run:
        with anyio.move_on_after(0.01):
            await anext(run)
        assert [t async for t in run] == [0, 10, 20]
    assert calls == 4


async def test_items_are_shown_and_handed_on() -> None:
    seen: list[int] = []

    async def look(batch: EventBatch) -> None:
        seen.append(int(batch.t[0]))

    got = await recorded(*batches(3)).tap(look).tap(lambda batch: seen.append(len(batch))).to_list()
    assert len(got) == 3
    assert seen == [0, 3, 10, 3, 20, 3]


async def test_errors_and_reports_come_through() -> None:
    with pytest.raises(OSError, match="unplugged"):
        async with (
            Live(batches(2), error=OSError("unplugged")).stream.limited(hz=1e6).open() as run
        ):
            async for _ in run:
                pass
    assert run.report == {"delivered": 2, "events": 6, "odd": 1}


@pytest.mark.parametrize(
    "make",
    [
        lambda stream: stream.paced(speed=0),
        lambda stream: stream.limited(hz=0),
        lambda stream: stream.marked(timeout_us=0),
        lambda stream: Live([]).stream.paced(repeat=1),
    ],
)
def test_impossible_arguments_are_refused_at_the_call(make: object) -> None:
    with pytest.raises(ValueError, match=r"is above 0, not 0|cannot be repeated"):
        make(recorded())  # type: ignore[operator]  # a function


def test_there_is_no_blocking_form() -> None:
    with pytest.raises(TypeError, match="has no blocking form"):
        recorded().paced().blocking()
