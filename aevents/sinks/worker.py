"""What sinks that encode and write have in common: a worker hop an item, and nothing lost when
cancelled.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Generic, TypeVar

import anyio
import anyio.to_thread

T_contra = TypeVar("T_contra", contravariant=True)


class WorkerSink(ABC, Generic[T_contra]):
    """A sink whose work is done in a worker thread, one item at a time: say how to `put` and `end`.

    An item that has been handed over is put even when the hand-over is cancelled. After an item
    that could not be put, the ones behind it are left out, and what was written before is finished.
    """

    def __init__(self) -> None:
        self._waiting: deque[T_contra] = deque()
        self._closed = False
        self._failed = False
        self._lock = threading.Lock()

    async def write(self, item: T_contra, /) -> None:
        """Put one item. Raises what that raises; after the close, `anyio.ClosedResourceError`."""
        if self._closed:
            raise anyio.ClosedResourceError
        self._waiting.append(item)
        await anyio.to_thread.run_sync(self._work)

    async def aclose(self) -> None:
        """Put what is still waiting, and end, even when cancelled. May be called twice."""
        work = asyncio.ensure_future(anyio.to_thread.run_sync(self._finish))
        cancelled: asyncio.CancelledError | None = None
        while not work.done():
            try:
                await asyncio.wait((work,))
            except asyncio.CancelledError as error:  # a shield does not keep out a native one
                cancelled = error
        work.result()
        if cancelled is not None:
            raise cancelled

    @abstractmethod
    def put(self, item: T_contra, /) -> None:
        """Encode and write one item, in a worker."""

    @abstractmethod
    def end(self) -> None:
        """Write what comes last and release everything, in a worker."""

    def _work(self) -> None:
        with self._lock:
            self._drain()

    def _drain(self) -> None:
        while self._waiting:
            try:
                self.put(self._waiting.popleft())
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
            finally:
                self.end()
