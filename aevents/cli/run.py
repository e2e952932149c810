"""`aevents run`: sources, operators in the order written, and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from aevents.cli.live import Live, Target
from aevents.cli.operators import Operators, steps_of
from aevents.cli.reading import Format, Name, Names, Pictures


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Output:
    """Where it goes.

    Parameters
    ----------
    to
        Where it goes, as often as you like: a recording (.raw, .dat, .csv, .npy), - for standard
        output, or a URL such as udp://10.0.0.1:3333; with --frames, a video (.mp4), a picture
        (.png, or frame_{:05d}.png for each one) or all frames stacked (.npy).
    format
        Format of a recording, where the suffix leaves doubt: .raw and - are evt3 unless this says
        otherwise.
    no_partial
        Leave out the last window if the recording ends within it.
    quiet
        Say nothing but what goes wrong.
    """

    to: Names
    format: Format = None
    no_partial: bool = False
    quiet: bool = False

    @property
    def target(self) -> Target:
        """Where it goes, as `Live` takes it."""
        return Target(self.to, self.format, self.quiet)


def run(
    *sources: Annotated[Name, Parameter(name="SRC")],
    output: Output,
    operators: Operators | None = None,
    given: Pictures = Pictures(),  # noqa: B008  # frozen
) -> None:
    """Run sources through operators into outputs. Ctrl-C stops it, and what was written is whole.

    Several recordings are put together in the order of time, several live sources as they come.

    Parameters
    ----------
    sources
        A path, - for standard input, or a URL such as udp://:3333 or synthetic:disk; or several.
    """
    Live(
        sources, steps_of(operators or (), partial=not output.no_partial), output.target, given
    ).run()
