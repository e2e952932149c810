"""How fast is a stream cut into chunks of another size, and how do arrays get to other processes?

64 MiB in writes of 1 KiB become chunks of 64 KiB: with `async for`, by our `BufferEmit`, and by
ocycle's, each in a process of its own (contest.py), CPU time. Then arrays of 1080p go to two
processes that look at one number of them, by `workers` and by the executor of the standard library,
which pickles them: CPU time of all three processes, from when they are running.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import aevents
from benchmarks.contest import OURS, PYTHON, race
from benchmarks.makers import CHUNKS, WORKS
from benchmarks.measure import Answer, Gate, Options, Table, ratio

MIB = 64
SHAPES = {
    "grey, uint8": ((1080, 1920), np.uint8),
    "RGB, uint8": ((1080, 1920, 3), np.uint8),
    "grey, float32": ((1080, 1920), np.float32),
}
COUNT, PENDING = 2, 4
WARM, ARRAYS = 8, 100


def run(options: Options) -> Answer:
    """Measure both."""
    parts = [chunks(options), processes(options)]
    tables = [table for part in parts for table in part.tables]
    return Answer(tables, [gate for part in parts for gate in part.gates])


def chunks(options: Options) -> Answer:
    """Measure the way of 1 KiB into 64 KiB."""
    path = options.folder / "bytes.npy"
    mib = 1 if options.smoke else MIB
    np.save(path, np.random.default_rng(1).integers(0, 256, mib << 20).astype(np.uint8))
    peers = ["ocycle"] if PYTHON.exists() else []
    names = [name for name in WORKS[CHUNKS] if name.startswith(OURS)]
    best = race("make", dict.fromkeys((*names, *peers), (CHUNKS, path)), options)
    writes = mib << 10
    rows: list[tuple[str | float | None, ...]] = [
        (name, 1e6 * cpu / writes, cpu / best[OURS].cpu) for name, (cpu, _) in best.items()
    ]
    table = Table(CHUNKS, ("by", "us CPU a write", "CPU / ours"), rows)
    gates = [
        Gate(f"rechunk, times {name}", ratio(best[name].cpu, best[OURS].cpu), at_least=2)
        for name in peers
    ]
    return Answer([table], gates)


def processes(options: Options) -> Answer:
    """Measure the way of arrays to processes."""
    rows: list[tuple[str | float | None, ...]] = []
    gates = []
    for name, (shape, dtype) in SHAPES.items():
        array = np.full(shape, 7, dtype)
        array.flags.writeable = False
        best = dict.fromkeys((by_workers, by_pickling), float("inf"))
        for _ in range(options.rounds(5)):
            for way in best:
                best[way] = min(best[way], way(array, 4 if options.smoke else ARRAYS))
        ours, theirs = best[by_workers], best[by_pickling]
        rows.append((name, 1e3 * ours, 1e3 * theirs, theirs / ours))
        gates.append(Gate(f"processes, {name}: times pickling", theirs / ours, at_least=5))
    columns = ("1080p", "workers, ms CPU an array", "pickling, ms CPU an array", "times pickling")
    return Answer([Table(f"arrays to {COUNT} processes", columns, rows)], gates)


def corner(array: npt.NDArray[Any]) -> float:
    """Look at one number."""
    return float(array.flat[0])


def by_workers(array: npt.NDArray[Any], count: int) -> float:
    """Return the CPU seconds an array takes by shared memory."""

    async def work() -> float:
        stream = aevents.from_chunks(array for _ in range(WARM + count)).map(data_of)
        async with aevents.workers(
            stream, corner, where="process", count=COUNT, max_pending=PENDING
        ) as results:
            start, seen = 0.0, 0
            async for value in results:
                assert value == 7
                seen += 1
                start = spent() if seen == WARM else start
                end = spent() if seen == WARM + count else 0
        return (end - start) / count

    return aevents.run(work)


def by_pickling(array: npt.NDArray[Any], count: int) -> float:
    """Return the CPU seconds an array takes by a pool of processes."""
    with ProcessPoolExecutor(COUNT) as pool:
        pending = deque(pool.submit(corner, array) for _ in range(PENDING))
        start = 0.0
        for left in reversed(range(WARM + count)):
            assert pending.popleft().result() == 7
            start = spent() if left == count else start
            if left >= PENDING:
                pending.append(pool.submit(corner, array))
        return (spent() - start) / count


def data_of(chunk: aevents.Chunk[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the array alone."""
    return chunk.data


def spent() -> float:
    """Return the CPU seconds of this process and those that it has started, all threads."""
    mine, total = os.getpid(), 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if mine in (parent, int(folder.name)):
                times = [path.read_text().split()[0] for path in folder.glob("task/*/schedstat")]
                total += sum(map(int, times))
        except OSError:  # it has ended meanwhile
            continue
    return total / 1e9
