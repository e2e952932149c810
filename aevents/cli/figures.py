"""What the commands say about a run: a line while it goes on, a small table at its end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from cyclopts import CycloptsError

from aevents.cli.kinds import Census
from aevents.cli.reading import Reading
from aevents.errors import AeventsError
from aevents.types import Damage

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress as Bar

REFRESH_SECONDS = 0.1
"""A line that changes ten times a second is easy on the eye, and on the loop."""
PIPED_COLUMNS = 160
"""Width of what goes into a pipe or a file, where there is no terminal to measure."""

Row = tuple[str, object]

T = TypeVar("T")


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints numbers and paths as they are."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_COLUMNS
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def show(rows: Iterable[Row], *, stderr: bool = False) -> None:
    """Print names and values as a small table."""
    from rich.table import Table

    table = Table.grid("", "", padding=(0, 3, 0, 0))
    for name, value in rows:
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    console(stderr=stderr).print(table)


def line_of(error: Exception) -> str:
    """Return what went wrong, in one line."""
    known = isinstance(error, AeventsError | CycloptsError | ValueError | OSError)
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if not known:
        text = f"{type(error).__name__}: {text} (this is a bug; AEVENTS_DEBUG=1 shows where)"
    return " ".join(text.split())


def figures(
    reading: Reading[T], item: str, written: Sequence[str], census: Census | None = None
) -> list[Row]:
    """Return what a run has done so far; `item` names in the plural what came out of it. The
    `census` is that of what was read unless there is another.
    """
    report = reading.report
    seconds = reading.seconds
    return [
        *(list((census or reading.census).named()) or [("events", 0)]),
        ("speed", f"{_mev(reading.events / seconds)} Mev/s"),
        *([(item, report.delivered)] if item else []),
        *((name, count) for name, count in sorted(report.anomalies.items())),
        *(("wrote", name) for name in written if name != "-"),
    ]


def damage_rows(damage: Sequence[Damage], most: int) -> list[Row]:
    """Return a row for each place of damage, for the first `most` of them."""
    rows: list[Row] = [("damage", _place(one)) for one in damage[:most]]
    return rows + [("damage", f"… and {len(damage) - most:,} more places")] * (len(damage) > most)


def _place(one: Damage) -> str:
    sizes = ((one.bytes, "bytes"), (one.events, "events"))
    size = ", ".join(f"{count:,} {name}" for count, name in sizes if count)
    return f"{one.what} at byte {one.offset:,}" + (f": {size}" if size else "")


class Underway(Protocol):
    """Something that goes on: a reading, a conversion, many of them."""

    @property
    def events(self) -> int:
        """How many events have been read."""

    @property
    def seconds(self) -> float:
        """Time since the start."""

    @property
    def fraction(self) -> float | None:
        """How much is done, from 0 to 1; None where that is not known."""

    @property
    def doing(self) -> str:
        """What is being done, if that needs to be said."""


class Progress:
    """A line on the terminal while the body runs, drawn by the event loop; nothing in a pipe."""

    def __init__(self, underway: Underway, /) -> None:
        self._underway = underway
        self._bar: Bar | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar(known=self._underway.fraction is not None)
            self._bar.start()
            self._draw()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None and self._bar is not None:
            self._timer.cancel()
            self._bar.stop()

    def _draw(self) -> None:
        assert self._bar is not None
        events, seconds = self._underway.events, max(self._underway.seconds, 1e-9)
        done, doing = self._underway.fraction, self._underway.doing
        figures = f"{events / 1e6:,.1f} Mev  {_mev(events / seconds)} Mev/s  {doing}"
        task = self._bar.task_ids[0]
        self._bar.update(task, completed=done or 0, figures=figures, refresh=True)
        # a timer of the loop, which anyio has none of: no task to cancel, no group to unwrap
        self._timer = asyncio.get_running_loop().call_later(REFRESH_SECONDS, self._draw)


def _bar(*, known: bool) -> Bar:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

    shape = (BarColumn(), TaskProgressColumn()) if known else (SpinnerColumn(),)
    text = TextColumn("{task.fields[figures]}")
    bar = Progress(*shape, text, console=console(stderr=True), auto_refresh=False, transient=True)
    bar.add_task("", total=1 if known else None, figures="")
    return bar


def _mev(rate: float) -> str:
    return f"{rate / 1e6:,.1f}"
