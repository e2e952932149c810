"""How fast do words come through the bridge to Metavision HAL, and is the loop late meanwhile?

A stand-in for HAL, that of the tests, has more to say than anyone can take: words of EVT 3.0, of an
EVK4. They are read by `async for`, to columns, and decoded alone, as bytes in memory.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import uvloop

import aevents
from aevents.cameras import metavision_bridge
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.header import write_header
from aevents.codecs.raw import raw_lines
from aevents.types import Sensor
from benchmarks.camera_evk4 import words_and_events
from benchmarks.measure import Answer, Gate, Options, Table
from tests.hal.sdk import StandIn

SERIAL = "BUSY"
BUFFER = 1 << 17
SECONDS = 2.0
TICK = 0.001
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
LEAST = "through Metavision HAL to columns, MB/s"

Found = tuple[float, float, float]
"""Bytes, seconds, and seconds of CPU of the thread that reads: HAL's makes much that is dropped."""


def run(options: Options) -> Answer:
    """Measure all ways; nothing where there is no C++ compiler."""
    if shutil.which("c++") is None:
        return Answer([], [Gate(LEAST, None, at_least=60)])
    places = {"AEVENTS_METAVISION": options.folder / "sdk", "XDG_CACHE_HOME": options.folder}
    with patch.dict(os.environ, {name: str(path) for name, path in places.items()}):
        hal = StandIn(options.folder / "sdk")
        metavision_bridge.build()
        hal.plug(SERIAL, recording(options.folder / "busy.raw"), buffer=BUFFER, endless=True)
        return raced(options)


def raced(options: Options) -> Answer:
    """Let all ways take turns."""
    seconds = 0.2 if options.smoke else SECONDS
    runs: dict[str, list[Found]] = {name: [] for name in (*LOOPS, "alone")}
    late: dict[str, list[float]] = {name: [] for name in LOOPS}
    for _ in range(options.rounds(3)):
        for name, loop in LOOPS.items():
            with asyncio.Runner(loop_factory=loop) as runner:
                runs[name].append(runner.run(by_loop(seconds, late[name])))
        runs["alone"].append(alone(seconds))
    cost = {name: min(used / size for size, _, used in found) for name, found in runs.items()}
    speed = {name: max(size / took for size, took, _ in found) for name, found in runs.items()}
    rows = [
        (name, speed[name] / 1e6, cost[name] * 1e9, cost[name] / cost["alone"]) for name in runs
    ]
    lateness = [
        (name, *map(float, np.percentile(late[name], (50, 99, 100)) * 1e3)) for name in late
    ]
    ratio = cost["uvloop"] / cost["alone"]
    return Answer(
        [
            Table("a stand-in for HAL, as fast as it goes",
                  ("way", "MB/s", "ms CPU of the reader, a MB", "of decoding alone"), rows),
            Table("a ticker of 1 ms beside that is late by, ms",
                  ("loop", "median", "99 %", "most"), lateness),
        ],
        [
            Gate(LEAST, speed["uvloop"] / 1e6, at_least=60),
            Gate("CPU of the reader against decoding alone", ratio, at_most=2),
            Gate("a ticker is late by, median, ms", lateness[0][1], at_most=1),
        ],
    )  # fmt: skip


def recording(path: Path) -> Path:
    """Return a RAW file of what an EVK4 sees in 33 ms."""
    header = write_header(raw_lines("EVT3", "3.0", Sensor(1280, 720)))
    path.write_bytes(header + words_and_events()[0].tobytes())
    return path


async def by_loop(seconds: float, late: list[float]) -> Found:
    """Take events with `async for`, beside a ticker."""

    async def tick() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - due)

    words, of = words_and_events()
    async with aevents.open("metavision:").open() as running:
        await anext(running)
        ticking = asyncio.create_task(tick())
        events, began, used = 0, time.perf_counter(), time.thread_time()
        while time.perf_counter() < began + seconds:
            events += len(await anext(running))
        took, used = time.perf_counter() - began, time.thread_time() - used
        ticking.cancel()
    return events * words.nbytes / of, took, used


def alone(seconds: float) -> Found:
    """Decode the same words, which are there."""
    decoder = Evt3Decoder(sensor=Sensor(1280, 720))
    decoder.hurry()
    said = words_and_events()[0].tobytes()
    pieces = [said[at : at + BUFFER] for at in range(0, len(said), BUFFER)]
    for _ in decoder.feed(write_header(raw_lines("EVT3", "3.0", Sensor(1280, 720)))):
        pass
    size, began, used = 0, time.perf_counter(), time.thread_time()
    while time.perf_counter() < began + seconds:
        for piece in pieces:
            for _ in decoder.feed(piece):
                pass
            size += len(piece)
    return size, time.perf_counter() - began, time.thread_time() - used
