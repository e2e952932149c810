"""Files and standard input as chunks of bytes: the blocking way, and the waiting way one chunk
ahead.
"""

from __future__ import annotations

import asyncio
import io
import os
import select
import stat
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from functools import cache, partial
from pathlib import Path
from typing import cast

import aiofiles.threadpool
import anyio.to_thread

from aevents._contracts import Origin
from aevents.codecs.base import Hurry, Jump

CHUNK_BYTES = 1 << 20
"""1 MiB: small chunks cost a hop each (64 KiB would be 8 times slower), larger ones leave the
cache.
"""
KEPT_BYTES = 1 << 23
"""A block that the C library once gave back to the system: up to twice as much it keeps from then
on, and chunks are read into memory that is there. Fresh pages cost as much as decoding.
"""
PIPE_SECONDS = 0.1
"""How long a wait for a pipe may last: so much later can a cancellation or a close come through."""


Plan = Callable[[Path], Iterator[object] | None]
"""Looks at a file, in a worker, and says how to read it: by an iterator with `close()`, or, where
it gives None, as plain chunks.
"""


def file_origin(path: Path, plan: Plan | None = None) -> Origin[object]:
    """Return the file at `path` as chunks of bytes, or as what `plan` makes of it. Reading it
    raises what `open` raises, `IsADirectoryError` and the like.
    """
    return Origin(
        str(path),
        waiting=lambda: FileSource(path, plan),
        blocking=lambda: read_items(path, plan),
        size=lambda: path.stat().st_size,
    )


def stdin_origin() -> Origin[object]:
    """Return standard input as chunks of bytes, handed on as they come; after `Hurry`, unless it is
    a file.
    """
    return Origin("standard input", blocking=read_stdin)


def read_items(path: Path, plan: Plan | None) -> Generator[object, None, None]:
    """Yield what is planned for a file; else its bytes in chunks, of a named pipe after `Hurry`."""
    planned = plan(path) if plan else None
    if planned is not None:
        yield from planned  # closed with this
        return
    keep_memory()
    with path.open("rb", buffering=0) as file:
        if _is_pipe(file.fileno()):
            yield Hurry()
        yield from iter(partial(file.read, CHUNK_BYTES), b"")


def read_from(path: Path, jump: Jump) -> Generator[object, None, None]:
    """Yield the jump, and the chunks from there on."""
    yield jump
    keep_memory()
    with path.open("rb", buffering=0) as file:
        file.seek(jump.offset)
        yield from iter(partial(file.read, CHUNK_BYTES), b"")


def read_stdin() -> Generator[object, None, None]:
    """Yield `Hurry`, if it is no file, and standard input as it comes; an empty chunk at once when
    there is no more, so that what was read is handed on, and now and then while nothing comes, so
    that a reader can stop.
    """
    stdin = cast("io.BufferedReader", sys.stdin.buffer)
    patience = 0.0
    if _is_pipe(stdin.fileno()):
        yield Hurry()
    while True:
        if not _has_something(stdin.fileno(), patience):
            patience = PIPE_SECONDS
            yield b""
        elif chunk := stdin.read1(CHUNK_BYTES):
            patience = 0.0
            yield chunk
        else:
            return


@cache
def keep_memory() -> None:
    """Have glibc keep the memory of chunks that are gone; other C libraries do as they do."""
    bytes(KEPT_BYTES)


class FileSource:
    """A file as chunks of bytes through aiofiles, or as what is planned for it, one item ahead, so
    that reading and decoding overlap. A named pipe begins with `Hurry`.

    The item ahead is a task that outlives a cancelled read: the next read waits for the same one.
    """

    __slots__ = ("_ahead", "_closed", "_file", "_lock", "_path", "_plan")

    def __init__(self, path: Path, plan: Plan | None = None) -> None:
        self._path = path
        self._plan = plan
        self._file: _GuardedFile | _GuardedItems | None = None
        self._ahead: asyncio.Future[object] | None = None
        self._closed = False
        self._lock = threading.Lock()

    async def __anext__(self) -> object:
        if self._ahead is None:
            await anyio.to_thread.run_sync(self._open)
            self._ahead = self._read()
            if isinstance(self._file, _GuardedFile) and self._file.pipe:
                return Hurry()
        await asyncio.wait(
            (self._ahead,)
        )  # unlike `await task`, cancelling this leaves the task alone
        item = self._ahead.result()
        if isinstance(item, bytes) and not item:
            raise StopAsyncIteration
        self._ahead = self._read()
        return item

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
                items = self._plan(self._path) if self._plan else None
                keep_memory()
                self._file = _GuardedItems(items) if items else _GuardedFile(self._path, "rb")

    def _read(self) -> asyncio.Future[object]:
        file = self._file
        if isinstance(file, _GuardedItems):
            return asyncio.ensure_future(anyio.to_thread.run_sync(file.read))
        read: Coroutine[object, object, bytes] = aiofiles.threadpool.wrap(file).read(CHUNK_BYTES)
        return asyncio.ensure_future(read)


class _GuardedItems:
    """An iterator that can be closed while another thread pulls it: the close waits for that."""

    def __init__(self, items: Iterator[object]) -> None:
        self._items = items
        self._closed = False
        self._lock = threading.Lock()

    def read(self) -> object:
        """Return the next item; no bytes at the end."""
        with self._lock:
            return b"" if self._closed else next(self._items, b"")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._items.close()  # type: ignore[attr-defined]  # a plan's iterators have it


class _GuardedFile(io.FileIO):
    """A raw file that can be closed while another thread reads it: the close waits for the read.

    What may be silent for long, a named pipe, is read only when it has something to say.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self._lock = threading.Lock()
        self._closing = False
        super().__init__(path, mode)
        self.pipe: bool = _is_pipe(self.fileno())

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


def _is_pipe(file: int) -> bool:
    """Say whether this is no regular file: what comes through it comes bit by bit."""
    return not stat.S_ISREG(os.fstat(file).st_mode)


def _has_something(file: int, seconds: float = PIPE_SECONDS) -> bool:
    """Wait a little for bytes, or the end, of what may be a pipe; regular files always have."""
    return sys.platform == "win32" or bool(select.select([file], [], [], seconds)[0])
