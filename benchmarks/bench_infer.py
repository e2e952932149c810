"""Do models keep time with 1080p at 30 Hz, does the loop stay free, and what does a process cost?

Five seconds of a video file of 1920x1080 in colour, played as it was taken, past models that sleep
for as long as a real one would work: runs and skipped slots, the age of the frames, and how late a
1 ms ticker is meanwhile. Then pictures through a worker process, against a pool that pickles them;
both are asked for one at a time, and take turns. Last, how a process grows over an endless stream.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import uvloop

from aevents import Frame, Model, Result, Sensor, Span, Stream, create, infer, video
from aevents._contracts import Origin
from aevents.stream import stream_of
from benchmarks.measure import Answer, Gate, Options, Table

SENSOR = Sensor(1920, 1080)
PERIOD_US = 1_000_000 / 30
SECONDS = 5.0
TICK = 0.001
PAIR = "90 ms and 500 ms, every 100 ms"
PICTURES = 4  # that are shown again and again

GROW = """
import json, sys, aevents
from benchmarks.bench_infer import film, first_pixel, resident

async def main(frames):
    at = []
    model = aevents.Model(first_pixel, where="process", history=aevents.History(3, 2))
    async with aevents.infer(film(frames), {"a": model, "b": len}) as results:
        async for result in results:
            if result.model == "a" and result.index % (frames // 10) == 0:
                at.append(resident())
    print(json.dumps((max(at[5:]) - at[2]) / 1024))

if __name__ == "__main__":
    aevents.run(lambda: main(int(sys.argv[1])))
"""


class Sleeper:
    """A model that takes so long, off the loop and without holding it up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def run(self, frame: Frame) -> None:
        """See a frame."""
        time.sleep(self.seconds)


class Played(NamedTuple):
    """How five seconds went."""

    wall: float
    results: list[Result[object]]
    lateness: list[float]

    def of(self, model: str) -> list[Result[object]]:
        """Return the results of a model."""
        return [one for one in self.results if one.model == model]


def run(options: Options) -> Answer:
    """Measure all three."""
    parts = [keeping_time(options), crossing(options), growth(options)]
    tables = [table for part in parts for table in part.tables]
    return Answer(tables, [gate for part in parts for gate in part.gates])


def keeping_time(options: Options) -> Answer:
    """Measure models of 0, 100 and 500 ms in real time."""
    seconds = 0.5 if options.smoke else SECONDS
    path = options.folder / "film.mp4"
    on_loop(lambda: travel(round(30 * seconds)).to(create(path)))
    models: dict[str, dict[str, Any]] = {
        "nothing": {"nothing": Sleeper(0)},
        "100 ms": {"100 ms": Sleeper(0.1)},
        PAIR: {
            "slow": Model(Sleeper(0.5), every_us=100_000),
            "fast": Model(Sleeper(0.09), every_us=100_000),
        },
    }
    played = {name: on_loop(partial(play, each, video(path))) for name, each in models.items()}
    rows: list[tuple[str | float | None, ...]] = []
    for name, one in played.items():
        for model in models[name]:
            results = one.of(model)
            skipped = sum(result.skipped for result in results)
            ages = sorted(result.age_us / 1000 for result in results)
            p95 = ages[int(0.95 * len(ages))]
            late = 1000 * statistics.median(one.lateness)
            row = (f"{name}: {model}", one.wall, len(results), skipped, p95, late)
            rows.append(row)
    columns = ("models: which", "wall s", "runs", "skipped", "age p95 ms", "loop late p50 ms")
    return Answer(
        [Table(f"{seconds:g} s of a file of 1080p at 30 Hz in real time", columns, rows)],
        [] if options.smoke else time_gates(played),
    )


def time_gates(played: Mapping[str, Played]) -> list[Gate]:
    """Return what must hold."""
    idle, one, pair = (played[name] for name in ("nothing", "100 ms", PAIR))
    ages = sorted(result.age_us / 1000 for result in idle.results)
    sums = len(one.results) + sum(result.skipped for result in one.results)
    late = max(statistics.median(each.lateness) for each in played.values())
    return [
        Gate(
            "frames a second past a model that does nothing",
            len(idle.results) / SECONDS,
            at_least=29.5,
        ),
        Gate("age of a frame there, p95, ms", ages[int(0.95 * len(ages))], at_most=10),
        Gate("5 s of video past a model of 100 ms, s", one.wall, at_most=5.3),
        Gate("its runs", len(one.results), at_least=45),
        Gate("runs and skipped slots of 150, difference", abs(sums - 150), at_most=0),
        Gate("runs of a fast model beside one of 500 ms", len(pair.of("fast")), at_least=45),
        Gate("the loop is late, p50, ms", 1000 * late, at_most=1),
    ]


async def play(models: Mapping[str, Any], frames: Stream[Frame]) -> Played:
    """Show the frames to these models, and look how late the loop is meanwhile."""
    lateness: list[float] = []
    ticking = asyncio.ensure_future(tick(lateness))
    try:
        async with infer(frames, models, realtime=True) as results:
            start = time.perf_counter()
            found = [result async for result in results]
            wall = time.perf_counter() - start
    finally:
        ticking.cancel()
    return Played(wall, found, lateness)


async def tick(lateness: list[float]) -> None:
    """Tick every millisecond."""
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        lateness.append(time.perf_counter() - due)


def film(count: int) -> Stream[Frame]:
    """Return a recording of so many pictures."""
    shape = SENSOR.height, SENSOR.width, 3
    pictures = [np.full(shape, number, np.uint8) for number in range(PICTURES)]
    return shown(lambda number: pictures[number % PICTURES], count)


def travel(count: int) -> Stream[Frame]:
    """Return so many pictures of blocks of all colours that move, as a codec has work with."""
    blocks = np.random.default_rng(0).integers(0, 256, (SENSOR.height // 8, SENSOR.width // 8, 3))
    scene = blocks.astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    return shown(lambda number: np.roll(scene, 3 * number, axis=1), count)


def shown(picture: Callable[[int], npt.NDArray[np.uint8]], count: int) -> Stream[Frame]:
    """Return so many pictures at 30 Hz."""

    def frames() -> Generator[Frame, None, None]:
        for number in range(count):
            span = Span(round(number * PERIOD_US), round((number + 1) * PERIOD_US))
            yield Frame(picture(number), span, SENSOR, "intensity")

    return stream_of(Origin("film", blocking=frames))


def crossing(options: Options) -> Answer:
    """Measure a picture's way to another process, and an answer's back."""
    count = 5 if options.smoke else 100
    best = {'infer(where="process")': float("inf"), "a pool that pickles": float("inf")}
    for _ in range(options.rounds(5)):
        for name, way in zip(best, (by_shared_memory, by_pickling), strict=True):
            best[name] = min(best[name], on_loop(partial(way, count)))
    ours, theirs = best.values()
    rows: list[tuple[str | float | None, ...]] = [
        (name, 1000 * seconds, seconds / ours) for name, seconds in best.items()
    ]
    title = "a picture of 1080p (6.2 MB) to a process, and an answer back"
    gate = Gate("1080p to a process, times pickling", theirs / ours, at_least=5)
    return Answer([Table(title, ("way", "ms a picture", "of ours"), rows)], [gate])


async def by_shared_memory(count: int) -> float:
    """Return the seconds a picture, behind the first."""
    frames = film(count + 1)
    async with infer(frames, first_pixel, where="process") as results, results.open() as run:
        await anext(run)
        start = time.perf_counter()
        assert len([one async for one in run]) == count
        return (time.perf_counter() - start) / count


async def by_pickling(count: int) -> float:
    """Return the seconds a picture, behind the first."""
    loop, frames = asyncio.get_running_loop(), list(film(PICTURES).blocking())
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        await loop.run_in_executor(pool, first_pixel, frames[0])
        start = time.perf_counter()
        for number in range(count):
            await loop.run_in_executor(pool, first_pixel, frames[number % PICTURES])
        return (time.perf_counter() - start) / count


def first_pixel(seen: Frame | tuple[Frame, ...]) -> int:
    """Return the first value of a frame, or of the newest."""
    frame = seen[-1] if isinstance(seen, tuple) else seen
    return int(frame.array[0, 0, 0])


def growth(options: Options) -> Answer:
    """Measure how much a process grows that shows many frames to a process and to a thread."""
    frames = 50 if options.smoke else 5_000
    done = subprocess.run(
        [sys.executable, "-c", GROW, str(frames)], capture_output=True, text=True, check=True
    )
    grown = json.loads(done.stdout)
    title = f"{frames} pictures of 1080p, each three times to a process"
    rows: list[tuple[str | float | None, ...]] = [("from 3/10 to the end", grown)]
    gate = Gate("growth over a long stream, MiB", grown, at_most=8)
    return Answer([Table(title, ("when", "MiB"), rows)], [gate])


def resident() -> int:
    """Return the memory that this process has in use, in KiB."""
    with open("/proc/self/status") as file:  # noqa: PTH123  # short
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def on_loop(work: Any) -> Any:  # noqa: ANN401  # whatever it returns
    """Run a coroutine function on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())
