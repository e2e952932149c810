"""A camera that is lost and comes back: waited for as long as is said, and its times go on."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterator, Sequence

import anyio
import numpy as np
import pytest

from aevents import (
    DeviceError,
    DeviceLostError,
    DeviceNotFoundError,
    EventBatch,
    Frame,
    Origin,
    Sensor,
    Span,
)
from aevents.cameras import reopen
from aevents.cameras.reopen import Item, ReopeningCamera, ReopeningSource, patience_of
from aevents.stream import Stream, stream_of

SENSOR = Sensor(4, 3)


def batch(t: int, stop: int) -> EventBatch:
    events = EventBatch.from_columns(t=[t], x=[1], y=[2], p=[1], sensor=SENSOR)
    return events.as_window(Span(t, stop))


class OneCamera:
    """A camera that gives these items, and is lost."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.file, self._to = os.pipe()
        os.write(self._to, b"1")  # it never waits
        self.counts = {"oddities": 1}
        self._items = list(items)

    def take(self) -> Item | None:
        if not self._items:
            raise DeviceLostError("pulled out")
        return self._items.pop(0)

    def close(self) -> None:
        os.close(self.file)
        os.close(self._to)


class Port:
    """Where a camera is plugged in, each time with other items, or an error instead."""

    def __init__(self, *lives: Sequence[Item] | Exception) -> None:
        self.opened = 0
        self._lives = iter(lives)

    def open(self) -> OneCamera:
        self.opened += 1
        life = next(self._lives, DeviceNotFoundError("no camera"))
        if isinstance(life, Exception):
            raise life
        return OneCamera(life)

    def stream(self, patience: float = math.inf) -> Stream[Item]:
        return stream_of(
            Origin(
                "usb:",
                waiting=lambda: ReopeningSource(self.open, patience),
                blocking=lambda: ReopeningCamera(self.open, patience),
                live=True,
            )
        )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(reopen, "RETRY_SECONDS", 0.001)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(True, math.inf), ("yes", math.inf), (False, 0), ("no", 0), (5, 5), ("0.5", 0.5)],
)
def test_patience_is_seconds_or_for_ever(value: object, seconds: float) -> None:
    assert patience_of(value) == seconds


@pytest.mark.parametrize("value", [-1, "nan", "soon", None])
def test_what_is_no_patience_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="reopen is a number of seconds, yes or no"):
        patience_of(value)


def lives() -> Port:
    missing = [DeviceNotFoundError("no camera"), DeviceError("no rights yet")]
    return Port([batch(0, 10), batch(10, 30)], *missing, [batch(2, 8), batch(8, 9)])


def check_joined(items: Sequence[Item], gaps: int, gap_us: int, oddities: int) -> None:
    spans = [item.span for item in items]
    assert spans[:2] == [(0, 10), (10, 30)]
    assert spans[2].start == 30 + gap_us
    assert [span.duration_us for span in spans[2:]] == [6, 1]
    assert spans[3].start == spans[2].stop
    assert [int(item.t[0]) for item in items if isinstance(item, EventBatch)] == [
        span.start for span in spans
    ]
    assert (gaps, oddities) == (1, 2)  # of both cameras
    assert gap_us > 0


async def test_it_goes_on_with_a_gap_that_is_counted() -> None:
    port = lives()
    async with port.stream().open() as running:
        items = [await anext(running) for _ in range(4)]
        report = running.report
    check_joined(items, report["gaps"], report["gap_us"], report["oddities"])
    assert port.opened == 4


def test_without_a_loop_too() -> None:
    port = lives()
    reading = ReopeningCamera(port.open, math.inf)
    items = [next(reading) for _ in range(4)]
    check_joined(items, *(reading.counts[name] for name in ("gaps", "gap_us", "oddities")))
    reading.close()
    with pytest.raises(StopIteration):
        next(reading)


async def test_the_gap_is_as_long_as_the_time_that_has_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([100.0, 101.0, 103.5])  # first item, loss, item
    monkeypatch.setattr(anyio, "current_time", lambda: next(clock))
    port = Port([batch(0, 1_000_000)], [batch(200_000, 500_000)])
    async with port.stream().open() as running:
        first, second = await anext(running), await anext(running)
    assert first.span.stop == 1_000_000
    assert second.span == (4_200_000, 4_500_000)  # it ends 3.5 s after the first one did
    assert running.report["gap_us"] == 3_200_000


async def test_a_clock_that_goes_on_by_itself_makes_no_time_go_back() -> None:
    port = Port([batch(0, 10)], [batch(10**12, 2 * 10**12)])  # longer than all that has passed
    async with port.stream().open() as running:
        _, second = await anext(running), await anext(running)
    assert second.span == (10, 10 + 10**12)
    assert dict(running.report)["gaps"] == 1
    assert "gap_us" not in running.report.anomalies


async def test_frames_are_moved_too() -> None:
    frame = Frame(np.zeros((3, 4), np.uint16), Span(0, 5), SENSOR, "intensity")
    async with Port([frame], [frame]).stream().open() as running:
        first, second = await anext(running), await anext(running)
    assert (first.span.duration_us, second.span.duration_us) == (5, 5)
    assert second.span.start >= first.span.stop


async def test_an_error_before_the_first_item_is_raised_at_once() -> None:
    port = Port(DeviceNotFoundError("no camera"))
    with pytest.raises(DeviceNotFoundError):
        await port.stream().take(1).to_list()
    assert port.opened == 1


async def test_at_the_end_of_the_patience_it_is_lost() -> None:
    async with Port([batch(0, 10)]).stream(0.05).open() as running:
        await anext(running)
        with pytest.raises(DeviceLostError, match=r"pulled out; not back in 0.05 s: no camera"):
            await anext(running)


async def test_with_less_patience_than_a_look_the_first_error_is_raised() -> None:
    with pytest.raises(DeviceLostError, match=r"^pulled out$"):
        await Port([batch(0, 10)]).stream(1e-9).take(2).to_list()


async def test_what_is_no_trouble_of_a_camera_is_raised_at_once() -> None:
    with pytest.raises(ImportError, match="libcaer"):
        await Port([batch(0, 10)], ImportError("libcaer")).stream().take(2).to_list()


@pytest.mark.parametrize("native", [True, False])
async def test_waiting_for_it_is_cancelled_at_once(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reopen, "RETRY_SECONDS", 1_000)
    port = Port([batch(0, 10)])
    async with port.stream().open() as running:
        await anext(running)
        if native:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(running), 0.05)
        else:
            with anyio.move_on_after(0.05) as scope:
                await anext(running)
            assert scope.cancelled_caught


async def test_a_cancelled_wait_goes_on_with_the_next_read() -> None:
    missing: Iterator[Exception] = (DeviceNotFoundError("no camera") for _ in range(100))
    port = Port([batch(0, 10)], *missing, [batch(0, 7)])
    async with port.stream().open() as running:
        await anext(running)
        with anyio.move_on_after(0.01):
            await anext(running)
        second = await anext(running)
    assert second.span.duration_us == 7
    assert running.report["gaps"] == 1


async def test_closed_while_it_waits_it_ends() -> None:
    port = Port([batch(0, 10)])
    source = ReopeningSource(port.open, math.inf)
    await source.__anext__()
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            with pytest.raises(StopAsyncIteration):
                await source.__anext__()

        tasks.start_soon(read)
        await anyio.sleep(0.01)
        source.close()
    await source.aclose()
