"""Where the commands write: sinks by name, in formats that fit; and a draft beside a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aevents import _pictures, registry
from aevents._contracts import Sink
from aevents.errors import UnknownFormatError
from aevents.types import Frame

MARK = ".aevents-"
"""Between the name of a draft and the number of the process that writes it."""
CAN_ASK = os.name == "posix"
"""Whether a process can be asked if it is there; elsewhere the same call ends it."""
PIPED = "evt3"
"""What goes to standard output unless `--format` says otherwise: compact, and with the sensor."""
TEXT = {".csv", ".txt"}
"""Suffixes of formats that a terminal can show."""


def formats_for(
    names: Sequence[str], format: str | None, *, frames: bool = False
) -> list[str | None]:
    """Return the format to create each output in: None where its suffix says it.

    `format` goes to those whose suffix does not name another. Raises `ValueError` where none wants
    it, where frames would go into a recording or events into a picture, for a name given twice, and
    for a format that cannot go into a pipe or onto a terminal; `FileNotFoundError` where the folder
    does not exist.
    """
    if len(set(names)) < len(names):
        raise ValueError("two outputs have the same name")
    formats = [_format_for(name, format) for name in names]
    if format is not None and format not in formats:
        raise ValueError(f"--format {format} does not go with {' or '.join(names)}")
    for name, found in zip(names, formats, strict=True):
        _refuse_misfit(name, found, frames=frames)
        _refuse_pipe(name, found)
        if not (registry.split_url(name)[0] or Path(name).parent.is_dir()):
            raise FileNotFoundError(
                f"no folder {Path(name).parent} to write {Path(name).name} into"
            )
    return formats


def sink_of(name: str, format: str | None, **options: object) -> Sink[object]:
    """Return the sink of this name. Raises `ValueError` for a suffix that says nothing."""
    try:
        return registry.create(name, format=format, **options)
    except UnknownFormatError as error:
        raise ValueError(str(error)) from error


@contextmanager
def draft(name: str, *, force: bool) -> Iterator[str]:
    """Give the name to write under: one beside the file, which takes the file's place at the end.

    If anything goes wrong, the draft is removed and the file is as it was; the draft of a process
    that was killed is removed by the next that writes this file. What is no regular file (a pipe, a
    device, `-`, a URL) is written as it is. Raises `FileExistsError` unless forced.
    """
    path = Path(name).resolve()
    if name == "-" or registry.split_url(name)[0] or (path.exists() and not path.is_file()):
        yield name
        return
    _refuse_existing(path, name, force=force)
    for stale in _drafts(path):
        stale.unlink(missing_ok=True)
    beside = path.with_name(f".{path.stem}{MARK}{os.getpid()}{path.suffix}")
    try:
        yield str(beside)
        _refuse_existing(path, name, force=force)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _refuse_existing(path: Path, name: str, *, force: bool) -> None:
    if path.exists() and not force:
        raise FileExistsError(f"{name} exists: --force overwrites it")


def _drafts(path: Path) -> Iterator[Path]:
    """Yield the drafts of a file whose writers are gone."""
    before, after = f".{path.stem}{MARK}", path.suffix
    for other in path.parent.iterdir():
        pid = other.name.removeprefix(before).removesuffix(after)
        if other.name == f"{before}{pid}{after}" and pid.isdecimal() and not _runs(int(pid)):
            yield other


def _runs(pid: int) -> bool:
    if not CAN_ASK:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _format_for(name: str, format: str | None) -> str | None:
    suffix = Path(name).suffix.lower()
    if name == "-":
        return format or PIPED
    if registry.split_url(name)[0] or format is None:
        return None
    if suffix in registry.codec(format).suffixes:
        return format
    others = {*_pictures.SINKS, *(one for codec in registry.codecs() for one in codec.suffixes)}
    return None if suffix in others else format


def _refuse_pipe(name: str, format: str | None) -> None:
    """Refuse what could not be written to the end, and what would make a terminal unusable."""
    if name != "-" and not Path(name).is_fifo():
        return
    codec = registry.writer_of(name, format)
    to = "a pipe" if name != "-" else "standard output"
    if name == "-" and sys.stdout.isatty() and TEXT.isdisjoint(codec.suffixes):
        raise ValueError(
            f"{codec.name} is no text for a terminal: pipe it on, or write it into a file "
            "(--format csv shows events as text)"
        )
    if codec.encoder is None or (codec.goes_back and (name != "-" or not sys.stdout.seekable())):
        streams = ", ".join(_streaming())
        raise ValueError(
            f"{codec.name} cannot go into {to}, for it goes back to its beginning at the end: "
            f"write it into a file, or choose one of {streams}"
        )


def _streaming() -> Iterator[str]:
    return (one.name for one in registry.codecs() if one.encoder and not one.goes_back)


def _refuse_misfit(name: str, format: str | None, *, frames: bool) -> None:
    suffix = Path(name).suffix.lower()
    picture = format is None and suffix in _pictures.SINKS
    if picture and not frames:
        raise ValueError(
            f"{name} holds frames: make some of the events, with aevents run … --frames signed, or "
            "take those that there are, with aevents convert … --only frames"
        )
    if frames and not (picture or registry.split_url(name)[0] or _takes_frames(name, format)):
        raise ValueError(f"{name} holds events, and these are frames")


def _takes_frames(name: str, format: str | None) -> bool:
    """Say whether a recording of this name can hold frames."""
    try:
        return any(Frame in row for row in registry.writer_of(name, format).limits.kinds)
    except UnknownFormatError as error:
        raise ValueError(str(error)) from error
