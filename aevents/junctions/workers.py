"""`workers`: a function over a stream, several items at a time."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Generic, Literal, TypeVar, cast, overload

import anyio
import anyio.to_thread
import msgspec
from anyio.abc import TaskGroup

from aevents.junctions.channel import Channel
from aevents.junctions.crew import Crew, pickled
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps, running
from aevents.stream import Stream

T = TypeVar("T")
U = TypeVar("U")

Where = Literal["thread", "loop", "process"]
OnError = Literal["raise", "skip", "emit"]


class Failed(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """An item on which the function of `workers` failed, and its error, in place of a result."""

    item: T
    error: Exception


@overload
def workers(
    stream: Stream[T], function: Callable[[T], Awaitable[U]], *, where: Literal["loop"],
    count: int = ..., ordered: bool = ..., max_pending: int | None = ...,
    on_error: Literal["raise", "skip"] = ...,
) -> AbstractAsyncContextManager[Stream[U]]: ...  # fmt: skip


@overload
def workers(
    stream: Stream[T], function: Callable[[T], Awaitable[U]], *, where: Literal["loop"],
    count: int = ..., ordered: bool = ..., max_pending: int | None = ...,
    on_error: Literal["emit"],
) -> AbstractAsyncContextManager[Stream[U | Failed[T]]]: ...  # fmt: skip


@overload
def workers(
    stream: Stream[T], function: Callable[[T], U], *, where: Literal["thread", "process"] = ...,
    count: int = ..., ordered: bool = ..., max_pending: int | None = ...,
    on_error: Literal["raise", "skip"] = ...,
) -> AbstractAsyncContextManager[Stream[U]]: ...  # fmt: skip


@overload
def workers(
    stream: Stream[T], function: Callable[[T], U], *, where: Literal["thread", "process"] = ...,
    count: int = ..., ordered: bool = ..., max_pending: int | None = ...,
    on_error: Literal["emit"],
) -> AbstractAsyncContextManager[Stream[U | Failed[T]]]: ...  # fmt: skip


def workers(  # noqa: PLR0913  # options, each by its name
    stream: Stream[T],
    function: Callable[[T], object],
    *,
    where: Where = "thread",
    count: int = 4,
    ordered: bool = True,
    max_pending: int | None = None,
    on_error: OnError = "raise",
) -> AbstractAsyncContextManager[Stream[object]]:
    """Apply a function to each item, `count` of them at a time, and give the results as a stream.

    `where` is `"thread"` for a function that computes or blocks, `"loop"` for a coroutine function,
    `"process"` for one that would keep other Python code from running. Results come in the order of
    the items, or with `ordered=False` as they are done. At most `max_pending` items (twice `count`
    unless given) are on the way between input and reader; then the stream waits.

    An error ends all, and is raised behind the results before it; with `on_error="skip"` its item
    has no result, and is counted as `failed_items`; with `"emit"` a `Failed` comes in its place.

    Processes are started before the first item, and import what the function needs. Arrays go to
    them through shared memory and are read-only there. The function must be one that can be
    pickled, of a module; in a script, begin with `if __name__ == "__main__":`.

    Raises `ValueError` for a count or bound below 1, `TypeError` for a function of the other kind,
    or one that cannot go to a process, and `WorkerError` when a process ends early.

    >>> async def classify(frames, net):
    ...     async with workers(frames, net, count=2) as labels:
    ...         async for label in labels:
    ...             print(label)
    """
    pending = 2 * count if max_pending is None else max_pending
    _check(function, where, count, pending)
    if on_error not in ("raise", "skip", "emit"):
        raise ValueError(f"on_error is 'raise', 'skip' or 'emit', not {on_error!r}")
    call = Crew(pickled(function), count) if where == "process" else _caller(function, count)
    return _at_work(stream, call, Desk(pending, ordered=ordered, on_error=on_error))


_Call = Callable[[T], Awaitable[object]]


@asynccontextmanager
async def _at_work(
    stream: Stream[T], call: _Call[T] | Crew, desk: Desk[T]
) -> AsyncIterator[Stream[object]]:
    async with AsyncExitStack() as stack:
        if isinstance(call, Crew):
            call = (await stack.enter_async_context(call)).call
        await stack.enter_async_context(running([partial(desk.run, stream, call)]))
        yield outlet(desk.results, "workers", desk.pumps, live=stream.endless)
    desk.pumps.raise_unread()


def _caller(function: Callable[[T], object], count: int) -> _Call[T]:
    """Return the coroutine function that calls this one, on the loop or in a thread, `count` at a
    time.
    """
    limiter = anyio.CapacityLimiter(count)

    async def on_the_loop(item: T) -> object:
        async with limiter:
            return await cast("Awaitable[object]", function(item))

    async def in_a_thread(item: T) -> object:
        return await anyio.to_thread.run_sync(function, item, limiter=limiter)

    return on_the_loop if is_coroutine(function) else in_a_thread


class _Job(Generic[T]):
    """An item at work, and its result."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = anyio.Event()
        self.result: object = None
        self.error: Exception | None = None


class Desk(Generic[T]):
    """Gives out jobs, and collects the results."""

    def __init__(self, pending: int, *, ordered: bool, on_error: OnError) -> None:
        self.results: Channel[object] = Channel(capacity=1)
        self.pumps: Pumps = Pumps([])
        self._ordered = ordered
        self._on_error = on_error
        self._jobs: Channel[_Job[T]] = Channel(capacity=pending)
        self._pending = anyio.Semaphore(pending)

    async def run(self, stream: Stream[T], call: _Call[T]) -> None:
        """Read the stream, work, and hand on, to the end or the first error."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._collect, group.cancel_scope)
            async with anyio.create_task_group() as working:
                await self.pumps.pump(stream, partial(self._begin, working, call))
            self._jobs.close()
        self.results.close(self.pumps.error)

    async def _begin(self, working: TaskGroup, call: _Call[T], item: T) -> bool:
        await self._pending.acquire()
        job = _Job(item)
        if self._ordered:
            self._jobs.offer(job)
        working.start_soon(self._work, call, job)
        return not self.results.abandoned

    async def _work(self, call: _Call[T], job: _Job[T]) -> None:
        try:
            job.result = await call(job.item)
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
            if job.error is not None and self._on_error == "raise":
                self.pumps.fail(job.error)
                working.cancel()
                return
            await self._hand_on(job)
            self._pending.release()

    async def _hand_on(self, job: _Job[T]) -> None:
        if job.error is None:
            await self.results.send(job.result)
            return
        self.pumps.count("failed_items")
        if self._on_error == "emit":
            await self.results.send(Failed(job.item, job.error))


def _check(function: Callable[..., object], where: Where, count: int, pending: int) -> None:
    if where not in ("thread", "loop", "process"):
        raise ValueError(f"where is 'thread', 'loop' or 'process', not {where!r}")
    if count < 1 or pending < 1:
        raise ValueError(f"count and max_pending are at least 1, not {count} and {pending}")
    if is_coroutine(function) != (where == "loop"):
        raise TypeError("a coroutine function runs where='loop', any other elsewhere")


def is_coroutine(function: Callable[..., object]) -> bool:
    """Say whether this is a coroutine function, or an object that is called like one."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # of an object
    )
