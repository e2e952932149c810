"""How fast are events counted into frames? As ratios to naive C and to NumPy.

Two planes of 1280x720: a real recording and uniform noise, into counters of 32, 16 and 8 bits (the
narrow ones spill what overflows), then the read-out of ON - OFF as float32. Thread CPU time.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aevents import EventBatch, Sensor
from aevents._native import LEVELS, compiled
from aevents._native._kernels import lib
from benchmarks.inputs import load, words
from benchmarks.measure import Answer, Gate, Options, Table, build_naive, levels, race, ratio

WIDTH, HEIGHT, PLANES = 1280, 720, 2
PLANE = WIDTH * HEIGHT
SIZE = PLANES * PLANE
NAIVE = "naive C, u32"
PROTOTYPES = """
    void naive_polarity(uint32_t *, const uint16_t *, const uint16_t *, const uint8_t *,
                        size_t, uint32_t, uint32_t);
    void naive_signed(uint32_t *, float *, size_t);
"""
Contestants = dict[str, Callable[[], object]]


def run(options: Options) -> Answer:
    """Measure both scenes, and the read-out."""
    module = build_naive("naive_frames", PROTOTYPES)
    recording = load("evt3", 1, options)
    scenes = {words("evt3", options).name: recording, "uniform noise": noise(len(recording))}
    tables, best = [], {}
    for name, events in scenes.items():
        best[name] = race(counting(events, module), options.rounds(15))
        tables.append(as_table(f"counting {len(events)} events: {name}", best[name], len(events)))
    lib.ae_select(LEVELS["v4"])
    times = race(reading(module), options.rounds(15))
    tables.append(as_table("reading a frame of 1280x720 out, and clearing it", times))
    return Answer(tables, gates(next(iter(best.values()))))


def noise(n: int) -> EventBatch:
    """Return n events anywhere."""
    draw = np.random.default_rng(1)
    x, y, p = draw.integers(0, WIDTH, n), draw.integers(0, HEIGHT, n), draw.integers(0, 2, n)
    return EventBatch.from_columns(t=np.arange(n), x=x, y=y, p=p, sensor=Sensor(WIDTH, HEIGHT))


def as_table(title: str, best: dict[str, float], events: int = 0) -> Table:
    """Return one line a contestant: events a second if there are events, else time a frame."""
    unit = "Mev/s" if events else "ms a frame"
    rows: list[tuple[str | float | None, ...]] = [
        (name, best[NAIVE] / time, events / time / 1e6 if events else 1000 * time)
        for name, time in best.items()
    ]
    return Table(title, ("by", "x naive's speed", unit), rows)


def gates(best: dict[str, float]) -> list[Gate]:
    """Return the limits, at the best instruction set of this CPU, for the first scene."""
    isa = [*levels()][-1]
    wide, narrow = best[f"ours, {isa}, u32"], best[f"ours, {isa}, u8"]
    return [
        Gate(f"u32 at {isa}, times naive C", ratio(best[NAIVE], wide), at_least=2.5),
        Gate(f"u32 at {isa}, times np.bincount", ratio(best["np.bincount"], wide), at_least=6),
        Gate(f"u8 at {isa}, times naive C of u32", ratio(best[NAIVE], narrow), at_least=3.5),
    ]


def counting(events: EventBatch, module: SimpleNamespace) -> Contestants:
    """Return what counts all events into a table: naive C first, ours last."""
    x, y, p = events.x, events.y, events.p.view(np.uint8)
    table = np.zeros(SIZE, np.int64)

    def index() -> NDArray[np.int64]:
        return p.astype(np.int64) * PLANE + y.astype(np.int64) * WIDTH + x

    contestants: Contestants = {
        NAIVE: naive_count(module, events),
        "np.bincount": lambda: np.bincount(index(), minlength=SIZE),
        "np.add.at": lambda: np.add.at(table, index(), 1),
        "np.histogram2d": lambda: np.histogram2d(
            y, x, bins=(HEIGHT, WIDTH), range=((0, HEIGHT), (0, WIDTH))
        ),
    }
    for isa, level in levels().items():
        for counter in (np.uint32, np.uint16, np.uint8):
            name = f"ours, {isa}, u{8 * np.dtype(counter).itemsize}"
            contestants[name] = our_count(level, counter, events)
    return contestants


def naive_count(module: SimpleNamespace, events: EventBatch) -> Callable[[], object]:
    """Return a function that counts by naive C."""
    arguments = (
        module.ffi.from_buffer("uint32_t[]", np.zeros(SIZE, np.uint32)),
        module.ffi.from_buffer("uint16_t[]", events.x),
        module.ffi.from_buffer("uint16_t[]", events.y),
        module.ffi.from_buffer("uint8_t[]", events.p.view(np.uint8)),
        len(events),
        WIDTH,
        HEIGHT,
    )
    return lambda: module.lib.naive_polarity(*arguments)


def our_count(level: int, counter: type, events: EventBatch) -> Callable[[], object]:
    """Return a function that counts by our kernel; narrow counters spill."""
    counts: NDArray[Any] = np.zeros(SIZE + 1, counter)
    spill = None if counter is np.uint32 else np.zeros(SIZE + 1, np.uint32)
    x, y, p = events.x, events.y, events.p

    def count() -> int:
        lib.ae_select(level)
        return compiled.accumulate(counts, spill, x, y, p, WIDTH, HEIGHT, PLANES)

    return count


def reading(module: SimpleNamespace) -> Contestants:
    """Return what reads out a table as ON - OFF in float32, and clears it."""
    out = np.zeros(PLANE, np.float32)
    wide = np.zeros(SIZE + 1, np.uint32)
    table = module.ffi.from_buffer("uint32_t[]", wide)
    frame = module.ffi.from_buffer("float[]", out)

    def by_numpy() -> None:
        np.subtract(wide[PLANE:SIZE], wide[:PLANE], out=out, dtype=np.float32, casting="unsafe")
        wide.fill(0)

    contestants: Contestants = {
        NAIVE: lambda: module.lib.naive_signed(table, frame, PLANE),
        "NumPy, u32": by_numpy,
    }
    for counter in (np.uint32, np.uint16, np.uint8):
        contestants[f"ours, u{8 * np.dtype(counter).itemsize}"] = our_readout(counter, out)
    contestants["ours, u8, all spilled"] = our_readout(np.uint8, out, spilled=True)
    return contestants


def our_readout(
    counter: type, out: NDArray[np.float32], *, spilled: bool = False
) -> Callable[[], object]:
    """Return a function that reads out by our kernel, with the spill or without."""
    counts: NDArray[Any] = np.zeros(SIZE + 1, counter)
    spill = np.zeros(SIZE + 1, np.uint32)

    def readout() -> None:
        spill[-1] = spilled
        compiled.readout(counts, spill, out, True)

    return readout
