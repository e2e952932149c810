"""Processes that call a function, for `workers`.

Each has a segment of shared memory on lease: an item is copied into it, lies there, read-only,
while the function works on it, and the result is copied out. If the function keeps some of that
memory, it stays as it is for as long: the next items are put elsewhere.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from aevents._driver import CLOSE_SECONDS
from aevents.errors import WorkerError
from aevents.junctions.segment import Place, Segment

LENGTH = struct.Struct("<Q")
SMALL = 16_384
"""Bytes of a result that is read on the event loop: a hop to a thread would cost more."""
END_SECONDS = 2
"""How long a process may take to end by itself."""

preparing: bool = False  # this is a process of a crew, which imports the main module


def pickled(function: Callable[..., object]) -> bytes:
    """Return the function as a process of its own can be told it. Raises `TypeError` for one that
    cannot: a lambda, or one that is defined inside another.
    """
    if preparing:
        raise RuntimeError(
            "a worker process imports the main module: "
            "begin there with `if __name__ == '__main__':`"
        )
    if sys.platform == "win32":
        raise NotImplementedError("where='process' needs a POSIX system")
    try:
        return pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"a function that cannot be pickled cannot go to a process: {error}; define it in a "
            "module, or choose where='thread'"
        ) from None


class Crew:
    """So many processes, started by `async with` and ended with it."""

    def __init__(self, function: bytes, count: int) -> None:
        self._function = function
        self._places = anyio.CapacityLimiter(count)
        self._idle: list[Errand | None] = [None] * count  # None: to be started

    async def __aenter__(self) -> Self:
        try:
            async with anyio.create_task_group() as group:
                for index in range(len(self._idle)):
                    group.start_soon(self._start, index)
        except BaseException as error:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await self._end()
            if isinstance(error, ExceptionGroup):  # most likely the same of each
                raise error.exceptions[0] from None
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await self._end()

    async def call(self, item: object) -> object:
        """Return what the function makes of an item, or raise what it raises, or `WorkerError` if
        its process has ended.
        """
        async with self._places, self._leased() as errand:
            return await errand.run(item)

    async def _start(self, index: int) -> None:
        self._idle[index] = await Errand.start(self._function)

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[Errand]:
        errand = self._idle.pop()
        try:
            if errand is None:
                errand = await Errand.start(self._function)
            yield errand
        finally:
            if errand is not None and errand.busy:  # cancelled, or dead: nobody knows what it does
                with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                    await errand.end()
                errand = None
            self._idle.append(errand)

    async def _end(self) -> None:
        errands = [errand for errand in self._idle if errand is not None]
        try:
            async with anyio.create_task_group() as group:
                for errand in errands:
                    group.start_soon(errand.end)
        finally:
            for errand in errands:  # which a native cancellation has left
                errand.kill()


class Errand:
    """One process, and the segment that is shared with it."""

    def __init__(self, process: Process, segment: Segment) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.busy: bool = False
        self._process = process
        self._segment = segment
        self._jobs = process.stdin
        self._results = BufferedByteReceiveStream(process.stdout)
        self._held: list[Place] = []  # memory that the function has kept

    @classmethod
    async def start(cls, function: bytes) -> Self:
        """Start a process and tell it the function. Raises `WorkerError` if it cannot be begun."""
        segment = Segment()
        command = [sys.executable, "-m", "aevents.junctions.errand", str(segment.descriptor)]
        try:
            process = await anyio.open_process(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
                pass_fds=[segment.descriptor],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except BaseException:
            segment.close()
            raise
        errand = cls(process, segment)
        try:
            errand.busy = True
            await errand._send((_preparation(), function))
            well, told = await errand._receive()
            if not well:
                raise WorkerError(f"a worker process could not begin: {told}")
            errand.busy = False
        except BaseException:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await errand.end()
            raise
        return errand

    async def run(self, item: object) -> object:
        """Have the function called with this item."""
        self.busy = True
        try:
            places = await anyio.to_thread.run_sync(self._segment.put, item, self._held)
        except Exception:  # this item cannot be pickled: the next one may be
            self.busy = False
            raise
        await self._send(places)
        well, answer, self._held = await self._receive()
        self.busy = False
        small = answer[-1][1] - answer[0][0] <= SMALL
        take = partial(self._segment.take, answer)
        result = take() if small else await anyio.to_thread.run_sync(take)
        if well:
            return result
        assert isinstance(result, Exception)
        raise result

    async def end(self) -> None:
        """End the process: at once if it is at work."""
        if self.busy:
            self.kill()
        await self._jobs.aclose()
        with anyio.move_on_after(END_SECONDS):
            await self._process.wait()
        self.kill()
        await self._process.aclose()
        await anyio.to_thread.run_sync(self._segment.close)

    def kill(self) -> None:
        """Kill the process, if it has not ended."""
        if self._process.returncode is None:
            self._process.kill()

    async def _send(self, message: object) -> None:
        data = pickle.dumps(message)
        try:
            await self._jobs.send(LENGTH.pack(len(data)) + data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._died()

    async def _receive(self) -> Any:  # noqa: ANN401  # a pickle
        try:
            [length] = LENGTH.unpack(await self._results.receive_exactly(LENGTH.size))
            return pickle.loads(await self._results.receive_exactly(length))
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            await self._died()

    async def _died(self) -> None:
        code = await self._process.wait()
        raise WorkerError(f"a worker process has ended, with code {code}")


def _preparation() -> dict[str, object]:
    """Return what a process needs to find a function of the main module."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    path = getattr(main, "__file__", None)
    told: dict[str, object] = {"sys_path": sys.path, "sys_argv": sys.argv}
    if spec is not None:
        told["init_main_from_name"] = spec.name
    elif path is not None:
        told["init_main_from_path"] = os.path.abspath(path)  # noqa: PTH100  # as it is told
    return told
