"""NPY on disk: a matrix in Fortran order is read at several places at once, so that memory stays
bounded. All other arrays are streams of bytes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator
from functools import partial
from io import FileIO
from pathlib import Path

from msgspec.structs import replace

from aevents.codecs import npy
from aevents.codecs.base import SNIFF_BYTES, Reader
from aevents.codecs.row_order import RowOrder, fortran_header
from aevents.types import EventBatch

PIECE_BYTES = 1 << 20


def read(path: Path, *, kind: type, start: int | None = None, **options: object) -> Reader | None:
    """Read the matrix in Fortran order at `path`, from `start` µs on as far as that is quick; None
    for anything else. The options are those of `NpyDecoder`. There is nothing but events in it.
    """
    header = fortran_header(_head(path)) if path.is_file() else None
    if header is None:
        return None
    decoder = npy.NpyDecoder(**options)  # type: ignore[arg-type]  # it says what it does not take

    def items() -> Generator[EventBatch, None, None]:
        if reader.room is not None:
            decoder.keep_in(reader.room)
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            rows = RowOrder(partial(_read_at, file), size, header)
            at = 0 if start is None else _begin(decoder, rows, start)
            while data := rows.read(at, PIECE_BYTES):
                yield from decoder.feed(data)
                at += len(data)
            yield from decoder.flush()

    reader = Reader(items(), decoder.counts, decoder.damage)
    return reader


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SNIFF_BYTES)


def _begin(decoder: npy.NpyDecoder, rows: RowOrder, start: int) -> int:
    """Make the decoder ready for the bytes from the returned offset on."""
    deque(decoder.feed(rows.head), maxlen=0)
    jump = decoder.locate(rows.read, rows.size, start)
    if jump is None:
        return len(rows.head)
    decoder.resume(jump)
    return jump.offset


def _read_at(file: FileIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


CODEC = replace(npy.CODEC, reader=read)
