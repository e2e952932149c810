"""Our driver and emulated EVK4 and EVK3: what the model sends is what comes, in order, exactly."""

from __future__ import annotations

import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import aevents
from aevents import DeviceError, EventBatch, Sensor, Span, TriggerBatch
from aevents.cameras import prophesee_camera, transfers
from aevents.cameras.transfers import Incoming
from aevents.cameras.usb_handle import UsbHandle
from aevents.testing import assert_same_events, example_events
from aevents.testing.cameras import EVK3, EVK4, emulated
from tests.emulated import emulated_test

HD = Sensor(1280, 720)


async def taken(kind: type, count: int, url: str = "usb:prophesee") -> list[object]:
    """Read the only camera until so many events and edges have come."""
    items: list[object] = []
    async with aevents.open(url, kind=kind).open() as running:
        while sum(map(len, items)) < count:  # type: ignore[arg-type]  # they have a length
            items.append(await anext(running))
        assert running.report.anomalies == {}
    return items


def edges() -> TriggerBatch:
    t = np.array([1_000, 1_001, 7_000, 30_000_000], np.int64)
    value = np.array([True, False, True, False])
    return TriggerBatch(t, np.zeros(4, np.uint8), value, HD, Span(1_000, 30_000_001))


@emulated_test
async def test_every_event_comes() -> None:
    batch = example_events(200_000, sensor=HD)
    with emulated(EVK4([batch], realtime=False)):
        items = await taken(EventBatch, len(batch))
    assert_same_events(items, [batch])
    first = items[0]
    assert isinstance(first, EventBatch)
    assert first.sensor == Sensor(1280, 720, "EVK4", "00050042")


@emulated_test
async def test_every_event_comes_in_small_pieces_too() -> None:
    batch = example_events(20_000, sensor=HD)
    with emulated(EVK4([batch], realtime=False)):
        for url in ("usb:?transfer_bytes=1024&transfers=2", "usb:?transfer_bytes=1024&transfers=1"):
            assert_same_events(await taken(EventBatch, len(batch), url), [batch])


def opened_as(file: int) -> str:
    return str(Path(f"/proc/self/fd/{file}").readlink())


@emulated_test
async def test_the_loop_itself_waits_for_libusbs_files() -> None:
    batch = example_events(2_000, sensor=HD)
    made: list[Incoming] = []

    class Noted(Incoming):
        def __init__(self, device: UsbHandle, endpoint: int, size: int, count: int, /) -> None:
            super().__init__(device, endpoint, size, count)
            made.append(self)

    with pytest.MonkeyPatch.context() as patch, emulated(EVK4([batch])):  # in real time
        patch.setattr(prophesee_camera, "Incoming", Noted)
        items: list[EventBatch] = []
        async with aevents.open("usb:").open() as running:
            while sum(map(len, items)) < len(batch):
                items.append(await anext(running))
            assert opened_as(made[0].file) == "anon_inode:[eventpoll]"
            assert not any(thread.name == "aevents-usb" for thread in threading.enumerate())
    assert_same_events(items, [batch])


def refuse(*_: object) -> None:
    raise OSError("no epoll")


@emulated_test
async def test_where_there_is_no_epoll_a_thread_waits() -> None:
    batch = example_events(20_000, sensor=HD)
    with pytest.MonkeyPatch.context() as patch, emulated(EVK4([batch], realtime=False)):
        patch.setattr(transfers, "Polled", refuse)
        assert_same_events(await taken(EventBatch, len(batch)), [batch])


@emulated_test
async def test_in_real_time_events_come_when_they_happen() -> None:
    batch = EventBatch.from_columns(
        t=np.arange(0, 500_000, 1_000), x=np.zeros(500), y=np.zeros(500), p=np.zeros(500), sensor=HD
    )
    with emulated(EVK4([batch])):
        items: list[EventBatch] = []
        async with aevents.open("usb:").open() as running:
            while not items or items[-1].t[-1] < batch.t[-1]:
                items.append(await anext(running))
    assert_same_events(items, [batch])  # the last is there, though nothing follows
    assert len(items) > 5  # they have not waited for each other


@emulated_test
async def test_edges_come_if_they_are_asked_for() -> None:
    batch, sent = example_events(2_000, sensor=HD), edges()
    with emulated(EVK4([sent, batch], realtime=False)) as cameras:
        items = await taken(TriggerBatch, len(sent))
        found = [item for item in items if isinstance(item, TriggerBatch)]
        for name in ("t", "id", "value"):
            column = np.concatenate([getattr(each, name) for each in found])
            np.testing.assert_array_equal(column, getattr(sent, name))
        both = await taken(object, len(batch) + len(sent))
        assert {type(item) for item in both} == {EventBatch, TriggerBatch}
        await taken(EventBatch, len(batch))
        assert not cameras.registers()[0, 0x7004] & 1 << 10
        await taken(EventBatch, len(batch), "usb:?triggers=yes")
        assert cameras.registers()[0, 0x7004] & 1 << 10


@emulated_test
async def test_settings_reach_the_sensor() -> None:
    options: dict[str, Any] = {
        "biases": {"bias_diff_on": 10},
        "roi": (32, 0, 64, 720),
        "event_rate": 1_000_000,
    }
    with emulated(EVK4([example_events(1_000, sensor=HD)])) as cameras:
        async for _ in aevents.open("usb:", **options).take(1):
            pass
        registers = cameras.registers()
        assert registers[0, 0x1010] == 0x11A15070
        columns = [registers[0, 0x2000 + 4 * index] for index in range(40)]
        assert columns == [0xFFFFFFFF, 0, 0] + [0xFFFFFFFF] * 37
        assert registers[0, 0x600C] == 200
        with pytest.raises(ValueError, match="bias_diff_on is from -112 to 143 here"):
            await aevents.open("usb:", biases={"bias_diff_on": 200}).take(1).to_list()
        await taken(EventBatch, 1)  # and it is free again


@emulated_test
async def test_it_is_stopped_afterwards() -> None:
    with emulated(EVK4([example_events(1_000, sensor=HD)])) as cameras:
        await taken(EventBatch, 1)
        assert not cameras.registers()[0, 0x9008] & 1


@emulated_test
async def test_old_firmware_is_refused() -> None:
    with emulated(EVK4(firmware=0x030702)):
        with pytest.raises(DeviceError, match=r"EVK4 \(.*its firmware is 3.7.2; 3.8.0 is the old"):
            await taken(EventBatch, 1)


@emulated_test
async def test_another_sensor_is_refused() -> None:
    with emulated(EVK4(compatible="psee,saphir")):
        with pytest.raises(DeviceError, match=r"no IMX636, but psee,saphir.*: metavision:"):
            await taken(EventBatch, 1)


class Kindred(EVK3):
    """A camera whose board takes its sensor for an IMX636, and that itself says that it is none."""

    about = MappingProxyType({**EVK3.about, 0x14: 0xA0301002})


@emulated_test
async def test_another_sensor_of_an_evk3_is_refused_whoever_says_so() -> None:
    for model in (EVK3(compatible="psee,ccam5_gen41"), Kindred()):
        with emulated(model):
            with pytest.raises(DeviceError, match=r"EVK3 .* no IMX636.* metavision:"):
                await taken(EventBatch, 1)


@emulated_test
async def test_every_event_and_edge_of_an_evk3_comes() -> None:
    batch, sent = example_events(20_000, sensor=HD), edges()
    with emulated(EVK3([sent, batch], realtime=False)):
        items = await taken(object, len(batch) + len(sent), "usb:?triggers=yes")
    assert_same_events([item for item in items if isinstance(item, EventBatch)], [batch])
    found = [item for item in items if isinstance(item, TriggerBatch)]
    np.testing.assert_array_equal(np.concatenate([each.t for each in found]), sent.t)
    assert {item.sensor for item in found} == {Sensor(1280, 720, "EVK3", "00050042")}
