"""How fast do events of a camera come, and is the loop late meanwhile?

A DVXplorer, which libcaer reads, and an EVK4, which our own driver reads, are emulated that have
more to say than anyone can take. Each is read by `async for`, to columns, and by a plain consumer
in C; each way in a process of its own, in turns. Then it is unplugged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aevents.testing.cameras import preloaded
from aevents.testing.cameras.usbdevfs import libraries
from benchmarks.camera import CYCLE_EVENTS, cycle
from benchmarks.camera_evk4 import words_and_events
from benchmarks.measure import Answer, Gate, Options, Table

ROOT = Path(__file__).resolve().parent.parent
WAYS = {"c": "C, poll", "uvloop": "async for, uvloop", "asyncio": "async for, asyncio"}
SECONDS = 3.0
CAMERAS = {"dvxplorer": "DVXplorer", "evk4": "EVK4"}
BYTES = {
    "dvxplorer": len(cycle()) / CYCLE_EVENTS,
    "evk4": 2 * len(words_and_events()[0]) / words_and_events()[1],
}


def run(options: Options) -> Answer:
    """Measure all ways of both cameras; nothing where umockdev is missing."""
    try:
        libraries()
    except OSError:
        return Answer([], [Gate("events of an emulated camera, Mev/s", None, at_least=10)])
    tables: list[Table] = []
    gates: list[Gate] = []
    for camera in CAMERAS:
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(options.rounds(3)):
            for way in WAYS:
                runs[way].append(once(camera, way, 0.3 if options.smoke else SECONDS))
        tables += tables_of(camera, runs)
        gates += gates_of(camera, runs)
    return Answer(tables, gates)


def tables_of(camera: str, runs: dict[str, list[dict[str, Any]]]) -> list[Table]:
    """Return what was measured of a camera."""
    best = {way: max(found, key=speed) for way, found in runs.items()}
    cost = {way: min(map(cpu, found)) for way, found in runs.items()}
    rows = [
        (
            name, speed(best[way]), speed(best[way]) * BYTES[camera], cost[way],
            cost[way] / cost["c"], best[way]["overruns"],
        )
        for way, name in WAYS.items()
    ]  # fmt: skip
    columns = ("way", "Mev/s", "MB/s", "us CPU of a thousand events", "of C", "pieces lost")
    late = {
        way: np.concatenate([one["late"] for one in runs[way]]) * 1e3 for way in WAYS if way != "c"
    }
    lateness = [
        (way, *map(float, np.percentile(one, (50, 99, 100))), most(runs[way], "opening"))
        for way, one in late.items()
    ]
    return [
        Table(f"an emulated {CAMERAS[camera]}, as fast as it goes", columns, rows),
        Table(
            "a ticker of 1 ms beside that is late by, ms",
            ("loop", "median", "99 %", "most", "most while the camera opens"), lateness,
        ),
        Table(
            "the longest callback while the camera opens, ms CPU", ("loop", "most"),
            [("asyncio", most(runs["asyncio"], "callback"))],
        ),
        Table(
            "unplugged, that is told after, ms", ("loop", "most"),
            [(way, most(runs[way], "lost")) for way in late],
        ),
    ]  # fmt: skip


def gates_of(camera: str, runs: dict[str, list[dict[str, Any]]]) -> list[Gate]:
    """Return what must hold of a camera."""
    name, loop = CAMERAS[camera], runs["uvloop"]
    fastest = max(map(speed, loop))
    rate = (
        Gate(f"{name} to columns, Mev/s", fastest, at_least=10)
        if camera == "dvxplorer"
        else Gate(f"{name} to columns, MB/s", fastest * BYTES[camera], at_least=60)
    )
    ratio = min(map(cpu, loop)) / min(map(cpu, runs["c"]))
    late = np.concatenate([one["late"] for one in loop]) * 1e3
    told = max(most(runs[way], "lost") for way in ("uvloop", "asyncio"))
    return [
        rate,
        Gate(f"{name}, CPU against C", ratio, at_most=1.5),
        Gate(f"{name}, a ticker is late by, median, ms", float(np.median(late)), at_most=1),
        Gate(
            f"{name} opens, longest callback, ms CPU", most(runs["asyncio"], "callback"), at_most=5
        ),
        Gate(f"{name}, unplugged, told after, ms", told, at_most=1_000),
    ]


def once(camera: str, way: str, seconds: float) -> dict[str, Any]:
    """Run one way, in a process that sees emulated cameras."""
    command = [sys.executable, "-m", "benchmarks.camera", camera, way, str(seconds)]
    done = subprocess.run(
        command, cwd=ROOT, env=preloaded(), check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def speed(found: dict[str, Any]) -> float:
    """Return Mev/s."""
    return float(found["events"] / found["took"] / 1e6)


def cpu(found: dict[str, Any]) -> float:
    """Return us of CPU, of libcaer and its reader, a thousand events."""
    return float(found["used"] / found["events"] * 1e9)


def most(found: list[dict[str, Any]], name: str) -> float:
    """Return the largest of these times, in ms."""
    return max(one[name] for one in found) * 1e3
