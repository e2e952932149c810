"""`aevents convert`: recordings from one format into another, one or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter
from msgspec.structs import replace

from aevents.cli.conversion import Conversion, Wanted, convert_one
from aevents.cli.delivery import formats_for
from aevents.cli.ending import run
from aevents.cli.figures import show
from aevents.cli.kinds import Only
from aevents.cli.many import Many, cpus
from aevents.cli.operators import EventOperators, steps_of
from aevents.cli.pairs import into_folder, pairs_of
from aevents.cli.pictures import convert_pictures, of_pictures
from aevents.cli.reading import Format, Input, Name


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Output:
    """What to write, and how.

    Parameters
    ----------
    only
        Keep these kinds alone: events, triggers, imu, frames, exposures, colours, bytes.
    zero_time
        Count times from the earliest.
    force
        Overwrite what exists.
    format
        Format of the output, where the suffix leaves doubt: .raw is evt3 unless this says
        evt2, evt21 or evt4.
    jobs
        How many files at a time; as many as there are processors unless given.
    """

    only: Only = ()
    zero_time: bool = False
    force: bool = False
    format: Format = None
    jobs: int | None = None


def convert(
    *names: Annotated[Name, Parameter(name="SRC… DST")],
    operators: EventOperators | None = None,
    output: Output = Output(),
    given: Input = Input(),  # noqa: B008  # frozen
) -> None:
    """Write recordings in another format. A file appears when it is whole, or not at all.

    Videos and pictures ('frame_*.png') become other videos, pictures, arrays or recordings that
    hold frames; --only frames does that with those of a recording. What the other format cannot
    hold is refused before anything is written.

    Parameters
    ----------
    names
        SRC: a path, - for standard input, or a URL such as synthetic:disk. DST: a path whose suffix
        says the format, or - for standard output. With several sources, a folder, or a pattern like
        'in/*.raw', DST is a folder, --format says the format, and sub-folders stay as they are.
    """
    if len(names) < 2:
        raise ValueError("convert takes a source and a target")
    *sources, target = names
    wanted = Wanted(
        only=output.only,
        steps=steps_of(operators or ()),
        zero_time=output.zero_time,
        force=output.force,
        format=output.format,
        given=given,
    )
    if len(sources) == 1 and of_pictures(sources[0], target, wanted):
        convert_pictures(sources[0], target, wanted)
    elif into_folder(sources, target):
        _convert_many(sources, target, wanted, output.jobs)
    else:
        _convert_one(sources[0], target, wanted)


def _convert_one(source: str, target: str, wanted: Wanted) -> None:
    [format] = formats_for([target], wanted.format)
    conversion = Conversion(source, target, replace(wanted, format=format))
    convert_one(conversion)
    show(conversion.figures, stderr=target == "-")


def _convert_many(sources: list[str], target: str, wanted: Wanted, jobs: int | None) -> None:
    if wanted.format is None:
        raise ValueError(
            f"{target} is a folder, which has no suffix: --format NAME says the format"
        )
    if jobs is not None and jobs < 1:
        raise ValueError(f"--jobs {jobs}: at least one at a time")
    many = Many(pairs_of(sources, target, wanted.format), wanted, jobs=jobs or cpus())
    try:
        run(many.run)
    finally:
        many.show()
    many.refuse_failures()
