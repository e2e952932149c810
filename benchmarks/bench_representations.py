"""How fast are surfaces and voxel grids made? As ratios to NumPy.

A real recording of 1280x720, again and again, into the times of the last events and into a grid of
five bins, each event shared between two; then a surface of two polarities, fading at read-out.
Thread CPU time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aevents import EventBatch
from aevents._native import LEVELS, compiled
from aevents._native._kernels import lib
from aevents.operators.surfaces import NEVER
from benchmarks.inputs import load, words
from benchmarks.measure import Answer, Gate, Options, Table, levels, race, ratio

WIDTH, HEIGHT, BINS = 1280, 720, 5
PLANE = WIDTH * HEIGHT
TAU_US = 50_000
SIZE = 8 << 20
"""Bytes of events: so many that a table is filled more than once, as a stream fills it."""
Contestants = dict[str, Callable[[], object]]


def run(options: Options) -> Answer:
    """Measure all three on the same events."""
    events = load("evt3", 1 if options.smoke else SIZE, options)
    name, rounds = words("evt3", options).name, options.rounds(9)
    written = race(writing(events), rounds)
    shared = race(sharing(events), rounds)
    faded = race(fading(events), rounds)
    tables = [
        as_table(f"time surface of {len(events)} events: {name}", written, len(events)),
        as_table(f"voxel grid of {BINS} bins, of the same", shared, len(events)),
        as_table(f"exponential decay of {WIDTH}x{HEIGHT}, two polarities", faded),
    ]
    fastest = f"ours, {[*levels()][-1]}"
    gates = [
        Gate("time surface, times NumPy", ratio(written["NumPy"], written["ours"]), at_least=3),
        Gate(
            "voxel grid, times np.add.at", ratio(shared["np.add.at"], shared["ours"]), at_least=30
        ),
        Gate("decay, times NumPy", ratio(faded["NumPy"], faded[fastest]), at_least=3),
    ]
    return Answer(tables, gates)


def as_table(title: str, best: dict[str, float], events: int = 0) -> Table:
    """Return one line a contestant: events a second if there are events, else time a frame."""
    first = next(iter(best.values()))
    unit = "Mev/s" if events else "ms a frame"
    rows: list[tuple[str | float | None, ...]] = [
        (name, first / time, events / time / 1e6 if events else 1000 * time)
        for name, time in best.items()
    ]
    return Table(title, ("by", "x the first", unit), rows)


def by_level(work: Callable[[], object]) -> Contestants:
    """Return our work at each instruction set of this CPU."""

    def at(level: int) -> Callable[[], object]:
        return lambda: (lib.ae_select(level), work())

    return {f"ours, {isa}": at(level) for isa, level in LEVELS.items() if isa in levels()}


def writing(events: EventBatch) -> Contestants:
    """Return what notes the last time of each pixel and polarity."""
    theirs = np.full((2, HEIGHT, WIDTH), NEVER)
    ours = np.full(2 * PLANE + 1, NEVER)
    t, x, y, p = events.t, events.x, events.y, events.p

    def assign() -> None:
        theirs[p.astype(np.intp), y, x] = t

    return {
        "NumPy": assign,
        "ours": lambda: compiled.last_times(ours, t, x, y, p, WIDTH, HEIGHT),
    }


def sharing(events: EventBatch) -> Contestants:
    """Return what shares each event between two bins; the first as E2VID does it."""
    t, x, y, p = events.t, events.x, events.y, events.p
    theirs = np.zeros(BINS * PLANE, np.float32)
    ours = np.zeros((BINS, HEIGHT, WIDTH), np.float32)
    first, scale = int(t[0]), (BINS - 1) / max(int(t[-1] - t[0]), 1)

    def add_at() -> None:
        place = (t - first) * scale
        early = place.astype(np.int64)
        late, weight = place - early, np.where(p, 1.0, -1.0)
        pixel = x + y.astype(np.int64) * WIDTH
        for bins, shares in ((early, weight * (1 - late)), (early + 1, weight * late)):
            inside = bins < BINS
            np.add.at(theirs, (pixel + bins * PLANE)[inside], shares[inside])

    return {
        "np.add.at": add_at,
        "ours": lambda: compiled.voxels(ours, t, x, y, p, first, scale),
    }


def fading(events: EventBatch) -> Contestants:
    """Return what fades a surface; one of NumPy's makes do with 32 bits as soon as it can."""
    table = np.full(2 * PLANE + 1, NEVER)
    compiled.last_times(table, events.t, events.x, events.y, events.p, WIDTH, HEIGHT)
    times = np.where(table[:-1] == NEVER, -np.inf, table[:-1])
    whole = np.where(table[:-1] == NEVER, -(10**10), table[:-1])
    now, out = int(events.t[-1]), np.empty(2 * PLANE, np.float32)
    return {
        "NumPy": lambda: np.exp((times - now) / TAU_US),
        "NumPy, float32": lambda: np.exp((whole - now).astype(np.float32) / np.float32(TAU_US)),
        **by_level(lambda: compiled.decay(table, out, now, TAU_US, False)),
    }
