"""Files and standard output: an encoder, and bytes written in a worker."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import anyio
import anyio.to_thread

from aevents.codecs.base import Encoder, Patch
from aevents.errors import EncodeError

T_contra = TypeVar("T_contra", contravariant=True)


class FileSink(Generic[T_contra]):
    """Writes what an encoder makes of the items to a file, or to standard output where `path` is
    None.

    The file appears with the first item, or at the close. Encoding and writing happen in one worker
    hop an item, and an item that has been handed over is written even when the hand-over is
    cancelled.
    """

    def __init__(self, encoder: Encoder[T_contra], path: Path | None) -> None:
        self._encoder = encoder
        self._path = path
        self._waiting: deque[T_contra] = deque()
        self._file: BinaryIO | None = None
        self._closed = False
        self._failed = False
        self._lock = threading.Lock()

    async def write(self, item: T_contra, /) -> None:
        """Encode and write one item. Raises `EncodeError`, and what writing a file raises."""
        if self._closed:
            raise anyio.ClosedResourceError
        self._waiting.append(item)
        await anyio.to_thread.run_sync(self._work)

    async def aclose(self) -> None:
        """Write the end of the file and close it."""
        await anyio.to_thread.run_sync(self._finish)

    def _work(self) -> None:
        with self._lock:
            self._drain()

    def _drain(self) -> None:
        while self._waiting:
            try:
                self._put(self._encoder.feed(self._waiting.popleft()))
            except Exception:
                self._failed = True
                raise

    def _finish(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if not self._failed:
                    self._drain()
                self._put(self._encoder.flush())
            finally:
                self._close()

    def _put(self, pieces: Iterable[bytes | Patch]) -> None:
        if self._file is None:
            self._file = sys.stdout.buffer if self._path is None else self._path.open("wb")
        for piece in pieces:
            if isinstance(piece, Patch):
                self._patch(self._file, piece)
            else:
                self._file.write(piece)
        if self._path is None:
            self._file.flush()

    def _patch(self, file: BinaryIO, patch: Patch) -> None:
        if not file.seekable():
            raise EncodeError(
                "output", "this format goes back to its header at the end: write it to a file"
            )
        file.seek(patch.offset)
        file.write(patch.data)
        file.seek(0, 2)

    def _close(self) -> None:
        if self._file is not None and self._path is not None:
            self._file.close()
