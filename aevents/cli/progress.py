"""What is shown while a command runs: a line on a terminal that is drawn anew, or, for what may run
for ever, a line now and then in a pipe or a log.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self

from aevents.cli.figures import console, mev

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar

REFRESH_SECONDS = 0.1
"""A line that changes ten times a second is easy on the eye, and on the loop."""
LOG_SECONDS = 5.0
"""A line of a log is read later: so often is enough."""


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


def progress(underway: Underway) -> Progress:
    """Return a line for something that will end: on a terminal alone."""

    def line(_lag: float) -> str:
        events, seconds = underway.events, max(underway.seconds, 1e-9)
        return f"{events / 1e6:,.1f} Mev  {mev(events / seconds)} Mev/s  {underway.doing}"

    return Progress(line, lambda: underway.fraction)


class Progress:
    """A line while the body runs, drawn by the event loop: what `line` says, given how late the
    loop was at most, in seconds, since it was last drawn. `fraction` is how much is done.

    Without a terminal nothing is said, or, where it is a `log`, one line every few seconds.
    """

    def __init__(
        self,
        line: Callable[[float], str],
        fraction: Callable[[], float | None],
        *,
        log: bool = False,
    ) -> None:
        self._line = line
        self._fraction = fraction
        self._log = log
        self._bar: Bar | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._drawn = 0.0
        self._due = 0.0
        self._lag = 0.0

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar(known=self._fraction() is not None)
            self._bar.start()
            self._draw()
        if self._bar is not None or self._log:
            self._drawn = asyncio.get_running_loop().time()
            self._wait()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._bar is not None:
            self._bar.stop()

    def _wait(self) -> None:
        # a timer of the loop, which anyio has none of: no task to cancel, no group to unwrap
        loop = asyncio.get_running_loop()
        self._due = loop.time() + REFRESH_SECONDS
        self._timer = loop.call_later(REFRESH_SECONDS, self._tick)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        self._lag = max(self._lag, now - self._due)
        if self._bar is not None or now - self._drawn >= LOG_SECONDS:
            self._draw()
            self._drawn, self._lag = now, 0.0
        self._wait()

    def _draw(self) -> None:
        text = self._line(self._lag)
        if self._bar is None:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        else:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self._fraction() or 0, figures=text, refresh=True)


def _bar(*, known: bool) -> Bar:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

    shape = (BarColumn(), TaskProgressColumn()) if known else (SpinnerColumn(),)
    text = TextColumn("{task.fields[figures]}")
    bar = Progress(*shape, text, console=console(stderr=True), auto_refresh=False, transient=True)
    bar.add_task("", total=1 if known else None, figures="")
    return bar
