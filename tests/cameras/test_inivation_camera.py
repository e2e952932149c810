"""Real libcaer and emulated cameras: what a model sends is what comes, in order, exactly."""

from __future__ import annotations

import asyncio

import numpy as np

import aevents
from aevents import EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents.testing import assert_same_events, example_events
from aevents.testing.cameras import DAVIS346, DVXplorer, emulated
from tests.emulated import emulated_test

DVX, DAVIS = Sensor(640, 480), Sensor(346, 260)
ROOMY = "usb:?interval_us=100000"  # few pieces, for a camera that plays as fast as it can


async def taken(kind: type, count: int, url: str = ROOMY) -> list[object]:
    """Read the only camera until so many events, measurements, edges and frames have come."""
    items: list[object] = []
    async with aevents.open(url, kind=kind).open() as running:
        while sum(map(size, items)) < count:
            items.append(await anext(running))
        assert running.report.anomalies == {}
    return items


def size(item: object) -> int:
    return 1 if isinstance(item, Frame) else len(item)  # type: ignore[arg-type]  # the others have


@emulated_test
async def test_every_event_of_a_dvxplorer_comes() -> None:
    batch = example_events(20_000, sensor=DVX)
    with emulated(DVXplorer([batch], realtime=False)):
        items = await taken(EventBatch, len(batch))
    assert_same_events(items, [batch])
    first = items[0]
    assert isinstance(first, EventBatch)
    assert first.sensor == Sensor(640, 480, "DVXplorer", "DXA00042")


@emulated_test
async def test_every_event_of_a_davis_comes() -> None:
    batch = example_events(20_000, sensor=DAVIS)
    with emulated(DAVIS346([batch], realtime=False)):
        items = await taken(EventBatch, len(batch))
    assert_same_events(items, [batch])


def measurements() -> ImuBatch:
    """Values that are whole numbers of what the camera counts in; each axis has its own."""
    steps = np.arange(50, dtype=np.float32)
    t = 2_000 + 1_250 * np.arange(50, dtype=np.int64)
    motion = np.stack([steps, -2 * steps, 100 + 3 * steps], axis=1)
    return ImuBatch(
        t,
        (25 + steps / 4).astype(np.float32),
        (motion / 1024).astype(np.float32),
        (motion * 1000 / 1024).astype(np.float32),
        np.full((50, 3), np.nan, np.float32),
        Sensor(),
        Span(2_000, int(t[-1]) + 1),
    )


def assert_measured(items: list[object], expected: ImuBatch, *, degrees: float) -> None:
    batches = [item for item in items if isinstance(item, ImuBatch)]
    joined = {
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("t", "accelerometer", "gyroscope", "temperature")
    }
    np.testing.assert_array_equal(joined["t"], expected.t)
    np.testing.assert_array_equal(joined["accelerometer"], expected.accelerometer)
    np.testing.assert_allclose(joined["gyroscope"], expected.gyroscope, rtol=1e-6)
    np.testing.assert_allclose(joined["temperature"], expected.temperature, atol=degrees)


@emulated_test
async def test_every_measurement_of_a_dvxplorer_comes() -> None:
    batch = measurements()
    with emulated(DVXplorer([batch])):
        items = await taken(ImuBatch, len(batch))
    assert_measured(items, batch, degrees=0)  # its unit is 1/512 degree


@emulated_test
async def test_every_measurement_of_a_davis_comes() -> None:
    batch = measurements()
    with emulated(DAVIS346([batch])):
        items = await taken(ImuBatch, len(batch))
    assert_measured(items, batch, degrees=0.5 / 340)


@emulated_test
async def test_every_edge_of_both_cameras_comes() -> None:
    t = np.array([1_000, 1_001, 70_000, 90_000], np.int64)
    value = np.array([True, False, True, False])
    batch = TriggerBatch(t, np.zeros(4, np.uint8), value, Sensor(), Span(1_000, 90_001))
    for model in (DVXplorer([batch]), DAVIS346([batch])):
        with emulated(model):
            items = await taken(TriggerBatch, 4, "usb:")
        edges = [item for item in items if isinstance(item, TriggerBatch)]
        np.testing.assert_array_equal(np.concatenate([each.t for each in edges]), t)
        np.testing.assert_array_equal(np.concatenate([each.value for each in edges]), value)


@emulated_test
async def test_every_frame_of_a_davis_comes() -> None:
    random = np.random.default_rng(0)
    frames = [
        Frame(
            (random.integers(0, 1024, (260, 346)) << 6).astype(np.uint16),
            Span(start, start + 8_000),
            DAVIS,
            "intensity",
        )
        for start in (5_000, 45_000, 2_000_000)
    ]
    with emulated(DAVIS346(frames, realtime=False)):
        items = await taken(Frame, 3)
    for item, frame in zip(items, frames, strict=True):
        assert isinstance(item, Frame)
        assert (item.span, item.mode) == (frame.span, "intensity")
        np.testing.assert_array_equal(item.array, frame.array)


@emulated_test
async def test_all_kinds_come_together_if_everything_is_asked_for() -> None:
    events = example_events(4_000, sensor=DAVIS, start_us=100_000)
    edges = TriggerBatch(
        np.array([99_000]), np.zeros(1, np.uint8), np.array([True]), DAVIS, Span(99_000, 99_001)
    )
    with emulated(DAVIS346([measurements(), edges, events], realtime=False)):
        items = await taken(object, 50 + 1 + 4_000)
    assert_measured(items, measurements(), degrees=0.5 / 340)
    assert_same_events(items, [events])
    assert sum(isinstance(item, TriggerBatch) for item in items) == 1


@emulated_test
async def test_the_clock_goes_on_where_31_bits_end() -> None:
    wrap = 1 << 31
    edge = TriggerBatch(
        np.array([wrap - 20_000]), np.zeros(1, np.uint8), np.array([True]), DVX, Span(0, 1)
    )
    batch = EventBatch.from_columns(
        t=wrap + np.array([-10_000, -1, 0, 1, 10_000]), x=range(5), y=range(5), p=[1, 0, 1, 0, 1]
    )
    with emulated(DVXplorer([edge, batch], realtime=False)):
        items = await taken(object, 6, f"{ROOMY}&imu=no")
    assert_same_events(items, [batch])


@emulated_test
async def test_what_nobody_takes_in_time_is_counted() -> None:
    batch = example_events(20_000, sensor=DVX)  # 6 s, of which the queue holds 0.1 s
    with emulated(DVXplorer([batch], realtime=False)):
        async with aevents.open("usb:", interval_us=1_000, queue=100).open() as running:
            await anext(running)
            for _ in range(1_000):  # a reader who is elsewhere
                await asyncio.sleep(0.01)
                report = running.report
                if report.get("queue_overruns", 0) >= 100:
                    break
            assert report["queue_overruns"] >= 100
            assert report.dropped == report["queue_overruns"]


@emulated_test
def test_blocking_reading_takes_no_loop() -> None:
    batch = example_events(5_000, sensor=DVX)
    with emulated(DVXplorer([batch], realtime=False)):
        found: list[EventBatch] = []
        with aevents.open(ROOMY).blocking() as running:
            while sum(map(len, found)) < len(batch):
                found.append(next(running))
        assert_same_events(found, [batch])
