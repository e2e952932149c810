"""What `usb:` stands for, and what it says when there is none, or it cannot be had."""

from __future__ import annotations

import os

import anyio.to_thread
import pytest

import aevents
from aevents import DeviceError, DeviceLostError, DeviceNotFoundError, EventBatch
from aevents.sources import usb
from aevents.testing import example_events
from aevents.testing.cameras import DAVIS346, EVK4, DVXplorer, emulated
from tests.emulated import emulated_test


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("usb:nobody", "'nobody' is no driver; known: inivation, prophesee, metavision"),
        ("usb:?hue=3", "hue"),
        ("usb:inivation?interval_us=0", "interval_us"),
        ("usb:?roi=1,2,3", "roi"),
        ("usb:?biases=on:a", "biases"),
        ("usb:?reopen=soon", "reopen is a number of seconds, yes or no"),
    ],
)
def test_a_url_that_means_nothing_is_refused_at_once(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        aevents.open(url)


def test_a_camera_tells_its_sensor_itself() -> None:
    with pytest.raises(ValueError, match="sensor"):
        aevents.open("usb:", sensor=aevents.Sensor(640, 480))


def test_it_is_live() -> None:
    stream = aevents.open("usb:")
    assert stream.endless
    with pytest.raises(ValueError, match="no end"):
        aevents.load("usb:")


@emulated_test
async def test_no_camera_is_told_of() -> None:
    with emulated():
        with pytest.raises(DeviceNotFoundError, match="plugged in: no camera") as caught:
            await aevents.open("usb:").take(1).to_list()
        assert caught.value.seen == ()


@emulated_test
async def test_the_serial_number_chooses_among_several() -> None:
    batch = example_events(600)
    cameras = DVXplorer([batch], serial="ONE"), DVXplorer([batch], serial="TWO"), DAVIS346([batch])
    with emulated(*cameras):
        with pytest.raises(DeviceNotFoundError, match="several cameras: say which") as caught:
            await aevents.open("usb:").take(1).to_list()
        assert caught.value.seen == (
            "DVXplorer (usb:inivation/ONE)",
            "DVXplorer (usb:inivation/TWO)",
            "DAVIS (usb:inivation/00000346)",
        )
        with pytest.raises(DeviceNotFoundError, match="no camera THREE; plugged in: DVX"):
            await aevents.open("usb:inivation/THREE").take(1).to_list()
        for url, serial in (("usb:inivation/TWO", "TWO"), ("usb:/00000346", "00000346")):
            (found,) = await aevents.open(url).take(1).to_list()
            assert isinstance(found, EventBatch)
            assert found.sensor.serial == serial


@emulated_test
async def test_a_camera_without_rights_is_told_of() -> None:
    with emulated(DVXplorer()) as cameras:
        (one,) = await anyio.to_thread.run_sync(usb.plugged_in)
        assert (one.device.problem, one.device.serial) == ("", "DXA00042")
        stream = aevents.open("usb:").take(1)
        cameras.forbid()
        root = os.geteuid() == 0  # who may do everything, and no longer read Python's files
        if root:
            os.seteuid(65_534)
        try:
            with pytest.raises(DeviceError, match=r"no rights.*udev") as caught:
                await stream.to_list()
        finally:
            if root:
                os.seteuid(0)
        assert "DVXplorer (usb:inivation/1:2)" in str(caught.value)


@emulated_test
async def test_firmware_that_is_too_old_is_told_of() -> None:
    with emulated(DVXplorer(version=3)):
        said = r"DVXplorer \(usb:inivation/DXA00042\): Device firmware version incorrect"
        with pytest.raises(DeviceError, match=said):
            await aevents.open("usb:").take(1).to_list()


@emulated_test
async def test_a_camera_that_somebody_else_has_is_told_of() -> None:
    with emulated(DVXplorer([example_events(600)])):
        async with aevents.open("usb:").open() as first:
            await anext(first)
            with pytest.raises(DeviceError, match="DVXplorer"):
                await aevents.open("usb:").take(1).to_list()
        (found,) = await aevents.open("usb:").take(1).to_list()  # it is free again
        assert isinstance(found, EventBatch)


@emulated_test
async def test_a_lost_camera_is_told_of_with_its_name() -> None:
    with emulated(DVXplorer([example_events(600)])) as cameras:
        async with aevents.open("usb:").open() as running:
            await anext(running)
            cameras.unplug()
            with pytest.raises(DeviceLostError, match="DXA00042"):
                while True:
                    await anext(running)


@emulated_test
async def test_plugged_in_again_it_goes_on_with_a_gap_and_another_camera_is_none() -> None:
    same, other = example_events(600), example_events(600, seed=2)
    cameras = DVXplorer([same], serial="SAME"), DVXplorer([other], serial="OTHER")
    with emulated(*cameras) as bus:
        bus.unplug(1)
        async with aevents.open("usb:?reopen=yes&interval_us=100000").open() as running:
            before = await anext(running)
            bus.unplug(0)
            bus.plug(1)
            with anyio.move_on_after(0.5):
                while True:  # all that had come, and then nothing
                    before = await anext(running)
            bus.plug(0)
            after = await anext(running)
            assert isinstance(before, EventBatch)
            assert isinstance(after, EventBatch)
            assert (before.sensor.serial, after.sensor.serial) == ("SAME", "SAME")
            assert after.span.start == before.span.stop + running.report["gap_us"]
            assert running.report["gaps"] == 1


@emulated_test
async def test_a_camera_that_does_not_come_back_in_time_is_lost() -> None:
    with emulated(DVXplorer([example_events(600)])) as bus:
        async with aevents.open("usb:", reopen=0.3).open() as running:
            await anext(running)
            bus.unplug()
            with pytest.raises(DeviceLostError, match=r"not back in 0.3 s: no camera DXA00042"):
                while True:
                    await anext(running)


@emulated_test
def test_without_a_loop_it_goes_on_too() -> None:
    with emulated(DAVIS346([example_events(600)])) as bus:
        with aevents.open("usb:?reopen=10&interval_us=100000").blocking() as batches:
            before = next(batches)
            bus.unplug()
            bus.plug()
            for after in batches:
                if batches.report.get("gaps"):
                    break
                before = after
            assert after.span.start == before.span.stop + batches.report["gap_us"]


@emulated_test
async def test_options_are_those_of_the_camera_that_is_there() -> None:
    stream = aevents.open("usb:?imu=yes")  # some camera has it
    with emulated(EVK4()):
        with pytest.raises(ValueError, match=r"imu.*known: biases, roi, event_rate"):
            await stream.take(1).to_list()
    with pytest.raises(ValueError, match=r"(?s)hue.*interval_us.*hue.*event_rate"):
        aevents.open("usb:?hue=3")
