"""`aevents play`: recordings at the pace at which they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter, Token

from aevents.cli.live import Live, Pace
from aevents.cli.operators import Operators, steps_of
from aevents.cli.reading import Input, Name
from aevents.cli.run import Output

FOREVER = "forever"


def read_repeat(_type: object, tokens: Sequence[Token]) -> int | bool:
    """Return how often something is to be done again; True for ever. Raises `ValueError`."""
    text = tokens[0].value
    if text == FOREVER:
        return True
    if not text.isdecimal():
        raise ValueError(f"--repeat is a number of times, or {FOREVER}, not {text!r}")
    return int(text)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Playing:
    """How to play.

    Parameters
    ----------
    speed
        0.5 is half as fast as it happened.
    repeat
        Play it again so often, or forever; times go on where they ended.
    """

    speed: float = 1.0
    repeat: Annotated[
        int | bool, Parameter(converter=read_repeat, n_tokens=1, metavar=f"N|{FOREVER}")
    ] = 0


def play(
    *sources: Annotated[Name, Parameter(name="SRC")],
    output: Output,
    operators: Operators | None = None,
    playing: Playing = Playing(),  # frozen
    given: Input = Input(),  # noqa: B008  # frozen
) -> None:
    """Run recordings as `run` does, but no faster than they happened.

    Parameters
    ----------
    sources
        A path, - for standard input, or several: in the order of time.
    """
    steps = steps_of(operators or (), partial=not output.no_partial)
    pace = Pace(playing.speed, playing.repeat)
    live = Live(sources, steps, output.target, given, pace)
    if live.inputs.live:
        raise ValueError("a live source has a pace of its own: aevents run takes it as it comes")
    if pace.repeat and not live.inputs.rewindable:
        raise ValueError("what comes through a pipe comes once: it cannot be repeated")
    live.run()
