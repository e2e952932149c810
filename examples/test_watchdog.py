"""An asyncio service of your own, and its test: no camera, no waiting for real time.

pytest test_watchdog.py
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

import aevents
from aevents import EventBatch, ms

pytestmark = pytest.mark.asyncio


async def watch(
    windows: AsyncIterable[EventBatch], quiet: int, alarm: Callable[[int], None]
) -> None:
    """Call `alarm` with the time, in µs, whenever more than `quiet` events come in a window."""
    async for window in windows:
        if len(window) > quiet:
            alarm(window.span.start)


@pytest_asyncio.fixture
async def recording(tmp_path: Path) -> Path:
    """A disk that turns for 50 ms, as a file."""
    path = tmp_path / "disk.raw"
    await aevents.open("synthetic:disk?rate=1e6&duration_us=50000").to(str(path))
    return path


async def test_it_tells_of_each_busy_window(recording: Path) -> None:
    """There is more going on in each than 100 events."""
    alarms: list[int] = []
    await watch(aevents.open(recording).window(duration_us=10 * ms), 100, alarms.append)
    assert alarms == [0, 10_000, 20_000, 30_000, 40_000]


async def test_it_can_be_stopped_while_nothing_happens() -> None:
    """A service must end when it is told to, also while it waits."""
    never = (
        aevents.open("synthetic:disk?rate=1e3&duration_us=0").paced().window(duration_us=10 * ms)
    )
    watching = asyncio.create_task(watch(never, 1_000_000, print))
    await asyncio.sleep(0.05)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
