"""How fast are runs of events merged by time, against a stable `argsort` of all of them?

Runs that alternate in stretches of a length: by the kernel, from arrays into columns that are used
again, and by `merge_sorted`, from batches to batches.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aevents import EventBatch, Sensor, merge_sorted
from aevents._contracts import Origin
from aevents._native import kernels
from aevents.stream import stream_of
from benchmarks.measure import Answer, Gate, Options, Table, race

Columns = tuple[NDArray[Any], ...]

SENSOR = Sensor(640, 480)
RUNS, LENGTHS = (2, 4, 8, 16), (1, 16, 256)
BATCH = 16_384
NUMPY, KERNEL, STREAM = "argsort", "kernel", "merge_sorted"


def run(options: Options) -> Answer:
    """Measure every number of runs with every length of their stretches."""
    rows: list[tuple[str | float | None, ...]] = []
    gates = []
    for k, length in itertools.product(RUNS, LENGTHS):
        runs = alternating(k, length, options.events)
        batches = [cut(one) for one in runs]
        ways = {
            NUMPY: partial(sort, runs),
            KERNEL: partial(merge_at_once, runs),
            STREAM: partial(merge_streams, batches),
        }
        best = race(ways, options.rounds(3))
        speeds = [options.events / best[name] / 1e6 for name in ways]
        faster = best[NUMPY] / best[KERNEL]
        rows.append((f"{k}, {length}", *speeds, faster, best[NUMPY] / best[STREAM]))
        gates.append(Gate(f"{k} runs, stretches of {length}: times argsort", faster, at_least=3))
    columns = ("runs, stretch", *ways, "kernel, times argsort", "merge_sorted, times argsort")
    title = f"{options.events} events by time, Mev a CPU second"
    return Answer([Table(title, columns, rows)], gates)


def alternating(k: int, length: int, events: int) -> list[Columns]:
    """Return k runs of events, 1 us apart on average, that alternate in stretches of a length."""
    random = np.random.default_rng(1)
    times = np.cumsum(random.integers(0, 3, events))
    owner = np.repeat(random.integers(0, k, events // length + 1), length)[:events]
    x, y = (random.integers(0, size, events, np.uint16) for size in (640, 480))
    columns = times, x, y, random.integers(0, 2, events).astype(np.bool_)
    return [tuple(column[owner == one] for column in columns) for one in range(k)]


def cut(run: Columns) -> list[EventBatch]:
    """Return a run as batches."""
    starts = range(0, len(run[0]), BATCH)
    parts = [[column[start : start + BATCH] for column in run] for start in starts]
    return [EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=SENSOR) for t, x, y, p in parts]


def sort(runs: Sequence[Columns]) -> None:
    """What anyone would write with NumPy."""
    t, x, y, p = (np.concatenate(columns) for columns in zip(*runs, strict=True))
    order = np.argsort(t, kind="stable")
    assert len(t[order]) == len(x[order]) == len(y[order]) == len(p[order])


def merge_at_once(columns: Sequence[Columns]) -> None:
    """Merge arrays, into columns that are used again."""
    runs, out, left = kernels.Runs(len(columns)), kernels.columns(), sum(len(c[0]) for c in columns)
    for which, one in enumerate(columns):
        runs.put(which, one)
    while left:
        kernels.merge(runs, 1 << 62, out)
        left -= out.n


def merge_streams(runs: Sequence[Sequence[EventBatch]]) -> None:
    """Merge streams of batches."""
    streams = [stream_of(Origin("run", blocking=partial(in_turn, batches))) for batches in runs]
    got = sum(len(batch) for batch in merge_sorted(*streams).blocking())
    assert got == sum(len(batch) for batches in runs for batch in batches)


def in_turn(batches: Iterable[EventBatch]) -> Iterator[EventBatch]:
    """Give batches, as a blocking source does."""
    yield from batches
