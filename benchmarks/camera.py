"""One way to take events from an emulated camera, for bench_camera.py: what it found, as JSON.

python -m benchmarks.camera CAMERA WAY SECONDS

In the environment of `aevents.testing.cameras.preloaded`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import anyio
import numpy as np
import uvloop

import aevents
from aevents import DeviceLostError, EventBatch, Sensor
from aevents._native.wake import Wake
from aevents.cameras.inivation_settings import DVXPLORER, settings_of
from aevents.cameras.libcaer import Handle, library
from aevents.testing.cameras import DVXplorer, EmulatedCameras, emulated
from aevents.testing.cameras.words import WRAP, DvxWording
from benchmarks.camera_evk4 import BusyEvk4, by_c_and_libusb
from benchmarks.measure import build_naive

CYCLE_US = 1 << 15
CYCLE_EVENTS = 200_000  # in 33 ms: 6 Mev/s where the camera plays in real time
OPTIONS = {"interval_us": 10_000, "transfer_bytes": 1 << 16}
TICK = 0.001
PROTOTYPE = """
int64_t naive_take(void *get, void *handle, int file, double seconds,
                   int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p, size_t capacity);
"""


class Busy(DVXplorer):
    """A camera that says the same 33 ms again and again, as fast as it is asked."""

    def _chunks(self) -> Iterator[tuple[int, bytes]]:
        words = cycle()
        while True:
            yield 0, words


def cycle() -> bytes:
    """Return what the DVXplorer says again and again."""
    random = np.random.default_rng(0)
    t = np.sort(random.integers(1, CYCLE_US, CYCLE_EVENTS // 8)).repeat(8)
    x = random.integers(0, 640, CYCLE_EVENTS // 8).repeat(8)
    y = (random.integers(0, 60, CYCLE_EVENTS // 8) * 8).repeat(8) + np.tile(
        np.arange(8), CYCLE_EVENTS // 8
    )
    p = random.integers(0, 2, CYCLE_EVENTS // 8).repeat(8)
    batch = EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=Sensor(640, 480))
    return np.concatenate([[WRAP | 1], DvxWording().feed(batch)]).astype(np.uint16).tobytes()


class Callbacks:
    """The longest callback of asyncio's own loop, in seconds of CPU."""

    def __init__(self) -> None:
        self.longest = 0.0
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.longest = max(self.longest, time.thread_time() - began)

        asyncio.Handle._run = timed


async def by_loop(seconds: float, cameras: EmulatedCameras, **options: object) -> dict[str, object]:
    """Take events with `async for`, beside a ticker; then unplug the camera."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - due)

    ticking = asyncio.create_task(tick())
    stream = aevents.open("usb:", **options)
    await anyio.sleep(TICK)  # anyio needs 15 ms when a loop uses it for the first time
    callbacks = Callbacks()
    async with stream.open() as running:
        await anext(running)
        opened, events, longest = len(late), 0, callbacks.longest
        began, used = time.perf_counter(), time.process_time()
        while time.perf_counter() < began + seconds:
            events += len(await anext(running))
        took, used = time.perf_counter() - began, time.process_time() - used
        overruns = running.report.get("queue_overruns", 0)
        ticking.cancel()
        await asyncio.to_thread(cameras.unplug)
        unplugged = time.perf_counter()
        try:
            while True:
                await anext(running)
        except DeviceLostError:
            lost = time.perf_counter() - unplugged
    return {
        "events": events, "took": took, "used": used, "overruns": overruns, "lost": lost,
        "opening": max(late[:opened], default=0), "late": late[opened:], "callback": longest,
    }  # fmt: skip


def by_c(seconds: float) -> dict[str, object]:
    """Take events in C."""
    naive = build_naive("naive_camera", PROTOTYPE)
    ffi, wake = naive.ffi, Wake()
    handle = Handle(DVXPLORER.number, 1, 2)
    about = handle.about(DVXPLORER.about)
    handle.set_defaults()
    DVXPLORER.prepare(handle, about, settings_of(OPTIONS))
    handle.start(wake)
    columns = [
        ffi.new(f"{type}[]", 1 << 20) for type in ("int64_t", "uint16_t", "uint16_t", "uint8_t")
    ]
    get = ffi.cast("void *", int(_address(library().calls.caerDeviceDataGet)))
    opened = ffi.cast("void *", int(_address(handle._opened[0])))
    naive.lib.naive_take(get, opened, wake.file, 0.2, *columns, 1 << 20)
    began, used = time.perf_counter(), time.process_time()
    events = naive.lib.naive_take(get, opened, wake.file, seconds, *columns, 1 << 20)
    took, used = time.perf_counter() - began, time.process_time() - used
    overruns = handle.overruns
    handle.close()
    return {"events": events, "took": took, "used": used, "overruns": overruns}


def _address(pointer: object) -> int:
    from aevents.cameras.libcaer import ffi

    return int(ffi.cast("uintptr_t", pointer))


def main(camera: str, way: str, seconds: float) -> None:
    """Print what this way found."""
    model = {"dvxplorer": Busy, "evk4": BusyEvk4}[camera]()
    options = OPTIONS if camera == "dvxplorer" else {}
    in_c = by_c if camera == "dvxplorer" else by_c_and_libusb
    with emulated(model) as cameras:
        if way == "c":
            found = in_c(seconds)
        else:
            loop = uvloop.new_event_loop if way == "uvloop" else asyncio.new_event_loop
            with asyncio.Runner(loop_factory=loop) as runner:
                found = runner.run(by_loop(seconds, cameras, **options))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
