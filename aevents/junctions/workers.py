"""`workers`: a function over a stream, several items at a time."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Generic, Literal, TypeVar, cast, overload

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from aevents.junctions.channel import Channel
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps, running
from aevents.stream import Stream

T = TypeVar("T")
U = TypeVar("U")

Where = Literal["thread", "loop"]


@overload
def workers(
    stream: Stream[T], function: Callable[[T], Awaitable[U]], *, where: Literal["loop"],
    count: int = ..., ordered: bool = ..., max_pending: int | None = ...,
) -> AbstractAsyncContextManager[Stream[U]]: ...  # fmt: skip


@overload
def workers(
    stream: Stream[T], function: Callable[[T], U], *, where: Literal["thread"] = ...,
    count: int = ..., ordered: bool = ..., max_pending: int | None = ...,
) -> AbstractAsyncContextManager[Stream[U]]: ...  # fmt: skip


def workers(
    stream: Stream[T],
    function: Callable[[T], object],
    *,
    where: Where = "thread",
    count: int = 4,
    ordered: bool = True,
    max_pending: int | None = None,
) -> AbstractAsyncContextManager[Stream[object]]:
    """Apply a function to each item, `count` of them at a time, and give the results as a stream.

    `where` is `"thread"` for a function that computes or blocks, `"loop"` for a coroutine function.
    Results come in the order of the items, or with `ordered=False` as they are done. At most
    `max_pending` items (twice `count` unless given) are on the way between input and reader; then
    the stream waits. An error ends all, and is raised behind the results before it. Raises
    `ValueError` for a count or bound below 1, `TypeError` for a function of the other kind.

    >>> async def classify(frames, net):
    ...     async with workers(frames, net, count=2) as labels:
    ...         async for label in labels:
    ...             print(label)
    """
    pending = 2 * count if max_pending is None else max_pending
    _check(function, where, count, pending)
    return _at_work(stream, _Desk(function, count, pending, ordered=ordered))


@asynccontextmanager
async def _at_work(stream: Stream[T], desk: _Desk[T]) -> AsyncIterator[Stream[object]]:
    async with running([partial(desk.run, stream)]):
        yield outlet(desk.results, "workers", desk.pumps, live=stream.endless)
    desk.pumps.raise_unread()


class _Job:
    """An item at work, and its result."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.result: object = None
        self.error: Exception | None = None


class _Desk(Generic[T]):
    """Gives out jobs, and collects the results."""

    def __init__(
        self,
        function: Callable[[T], object],
        count: int,
        pending: int,
        *,
        ordered: bool,
    ) -> None:
        self.results: Channel[object] = Channel(capacity=1)
        self.pumps = Pumps([])
        self._function = function
        self._waits = _is_coroutine(function)
        self._ordered = ordered
        self._jobs: Channel[_Job] = Channel(capacity=pending)
        self._pending = anyio.Semaphore(pending)
        self._limiter = anyio.CapacityLimiter(count)

    async def run(self, stream: Stream[T]) -> None:
        """Read the stream, work, and hand on, to the end or the first error."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._collect, group.cancel_scope)
            async with anyio.create_task_group() as working:
                await self.pumps.pump(stream, partial(self._begin, working))
            self._jobs.close()
        self.results.close(self.pumps.error)

    async def _begin(self, working: TaskGroup, item: T) -> bool:
        await self._pending.acquire()
        job = _Job()
        if self._ordered:
            self._jobs.offer(job)
        working.start_soon(self._work, job, item)
        return not self.results.abandoned

    async def _work(self, job: _Job, item: T) -> None:
        try:
            if self._waits:
                async with self._limiter:
                    job.result = await cast("Awaitable[object]", self._function(item))
            else:
                work = partial(self._function, item)
                job.result = await anyio.to_thread.run_sync(work, limiter=self._limiter)
        except Exception as error:  # comes out behind the results before it
            job.error = error
        job.done.set()
        if not self._ordered:
            self._jobs.offer(job)

    async def _collect(self, working: anyio.CancelScope) -> None:
        while True:
            try:
                job = await self._jobs.receive()
            except anyio.EndOfStream:
                return
            await job.done.wait()
            if job.error is not None:
                self.pumps.fail(job.error)
                working.cancel()
                return
            await self.results.send(job.result)
            self._pending.release()


def _check(function: Callable[..., object], where: Where, count: int, pending: int) -> None:
    if where not in ("thread", "loop"):
        raise ValueError(f"where is 'thread' or 'loop', not {where!r}")
    if count < 1 or pending < 1:
        raise ValueError(f"count and max_pending are at least 1, not {count} and {pending}")
    if _is_coroutine(function) != (where == "loop"):
        raise TypeError("a coroutine function runs where='loop', any other where='thread'")


def _is_coroutine(function: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # of an object
    )
