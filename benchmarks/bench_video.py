"""Does video keep up? 1080p at 30 frames a second from a file in real time, and flat out.

In real time: how many frames a second come, how old each is when it comes (behind its presentation
time), how late a 1 ms ticker is on the same uvloop. Flat out: CPU time a frame, all threads,
against PyAV and OpenCV in a plain loop that asks for the same pixels. How much a process grows in
ten minutes of film. The film is random blocks that move.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import uvloop

import aevents
from benchmarks.bench_stream import cpu_seconds
from benchmarks.measure import ROOT, Answer, Gate, Options, Table, race

PLAY = """
import asyncio, json, sys, time, uvloop, aevents

async def tick(late, stop):
    while not stop.is_set():
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - due)

async def play():
    late, ages, stop, begun = [], [], asyncio.Event(), None
    ticking = asyncio.ensure_future(tick(late, stop))
    async with aevents.video(sys.argv[1]).paced().open() as frames:
        async for frame in frames:
            now = time.perf_counter()
            begun = now if begun is None else begun
            ages.append(now - begun - frame.span.start / 1e6)
        took = time.perf_counter() - begun
        report = dict(frames.report.anomalies)
    stop.set()
    await ticking
    print(json.dumps({"fps": len(ages) / took, "ages": ages, "late": late, "report": report}))

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(play())
"""

GROW = """
import asyncio, json, pathlib, re, sys, aevents

def most_used():
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

async def read(rounds):
    for number in range(rounds):
        async for frame in aevents.video(sys.argv[1]): pass
        if number == 0: before = most_used()
    return (most_used() - before) / 1024

print(json.dumps(asyncio.run(read(int(sys.argv[2])))))
"""


def run(options: Options) -> Answer:
    """Measure all three."""
    size = (320, 180) if options.smoke else (1920, 1080)
    path = film(options.folder / "film.mp4", *size, 30 if options.smoke else 300)
    small = film(options.folder / "small.mp4", 320, 240, 300)
    parts = [played(path), flat_out(path, options), grown(small, 2 if options.smoke else 60)]
    tables = [table for part in parts for table in part.tables]
    return Answer(tables, [gate for part in parts for gate in part.gates])


def film(path: Path, width: int, height: int, count: int) -> Path:
    """Write a film in H.264, 30 frames a second."""
    random = np.random.default_rng(0)
    ground = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    pixels = np.tile(ground.repeat(8, axis=0).repeat(8, axis=1), (1, 2, 1))
    frames = np.stack([pixels[:height, 4 * k : 4 * k + width] for k in range(30)])
    looped = aevents.from_frames(frames, rate_hz=30, repeat=True).take(count)
    asyncio.run(looped.to(str(path)))  # type: ignore[arg-type]  # a coroutine it is
    return path


def played(path: Path) -> Answer:
    """Measure a film that is played in real time."""
    found = ask(PLAY, str(path))
    ages, late = (1000 * np.array(found[name]) for name in ("ages", "late"))
    ages -= ages.min()  # the first may have been late itself
    rows: list[tuple[str | float | None, ...]] = [
        ("frames a second", found["fps"]),
        ("age of a frame, median, ms", float(np.median(ages))),
        ("age of a frame, 95 of 100, ms", float(np.percentile(ages, 95))),
        ("lateness of the loop, median, ms", float(np.median(late))),
        ("anomalies in the report", float(sum(found["report"].values()))),
    ]
    gates = [
        Gate("frames a second in real time", found["fps"], at_least=29.5),
        Gate("age of a frame, 95 of 100, ms", float(np.percentile(ages, 95)), at_most=10),
        Gate("lateness of the loop, median, ms", float(np.median(late)), at_most=1),
    ]
    return Answer([Table(f"{path.name} in real time", ("what", "measured"), rows)], gates)


def flat_out(path: Path, options: Options) -> Answer:
    """Measure the CPU time of a film, frame by frame."""
    contestants: dict[str, Callable[[], int]] = {
        "PyAV": lambda: by_pyav(path),
        "aevents, PyAV": lambda: by_aevents(path, "av"),
        "OpenCV": lambda: by_opencv(path),
        "aevents, OpenCV": lambda: by_aevents(path, "opencv"),
    }
    counts = {contestant() for contestant in contestants.values()}
    assert len(counts) == 1, counts
    best = race(contestants, options.rounds(5), clock=cpu_seconds)
    rows: list[tuple[str | float | None, ...]] = [
        (name, 1000 * seconds / next(iter(counts))) for name, seconds in best.items()
    ]
    gates = [
        Gate(f"speed against {bare} alone", best[bare] / best[f"aevents, {bare}"], at_least=0.8)
        for bare in ("PyAV", "OpenCV")
    ]
    return Answer([Table("flat out, RGB", ("way", "CPU ms a frame"), rows)], gates)


def by_pyav(path: Path) -> int:
    """Read the film by PyAV; return the number of frames."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(len(one.to_ndarray(format="rgb24")) > 0 for one in container.decode(video=0))


def by_opencv(path: Path) -> int:
    """Read the film by OpenCV; return the number of frames."""
    video, count = cv2.VideoCapture(str(path)), 0
    while True:
        there, pixels = video.read()
        if not there:
            return count
        count += len(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)) > 0


def by_aevents(path: Path, backend: str) -> int:
    """Read the film by `async for`; return the number of frames."""

    async def read() -> int:
        count = 0
        async for _ in aevents.video(path, backend=backend):  # type: ignore[arg-type]
            count += 1
        return count

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(read())


def grown(path: Path, rounds: int) -> Answer:
    """Measure how much a process grows that reads a film again and again."""
    mebibytes = ask(GROW, str(path), str(rounds))
    rows: list[tuple[str | float | None, ...]] = [(f"{rounds * 10} s of film", mebibytes)]
    gate = Gate("growth behind the first ten seconds, MiB", mebibytes, at_most=8)
    return Answer([Table("memory", ("what", "growth behind the first 10 s, MiB"), rows)], [gate])


def ask(script: str, *arguments: str) -> dict[str, list[float]]:
    """Return what a script prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return json.loads(done.stdout)
