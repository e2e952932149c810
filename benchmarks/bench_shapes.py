"""How fast are representations and filters, against other software of this field?

A million events of a real recording, 1280x720, from how each program holds events to
a dense array, or to the events that are kept. Each works in a process of its own (contest.py), in
turns; CPU time of all threads. HATS, of which a peer takes minutes, of a hundredth of that.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.contest import OURS, PYTHON, Best, race
from benchmarks.inputs import BYTES, load
from benchmarks.makers import CHUNKS, WORKS
from benchmarks.measure import Answer, Gate, Options, Table, ratio

EVENTS, SMOKE_EVENTS = 1_000_000, 2_000
FEW = {"HATS": 100}
"""Of these works, of so many times fewer events."""


def run(options: Options) -> Answer:
    """Measure each work; without the peers nobody but ours takes part."""
    tables, gates = [], []
    for what, makers in WORKS.items():
        if what == CHUNKS:  # bench_chunks.py
            continue
        path, count = events_of(what, options)
        peers = [name for name in makers if name != OURS] if PYTHON.exists() else []
        best = race("make", dict.fromkeys((OURS, *peers), (what, path)), options)
        tables.append(as_table(what, count, best))
        gates += [
            Gate(f"{what}, times {name}", ratio(best[name].cpu, best[OURS].cpu), at_least=1)
            for name in peers
        ]
    return Answer(tables, gates)


def events_of(what: str, options: Options) -> tuple[Path, int]:
    """Return a file of the events to work on, and how many they are."""
    count = (SMOKE_EVENTS if options.smoke else EVENTS) // FEW.get(what, 1)
    path = options.folder / f"{count}.npy"
    if not path.exists():
        np.save(path, np.asarray(load("evt3", BYTES["evt3"] * EVENTS, options)[:count]))
    return path, count


def as_table(what: str, count: int, best: dict[str, Best]) -> Table:
    """Return one line a program."""
    ours = best[OURS].cpu
    rows: list[tuple[str | float | None, ...]] = [
        (name, count / cpu / 1e6, cpu / ours) for name, (cpu, _) in best.items()
    ]
    return Table(f"{what}, {count} events", ("by", "Mev a CPU second", "CPU / ours"), rows)
