"""The lives of cameras through Metavision HAL, a stand-in for it: however they end, nothing stays
open or running, and the loop is never held up.

AEVENTS_CYCLES says how often one is opened and closed.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import aevents
from aevents import DeviceError, DeviceLostError, EventBatch, Sensor
from aevents.cameras import metavision_camera
from aevents.cameras.metavision_bridge import Hal, listed
from aevents.testing import assert_same_events, example_events
from tests.emulated import CYCLES
from tests.hal.sdk import StandIn
from tests.laws.test_cameras import open_files, resident, threads

HD = Sensor(1280, 720)
LEFT_OPEN = """
import sys, aevents
from pathlib import Path
from tests.emulated import CYCLES
from tests.hal.sdk import StandIn
hal = StandIn(Path(sys.argv[1]), build=False)
hal.plug("ONE", Path(sys.argv[2]), endless=True)
batches = iter(aevents.open("metavision:").blocking())
print(len(next(batches)) > 0)
"""


async def first(url: str = "metavision:") -> EventBatch:
    (batch,) = await aevents.open(url).take(1).to_list()
    return batch


def plugged(hal: StandIn, count: int = 600) -> EventBatch:
    """Plug a camera in, and return what it sees."""
    batch = example_events(count, sensor=HD)
    hal.plug("ONE", hal.recording([batch]))
    return batch


async def test_an_opening_that_fails_leaves_nothing(hal: StandIn) -> None:
    plugged(hal)
    await first()
    before = open_files(), sorted(threads())
    for where in ("list", "open", "start"):
        hal.trouble(where)
        for _ in range(2):
            with pytest.raises(DeviceError, match=where):
                await first()
    assert (open_files(), sorted(threads())) == before
    assert hal.state("ONE")["taken"] == "0"


async def test_cancelled_while_it_opens_it_is_free_for_the_next(hal: StandIn) -> None:
    plugged(hal)
    hal.trouble(opening_ms=100)
    for delay in (0.0, 0.01, 0.05):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first(), delay)
    assert len(await first())


async def test_broken_off_it_is_free_for_the_next(hal: StandIn) -> None:
    plugged(hal)
    for _ in range(3):
        async for batch in aevents.open("metavision:"):
            assert len(batch)
            break
    await first()  # and is closed when this returns
    assert hal.state("ONE")["streams"] == "0"


async def test_unplugged_it_is_lost_within_a_second_and_found_again(hal: StandIn) -> None:
    loop = asyncio.get_running_loop()
    for decoded in ("no", "yes"):
        batch = plugged(hal) if decoded == "no" else example_events(600, sensor=HD)
        if decoded == "yes":
            hal.plug("ONE", hal.recording([batch], "evt2"))
        items: list[EventBatch] = []
        unplugged = 0.0
        with pytest.raises(DeviceLostError, match="ONE: the device has been disconnected"):
            async for item in aevents.open(f"metavision:?decoded={decoded}"):
                items.append(item)
                if sum(map(len, items)) == len(batch):
                    hal.unplug("ONE")
                    unplugged = loop.time()
        assert loop.time() - unplugged < 1
        assert_same_events(items, [batch])  # all that came before is given
        with pytest.raises(DeviceError, match="no camera"):
            await first()


async def test_another_that_has_it_is_told_of(hal: StandIn) -> None:
    plugged(hal)
    async with aevents.open("metavision:").open() as running:
        await anext(running)
        with pytest.raises(DeviceError, match="metavision:: the camera is in use"):
            await first()
    assert len(await first())


async def test_a_recording_that_is_broken_off_leaves_nothing(hal: StandIn) -> None:
    path = hal.recording([example_events(300_000, sensor=HD)])
    await first(f"metavision:{path}")
    before = open_files(), sorted(threads())
    for _ in range(5):
        await first(f"metavision:{path}?queue=1")  # whose next piece waits for room
    assert (open_files(), sorted(threads())) == before


async def test_two_cameras_are_merged(hal: StandIn) -> None:
    sent = {
        "LEFT": example_events(3_000, seed=1, sensor=HD),
        "RIGHT": example_events(3_000, seed=2, sensor=HD),
    }
    for serial, batch in sent.items():
        hal.plug(serial, hal.recording([batch]))
    streams = [aevents.open(f"metavision:{serial}") for serial in sent]
    items: list[EventBatch] = []
    async with aevents.merge(*streams, capacity=16) as both:
        async with both.open() as running:
            while sum(map(len, items)) < 6_000:
                items.append(await anext(running))
    for serial, batch in sent.items():
        assert_same_events([one for one in items if one.sensor.serial == serial], [batch])


async def test_the_loop_never_waits_for_hal(hal: StandIn) -> None:
    plugged(hal)
    calls: list[tuple[str, threading.Thread]] = []

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: object, **options: object) -> object:
            calls.append((name, threading.current_thread()))
            return call(*arguments, **options)

        return noting

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metavision_camera, "listed", noted("listed", listed))
        for name in ("__init__", "set_bias", "set_roi", "start", "close"):
            patch.setattr(Hal, name, noted(name, getattr(Hal, name)))
        async for _ in aevents.open("metavision:?biases=bias_fo:3&roi=0,0,9x9"):
            break
        await first()
    assert {name for name, _ in calls} == {
        "listed", "__init__", "set_bias", "set_roi", "start", "close",
    }  # fmt: skip
    assert all(thread is not threading.main_thread() for _, thread in calls)


async def test_opened_and_closed_again_and_again_it_takes_no_more(hal: StandIn) -> None:
    plugged(hal)
    for _ in range(4):
        await first()
    before, memory = (open_files(), sorted(threads())), resident()
    for _ in range(CYCLES):
        await first()
    assert (open_files(), sorted(threads())) == before
    assert resident() - memory < 1


def test_a_program_that_ends_with_a_camera_open_ends(hal: StandIn) -> None:
    path = hal.recording([example_events(10_000, sensor=HD)])
    command = [sys.executable, "-c", LEFT_OPEN, str(hal.folder), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
