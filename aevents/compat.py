"""For people who move over from other libraries: their interfaces, over what is here.

`BufferEmit` is that of ocycle (https://pypi.org/project/ocycle). New programs do better with
`from_chunks`, `rechunk`, `sampled` and `workers`, which these are made of.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import anyio.to_thread
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal

from aevents.junctions.channel import Channel
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps
from aevents.junctions.workers import workers
from aevents.operators.rechunk import Rechunk, Tail
from aevents.operators.sampled import Sampled
from aevents.types import Chunk, Span, s

D = TypeVar("D")

Mode = Literal["serial", "thread", "process"]


class BufferEmit(Generic[D]):
    """Gather what is written (bytes, text, lists or arrays), and call `callback(value, t0)` each
    time that `size` units are there.

    `t0` is the time in seconds at which the first unit of the value was written. `clip` gives
    values of just `size` units, and keeps the rest; without it a value is all that is there.
    `sampler`, a number of seconds or a function that returns one, is how long nothing is taken
    after the write that filled a value; what is over of that write is let go. `asbuffer` gives the
    value in an `io.BytesIO` or `io.StringIO` of its own, where it is bytes or text. `mode` says
    where the callback runs: in `write`, in `npool` threads, or in `npool` processes; `on_done` is
    called with each result. At most `max_pending` values (twice `npool` unless given) are on the
    way, then `write` waits. What is left at the end is a last value, or what else `tail` says; see
    `Rechunk`.

    What differs from ocycle: `t0` is right, the tail is not lost, an array keeps its dtype, memory
    is bounded, and an error of a callback is raised, by a later `write` or by `close`.

    Raises `ValueError` for a size below 1 and an unknown mode or `tail`, `TypeError` in mode
    `"process"` for a callback that cannot be pickled.

    >>> with BufferEmit(lambda value, t0: print(value, t0), 4, clip=True) as buffer:
    ...     buffer.write(b"abc", t0=1.0)
    ...     buffer.write(b"def", t0=2.0)
    b'abcd' 1.0
    b'ef' 2.0
    """

    def __init__(  # noqa: PLR0913  # as there
        self,
        callback: Callable[[Any, float], object],
        size: int,
        *,
        asbuffer: bool = False,
        clip: bool = False,
        sampler: float | Callable[[], float] | None = None,
        mode: Mode = "serial",
        npool: int = 10,
        on_done: Callable[[Any], object] | None = None,
        tail: Tail = "emit",
        max_pending: int | None = None,
    ) -> None:
        if mode not in ("serial", "thread", "process"):
            raise ValueError(f"mode is 'serial', 'thread' or 'process', not {mode!r}")
        self._rechunk = Rechunk[D](size, exact=clip, tail=tail)
        if sampler:
            self._rechunk.sampled_by(Sampled(gap_us=partial(_gap_us, sampler)))
        self._call = _Call(callback, asbuffer=asbuffer)
        self._on_done = on_done
        self._offset = 0
        self._pool: _Pool | None = None
        self._closed = False
        if mode != "serial":
            self._pool = _Pool(self._call, mode, npool, max_pending, self._done)

    def write(self, data: D, t0: float | None = None) -> None:
        """Take some units, written at `t0` seconds, now unless given. Raises what a callback has
        raised, and `ValueError` after `close`.
        """
        if self._closed:
            raise ValueError("write to a closed buffer")
        at = round((time.time() if t0 is None else t0) * s)
        chunk = Chunk(data, Span(at, at + 1), self._offset)
        self._offset += len(chunk)
        for value in self._rechunk.feed(chunk):
            self._emit(value)

    def close(self) -> None:
        """Emit the last value, and wait until all have been worked on. Raises what a callback has
        raised. May be called twice.
        """
        if self._closed:
            return
        self._closed = True
        try:
            for value in self._rechunk.flush():
                self._emit(value)
        finally:
            if self._pool is not None:
                self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _emit(self, chunk: Chunk[D]) -> None:
        if self._pool is None:
            self._done(self._call(chunk))
        else:
            self._pool.submit(chunk)

    def _done(self, result: object) -> None:
        if self._on_done is not None:
            self._on_done(result)


class _Call:
    """The callback, as a function of a chunk."""

    def __init__(self, callback: Callable[[Any, float], object], *, asbuffer: bool) -> None:
        self._callback = callback
        self._asbuffer = asbuffer

    def __call__(self, chunk: Chunk[object]) -> object:
        value = chunk.data
        if self._asbuffer and isinstance(value, bytes):
            value = io.BytesIO(value)
        elif self._asbuffer and isinstance(value, str):
            value = io.StringIO(value)
        return self._callback(value, chunk.span.start / s)


class _Pool:
    """`workers` in an event loop of their own, for a program that has none."""

    def __init__(
        self,
        call: _Call,
        mode: Literal["thread", "process"],
        count: int,
        max_pending: int | None,
        on_done: Callable[[object], None],
    ) -> None:
        self._chunks: Channel[Chunk[Any]] = Channel(capacity=1)
        stream = outlet(self._chunks, "a buffer", Pumps([]), live=False)
        self._workers = workers(
            stream, call, where=mode, count=count, ordered=False, max_pending=max_pending
        )
        self._on_done = on_done
        self._closed = False
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            self._served: Future[None]
            self._served, _ = self._portal.start_task(self._serve)
            self._stack = stack.pop_all()

    def submit(self, chunk: Chunk[Any]) -> None:
        """Hand over a chunk; waits until there is room. Raises what went wrong, once."""
        if not self._closed and not self._portal.call(self._chunks.send, chunk):
            self.close()

    def close(self) -> None:
        """Wait until all is done. Raises what went wrong, once."""
        if self._closed:
            return
        self._closed = True
        with self._stack:
            self._portal.call(self._chunks.close)
            self._served.result()

    async def _serve(self, *, task_status: TaskStatus[None]) -> None:
        async with self._workers as results:
            task_status.started()
            async for result in results:
                await anyio.to_thread.run_sync(self._on_done, result)


def _gap_us(sampler: float | Callable[[], float]) -> int:
    seconds = sampler() if callable(sampler) else sampler
    return max(1, round(seconds * s))  # of the write that filled a value nothing more is taken
