"""`aevents convert`: a recording from one format into another."""

from __future__ import annotations

from functools import partial

from aevents.cli.delivery import draft, formats_for, sink_of, write_all
from aevents.cli.figures import figures, show
from aevents.cli.operators import EventOperators, put, steps_of
from aevents.cli.reading import Format, Input, Name, Reading
from aevents.runtime import run


def convert(
    source: Name,
    target: Name,
    /,
    *,
    operators: EventOperators | None = None,
    force: bool = False,
    format: Format = None,
    given: Input = Input(),  # noqa: B008  # frozen
) -> None:
    """Write a recording in another format. The file appears when it is whole, or not at all.

    Parameters
    ----------
    source
        A path, - for standard input, or a URL such as synthetic:disk.
    target
        A path whose suffix says the format, or - for standard output.
    force
        Overwrite the target if it exists.
    format
        Format of the output, where the suffix leaves doubt: .raw is evt3 unless this says evt2.
    """
    reading = Reading(source, given)
    stream = put(reading.stream, steps_of(operators or ()))
    [wanted] = formats_for([target], format)
    with draft(target, force=force) as name:
        sink = sink_of(name, wanted)
        run(partial(write_all, reading, stream, [sink]))
    show(figures(reading, "", [target]), stderr=target == "-")
