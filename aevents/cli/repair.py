"""`aevents repair`: what is healthy of a damaged recording, in the same format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from aevents.cli.conversion import Conversion, Wanted, codec_read, convert_one
from aevents.cli.figures import Row, damage_rows, show
from aevents.cli.kinds import name_of
from aevents.cli.reading import Format, Input, Name, Size
from aevents.codecs.base import Codec
from aevents.errors import EncodeError

MOST_PLACES = 20


def repair(
    source: Name,
    target: Name,
    /,
    *,
    force: bool = False,
    size: Size = None,
    format: Annotated[Format, Parameter(name=("--format", "--from"))] = None,
) -> None:
    """Write the healthy rest of a recording in the same format, and say what was damaged.

    Everything that can be read is kept, but for events off the sensor; a table or index is made
    anew.

    Parameters
    ----------
    source
        A path.
    target
        A path with a suffix of the same format.
    force
        Overwrite the target if it exists.
    size
        Size of the sensor, where the recording does not say it, or says it wrongly.
    format
        Format of the recording, where its first bytes and its suffix leave doubt.
    """
    given = Input(from_=format, size=size)
    codec = codec_read(source, given)
    if codec is None:
        raise FileNotFoundError(f"{source} is no file to repair")
    _refuse_other(codec, source, target)
    wanted = Wanted(force=force, format=codec.name, given=given, on_sensor=True)
    conversion = Conversion(source, target, wanted)
    convert_one(conversion)
    show([*conversion.figures, *_left_out(conversion), *_damage(conversion)])


def _left_out(conversion: Conversion) -> Iterator[Row]:
    read, written = conversion.reading.census, conversion.written
    for kind in read.kinds:
        if left := read[kind] - written[kind]:
            told = f"{left:,} {name_of(kind)} off the sensor (--size WIDTHxHEIGHT if it is larger)"
            yield "left out", told


def _damage(conversion: Conversion) -> list[Row]:
    report = conversion.reading.report
    if not report.anomalies:
        return [("damage", "none found")]
    return damage_rows(report.damage, MOST_PLACES)


def _refuse_other(codec: Codec, source: str, target: str) -> None:
    if not codec.writable:
        what = "cannot be written: aevents convert writes what can be read in another format"
        raise EncodeError(codec.name, what)
    if Path(target).suffix.lower() not in codec.suffixes:
        suffixes = " or ".join(codec.suffixes)
        raise ValueError(f"{source} is {codec.name}: the target ends in {suffixes}, not {target}")
