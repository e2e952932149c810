"""How fast are events made of pictures? As ratios to v2e, and to ESIM's equations in NumPy.

A texture that moves behind black and white disks at 1000 pictures a second: each simulator in a
process of its own, in turns, one thread, CPU time. v2e is not on PyPI: install it
from its repository into an environment of its own, and name the Python of that in `$AEVENTS_V2E`;
without, it is not measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.measure import ROOT, Answer, Gate, Options, Table, ratio
from benchmarks.simulators import SIMULATORS

SCRIPT = Path(__file__).with_name("simulators.py")
V2E = os.environ.get("AEVENTS_V2E")
SIZES = {"346x260": (346, 260, 60), "1280x720": (1280, 720, 20)}
SMOKE = {"32x24": (32, 24, 3)}


class Best(NamedTuple):
    """The best CPU time of one simulator, in seconds, and how many events it made."""

    cpu: float
    events: int


def run(options: Options) -> Answer:
    """Measure both models at both sizes."""
    tables, gates = [], []
    for title, (width, height, count) in (SMOKE if options.smoke else SIZES).items():
        path = options.folder / f"pictures-{title}.npy"
        np.save(path, scene(width, height, count))
        best = race(path, options.rounds(4))
        pixels = width * height * (count - 1)
        tables.append(as_table(title, best, pixels))
        for ours, theirs, limit in (("v2e", "v2e", 15), ("ESIM", "v2e", 20)):
            quotient = ratio(cpu(best, theirs), cpu(best, f"ours, {ours}"))
            gates.append(Gate(f"{ours}, {title}, times {theirs}", quotient, at_least=limit))
    return Answer(tables, gates)


def scene(width: int, height: int, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return pictures of a ground with texture that moves behind black and white disks."""
    y, x = np.mgrid[0:height, 0:width]
    dice = np.random.default_rng(0)
    ground = dice.integers(-20, 20, (height, width + count)) + 120
    disks = [(*dice.random(2), 5 + 245 * (k % 2)) for k in range(8)]
    pictures = []
    for k in range(count):
        waves = 70 * np.sin((x + 3 * k) / 17) * np.cos((y - 2 * k) / 23)
        picture = ground[:, k : k + width] + waves
        for place, row, light in disks:
            away = np.hypot(x - (place * width + 4 * k) % width, y - row * height)
            picture[away < height / 10] = light
        pictures.append(picture.astype(np.uint8))
    return np.stack(pictures)


def race(path: Path, rounds: int) -> dict[str, Best]:
    """Return the best of each; they take turns, after a round that does not count."""
    best: dict[str, Best] = {}
    with ExitStack() as running:
        asked = {
            name: running.enter_context(process)
            for name in SIMULATORS
            if (process := started(name, path)) is not None
        }
        for turn in range(rounds + 1):
            for name, process in asked.items():
                found = ask(process)
                if turn:
                    best[name] = min(best.get(name, found), found)
        for process in asked.values():
            assert process.stdin is not None
            process.stdin.close()
    return best


def started(name: str, path: Path) -> subprocess.Popen[str] | None:
    """Start a simulator; return None if there is none."""
    python = V2E if name.startswith("v2e") else sys.executable
    if python is None:
        return None
    return subprocess.Popen(
        [python, str(SCRIPT), name, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )


def ask(process: subprocess.Popen[str]) -> Best:
    """Have a simulator run once; return what it spent and made."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("again\n")
    process.stdin.flush()
    return Best(**json.loads(process.stdout.readline()))


def cpu(best: dict[str, Best], name: str) -> float | None:
    """Return the time of a simulator, None if it was not there."""
    return best[name].cpu if name in best else None


def as_table(title: str, best: dict[str, Best], pixels: int) -> Table:
    """Return one line a simulator."""
    rows: list[tuple[str | float | None, ...]] = [
        (name, pixels / one.cpu / 1e6, one.events / one.cpu / 1e6, one.events / pixels)
        for name, one in best.items()
    ]
    columns = ("by", "Mpixel a CPU second", "Mev a CPU second", "events a pixel")
    return Table(f"{title}, 1000 pictures a second", columns, rows)
