"""Many conversions, some at a time: what fails is told at the end, and the others go on."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
import msgspec

from aevents.cli.conversion import Conversion, Wanted
from aevents.cli.figures import console, line_of
from aevents.cli.pairs import Pair
from aevents.cli.progress import progress
from aevents.errors import AeventsError, EncodeError


class Outcome(msgspec.Struct, frozen=True):
    """What became of one recording: `done`, `refused`, `failed` or `left`, and the figures or the
    reason.
    """

    source: str
    word: str
    what: str


class UnfinishedError(AeventsError):
    """Some recordings were not converted."""


class Many:
    """Conversions of many recordings, `jobs` at a time."""

    def __init__(self, pairs: Sequence[Pair], wanted: Wanted, *, jobs: int) -> None:
        self._pairs = pairs
        self._wanted = wanted
        self._jobs = jobs
        self._sizes = [_size(source) for source, _ in pairs]
        self._running: dict[int, Conversion] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._events = 0
        self._started = 0.0

    @property
    def events(self) -> int:
        """How many events have been read."""
        return self._events + sum(one.events for one in self._running.values())

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self._started

    @property
    def fraction(self) -> float:
        """How much is done, by the sizes of the files."""
        done = sum(self._sizes[index] for index in self._outcomes)
        running = sum(self._sizes[i] * (one.fraction or 0) for i, one in self._running.items())
        return min(1.0, (done + running) / max(1, sum(self._sizes)))

    @property
    def doing(self) -> str:
        """How many files are finished."""
        return f"{len(self._outcomes)} of {len(self._pairs)} files"

    async def run(self) -> None:
        """Convert them all. Cancelled, it leaves whole files only."""
        self._started = time.perf_counter()
        limiter = anyio.CapacityLimiter(self._jobs)
        with progress(self):
            async with anyio.create_task_group() as tasks:
                for index in range(len(self._pairs)):
                    tasks.start_soon(self._convert, index, limiter)

    def show(self) -> None:
        """Print a table of what became of each."""
        from rich.table import Table

        table = Table.grid(padding=(0, 3, 0, 0))
        for index, (source, _) in enumerate(self._pairs):
            left = Outcome(str(source), "left", "not begun, or not finished")
            table.add_row(*msgspec.structs.astuple(self._outcomes.get(index, left)))
        console().print(table)

    def refuse_failures(self) -> None:
        """Raise `UnfinishedError` if any was not converted."""
        bad = sum(outcome.word != "done" for outcome in self._outcomes.values())
        if bad:
            raise UnfinishedError(f"{bad} of {len(self._pairs)} recordings were not converted")

    async def _convert(self, index: int, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            source, target = self._pairs[index]
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                conversion = Conversion(str(source), str(target), self._wanted)
                self._running[index] = conversion
                await conversion.run()
            except Exception as error:  # told at the end; the others go on
                word = "refused" if isinstance(error, EncodeError | FileExistsError) else "failed"
                self._outcomes[index] = Outcome(str(source), word, line_of(error))
            else:
                self._outcomes[index] = Outcome(str(source), "done", _told(conversion))
            finally:
                if (ended := self._running.pop(index, None)) is not None:
                    self._events += ended.events


def cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _told(conversion: Conversion) -> str:
    counts = dict(conversion.written.named()) or {"events": 0}
    counts |= sorted(conversion.reading.report.anomalies.items())
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _size(source: Path) -> int:
    return source.stat().st_size
