"""`aevents run`: sources, operators in the order written, and outputs; or a pipeline's file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from aevents.cli import ending
from aevents.cli.figures import show
from aevents.cli.live import Live, Target
from aevents.cli.operators import Operators, steps_of
from aevents.cli.reading import Format, Name, Names, Pictures
from aevents.pipeline import Pipeline

PIPELINE = ".toml"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Output:
    """Where it goes.

    Parameters
    ----------
    to
        Where it goes, as often as you like: a recording (.raw, .dat, .csv, .npy), - for standard
        output, or a URL such as udp://10.0.0.1:3333; with --frames, a video (.mp4, .gif), a picture
        (.png, or frame_{:05d}.png for each one) or all frames stacked (.npy). A video may be told
        more: 'out.mp4?speed=0.1&timecode=1&title=A disk'.
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
    output: Output | None = None,
    operators: Operators | None = None,
    given: Pictures = Pictures(),  # noqa: B008  # frozen
) -> None:
    """Run sources through operators into outputs. Ctrl-C stops it, and what was written is whole.

    Several recordings are put together in the order of time, several live sources as they come.
    A file like pipeline.toml by itself says all of that, and which models see it.

    Parameters
    ----------
    sources
        A path, - for standard input, or a URL such as udp://:3333 or synthetic:disk; or several.
    """
    if any(name.endswith(PIPELINE) for name in sources):
        if len(sources) > 1 or output or operators or given != Pictures():
            raise ValueError("a pipeline stands by itself: what it does is written in it")
        run_pipeline(Path(sources[0]))
        return
    if output is None:
        raise ValueError('Command "run" parameter --to requires an argument.')
    Live(
        sources, steps_of(operators or (), partial=not output.no_partial), output.target, given
    ).run()


def run_pipeline(path: Path, /) -> None:
    """Run a pipeline, and say what was done. Modules beside the file are found, as by a script."""
    pipeline = Pipeline.read(path)
    sys.path.insert(0, str(path.resolve().parent))
    report = ending.run(pipeline.run)
    rows = [
        ("results" if pipeline.infer else "items", report.delivered),
        *sorted(report.anomalies.items()),
        *(("wrote", name) for name in pipeline.names if name != "-"),
    ]
    show(rows, stderr="-" in pipeline.names)
