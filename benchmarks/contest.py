"""Programs that do the same work on the same file, each in a process of its own, in turns.

Each is started by the Python of its environment (peers.py), with its imports done and the file in
the page cache. What it reads is checked first, against the events that the file was made of. Then
they take turns; the best CPU time (all threads, user and system) and the best wall time count, over
several fresh processes: where the system puts the memory of a process may double its times.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aevents import EventBatch
from benchmarks.measure import ROOT, Answer, Gate, Options, Table

SCRIPT = Path(__file__).with_name("peers.py")
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
OURS = "aevents"
NO_PEERS = ("h5py", "numpy")
"""Beside their own formats for orientation: they know no sensor, spans or order."""
WHOLE = ("aestream", "evlib", "numpy", "tonic")
"""They cannot read a file piece by piece."""
TURNS = 3


class Match(NamedTuple):
    """A format, a file of it, the events in it, and who takes part beside us."""

    title: str
    format: str
    path: Path
    events: EventBatch
    peers: tuple[str, ...]
    at_least: float = 1.0
    """How many times the speed of the fastest peer ours has to be."""


class Best(NamedTuple):
    """The best times of one program, in seconds; none if what it reads is wrong."""

    cpu: float = float("inf")
    wall: float = float("inf")


def require_peers() -> None:
    """Raise if there is no environment of peers."""
    if not PYTHON.exists():
        raise FileNotFoundError(f"no {PYTHON}: make .venv-peers/.installed, or set AEVENTS_PEERS")


def read_right(match: Match) -> dict[str, bool]:
    """Return who reads the very events from the file."""
    expected = described(match.events)
    return {
        name: reads(name, match.format, match.path) == expected for name in (OURS, *match.peers)
    }


def reads(name: str, format: str, path: Path) -> object:
    """Return what a program says of the events that it reads; None if it fails."""
    done = subprocess.run(
        command(name, "read", name, format, path), env=environment(name), capture_output=True
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def writes(name: str, format: str, path: Path, given: Path) -> bool:
    """Have a program write the events of `given`; return whether it does."""
    arguments = command(name, "write", name, format, path, given)
    return subprocess.run(arguments, env=environment(name), capture_output=True).returncode == 0


def described(events: EventBatch) -> dict[str, object]:
    """Return the count and the sha256 of each column, as peers.py does."""
    columns = {"t": events.t, "x": events.x, "y": events.y, "p": events.p}
    sums = {name: hashlib.sha256(column).hexdigest() for name, column in columns.items()}
    return {"count": len(events), **sums}


def race(task: str, tasks: dict[str, tuple[object, ...]], options: Options) -> dict[str, Best]:
    """Return the best times of each program, by its name, at what follows it in its command."""
    best = dict.fromkeys(tasks, Best())
    for _ in range(options.rounds(3)):
        with ExitStack() as running:
            asked = {
                name: running.enter_context(server(name, task, *arguments))
                for name, arguments in tasks.items()
            }
            for turn in range(1 + options.rounds(TURNS)):
                for name, process in asked.items():
                    spent = ask(process)
                    if turn:  # the first reads the file, and takes memory
                        best[name] = Best(*map(min, best[name], spent))
    return best


def command(name: str, *arguments: object) -> list[str]:
    """Return the command that has a program do something."""
    return [
        sys.executable if name.startswith(OURS) else str(PYTHON),
        str(SCRIPT),
        *map(str, arguments),
    ]


def environment(name: str) -> dict[str, str]:
    """Return the variables of the process."""
    return {**os.environ} | ({"PYTHONPATH": str(ROOT)} if name.startswith(OURS) else {})


@contextmanager
def server(name: str, task: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a process that does its task whenever it is asked to."""
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(
        command(name, "time", task, name, *arguments),
        stdin=pipe,
        stdout=pipe,
        stderr=quiet,
        text=True,
        env=environment(name),
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(process: subprocess.Popen[str]) -> Best:
    """Have the process do its task once; return what it spent."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("again\n")
    process.stdin.flush()
    return Best(**json.loads(process.stdout.readline()))


class Result(NamedTuple):
    """How a match ended."""

    match: Match
    right: dict[str, bool]
    best: dict[str, Best]
    size: int
    """Of our file, in bytes."""

    @property
    def fastest(self) -> str | None:
        """The fastest peer of those that are right; None if none is."""
        peers = [name for name in self.match.peers if self.right[name] and name not in NO_PEERS]
        return min(peers, key=lambda name: self.best[name].cpu, default=None)

    @property
    def ratio(self) -> float | None:
        """How many times as many events a CPU second ours does as the fastest peer."""
        return self.fastest and self.best[self.fastest].cpu / self.best[OURS].cpu

    def speed(self, name: str) -> float:
        """Return a program's events a CPU second, in millions."""
        return len(self.match.events) / self.best[name].cpu / 1e6

    def table(self) -> Table:
        """Return one line a program."""
        ours = self.best[OURS]
        rows: list[tuple[Any, ...]] = []
        for name, right in self.right.items():
            label = f"{name}, whole file" if name in WHOLE else name
            if not right:
                rows.append((f"{label}: wrong", None, None, None))
                continue
            cpu, wall = self.best[name]
            rows.append((label, self.speed(name), cpu / ours.cpu, wall / ours.wall))
        title = f"{self.match.title}: {self.size / 1e6:.0f} MB, {len(self.match.events)} events"
        return Table(title, ("by", "Mev a CPU second", "CPU / ours", "wall / ours"), rows)


def answer(results: list[Result]) -> Answer:
    """Return a table for each match, one of all, and the limits."""
    gates = [
        Gate(
            f"{result.match.title}, times {result.fastest}",
            result.ratio,
            at_least=result.match.at_least,
        )
        for result in results
        if result.fastest
    ]
    return Answer([*(result.table() for result in results), _summary(results)], gates)


def _summary(results: list[Result]) -> Table:
    """Return one line a format."""
    rows: list[tuple[Any, ...]] = []
    for result in results:
        peer = result.fastest
        theirs = result.speed(peer) if peer else None
        row = (result.match.title, result.speed(OURS), peer or "-", theirs, result.ratio)
        rows.append(row)
    columns = ("format", "Mev a CPU second", "fastest peer", "of the peer", "times the peer")
    return Table("against the fastest peer that is right", columns, rows)
