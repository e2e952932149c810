"""Files and standard input as chunks of bytes: the blocking way, and the waiting way one chunk
ahead.
"""

from __future__ import annotations

import asyncio
import io
import select
import sys
import threading
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import cast

import aiofiles.threadpool
import anyio.to_thread

from aevents._contracts import Origin

CHUNK_BYTES = 1 << 20
"""1 MiB: small chunks cost a hop each (64 KiB would be 8 times slower), larger ones leave the
cache.
"""
PIPE_SECONDS = 0.1
"""How long a wait for a pipe may last: so much later can a cancellation or a close come through."""


def file_origin(path: Path) -> Origin[bytes]:
    """Return the file at `path` as chunks of bytes. Reading it raises what `open` raises,
    `IsADirectoryError` and the like.
    """
    return Origin(
        str(path),
        waiting=lambda: FileSource(path),
        blocking=lambda: read_chunks(path),
        size=lambda: path.stat().st_size,
    )


def stdin_origin() -> Origin[bytes]:
    """Return standard input as chunks of bytes, handed on as they come."""
    return Origin("standard input", blocking=read_stdin)


def read_chunks(path: Path) -> Generator[bytes, None, None]:
    """Yield the bytes of a file in chunks."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def read_stdin() -> Generator[bytes, None, None]:
    """Yield standard input as it comes; an empty chunk now and then while nothing does, so that a
    reader can stop.
    """
    stdin = cast("io.BufferedReader", sys.stdin.buffer)
    while True:
        if not _has_something(stdin.fileno()):
            yield b""
        elif chunk := stdin.read1(CHUNK_BYTES):
            yield chunk
        else:
            return


class FileSource:
    """A file as chunks of bytes through aiofiles, one chunk ahead, so that disk and decoding
    overlap.

    The chunk ahead is a task that outlives a cancelled read: the next read waits for the same one.
    """

    __slots__ = ("_ahead", "_closed", "_file", "_lock", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: _GuardedFile | None = None
        self._ahead: asyncio.Future[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    async def __anext__(self) -> bytes:
        if self._ahead is None:
            await anyio.to_thread.run_sync(self._open)
            self._ahead = self._read()
        await asyncio.wait(
            (self._ahead,)
        )  # unlike `await task`, cancelling this leaves the task alone
        chunk = self._ahead.result()
        if not chunk:
            raise StopAsyncIteration
        self._ahead = self._read()
        return chunk

    def close(self) -> None:
        """Close the file, after the read that is under way."""
        if self._ahead is not None:
            self._ahead.cancel()
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()

    async def aclose(self) -> None:
        """Close the file, and wait until the chunk ahead has been abandoned."""
        self.close()
        if self._ahead is not None:
            await asyncio.wait((self._ahead,))

    def _open(self) -> None:
        with self._lock:  # a cancelled first read may have left another thread here
            if self._file is None and not self._closed:
                self._file = _GuardedFile(self._path, "rb")

    def _read(self) -> asyncio.Future[bytes]:
        read: Coroutine[object, object, bytes] = aiofiles.threadpool.wrap(self._file).read(
            CHUNK_BYTES
        )
        return asyncio.ensure_future(read)


class _GuardedFile(io.FileIO):
    """A raw file that can be closed while another thread reads it: the close waits for the read.

    What may be silent for long, a named pipe, is read only when it has something to say.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self._lock = threading.Lock()
        self._closing = False
        super().__init__(path, mode)

    def read(self, size: int | None = -1, /) -> bytes:
        with self._lock:
            while not self._closing:
                if _has_something(self.fileno()):
                    return super().read(size) or b""
            return b""

    def close(self) -> None:
        self._closing = True
        with self._lock:
            super().close()


def _has_something(file: int) -> bool:
    """Wait a little for bytes, or the end, of what may be a pipe; regular files always have."""
    return sys.platform == "win32" or bool(select.select([file], [], [], PIPE_SECONDS)[0])
