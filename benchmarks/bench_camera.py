"""How fast do events of a camera come out of libcaer, and is the loop late meanwhile?

A DVXplorer is emulated that has more to say than anyone can take. It is read by `async for`, to
columns, and by a plain consumer in C; each in a process of its own, in turns. Then it is unplugged.
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
from benchmarks.measure import Answer, Gate, Options, Table

ROOT = Path(__file__).resolve().parent.parent
WAYS = {"c": "C, poll", "uvloop": "async for, uvloop", "asyncio": "async for, asyncio"}
SECONDS = 3.0


def run(options: Options) -> Answer:
    """Measure all ways; nothing where umockdev is missing."""
    try:
        libraries()
    except OSError:
        return Answer([], [Gate("events of an emulated camera, Mev/s", None, at_least=10)])
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(options.rounds(3)):
        for way in WAYS:
            runs[way].append(once(way, 0.3 if options.smoke else SECONDS))
    best = {way: max(found, key=speed) for way, found in runs.items()}
    cost = {way: min(map(cpu, found)) for way, found in runs.items()}
    rows = [
        (name, speed(best[way]), cost[way], cost[way] / cost["c"], best[way]["overruns"])
        for way, name in WAYS.items()
    ]
    columns = ("way", "Mev/s", "us CPU of a thousand events", "of C", "pieces lost")
    rates = Table("an emulated DVXplorer, as fast as it goes", columns, rows)
    loops = [one for way in ("uvloop", "asyncio") for one in runs[way]]
    late = {
        way: np.concatenate([one["late"] for one in runs[way]]) * 1e3 for way in WAYS if way != "c"
    }
    lateness = Table(
        "a ticker of 1 ms beside that is late by, ms",
        ("loop", "median", "99 %", "most", "most while the camera opens"),
        [
            (way, *map(float, np.percentile(one, (50, 99, 100))), most(runs[way], "opening"))
            for way, one in late.items()
        ],
    )
    gone = Table(
        "unplugged, that is told after, ms", ("loop", "most"),
        [(way, most(runs[way], "lost")) for way in late],
    )  # fmt: skip
    gates = [
        Gate("libcaer to columns, Mev/s", speed(best["uvloop"]), at_least=10),
        Gate("CPU against C", cost["uvloop"] / cost["c"], at_most=1.5),
        Gate("a ticker is late by, median, ms", float(np.median(late["uvloop"])), at_most=1),
        Gate("unplugged, told after, ms", max(one["lost"] for one in loops) * 1e3, at_most=1_000),
    ]
    return Answer([rates, lateness, gone], gates)


def once(way: str, seconds: float) -> dict[str, Any]:
    """Run one way, in a process that sees emulated cameras."""
    command = [sys.executable, "-m", "benchmarks.camera", way, str(seconds)]
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
