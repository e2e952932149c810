"""Recordings on disk: as a stream of bytes, from the middle of it, or by a library that opens them
itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from io import FileIO
from pathlib import Path

from msgspec.structs import replace

from aevents._contracts import Origin
from aevents.codecs.base import SNIFF_BYTES, Codec, Opened, Reader
from aevents.codecs.sniff import Recognise
from aevents.sources.file import file_origin, read_from
from aevents.sources.index import FileIndexes

DESCRIPTION = "metadata.yaml"
"""What makes a folder one recording: ROS 2 writes such bags."""


def recording_origin(
    path: Path,
    make: Callable[[], Recognise],
    codecs: Callable[[], Iterable[Codec]],
    *,
    index: bool = False,
    **options: object,
) -> Origin[object]:
    """Return a file, or a folder that is one recording, for the operator that `make` returns.

    With `index`, an index that it takes to read from the middle is kept beside the file. `options`
    are for the reader of a format that is read by path. Reading raises what `open` and that reader
    raise.
    """

    def plan(start: int | None, path: Path) -> Iterator[object] | None:
        recognise = make()
        codec = _read_by_path(path, codecs, recognise.format)
        if codec is not None and codec.reader is not None:
            reader = codec.reader(path, kind=recognise.kind, start=start, **options)
            if reader is not None:
                return _opened(codec, reader)
        return None if start is None else _from_the_middle(path, recognise, start, index)

    def within(start: int) -> Origin[object]:
        return file_origin(path, partial(plan, start))

    return replace(file_origin(path, partial(plan, None)), within=within, operators=1)


def _read_by_path(
    path: Path, codecs: Callable[[], Iterable[Codec]], format: str | None
) -> Codec | None:
    """Return the codec of what is not to be read as a stream of bytes."""
    head = b"" if format else first_bytes(path)
    for codec in codecs():
        matches = codec.name == format if format else codec.matches and codec.matches(head)
        if codec.reader is not None and matches:
            return codec
    return None


def is_recording(path: Path) -> bool:
    """Say whether a folder is one recording."""
    return (path / DESCRIPTION).is_file()


def first_bytes(path: Path) -> bytes:
    """Return the beginning of a file; of a folder, that of the file that describes it."""
    described = path / DESCRIPTION if path.is_dir() else path
    if not described.is_file():  # a pipe, or nothing
        return b""
    with described.open("rb") as file:
        return file.read(SNIFF_BYTES)


def _opened(codec: Codec, reader: Reader) -> Generator[object, None, None]:
    with closing(reader):
        yield Opened(codec, reader)
        yield from reader


def _from_the_middle(
    path: Path, recognise: Recognise, start: int, index: bool
) -> Generator[object, None, None] | None:
    if not path.is_file():
        return None
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        indexes = FileIndexes(path, status, wanted=index)
        jump = recognise.locate(partial(_read_at, file), status.st_size, start, indexes)
    return read_from(path, jump) if jump else None


def _read_at(file: FileIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
