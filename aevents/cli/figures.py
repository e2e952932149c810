"""What the commands say of what they did: a small table, or one line of what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from cyclopts import CycloptsError

from aevents.cli.kinds import Census
from aevents.cli.reading import Reading
from aevents.errors import AeventsError
from aevents.junctions.models import RAISED_BY
from aevents.types import Damage

if TYPE_CHECKING:
    from rich.console import Console

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
    """Return what went wrong, in one line, and in whose model, if in one."""
    blamed = blamed_on(error)
    known = isinstance(error, AeventsError | CycloptsError | ValueError | OSError)
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if blamed or not known:
        found = blamed or "this is a bug"
        text = f"{type(error).__name__}: {text} ({found}; AEVENTS_DEBUG=1 shows where)"
    return " ".join(text.split())


def blamed_on(error: Exception) -> str | None:
    """Return the note that says which model raised this; None if none did."""
    notes: Sequence[str] = getattr(error, "__notes__", ())
    return next((note for note in notes if note.startswith(RAISED_BY)), None)


def figures(reading: Reading[T], census: Census, written: Sequence[str]) -> list[Row]:
    """Return what a reading has come to so far; the `census` is of what became of it."""
    return [
        *(list(census.named()) or [("events", 0)]),
        ("speed", speed(reading.events, reading.seconds)),
        *sorted(reading.report.anomalies.items()),
        *(("wrote", name) for name in written if name != "-"),
    ]


def speed(events: int, seconds: float) -> str:
    """Return how many events there were in a second."""
    return f"{mev(events / seconds if seconds else 0)} Mev/s"


def damage_rows(damage: Sequence[Damage], most: int) -> list[Row]:
    """Return a row for each place of damage, for the first `most` of them."""
    rows: list[Row] = [("damage", _place(one)) for one in damage[:most]]
    return rows + [("damage", f"… and {len(damage) - most:,} more places")] * (len(damage) > most)


def _place(one: Damage) -> str:
    sizes = ((one.bytes, "bytes"), (one.events, "events"))
    size = ", ".join(f"{count:,} {name}" for count, name in sizes if count)
    return f"{one.what} at byte {one.offset:,}" + (f": {size}" if size else "")


def mev(events: float) -> str:
    """Return a number of events in millions; of few, three places."""
    return f"{events / 1e6:,.1f}" if events >= 1e5 or not events else f"{events / 1e6:.3f}"
