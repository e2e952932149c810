"""How anything is measured here: contestants take turns, the best time of each counts, ratios are
told.

Ratios of interleaved best times hold still on a busy machine, where single times move by a third.
CPU time leaves out what other programs do.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from cffi import FFI

from aevents import _native
from aevents._native import LEVELS
from aevents._native._kernels import lib

ROOT = Path(__file__).resolve().parent.parent
Contestants = Mapping[str, Callable[[], object]]


class Options(NamedTuple):
    """How thoroughly to measure: `smoke` is for seeing that it works, with tiny inputs."""

    smoke: bool = False
    recordings: Path = ROOT.parent / "shared" / "recordings"
    folder: Path = Path()  # for files made on the way; emptied afterwards
    events: int = 10_000_000  # in each file of `decode` and `encode`
    formats: tuple[str, ...] = ()  # of these; none: all

    def rounds(self, number: int) -> int:
        """Return how many rounds to run where `number` would be thorough."""
        return 1 if self.smoke else number


class Table(NamedTuple):
    """Figures to print: the first column says what, the others how much (None: not measured)."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float | None, ...]]


class Gate(NamedTuple):
    """A figure and its limit, below or above which it must stay. A value of None: not measured."""

    what: str
    value: float | None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the figure was measured and is on the wrong side of its limit."""
        if self.value is None:
            return False
        too_much = self.at_most is not None and self.value > self.at_most
        return too_much or (self.at_least is not None and self.value < self.at_least)


class Answer(NamedTuple):
    """What a benchmark found out."""

    tables: list[Table]
    gates: list[Gate]


def race(
    contestants: Contestants, rounds: int, clock: Callable[[], float] = time.thread_time
) -> dict[str, float]:
    """Return the best time of each, in seconds of `clock`; they take turns, round by round.

    One round that does not count comes first: it imports, allocates, and warms the caches.
    """
    best = dict.fromkeys(contestants, float("inf"))
    for round in range(rounds + 1):
        for name, run in contestants.items():
            start = clock()
            run()
            if round:
                best[name] = min(best[name], clock() - start)
    return best


def levels() -> dict[str, int]:
    """Return the instruction sets that this CPU has, by name."""
    return {isa: level for isa, level in LEVELS.items() if level <= lib.ae_cpu_level()}


def ratio(above: float | None, below: float | None) -> float | None:
    """Return the quotient of two times, None if one was not measured."""
    return None if above is None or below is None else above / below


def build_naive(name: str, prototypes: str) -> SimpleNamespace:
    """Compile `name`.c of this folder and return its `ffi` and `lib`."""
    naive = FFI()
    naive.cdef(prototypes)
    folder = Path(__file__).parent
    source = (folder / f"{name}.c").read_text()
    naive.set_source(f"_{name}", source, extra_compile_args=["-O3"], include_dirs=[str(folder)])
    with tempfile.TemporaryDirectory() as built:
        spec = importlib.util.spec_from_file_location(f"_{name}", naive.compile(built))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return SimpleNamespace(ffi=module.ffi, lib=module.lib)


def machine() -> dict[str, str]:
    """Return what the figures depend on: CPU, cores, versions."""
    return {
        "cpu": _cpu_name(),
        "cores": str(os.cpu_count()),
        "isa": ", ".join(levels()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "kernels": _native.name,
    }


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def as_text(answer: Answer) -> str:
    """Return tables and gates as a person reads them."""
    return "\n\n".join([*map(_table, answer.tables), "\n".join(map(_gate, answer.gates))])


def _table(table: Table) -> str:
    cells = [table.columns, *(tuple(map(_cell, row)) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells
    ]
    return "\n".join([table.title, *lines])


def _cell(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if value < 1000 else f"{value:.0f}"
    return "-" if value is None else str(value)


def _gate(gate: Gate) -> str:
    limit = f"at most {gate.at_most}" if gate.at_least is None else f"at least {gate.at_least}"
    verdict = "not measured" if gate.value is None else "MISSED" if gate.missed else "met"
    return f"{verdict:>12}  {gate.what}: {_cell(gate.value)} ({limit})"
