"""How fast are events counted into frames? Millions a second, and as ratios to naive C and NumPy.

    python benchmarks/bench_frames.py [--json] [--rounds 15] [RECORDING.raw ...]

Two planes of 1280x720, for uniform noise and for each recording (EVT3 of that size at most). All
contenders take turns, round by round, and the best thread CPU time of each counts: such ratios
hold still on a busy machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from cffi import FFI
from numpy.typing import NDArray

from aevents._native import LEVELS, compiled
from aevents._native._kernels import lib

WIDTH, HEIGHT, PLANES = 1280, 720, 2
PLANE = WIDTH * HEIGHT
SIZE = PLANES * PLANE
Contenders = dict[str, Callable[[], object]]


class Events:
    """The columns x, y, p of a scene."""

    def __init__(self, x: NDArray[Any], y: NDArray[Any], p: NDArray[Any]) -> None:
        self.x, self.y, self.p = x.astype(np.uint16), y.astype(np.uint16), p.astype(np.uint8)


def noise(n: int) -> Events:
    """Return n events anywhere."""
    draw = np.random.default_rng(1)
    return Events(draw.integers(0, WIDTH, n), draw.integers(0, HEIGHT, n), draw.integers(0, 2, n))


def recording(path: Path) -> Events:
    """Return the events of an EVT3 file."""
    data = path.read_bytes()
    at = data.index(b"% end\n") + 6 if b"% end\n" in data else 0
    while data[at : at + 1] == b"%":
        at = data.index(b"\n", at) + 1
    state, out = compiled.evt3_state(), compiled.columns()
    parts = []
    while (end := compiled.evt3_decode(data, at, state, out)) > at:
        at = end
        parts.append([column[: out.n].copy() for column in (out.x, out.y, out.p)])
    return Events(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def build_naive() -> SimpleNamespace:
    """Compile naive_frames.c and return its `ffi` and `lib`."""
    naive = FFI()
    naive.cdef(
        """
        void naive_polarity(uint32_t *, const uint16_t *, const uint16_t *, const uint8_t *,
                            size_t, uint32_t, uint32_t);
        void naive_signed(uint32_t *, float *, size_t);
        """
    )
    source = Path(__file__).with_name("naive_frames.c").read_text()
    naive.set_source("_naive_frames", source, extra_compile_args=["-O3"])
    with tempfile.TemporaryDirectory() as folder:
        path = naive.compile(folder)
        spec = importlib.util.spec_from_file_location("_naive_frames", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return SimpleNamespace(ffi=module.ffi, lib=module.lib)


def counting(events: Events, naive: SimpleNamespace) -> Contenders:
    """Return what counts all events into a table: naive C first, ours last."""
    x, y, p = events.x, events.y, events.p
    contenders: Contenders = {"naive C, u32": naive_count(naive, x, y, p)}
    table = np.zeros(SIZE, np.int64)

    def index() -> NDArray[np.int64]:
        return p.astype(np.int64) * PLANE + y.astype(np.int64) * WIDTH + x

    contenders["np.bincount"] = lambda: np.bincount(index(), minlength=SIZE)
    contenders["np.add.at"] = lambda: np.add.at(table, index(), 1)
    contenders["np.histogram2d"] = lambda: np.histogram2d(
        y, x, bins=(HEIGHT, WIDTH), range=((0, HEIGHT), (0, WIDTH))
    )
    for isa, level in levels().items():
        for counter in (np.uint32, np.uint16, np.uint8):
            name = f"ours, {isa}, u{8 * np.dtype(counter).itemsize}"
            contenders[name] = our_count(level, counter, events)
    return contenders


def levels() -> dict[str, int]:
    """Return the instruction sets that this CPU has."""
    return {isa: level for isa, level in LEVELS.items() if level <= lib.ae_cpu_level()}


def naive_count(
    naive: SimpleNamespace, x: NDArray[Any], y: NDArray[Any], p: NDArray[Any]
) -> Callable[[], object]:
    """Return a function that counts by naive C."""
    arguments = (
        naive.ffi.from_buffer("uint32_t[]", np.zeros(SIZE, np.uint32)),
        naive.ffi.from_buffer("uint16_t[]", x),
        naive.ffi.from_buffer("uint16_t[]", y),
        naive.ffi.from_buffer("uint8_t[]", p),
        len(x),
        WIDTH,
        HEIGHT,
    )
    return lambda: naive.lib.naive_polarity(*arguments)


def our_count(level: int, counter: type, events: Events) -> Callable[[], object]:
    """Return a function that counts by our kernel; narrow counters spill."""
    counts: NDArray[Any] = np.zeros(SIZE + 1, counter)
    spill = None if counter is np.uint32 else np.zeros(SIZE + 1, np.uint32)

    def run() -> int:
        lib.ae_select(level)
        return compiled.accumulate(
            counts, spill, events.x, events.y, events.p, WIDTH, HEIGHT, PLANES
        )

    return run


def reading(naive: SimpleNamespace) -> Contenders:
    """Return what reads out a table as ON - OFF in float32, and clears it."""
    out = np.zeros(PLANE, np.float32)
    wide = np.zeros(SIZE + 1, np.uint32)
    arguments = (
        naive.ffi.from_buffer("uint32_t[]", wide),
        naive.ffi.from_buffer("float[]", out),
        PLANE,
    )

    def by_numpy() -> None:
        np.subtract(wide[PLANE:SIZE], wide[:PLANE], out=out, dtype=np.float32, casting="unsafe")
        wide.fill(0)

    contenders: Contenders = {
        "naive C, u32": lambda: naive.lib.naive_signed(*arguments),
        "NumPy, u32": by_numpy,
    }
    for counter in (np.uint32, np.uint16, np.uint8):
        contenders[f"ours, u{8 * np.dtype(counter).itemsize}"] = our_readout(counter, out)
    contenders["ours, u8, all spilled"] = our_readout(np.uint8, out, spilled=True)
    return contenders


def our_readout(
    counter: type, out: NDArray[np.float32], *, spilled: bool = False
) -> Callable[[], object]:
    """Return a function that reads out by our kernel, with the spill or without."""
    counts: NDArray[Any] = np.zeros(SIZE + 1, counter)
    spill = np.zeros(SIZE + 1, np.uint32)

    def run() -> None:
        spill[-1] = spilled
        compiled.readout(counts, spill, out, True)

    return run


def race(contenders: Contenders, rounds: int) -> dict[str, float]:
    """Return the best thread CPU time of each, in seconds, all taking turns."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, run in contenders.items():
            run()  # warm: the table is where the round before left it
            start = time.thread_time()
            run()
            best[name] = min(best[name], time.thread_time() - start)
    return best


def main() -> None:
    """Print a table for each scene."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scenes = {"noise": noise(220_000)} | {path.name: recording(path) for path in options.recordings}
    naive = build_naive()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for scene, events in scenes.items():
        times = race(counting(events, naive), options.rounds)
        rates = {name: len(events.x) / seconds / 1e6 for name, seconds in times.items()}
        found[scene] = {"million_events_per_s": rates, "times_naive": ratios(times)}
    times = race(reading(naive), options.rounds)
    milliseconds = {name: 1000 * seconds for name, seconds in times.items()}
    found["read-out"] = {"ms_per_frame": milliseconds, "times_naive": ratios(times)}
    print(json.dumps(found, indent=2) if options.json else as_table(found))


def ratios(times: dict[str, float]) -> dict[str, float]:
    """Return how many times faster than naive C each is."""
    return {name: times["naive C, u32"] / seconds for name, seconds in times.items()}


def as_table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the numbers as text: one block a scene, one line a contender."""
    lines: list[str] = []
    for scene, columns in found.items():
        lines.append(f"\n{scene:30}" + "".join(f"{title:>22}" for title in columns))
        for name in columns["times_naive"]:
            cells = "".join(f"{column[name]:22.2f}" for column in columns.values())
            lines.append(f"{name:30}{cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
