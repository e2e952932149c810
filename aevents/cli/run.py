"""`aevents run`: a source, operators in the order written, and sinks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from aevents import registry
from aevents.cli.delivery import formats_for, sink_of, write_all
from aevents.cli.figures import figures, show
from aevents.cli.operators import Operators, Step, put, start_of, steps_of
from aevents.cli.reading import Format, Input, Name, Names, Reading
from aevents.runtime import run as run_async
from aevents.types import EventBatch


def run(
    source: Name,
    /,
    *,
    to: Names,
    operators: Operators | None = None,
    no_partial: bool = False,
    format: Format = None,
    given: Input = Input(),  # noqa: B008  # frozen
) -> None:
    """Run a source through operators into sinks. Ctrl-C stops it, and what was written is whole.

    Parameters
    ----------
    source
        A path, - for standard input, or a URL such as synthetic:disk.
    to
        Where it goes, as often as you like: a recording (.raw, .dat, .csv, .npy), - for standard
        output; with --frames, a video (.mp4), a picture (.png, or frame_{:05d}.png for each one)
        or all frames stacked (.npy).
    no_partial
        Leave out the last window if the recording ends within it.
    format
        Format of a recording, where the suffix leaves doubt: .raw and - are evt3 unless this says
        otherwise.
    """
    steps = steps_of(operators or (), partial=not no_partial)
    reading = Reading(source, given, EventBatch, start=start_of(steps))
    stream = put(reading.stream, steps)
    item = _item(steps)
    _refuse_to_overwrite(source, to)
    formats = formats_for(to, format, frames=item == "frames")
    sinks = [sink_of(name, one) for name, one in zip(to, formats, strict=True)]
    try:
        run_async(partial(write_all, reading, stream, sinks))
    except KeyboardInterrupt:
        show(figures(reading, item, to), stderr="-" in to)
        raise
    show(figures(reading, item, to), stderr="-" in to)


def _item(steps: Sequence[Step]) -> str:
    """Return what comes out, in the plural; batches have no name, for their size means nothing."""
    methods = [step.method for step in steps]
    return "frames" if "frames" in methods else "windows" if "window" in methods else ""


def _refuse_to_overwrite(source: str, to: Sequence[str]) -> None:
    if source == "-" or registry.split_url(source)[0]:
        return
    for name in to:
        if Path(name).is_file() and Path(name).samefile(source):
            raise ValueError(f"{name} is the source itself: it cannot be read and written at once")
