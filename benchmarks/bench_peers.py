"""How long does it take to load a whole file, against other software of this field?

Every program is a process of its own that loads the same file in its own best way (peers.py), with
the file in the page cache and its imports done. They take turns; the best CPU time (of all its
threads) and the best wall time of each count. A ratio above 1 says that aevents is faster. NumPy
stands beside its own formats for orientation: it is no peer, and knows no sensor, spans or order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from aevents import EventBatch
from benchmarks.inputs import load, repeated, write
from benchmarks.measure import ROOT, Answer, Gate, Options, Table

SCRIPT = Path(__file__).with_name("peers.py")
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
OURS = "aevents"
SIZE, TEXT_EVENTS = 32_000_000, 2_000_000
ROUNDS = 3
Best = dict[str, tuple[float, float]]


class Match(NamedTuple):
    """A file, and who loads it."""

    title: str
    format: str
    path: Path
    peers: tuple[str, ...]


def run(options: Options) -> Answer:
    """Measure each format that a peer shares with us."""
    if not PYTHON.exists():
        raise FileNotFoundError(f"no {PYTHON}: make .venv-peers/.installed, or set AEVENTS_PEERS")
    tables, gates = [], []
    for match in matches(options):
        events, best = compete(match, options.rounds(3))
        tables.append(as_table(match, events, best))
        gates += [
            Gate(
                f"{match.title}: {kind} time of {peer} / ours",
                best[peer][i] / best[OURS][i],
                at_least=1,
            )
            for peer in match.peers
            if peer != "numpy"
            for i, kind in enumerate(("CPU", "wall"))
        ]
    return Answer(tables, gates)


def matches(options: Options) -> Iterator[Match]:
    """Make the files, one after the other."""
    size = 1_000_000 if options.smoke else SIZE
    evt2, evt3 = (repeated(format, size, options) for format in ("evt2", "evt3"))
    binary = ("faery", "expelliarmus", "evlib", "evutils")
    yield Match("EVT2", "evt2", evt2, binary)
    yield Match("EVT3", "evt3", evt3, binary)
    events = load("evt2", size, options)
    folder, few = options.folder, without_size(events, 50_000 if options.smoke else TEXT_EVENTS)
    dat = write(folder / "events.dat", "dat", events)
    yield Match("DAT", "dat", dat, ("faery", "expelliarmus", "evutils"))
    csv = write(folder / "events.csv", "csv", few)
    yield Match("CSV", "csv", csv, ("faery", "evutils"))
    layout = {"separator": " ", "header": False, "time_unit": "s"}
    yield Match("text", "csv", write(folder / "events.txt", "csv", few, **layout), ("evlib",))
    yield Match("NPZ", "npz", write(folder / "events.npz", "npz", events), ("evutils", "numpy"))
    yield Match("NPY", "npy", write(folder / "events.npy", "npy", events), ("numpy",))


def without_size(events: EventBatch, count: int) -> EventBatch:
    """Return the first events, from no known sensor: evutils knows no header that tells one."""
    first = events[:count]
    return EventBatch.from_columns(t=first.t, x=first.x, y=first.y, p=first.p)


def compete(match: Match, heats: int) -> tuple[int, Best]:
    """Return the number of events, and the best CPU and wall time of each, over heats of fresh
    processes: where the system puts a process's memory may double its times.
    """
    best: Best = dict.fromkeys((OURS, *match.peers), (float("inf"), float("inf")))
    counts = set()
    for _ in range(heats):
        with ExitStack() as running:
            asked = {name: running.enter_context(server(name, match)) for name in best}
            counts |= {ask(peer)["count"] for peer in asked.values()}  # imports, and reads the file
            for _ in range(ROUNDS):
                for name, peer in asked.items():
                    spent = ask(peer)
                    best[name] = min(best[name][0], spent["cpu"]), min(best[name][1], spent["wall"])
    assert len(counts) == 1, counts
    return int(counts.pop()), best


@contextmanager
def server(name: str, match: Match) -> Iterator[subprocess.Popen[str]]:
    """Start a process that loads the file whenever it is asked to."""
    python = sys.executable if name == OURS else str(PYTHON)
    command = [python, str(SCRIPT), "time", name, match.format, str(match.path)]
    environment = os.environ | ({"PYTHONPATH": str(ROOT)} if name == OURS else {})
    pipe = subprocess.PIPE
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=quiet, text=True, env=environment
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(process: subprocess.Popen[str]) -> dict[str, float]:
    """Have the process load its file once; return what it spent."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("again\n")
    process.stdin.flush()
    answer: dict[str, float] = json.loads(process.stdout.readline())
    return answer


def as_table(match: Match, events: int, best: Best) -> Table:
    """Return one line a program."""
    ours = best[OURS]
    rows: list[tuple[str | float | None, ...]] = [
        (name, cpu / ours[0], wall / ours[1], 1000 * cpu, 1000 * wall)
        for name, (cpu, wall) in best.items()
    ]
    title = f"{match.title}: {match.path.stat().st_size / 1e6:.0f} MB, {events} events"
    return Table(title, ("by", "CPU / ours", "wall / ours", "CPU ms", "wall ms"), rows)
