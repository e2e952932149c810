"""What `metavision:` stands for: the only camera, that of a serial number, or a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

import aevents
from aevents import (
    DeviceError,
    DeviceLostError,
    DeviceNotFoundError,
    EventBatch,
    MissingExtraError,
    Sensor,
    TriggerBatch,
)
from aevents.testing import assert_same_events, example_events
from tests.cameras.test_metavision_camera import edges
from tests.hal.sdk import StandIn

HD = Sensor(1280, 720)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("metavision:?hue=3", "hue"),
        ("metavision:?roi=1,2,3", "roi"),
        ("metavision:?reopen=soon", "reopen"),
        ("metavision:a.raw?biases=a:1", "a recording has no biases"),
        ("metavision:a.raw?reopen=yes", "reopen"),
    ],
)
def test_a_url_that_means_nothing_is_refused_at_once(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        aevents.open(url)


def test_hal_tells_the_sensor_itself() -> None:
    with pytest.raises(ValueError, match="sensor"):
        aevents.open("metavision:", sensor=HD)


def test_a_camera_is_live_and_a_recording_is_not() -> None:
    assert aevents.open("metavision:").endless
    assert not aevents.open("metavision:a.raw").endless


async def test_without_hal_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEVENTS_METAVISION", str(tmp_path))
    for url in ("metavision:", "metavision:a.raw"):
        with pytest.raises(MissingExtraError, match="Metavision HAL is not installed"):
            await aevents.open(url).take(1).to_list()


async def test_the_serial_number_chooses_among_several(hal: StandIn) -> None:
    path = hal.recording([example_events(100, sensor=HD)])
    with pytest.raises(DeviceNotFoundError, match="HAL sees no camera; plugged in: no camera"):
        await aevents.open("metavision:").take(1).to_list()
    hal.plug("ONE", path)
    hal.plug("TWO", path)
    with pytest.raises(DeviceNotFoundError, match="several cameras: say which") as caught:
        await aevents.open("metavision:").take(1).to_list()
    assert caught.value.seen[1] == "metavision:Prophesee:hal_plugin_prophesee:TWO"
    for url in ("metavision:TWO", caught.value.seen[1]):
        (found,) = await aevents.open(url).take(1).to_list()
        assert found.sensor.serial == "TWO"


@pytest.mark.parametrize("where", ["list", "open", "start"])
async def test_what_fails_is_told_with_its_name(hal: StandIn, where: str) -> None:
    hal.plug("ONE", hal.recording([example_events(100, sensor=HD)]))
    hal.trouble(where)
    with pytest.raises(DeviceError, match=f"metavision:ONE: no luck with {where}"):
        await aevents.open("metavision:ONE").take(1).to_list()
    hal.trouble()
    (found,) = await aevents.open("metavision:").take(1).to_list()
    assert len(found)


@pytest.mark.parametrize("options", ["", "?queue=1", "?decoded=yes", "?decoded=yes&queue=1"])
async def test_a_recording_is_read_to_its_end(hal: StandIn, options: str) -> None:
    batch = example_events(300_000, sensor=HD)
    path = hal.recording([batch], "evt2")
    items = await aevents.open(f"metavision:{path}{options}").to_list()
    assert_same_events(items, [batch])


def test_without_a_loop_it_is_read_to_its_end_too(hal: StandIn) -> None:
    batch = example_events(300_000, sensor=HD)
    path = hal.recording([batch])
    assert_same_events(list(aevents.open(f"metavision:{path}?queue=2").blocking()), [batch])
    assert len(aevents.load(f"metavision:{path}")) == len(batch)


async def test_a_recording_through_hal_is_what_its_file_is(hal: StandIn) -> None:
    path = hal.recording([example_events(10_000, sensor=HD), edges()], "evt3")
    path.write_bytes(path.read_bytes()[:-1])  # torn
    kinds: tuple[type[EventBatch | TriggerBatch], ...] = (EventBatch, TriggerBatch)
    for kind in kinds:
        async with aevents.open(path, kind=kind).open() as running:
            expected = [item async for item in running]
            anomalies = running.report.anomalies
        async with aevents.open(f"metavision:{path}", kind=kind).open() as running:
            found = [item async for item in running]
            assert running.report.anomalies == anomalies
        assert sum(map(len, found)) == sum(map(len, expected))
        assert found[-1].t[-1] == expected[-1].t[-1]


async def test_a_recording_that_is_not_there_is_told(hal: StandIn) -> None:
    with pytest.raises(DeviceError, match=r"metavision:/nowhere\.raw: Unable to open RAW file"):
        await aevents.open("metavision:/nowhere.raw").to_list()


async def test_a_recording_that_hal_cannot_decode_is_told(hal: StandIn) -> None:
    path = hal.recording([example_events(100, sensor=HD)], "evt2")
    hal.trouble("decode")
    with pytest.raises(DeviceLostError, match="no luck with decode"):
        await aevents.open(f"metavision:{path}?decoded=yes").to_list()


async def test_plugged_in_again_it_goes_on_with_a_gap(hal: StandIn) -> None:
    path = hal.recording([example_events(600, sensor=HD)])
    hal.plug("ONE", path)
    async with aevents.open("metavision:", reopen=True).open() as running:
        before = await anext(running)
        hal.unplug("ONE")
        hal.plug("ONE", path)
        hal.plug("TWO", path)
        while not running.report.get("gaps"):
            after = await anext(running)
        assert after.span.start >= before.span.stop
        assert after.sensor.serial == "ONE"


def test_without_a_loop_it_goes_on_too(hal: StandIn) -> None:
    path = hal.recording([example_events(600, sensor=HD)])
    hal.plug("ONE", path)
    with aevents.open("metavision:?reopen=10").blocking() as batches:
        next(batches)
        hal.unplug("ONE")
        hal.plug("ONE", path)
        while not batches.report.get("gaps"):
            assert next(batches).sensor.serial == "ONE"
