"""A camera as a source: opened and closed in worker threads, waited for on the loop."""

from __future__ import annotations

import asyncio
import select
import threading
import weakref
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CLOSE_SECONDS = 5
"""How long who opens a camera waits for others that are being closed: it may be one of them."""

_ending: set[threading.Event] = set()
"""Of each camera that is being closed, to wait for the end of that."""


class Camera(Protocol[T_co]):
    """An open camera, as a driver gives it. All but `close` return at once."""

    @property
    def file(self) -> int:
        """A file that is readable when something may have come."""

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""

    def take(self) -> T_co | None:
        """Return what has come next; None if nothing has. Raises `DeviceLostError`, and `EOFError`
        where there is an end.
        """

    def close(self) -> None:
        """Give it back; it blocks."""


class _Opening(Generic[T]):
    """A camera that is opened in one thread and perhaps closed in another, once each."""

    def __init__(self, open: Callable[[], Camera[T]]) -> None:
        self.camera: Camera[T] | None = None
        self.closed = False
        self._open = open
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        if self.camera is not None and not self.closed:
            self._counts = self.camera.counts
        return self._counts

    def shut(self) -> None:
        """Let it be used no more, nor opened."""
        self._counts = self.counts
        self.closed = True

    def open(self) -> None:
        """Open it, unless that is done or it has been closed meanwhile. It blocks."""
        with self._lock:
            if self.camera is None and not self.closed:
                for ending in tuple(_ending):
                    ending.wait(CLOSE_SECONDS)
                camera = self._open()
                self._free = weakref.finalize(self, camera.close)  # when Python ends, at the latest
                self.camera = camera

    def close(self) -> None:
        """Close it, when an opening that is under way has ended. It blocks."""
        with self._lock:
            if self.camera is not None:
                self._free()


class CameraSource(Generic[T]):
    """A camera that is waited for on the running loop.

    The first read opens it, in a worker, which raises what `open` raises. `close` returns at once,
    and the camera is free when `aclose` returns, or soon; who opens one waits for that.
    """

    def __init__(self, open: Callable[[], Camera[T]], /) -> None:
        self._of = _Opening(open)
        self._waits: int | None = None
        self._ended = threading.Event()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._of.counts

    async def __anext__(self) -> T:
        """Return what has come next, or await it. A cancelled call loses nothing."""
        while not self._of.closed:
            camera = self._of.camera
            if camera is None:
                await anyio.to_thread.run_sync(self._of.open)
                continue
            try:
                item = camera.take()
            except EOFError:
                break
            if item is not None:
                return item
            await self._readable(camera.file)
        raise StopAsyncIteration

    def close(self) -> None:
        """Let go of the camera. A read that waits ends."""
        if self._of.closed:
            return
        self._of.shut()
        if self._waits is not None:
            anyio.notify_closing(self._waits)
        _ending.add(self._ended)
        try:
            asyncio.get_running_loop().run_in_executor(None, self._end)
        except RuntimeError:  # no loop runs: nobody minds waiting
            self._end()

    async def aclose(self) -> None:
        """Let go of the camera, and wait until it is free."""
        self.close()
        await anyio.to_thread.run_sync(self._ended.wait)

    def _end(self) -> None:
        try:
            self._of.close()
        finally:
            self._ended.set()
            _ending.discard(self._ended)

    async def _readable(self, file: int) -> None:
        self._waits = file
        try:
            await anyio.wait_readable(file)
        except anyio.ClosedResourceError:
            pass  # closed meanwhile, as the caller sees
        finally:
            self._waits = None


class BlockingCamera(Generic[T]):
    """A camera that is read with `for`, without a loop; the first read opens it."""

    def __init__(self, open: Callable[[], Camera[T]], /) -> None:
        self._of = _Opening(open)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._of.counts

    def __next__(self) -> T:
        """Return what has come next, or block until something has."""
        self._of.open()
        while not self._of.closed and self._of.camera is not None:
            try:
                item = self._of.camera.take()
            except EOFError:
                break
            if item is not None:
                return item
            select.select([self._of.camera.file], [], [])
        raise StopIteration

    def close(self) -> None:
        """Free the camera."""
        self._of.shut()
        self._of.close()
