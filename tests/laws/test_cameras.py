"""The lives of cameras, by real libusb and libcaer: however they end, nothing stays claimed, open
or running.

AEVENTS_CYCLES says how often one is opened and closed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aevents
from aevents import DeviceError, DeviceLostError, EventBatch, Sensor
from aevents.cameras.libcaer import Handle
from aevents.testing import assert_same_events, example_events
from aevents.testing.cameras import DAVIS346, DVXplorer, emulated
from tests.emulated import emulated_test

CYCLES = int(os.environ.get("AEVENTS_CYCLES", "10"))
ROOMY = "interval_us=100000"
OTHER = """
import aevents
with aevents.open("usb:").blocking() as batches:
    next(batches)
    print("streams", flush=True)
    input()
"""


async def first(url: str = "usb:") -> EventBatch:
    (batch,) = await aevents.open(url).take(1).to_list()
    return batch


def threads() -> list[str]:
    """Return the names of the threads of this process."""
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


def open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def resident() -> float:
    """Return how many MiB of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@emulated_test
async def test_an_opening_that_fails_in_the_middle_leaves_nothing_claimed() -> None:
    for refused in (1, 20, 60, 100):
        with emulated(DVXplorer([example_events(600)], stalls_at=refused)):
            with pytest.raises(DeviceError, match="DVXplorer"):
                await first()
            assert not any("DVX" in name for name in threads())


@emulated_test
async def test_cancelled_while_it_opens_it_is_free_for_the_next() -> None:
    with emulated(DVXplorer([example_events(600)])):
        for delay in (0.0, 0.01, 0.1, 0.3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(first("usb:?interval_us=10000000"), delay)
        assert len(await first())


@emulated_test
async def test_broken_off_it_is_free_for_the_next() -> None:
    with emulated(DVXplorer([example_events(600)])):
        for _ in range(3):
            async for batch in aevents.open("usb:"):
                assert len(batch)
                break
        await first()  # and is closed when this returns


@emulated_test
async def test_unplugged_it_is_lost_and_plugged_in_again_found() -> None:
    batch = example_events(600, sensor=Sensor(346, 260))
    with emulated(DAVIS346([batch], realtime=False)) as cameras:
        for _ in range(2):
            items: list[EventBatch] = []
            with pytest.raises(DeviceLostError):
                async for item in aevents.open(f"usb:?{ROOMY}"):
                    items.append(item)
                    if sum(map(len, items)) == len(batch):
                        cameras.unplug()
            assert_same_events(items, [batch])  # all that came before is given
            with pytest.raises(DeviceError, match="no camera"):
                await first()
            cameras.plug()


@emulated_test
async def test_opened_again_and_again_after_it_was_lost_nothing_is_left_of_it() -> None:
    with emulated(DVXplorer([example_events(600)])) as cameras:
        for _ in range(4):
            await first()
        before = open_files(), sorted(threads())
        async with aevents.open("usb:", reopen=True).open() as running:
            for gaps in (1, 2, 3):
                await anext(running)
                cameras.unplug()
                cameras.plug()
                while running.report.get("gaps", 0) < gaps:
                    await anext(running)
        await first()  # waits for the close
        assert (open_files(), sorted(threads())) == before


@emulated_test
async def test_another_process_that_has_it_is_told_of_and_gives_it_back() -> None:
    with emulated(DVXplorer([example_events(600)])):
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OTHER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert program.stdout is not None
        assert await program.stdout.readline() == b"streams\n"
        with pytest.raises(DeviceError, match="DVXplorer"):
            await first()
        await program.communicate(b"\n")
        assert len(await first())


@emulated_test
async def test_two_cameras_are_merged() -> None:
    left, right = example_events(3_000, seed=1), example_events(3_000, seed=2)
    cameras = [
        DVXplorer([batch], serial=serial, realtime=False)
        for batch, serial in ((left, "LEFT"), (right, "RIGHT"))
    ]
    with emulated(*cameras):
        streams = [aevents.open(f"usb:/{one.serial}?{ROOMY}") for one in cameras]
        items: list[EventBatch] = []
        async with aevents.merge(*streams, capacity=16) as both:
            async with both.open() as running:
                while sum(map(len, items)) < 6_000:
                    items.append(await anext(running))
    for batch, camera in zip((left, right), cameras, strict=True):
        assert_same_events([one for one in items if one.sensor.serial == camera.serial], [batch])


@emulated_test
async def test_the_loop_never_waits_for_libcaer() -> None:
    calls: list[tuple[str, threading.Thread]] = []

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: object) -> object:
            calls.append((name, threading.current_thread()))
            return call(*arguments)

        return noting

    with pytest.MonkeyPatch.context() as patch, emulated(DVXplorer([example_events(600)])):
        for name in ("__init__", "about", "get", "set", "set_defaults", "start", "close"):
            patch.setattr(Handle, name, noted(name, getattr(Handle, name)))
        async for _ in aevents.open("usb:", biases={"simple": 3}):
            break
        await first()
    assert {"__init__", "set", "start", "close"} <= {name for name, _ in calls}
    assert all(thread is not threading.main_thread() for _, thread in calls)


@emulated_test
async def test_opened_and_closed_again_and_again_it_takes_no_more() -> None:
    with emulated(DVXplorer([example_events(600)])):
        for _ in range(4):
            await first()
        before, memory = (open_files(), sorted(threads())), resident()
        for _ in range(CYCLES):
            await first()
        assert (open_files(), sorted(threads())) == before
        assert resident() - memory < 1
