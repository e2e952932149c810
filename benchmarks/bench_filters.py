"""How fast are noise filters, against the same in NumPy? And taking out the events to keep?

A bar that moves over 1280x720 with a fifth of noise; batches of 16,384 events. The NumPy versions
give the same events: they are the twins of the kernels. Thread CPU time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aevents._native import kernels, twins
from aevents._native.checks import BURST_TYPE
from benchmarks.measure import Answer, Gate, Options, Table, race

WIDTH, HEIGHT = 1280, 720
BATCH = 16_384
MOST_US = 2_000
FILTERS = ("background", "refractory", "contrast", "lines", "pick")
Columns = tuple[NDArray[Any], ...]


def run(options: Options) -> Answer:
    """Measure each filter, and taking out."""
    batches = scene(min(options.events, 1_000_000))
    events = sum(len(batch[0]) for batch in batches)
    rows: list[tuple[str | float | None, ...]] = []
    gates = []
    for name in FILTERS:
        ways = {"C": task(kernels, name, batches), "NumPy": task(twins, name, batches)}
        best = race(ways, options.rounds(3))
        faster = best["NumPy"] / best["C"]
        rows.append((name, events / best["C"] / 1e6, events / best["NumPy"] / 1e6, faster))
        gates.append(Gate(f"{name}: times NumPy", faster, at_least=20 if name == FILTERS[0] else 3))
    columns = ("kernel", "C, Mev/s", "NumPy, Mev/s", "times NumPy")
    return Answer([Table(f"{events} events", columns, rows)], gates)


def scene(events: int) -> list[Columns]:
    """Return the events of the bar and the noise, in batches."""
    dice = np.random.default_rng(1)
    t = np.sort(dice.integers(0, events, events))
    bar = (t * WIDTH // events + dice.normal(0, 3, events)) % WIDTH
    x = np.where(dice.random(events) < 0.2, dice.integers(0, WIDTH, events), bar)
    y, p = dice.integers(0, HEIGHT, events), dice.integers(0, 2, events)
    columns = t, x.astype(np.uint16), y.astype(np.uint16), p.astype(np.bool_)
    starts = range(0, events, BATCH)
    return [tuple(column[at : at + BATCH] for column in columns) for at in starts]


def task(module: ModuleType, name: str, batches: list[Columns]) -> Callable[[], None]:
    """Return what takes all batches through one kernel, each time from the beginning."""
    return partial(_run, module, name, batches, np.random.default_rng(2).random(BATCH) < 0.7)


def _run(module: ModuleType, name: str, batches: list[Columns], chosen: NDArray[np.bool_]) -> None:
    border = 2 if name == "background" else 0
    dtype = BURST_TYPE if name == "contrast" else np.uint64
    table = np.zeros((HEIGHT + border, WIDTH + border), dtype)
    options = {"trail": True} if name == "contrast" else {}
    keep = np.empty(BATCH, np.bool_)
    for batch in batches:
        n = len(batch[0])
        if name == "pick":
            module.pick(batch, chosen[:n])
        elif name == "lines":
            module.lines(batch[0], batch[2], 100, keep[:n])
        else:
            getattr(module, name)(batch, table, MOST_US, keep[:n], **options)
