"""Cameras through Metavision HAL, a stand-in for it: what is sent is what comes, and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aevents
from aevents import DeviceError, DeviceNotFoundError, EventBatch, Sensor, Span, TriggerBatch
from aevents.cameras.libusb import UsbDevice
from aevents.cameras.metavision import prepare
from aevents.testing import assert_same_events, example_events
from tests.hal.sdk import StandIn

HD = Sensor(1280, 720)
FORMATS = ("evt2", "evt21", "evt3", "evt4")


async def taken(kind: type, count: int, url: str = "metavision:") -> list[Any]:
    """Read the only camera until so many events and edges have come."""
    items: list[Any] = []
    async with aevents.open(url, kind=kind).open() as running:
        while sum(map(len, items)) < count:
            items.append(await anext(running))
        assert running.report.anomalies == {}
    return items


def edges() -> TriggerBatch:
    t = np.array([1_000, 1_001, 7_000, 30_000_000], np.int64)
    value = np.array([True, False, True, False])
    return TriggerBatch(t, np.ones(4, np.uint8), value, HD, Span(1_000, 30_000_001))


def renamed(path: Path, format: str) -> Path:
    """Let the header of a recording speak of another format."""
    data = path.read_bytes().replace(b"% format EVT2", b"% format " + format.encode())
    path.write_bytes(data.replace(b"% evt 2.0\n", b""))
    return path


@pytest.mark.parametrize("format", FORMATS)
async def test_every_event_comes(hal: StandIn, format: str) -> None:
    batch = example_events(100_000, sensor=HD)
    hal.plug("00050042", hal.recording([batch], format))
    items = await taken(EventBatch, len(batch))
    assert_same_events(items, [batch])
    assert items[0].sensor == Sensor(1280, 720, "IMX636", "00050042")


@pytest.mark.parametrize("buffer", [8, 1_000, 1 << 20])
async def test_every_event_comes_in_pieces_of_any_size(hal: StandIn, buffer: int) -> None:
    batch = example_events(2_000 if buffer == 8 else 200_000, sensor=HD)
    hal.plug("ONE", hal.recording([batch]), buffer=buffer)
    items = await taken(EventBatch, len(batch), "metavision:?queue=65536")
    assert_same_events(items, [batch])


async def test_what_hal_decodes_is_the_same(hal: StandIn) -> None:
    batch = example_events(100_000, sensor=HD)
    hal.plug("ONE", hal.recording([batch], "evt2"))
    items = await taken(EventBatch, len(batch), "metavision:?decoded=yes")
    assert_same_events(items, [batch])
    assert items[-1].span.stop == batch.t[-1]
    assert not items[0].t.flags.writeable


async def test_a_format_that_only_hal_knows_is_decoded_by_hal(hal: StandIn) -> None:
    batch = example_events(1_000, sensor=HD)
    hal.plug("ONE", renamed(hal.recording([batch], "evt2"), "AER8"))
    assert_same_events(await taken(EventBatch, len(batch)), [batch])
    with pytest.raises(DeviceError, match="its format is AER8: only HAL decodes that"):
        await taken(EventBatch, 1, "metavision:?decoded=no")


@pytest.mark.parametrize("decoded", ["yes", "no"])
async def test_edges_come_if_they_are_asked_for(hal: StandIn, decoded: str) -> None:
    batch, sent = example_events(2_000, sensor=HD), edges()
    hal.plug("ONE", hal.recording([sent, batch], "evt2"))
    url = f"metavision:?decoded={decoded}"
    found = await taken(TriggerBatch, len(sent), url)
    for name in ("t", "id", "value"):
        column = np.concatenate([getattr(each, name) for each in found])
        np.testing.assert_array_equal(column, getattr(sent, name))
        assert column.dtype == getattr(sent, name).dtype
    assert hal.state("ONE")["edges"] == "0"  # the main input
    both = await taken(object, len(batch) + len(sent), url)
    assert {type(item) for item in both} == {EventBatch, TriggerBatch}


async def test_edges_are_watched_only_if_they_are_wanted(hal: StandIn) -> None:
    hal.plug("ONE", hal.recording([example_events(100, sensor=HD)]))
    await taken(EventBatch, 100)
    assert "edges" not in hal.state("ONE")
    await taken(EventBatch, 100, "metavision:?triggers=yes")
    assert hal.state("ONE")["edges"] == "0"


async def test_settings_reach_hal(hal: StandIn) -> None:
    hal.plug("ONE", hal.recording([example_events(100, sensor=HD)]))
    url = "metavision:?biases=bias_fo:-5,bias_diff_on:20&roi=32,0,64x720&event_rate=1000000"
    await taken(EventBatch, 100, url)
    state = hal.state("ONE")
    assert {name: state[name] for name in ("bias_fo", "bias_diff_on", "bias_diff_off")} == {
        "bias_fo": "-5",
        "bias_diff_on": "20",
        "bias_diff_off": "0",
    }
    assert (state["roi"], state["roi_on"]) == ("32,0,64x720", "1")
    assert (state["rate"], state["rate_on"]) == ("1000000", "1")


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("?biases=hue:3", ValueError, "no bias 'hue'; known: bias_diff_off, bias_diff_on, bias_fo"),
        ("?roi=1200,0,100x100", ValueError, "not within 1280x720"),
        ("?biases=bias_fo:300", DeviceError, "does not set bias_fo to 300"),
        ("?event_rate=5", DeviceError, "does not limit the event rate"),
    ],
)
async def test_what_the_camera_cannot_do_is_told_and_it_is_free_again(
    hal: StandIn, url: str, error: type[Exception], said: str
) -> None:
    hal.plug("ONE", hal.recording([example_events(100, sensor=HD)]))
    with pytest.raises(error, match=said):
        await taken(EventBatch, 1, f"metavision:{url}")
    assert hal.state("ONE")["taken"] == "0"


async def test_pieces_that_nobody_takes_are_counted(hal: StandIn) -> None:
    hal.plug("ONE", hal.recording([example_events(10_000, sensor=HD)]), endless=True)
    async with aevents.open("metavision:?queue=1").open() as running:
        while not running.report.get("queue_overruns"):
            await anext(running)
        lost = running.report["queue_overruns"]
    assert running.report["queue_overruns"] >= lost


def test_a_camera_on_usb_is_opened_by_its_serial(hal: StandIn) -> None:
    path = hal.recording([example_events(100, sensor=HD)])
    hal.plug("ONE", path)
    hal.plug("TWO", path)
    open = prepare(EventBatch, {"queue": "7"})
    camera = open(UsbDevice(0x31F7, 0x0003, 1, 2, "TWO"))
    assert camera.sensor.serial == "TWO"
    camera.close()
    with pytest.raises(DeviceNotFoundError, match="there are several cameras"):
        open(UsbDevice(0x31F7, 0x0003, 1, 2))
    with pytest.raises(DeviceNotFoundError, match=r"no camera SIX; plugged in: metavision:Proph"):
        open(UsbDevice(0x31F7, 0x0003, 1, 2, "SIX"))
