"""Files and standard output: an encoder, and bytes written in a worker."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TypeVar

from aevents.codecs.base import Encoder, Patch
from aevents.errors import EncodeError
from aevents.sinks.worker import WorkerSink

T_contra = TypeVar("T_contra", contravariant=True)

BUFFER_BYTES = 1 << 20
"""Pieces of an item are put together to this much: the system takes a byte of a long write at 0.3
ns, of a short one at 0.4.
"""


class FileSink(WorkerSink[T_contra]):
    """Writes what an encoder makes of the items to a file, or to standard output where `path` is
    None.

    The file appears with the first item, or at the close; what is made of an item is in it when
    that was put. Writing raises `EncodeError`, and what writing a file raises.
    """

    def __init__(self, encoder: Encoder[T_contra], path: Path | None) -> None:
        super().__init__()
        self._encoder = encoder
        self._path = path
        self._file: BinaryIO | None = None

    def put(self, item: T_contra, /) -> None:
        """Encode one item and write its bytes."""
        self._write(self._encoder.feed(item))

    def end(self) -> None:
        """Write the end of the file and close it."""
        try:
            self._write(self._encoder.flush())
        finally:
            if self._file is not None and self._path is not None:
                self._file.close()

    def _write(self, pieces: Iterable[bytes | Patch]) -> None:
        if self._file is None:
            self._file = (
                sys.stdout.buffer if self._path is None else self._path.open("wb", BUFFER_BYTES)
            )
        for piece in pieces:
            if isinstance(piece, Patch):
                self._patch(self._file, piece)
            else:
                self._file.write(piece)
        self._file.flush()

    def _patch(self, file: BinaryIO, patch: Patch) -> None:
        if not file.seekable():
            raise EncodeError(
                "output", "this format goes back to its header at the end: write it to a file"
            )
        file.seek(patch.offset)
        file.write(patch.data)
        file.seek(0, 2)
