"""What is live: it is opened again when it is lost, and nothing that hangs hangs for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from functools import partial
from typing import cast

import anyio
import pytest

from aevents._capture.film import Capture, Shot
from aevents._capture.live import LiveVideo
from aevents._capture.pyav import AvCapture, Link
from aevents._contracts import Origin
from aevents.errors import DecodeError
from aevents.operators.view import View
from aevents.stream import Stream, stream_of
from aevents.types import Frame
from tests.pictures import Camera, Scripted, camera

SECOND = 1_000_000
LOST = ConnectionResetError("lost")


class Opened:
    """Opens one script after the other; counts what it opens."""

    def __init__(self, *scripts: Sequence[int | Exception | None] | Exception) -> None:
        self.captures: list[Scripted] = []
        self._scripts = list(scripts)

    def __call__(self) -> Capture:
        script = self._scripts.pop(0) if self._scripts else LOST
        if isinstance(script, Exception):
            raise script
        self.captures.append(Scripted(script))
        return cast("Capture", self.captures[-1])


def live(opened: Opened, reconnect_us: int | None = None) -> Stream[Frame]:
    made = partial(LiveVideo, opened, View("gray"), reconnect_us)
    return stream_of(Origin("live", waiting=made, live=True))


def of(one: Camera, *, timeout: float = 5, reconnect_us: int | None = None) -> Stream[Frame]:
    opener = partial(AvCapture, one.url, View("gray"), Link(timeout))
    made = partial(LiveVideo, opener, View("gray"), reconnect_us)
    return stream_of(Origin("live", waiting=made, live=True))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aevents._capture.live.FIRST_WAIT", 0.01)


async def test_times_are_those_of_its_own_clock_from_0_on() -> None:
    frames = await live(Opened((700_000, 800_000, 895_000))).take(3).to_list()
    assert [one.span for one in frames] == [(0, 100_000), (100_000, 200_000), (200_000, 295_000)]
    assert [int(one.array[0, 0]) for one in frames] == [0, 1, 2]


async def test_spans_never_go_back() -> None:
    frames = await live(Opened((0, 100_000, 50_000, 180_000))).take(4).to_list()
    assert [one.span.start for one in frames] == [0, 100_000, 200_000, 200_001]


async def test_what_is_lost_is_opened_again_and_the_gap_is_marked() -> None:
    opened = Opened((5, LOST), LOST, (900_000,))
    async with live(opened).open() as run:
        first, second = await anext(run), await anext(run)
        report = run.report
    assert [one.closed for one in opened.captures] == [1, 1]
    assert second.span.start >= first.span.stop
    assert second.span.start < 5 * SECOND  # by wall time, not by a clock that began anew
    assert report["gaps"] == 1
    assert report["bad_packets"] == 2
    assert report.anomalies.get("gap_us", 0) == max(0, second.span.start - first.span.stop)


@pytest.mark.parametrize("error", [LOST, DecodeError("video", "rubbish")])
async def test_an_error_before_the_first_frame_is_raised_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        await live(Opened(error, (0,))).first()


async def test_the_end_of_what_is_live_is_a_loss() -> None:
    with pytest.raises(ConnectionError, match="has ended"):
        await live(Opened((0, 100_000)), 0).take(3).to_list()


async def test_it_is_tried_for_so_long_and_no_longer() -> None:
    opened = Opened((0, LOST), LOST, LOST, LOST, LOST, (5,))
    with pytest.raises(ConnectionResetError, match="lost"):
        await live(opened, 50_000).take(2).to_list()


async def test_other_errors_are_not_mended() -> None:
    opened = Opened((0, ValueError("a crop beyond the picture")), (0,))
    with pytest.raises(ValueError, match="a crop beyond"):
        await live(opened).take(2).to_list()


@pytest.mark.parametrize("native", [False, True])
async def test_a_cancelled_read_loses_no_frame(native: bool) -> None:
    go = threading.Event()

    class Slow(Scripted):
        def read(self) -> object:
            go.wait(10)
            return super().read()

    capture = Slow((0, 100_000, 200_000))
    made = LiveVideo(lambda: cast("Capture", capture), View("gray"), None)
    reading = asyncio.ensure_future(made.__anext__())
    await anyio.wait_all_tasks_blocked()
    if native:
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    else:
        with anyio.move_on_after(0.01):
            await asyncio.shield(reading)
    go.set()
    frames = [await made.__anext__()] if native else [await reading]
    frames.append(await made.__anext__())
    assert [int(one.array[0, 0]) for one in frames] == [0, 1]
    await made.aclose()
    assert capture.closed == 1
    with pytest.raises(StopAsyncIteration):
        await made.__anext__()


async def test_closing_does_not_wait_for_a_read_that_hangs() -> None:
    go = threading.Event()

    class Hanging(Scripted):
        def read(self) -> Shot | None:
            go.wait(10)
            return None

    capture = Hanging(())
    made = LiveVideo(lambda: cast("Capture", capture), View("gray"), None)
    reading = asyncio.ensure_future(made.__anext__())
    await anyio.wait_all_tasks_blocked()
    with anyio.fail_after(1):
        await made.aclose()
        with pytest.raises(StopAsyncIteration):
            await reading
    assert capture.closed == 0  # somebody is in it
    go.set()
    for _ in range(500):
        if capture.closed:
            break
        await asyncio.sleep(0.01)
    assert capture.closed == 1


# -- over the network ------------------------------------------------------------------------------


async def test_a_camera_of_the_network_is_seen() -> None:
    async with camera() as one:
        async with of(one).open() as run:
            values = [int((await anext(run)).array[5, 5]) for _ in range(6)]
    at = values.index(min(values))
    in_order = values[at:] + values[:at]
    for value, number in zip(in_order, range(6), strict=True):
        assert abs(value - 40 * number) < 4


async def test_a_camera_that_is_killed_for_a_while_is_seen_again() -> None:
    async with camera() as one:
        async with of(one).open() as run:
            before = [await anext(run) for _ in range(5)][-1]
            await one.kill()
            reading = asyncio.ensure_future(run.__anext__())
            await asyncio.sleep(0.5)
            await one.start()
            after = await reading
            while after.span.start - before.span.stop < SECOND // 4:
                before, after = after, await anext(run)  # it had a few more in hand
            assert run.report["gaps"] == 1
            assert SECOND // 4 < run.report["gap_us"] < 5 * SECOND
    assert one.served == 2


async def test_a_camera_that_falls_silent_meets_its_time_out() -> None:
    async with camera() as one:
        async with of(one, timeout=0.3, reconnect_us=0).open() as run:
            await anext(run)
            one.silent = True
            with pytest.raises(TimeoutError, match="did not answer in time"):
                with anyio.fail_after(5):
                    while True:
                        await anext(run)


async def test_a_camera_that_fell_silent_is_opened_again() -> None:
    async with camera() as one:
        async with of(one, timeout=0.3).open() as run:
            await anext(run)
            one.silent = True
            while not run.report.get("gaps"):
                with anyio.move_on_after(0.1):
                    await anext(run)
                one.silent = one.served == 1
    assert one.served == 2
