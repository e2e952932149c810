"""The lives of cameras, by real libusb, libcaer and our own driver: however they end, nothing stays
claimed, open or running.

AEVENTS_CYCLES says how often one is opened and closed: 10 times, if it is not set.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import aevents
from aevents import DeviceError, DeviceLostError, EventBatch, Sensor, TriggerBatch
from aevents._driver import AsyncRun
from aevents.cameras.libcaer import Handle
from aevents.cameras.transfers import Incoming
from aevents.cameras.usb_handle import UsbHandle
from aevents.testing import assert_same_events, example_events
from aevents.testing.cameras import (
    DAVIS346,
    EVK4,
    DVXplorer,
    EmulatedCameras,
    Fault,
    emulated,
)
from tests.emulated import CYCLES, emulated_test

HD = Sensor(1280, 720)
POOL = ("asyncio_", "ThreadPoolExecutor-")
"""What the names of a loop's threads begin with, in asyncio and in uvloop."""
ROOMY = "interval_us=100000"


async def silent() -> None:
    """Open the only camera, and read on and on."""
    async for _ in aevents.open("usb:?triggers=yes", kind=TriggerBatch):
        pass


async def first(url: str = "usb:") -> EventBatch:
    (batch,) = await aevents.open(url).take(1).to_list()
    return batch


def threads() -> list[str]:
    """Return the names of the threads of this process, without those of the loop's pool: it may
    start another when one has just ended its work.
    """
    pool = {one.native_id for one in threading.enumerate() if one.name.startswith(POOL)}
    tasks = (task for task in Path("/proc/self/task").iterdir() if int(task.name) not in pool)
    return [(task / "comm").read_text().strip() for task in tasks]


def open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def resident() -> float:
    """Return how many MiB of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@emulated_test
async def test_an_opening_that_fails_in_the_middle_leaves_nothing_claimed() -> None:
    for refused in (1, 20, 60, 100):
        with emulated(DVXplorer([example_events(600)], fault=Fault("refuses", refused))):
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


async def goes_on_after_a_gap(
    running: AsyncRun[EventBatch], cameras: EmulatedCameras, gaps: int
) -> None:
    """Assert that a camera that is pulled out and plugged in comes again, by a gap later."""
    before, item = running.report.get("gap_us", 0), await anext(running)
    cameras.unplug()
    cameras.plug()
    stop = item.span.stop
    while running.report.get("gaps", 0) < gaps:
        stop, item = item.span.stop, await anext(running)
    assert item.span.start - stop == running.report["gap_us"] - before >= 0
    assert len(item) == 0 or item.t[0] >= item.span.start


@emulated_test
async def test_opened_again_and_again_after_it_was_lost_nothing_is_left_of_it() -> None:
    for model in (DVXplorer([example_events(600)]), EVK4([example_events(600, sensor=HD)])):
        with emulated(model) as cameras:
            for _ in range(4):
                await first()
            before = open_files(), sorted(threads())
            async with aevents.open("usb:", reopen=True).open() as running:
                for gaps in (1, 2, 3):
                    await goes_on_after_a_gap(running, cameras, gaps)
            await first()  # waits for the close
            assert (open_files(), sorted(threads())) == before


@emulated_test
async def test_an_evk4_that_fails_in_the_middle_is_left_with_nothing_claimed() -> None:
    scene = [example_events(600, sensor=HD)]
    for refused in (1, 4, 40, 120):
        with emulated(EVK4(scene, fault=Fault("refuses", refused))):
            for _ in range(2):  # it is not claimed: the second fails in the same way
                with pytest.raises(DeviceError, match=r"EVK4.*: (endpoint|property)"):
                    await first()
            assert not any("usb" in name for name in threads())


@emulated_test
async def test_an_evk4_that_is_cancelled_or_broken_off_is_free_for_the_next() -> None:
    with emulated(EVK4([example_events(600, sensor=HD)])) as cameras:
        for delay in (0.0, 0.01, 0.1, 0.3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(silent(), delay)
        async for batch in aevents.open("usb:"):
            assert len(batch)
            break
        assert len(await first())
        assert not cameras.registers()[0, 0x9008] & 1
        assert not any("usb" in name for name in threads())


@emulated_test
async def test_an_evk4_that_is_unplugged_is_lost_within_a_second_and_found_again() -> None:
    batch = example_events(600, sensor=HD)
    loop = asyncio.get_running_loop()
    with emulated(EVK4([batch], realtime=False)) as cameras:
        for _ in range(2):
            items: list[EventBatch] = []
            unplugged = 0.0
            with pytest.raises(DeviceLostError, match="EVK4 00050042: it is unplugged"):
                async for item in aevents.open("usb:"):
                    items.append(item)
                    if sum(map(len, items)) == len(batch):
                        cameras.unplug()
                        unplugged = loop.time()
            assert loop.time() - unplugged < 1
            assert_same_events(items, [batch])
            with pytest.raises(DeviceError, match="no camera"):
                await first()  # which waits until the other is closed
            assert not any("usb" in name for name in threads())
            cameras.plug()


@emulated_test
async def test_an_evk4_and_a_dvxplorer_are_merged() -> None:
    left, right = example_events(3_000, seed=1), example_events(3_000, seed=2, sensor=HD)
    with emulated(DVXplorer([left], realtime=False), EVK4([right], realtime=False)):
        streams = aevents.open(f"usb:inivation?{ROOMY}"), aevents.open("usb:prophesee")
        items: list[EventBatch] = []
        async with aevents.merge(*streams, capacity=16) as both:
            async with both.open() as running:
                while sum(map(len, items)) < 6_000:
                    items.append(await anext(running))
    for batch, name in ((left, "DVXplorer"), (right, "EVK4")):
        assert_same_events([one for one in items if one.sensor.name == name], [batch])


@emulated_test
async def test_an_evk4_opened_and_closed_again_and_again_takes_no_more() -> None:
    with emulated(EVK4([example_events(600, sensor=HD)])):
        for _ in range(4):
            await first()
        before, memory = (open_files(), sorted(threads())), resident()
        for _ in range(CYCLES):
            await first()
        assert (open_files(), sorted(threads())) == before
        assert resident() - memory < 1


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


@contextmanager
def threads_of_calls(*methods: tuple[type, str]) -> Iterator[dict[str, set[str]]]:
    """Take note of which threads call these methods."""
    found: dict[str, set[str]] = {}

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: object) -> object:
            found.setdefault(name, set()).add(threading.current_thread().name)
            return call(*arguments)

        return noting

    with pytest.MonkeyPatch.context() as patch:
        for of, name in methods:
            title = f"{of.__name__}.{name}"
            patch.setattr(of, name, noted(title, getattr(of, name)))
        yield found


@emulated_test
async def test_the_loop_never_waits_for_libcaer() -> None:
    names = ("__init__", "about", "get", "set", "set_defaults", "start", "close")
    with emulated(DVXplorer([example_events(600)])):
        with threads_of_calls(*((Handle, name) for name in names)) as found:
            async for _ in aevents.open("usb:", biases={"simple": 3}):
                break
            await first()
    assert {f"Handle.{name}" for name in names} - set(found) == {"Handle.get"}
    assert "MainThread" not in set.union(*found.values())


@emulated_test
async def test_the_loop_never_waits_for_an_evk4() -> None:
    methods = [
        *((UsbHandle, name) for name in ("__init__", "read", "write", "reset", "close")),
        (Incoming, "__init__"), (Incoming, "close"),
    ]  # fmt: skip
    with emulated(EVK4([example_events(600, sensor=HD)])):
        with threads_of_calls(*methods) as found:
            async for _ in aevents.open("usb:"):
                break
            await first()
    assert len(found) == len(methods)
    assert "MainThread" not in set.union(*found.values())


def test_what_takes_long_to_import_is_left_to_the_worker_that_opens() -> None:
    code = "import sys, aevents; aevents.open('usb:'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = done.stdout.split()
    assert "aevents.cameras.inivation" in loaded
    assert not {"pycparser", "aevents.cameras.libusb", "aevents.cameras.libcaer"} & set(loaded)


@emulated_test
async def test_opened_and_closed_again_and_again_it_takes_no_more() -> None:
    model = DVXplorer([example_events(600)])
    model.settle_s = 0.01
    with emulated(model):
        for _ in range(4):
            await first()
        before, memory = (open_files(), sorted(threads())), resident()
        for _ in range(CYCLES):
            await first()
        assert (open_files(), sorted(threads())) == before
        assert resident() - memory < 1
