"""What goes wrong with a camera, for each model: a clear error, or waiting, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import anyio
import pytest

import aevents
from aevents import DeviceError, DeviceLostError, EventBatch, Sensor
from aevents.cameras import usb_handle
from aevents.testing import example_events
from aevents.testing.cameras import DAVIS346, EVK4, DVXplorer, Fault, emulated
from aevents.testing.cameras.emulation import CameraModel
from aevents.testing.cameras.inivation import InivationModel
from tests.emulated import emulated_test
from tests.laws.test_cameras import open_files, threads

OTHER = """
import aevents
from aevents.cameras import imx636
imx636.RESET = ()  # no sensor needs time to be switched on
with aevents.open("usb:").blocking() as batches:
    next(batches)
    print("streams", flush=True)
    input()
"""


class Case(NamedTuple):
    """A model, by its name in errors, and numbers of its requests: some are of its opening. `taken`
    is the error when another program has it.
    """

    name: str
    make: Callable[..., CameraModel]
    sensor: Sensor
    requests: tuple[int, ...]
    old_firmware: dict[str, int]
    new_firmware: dict[str, int]
    silent_at: tuple[int, ...]
    taken: str

    def plugged(self, **options: object) -> CameraModel:
        model = self.make([example_events(600, sensor=self.sensor)], **options)
        if isinstance(model, InivationModel):
            model.settle_s = 0.01  # nobody asks here whether the first events came, too
        return model


CASES = (
    Case(
        "DVXplorer", DVXplorer, Sensor(640, 480), (1, 2, 60),
        {"version": 7}, {"version": 9}, (1,), "DVXplorer",
    ),
    Case(
        "DAVIS", DAVIS346, Sensor(346, 260), (1, 2, 60),
        {"version": 5}, {"version": 7}, (1,), "DAVIS",
    ),
    Case(
        "EVK4", EVK4, Sensor(1280, 720), (1, 40, 120),
        {"firmware": 0x030702}, {"firmware": 0x050000}, (1, 40),
        "EVK4.*another program has it",
    ),
)  # fmt: skip


async def first(url: str = "usb:") -> EventBatch:
    (batch,) = await aevents.open(url).take(1).to_list()
    return batch


def held() -> tuple[int, list[str]]:
    """Return what this process holds that a camera may need: open files, and threads."""
    return open_files(), sorted(threads())


async def warm() -> None:
    """Let everything be loaded, and workers be started, that the first cameras need."""
    with emulated(*(case.plugged() for case in CASES)):
        for url in ("usb:/DXA00042", "usb:/00000346", "usb:/00050042"):
            await first(url)


async def fails_once(match: str) -> None:
    with pytest.raises(DeviceError, match=match):
        await first()


async def fails(match: str, kind: type[DeviceError] = DeviceError) -> None:
    """Assert that reading fails, twice in the same way: nothing is claimed by the first."""
    before = held()
    for _ in range(2):
        with pytest.raises(kind, match=match):
            async with aevents.open("usb:").open() as running:
                while True:
                    await anext(running)
    assert held() == before


@emulated_test
async def test_a_request_that_is_refused_ends_the_opening() -> None:
    await warm()
    for case in CASES:
        for request in case.requests:
            with emulated(case.plugged(fault=Fault("refuses", request))):
                await fails(case.name)


@emulated_test
async def test_a_camera_that_does_not_answer_is_told_of() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usb_handle, "CONTROL_MS", 300)
        await warm()
        for case in CASES:
            for request in case.silent_at:
                with emulated(case.plugged(fault=Fault("ignores", request))):
                    await fails(f"{case.name}.*it does not answer")


@emulated_test
async def test_a_stream_that_stalls_is_a_lost_camera() -> None:
    await warm()
    for case in CASES:
        for size in (0, 1_000):
            with emulated(case.plugged(fault=Fault("halts", size))):
                await fails(f"{case.name}.*stall", DeviceLostError)


@emulated_test
async def test_a_stream_that_falls_silent_is_waited_for_and_can_be_left() -> None:
    await warm()
    for case in CASES:
        with emulated(case.plugged(fault=Fault("hushes", 1_000))):
            before = held()
            async with aevents.open("usb:").open() as running:
                assert len(await anext(running))
                with anyio.move_on_after(0.3) as waiting:
                    while True:
                        await anext(running)
            assert waiting.cancelled_caught
            assert held() == before


@emulated_test
async def test_old_firmware_is_refused_and_newer_is_not() -> None:
    await warm()
    for case in CASES:
        with emulated(case.plugged(**case.old_firmware)):
            await fails(f"{case.name}.*[Ff]irmware")
        with emulated(case.plugged(**case.new_firmware)):
            assert len(await first())


@emulated_test
async def test_without_rights_it_is_told_how_to_get_them() -> None:
    await warm()
    for case in CASES:
        with emulated(case.plugged()) as cameras:
            cameras.forbid()
            root = os.geteuid() == 0
            if root:
                os.seteuid(65_534)
            try:
                with pytest.raises(DeviceError, match=f"{case.name}.*no rights.*udev"):
                    await first()
            finally:
                if root:
                    os.seteuid(0)


@emulated_test
async def test_what_another_process_has_is_told_of_and_had_afterwards() -> None:
    await warm()
    for case in CASES:
        with emulated(case.plugged()):
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-c", OTHER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert program.stdout is not None
            assert await program.stdout.readline() == b"streams\n"
            with pytest.raises(DeviceError, match=case.taken):
                await first()
            await program.communicate(b"\n")
            assert len(await first())


@emulated_test
async def test_what_another_process_had_is_free_when_that_is_killed() -> None:
    for case in CASES:
        with emulated(case.plugged()):
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-c", OTHER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert program.stdout is not None
            assert await program.stdout.readline() == b"streams\n"
            program.kill()
            await program.wait()
            assert len(await first())


@emulated_test
async def test_cancelled_while_it_opens_it_is_free_for_the_next() -> None:
    await warm()
    for case in CASES:
        with emulated(case.plugged()):
            before = held()
            for delay in (0.0, 0.01, 0.05, 0.1):
                with anyio.move_on_after(delay):
                    async for _ in aevents.open("usb:"):
                        pass
            assert len(await first())
            assert held() == before


@emulated_test
async def test_unplugged_while_it_opens_it_is_told_of() -> None:
    await warm()
    for case in CASES:
        with emulated(case.plugged(fault=Fault("ignores", 30))) as cameras:
            before = held()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fails_once, case.name)
                await anyio.sleep(0.5)
                cameras.unplug()
            assert held() == before
