"""`infer`: models on a stream, each at its own pace, offline or in real time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Generic, Literal, TypeVar, overload

import anyio
from anyio.abc import TaskGroup

from aevents.junctions.channel import NEWEST, Channel
from aevents.junctions.models import Caller, Model, OnError, Runnable, blame, now
from aevents.junctions.outlet import outlet
from aevents.junctions.pump import Pumps, running
from aevents.junctions.workers import Desk, Where
from aevents.operators.moments import History, Moment, Moments
from aevents.operators.results import Result
from aevents.stream import Stream

T = TypeVar("T")
U = TypeVar("U")

Given = Callable[..., object] | Runnable[object] | Model


@overload
def infer(
    frames: Stream[T],
    model: Callable[..., Coroutine[Any, Any, U]] | Runnable[Coroutine[Any, Any, U]], /, *,
    history: History | None = ..., every_us: int | None = ..., origin_us: int | None = ...,
    where: Where | None = ..., workers: int = ..., realtime: bool = ..., on_error: OnError = ...,
    with_frames: Literal[False] = ...,
) -> AbstractAsyncContextManager[Stream[Result[U]]]: ...  # fmt: skip


@overload
def infer(
    frames: Stream[T], model: Callable[..., U] | Runnable[U], /, *,
    history: History | None = ..., every_us: int | None = ..., origin_us: int | None = ...,
    where: Where | None = ..., workers: int = ..., realtime: bool = ..., on_error: OnError = ...,
    with_frames: Literal[False] = ...,
) -> AbstractAsyncContextManager[Stream[Result[U]]]: ...  # fmt: skip


@overload
def infer(
    frames: Stream[T], models: Model | Mapping[str, Given], /, *,
    history: History | None = ..., every_us: int | None = ..., origin_us: int | None = ...,
    where: Where | None = ..., workers: int = ..., realtime: bool = ..., on_error: OnError = ...,
    with_frames: Literal[False] = ...,
) -> AbstractAsyncContextManager[Stream[Result[object]]]: ...  # fmt: skip


@overload
def infer(
    frames: Stream[T], models: Given | Mapping[str, Given], /, *,
    history: History | None = ..., every_us: int | None = ..., origin_us: int | None = ...,
    where: Where | None = ..., workers: int = ..., realtime: bool = ..., on_error: OnError = ...,
    with_frames: bool,
) -> AbstractAsyncContextManager[Stream[Result[object] | T]]: ...  # fmt: skip


def infer(  # noqa: PLR0913  # options, each by its name
    frames: Stream[T],
    models: Given | Mapping[str, Given],
    /,
    *,
    history: History | None = None,
    every_us: int | None = None,
    origin_us: int | None = None,
    where: Where | None = None,
    workers: int = 1,
    realtime: bool = False,
    on_error: OnError = "emit",
    with_frames: bool = False,
) -> AbstractAsyncContextManager[Stream[Any]]:
    """Show the frames of a stream to a model, or to several by name, and give what they say as a
    stream of `Result`.

    A model is a function, a coroutine function, or an object with a method `run`, and perhaps
    `init`, which is called once before all. It gets a frame, or with `history` a tuple of frames,
    oldest first. It is asked at every frame, or every `every_us` in the time of the stream: at the
    first frame that is presented at `origin_us + k * every_us` or later, `k` from 0 on; the grid
    begins with the first frame unless `origin_us` says where.

    A function runs in a `"thread"`, or with `where="process"` in a process, to which arrays go
    through shared memory; a coroutine function on the `"loop"`. As many as `workers` calls run at a
    time. `Model` gives one of several models settings of its own; the others have those given here.

    Offline every slot is served, and results come in the order of the slots, those of one frame in
    the order of the models: the same each time. With `realtime` a recording is played as it
    happened; each model sees the newest frames when it is ready, leaves out the slots that it was
    too slow for, and holds up nobody; results come as they are done. Each says how many slots were
    `skipped` right before it, and the report counts all as `skipped_slots`; the last slot is always
    served.

    A model that raises gives a result with the `error`, counted as `failed_items`; or with
    `on_error="raise"` it ends all. With `with_frames` the frames come too, each behind the results
    of its slots, for `annotate`; in real time those that nobody takes are dropped, and counted.

    Raises `ValueError` and `TypeError` at the call as `Model` does, and for no model at all;
    entering raises what `init` raises, and `WorkerError` for a process that cannot begin.

    >>> async def watch(frames, net):
    ...     async with infer(frames, net, every_us=100_000, realtime=True) as results:
    ...         async for result in results:
    ...             print(result.t_us, result.value, result.skipped)
    """
    if on_error not in ("emit", "raise"):
        raise ValueError(f"on_error is 'emit' or 'raise', not {on_error!r}")
    named = models if isinstance(models, Mapping) else {_name_of(models): models}
    if not named:
        raise ValueError("nothing to infer: no model was given")
    each = {
        name: one
        if isinstance(one, Model)
        else Model(one, history, every_us, origin_us, where, workers)
        for name, one in named.items()
    }
    callers = {name: Caller[T](one, on_error) for name, one in each.items()}
    schedules = {name: one.schedule for name, one in each.items()}
    make = partial(Moments[T], schedules, refresh=realtime, with_frames=with_frames)
    played = frames.paced() if realtime and not frames.origin.live else frames
    room = _Live(callers) if realtime else _Offline(callers)
    return _at_work(played.through(make), room)


@asynccontextmanager
async def _at_work(
    moments: Stream[Moment[T] | T], room: _Offline[T] | _Live[T]
) -> AsyncIterator[Stream[object]]:
    async with AsyncExitStack() as stack:
        for name, caller in room.callers.items():
            try:
                await stack.enter_async_context(caller.begun())
            except Exception as error:
                blame(name, error)
                raise
        await stack.enter_async_context(running([partial(room.run, moments)]))
        yield outlet(room.results, "models", room.pumps, live=moments.endless)
    room.pumps.raise_unread()


class _Offline(Generic[T]):
    """Serves every slot, in order: each model waits for the others at most so long that only a few
    moments are on the way.
    """

    def __init__(self, callers: Mapping[str, Caller[T]]) -> None:
        self.callers = callers
        pending = 2 * sum(caller.workers for caller in callers.values())
        self._desk: Desk[Moment[T] | T] = Desk(pending, ordered=True, on_error="raise")
        self.results = self._desk.results
        self.pumps = self._desk.pumps

    async def run(self, moments: Stream[Moment[T] | T]) -> None:
        await self._desk.run(moments, self._answer)

    async def _answer(self, item: Moment[T] | T) -> object:
        if not isinstance(item, Moment):
            return item
        caller = self.callers[item.model]
        result = await caller.ask(item, now())
        if result.error is not None:
            self.pumps.count("failed_items")
        return result


class _Live(Generic[T]):
    """Serves the newest slot of each model as soon as that is ready."""

    def __init__(self, callers: Mapping[str, Caller[T]]) -> None:
        self.callers = callers
        self.results: Channel[object] = Channel()
        self._waiting = {name: Channel[tuple[Moment[T], float]](NEWEST) for name in callers}
        self.pumps = Pumps([*self._waiting.values()])

    async def run(self, moments: Stream[Moment[T] | T]) -> None:
        async with anyio.create_task_group() as working:
            for name in self.callers:
                working.start_soon(self._serve, name, working)
            await self.pumps.pump(moments, self._sort)
        self.results.close(self.pumps.error)

    async def _sort(self, item: Moment[T] | T) -> bool:
        if isinstance(item, Moment):
            waiting = self._waiting[item.model]
            if item.due or len(waiting):
                waiting.offer((item, now()))
        elif not self.results.offer(item):
            self.results.lose(item)
        return not self.results.abandoned

    async def _serve(self, name: str, working: TaskGroup) -> None:
        free, reached = anyio.Semaphore(self.callers[name].workers), -1
        while True:
            await free.acquire()
            try:
                moment, arrived = await self._waiting[name].receive()
            except Exception:  # the end, or an error that comes out behind the results
                return
            skipped = moment.index - reached - 1
            reached = moment.index
            self.pumps.count("skipped_slots", skipped)
            working.start_soon(self._answer, moment, arrived, skipped, free)

    async def _answer(
        self, moment: Moment[T], arrived: float, skipped: int, free: anyio.Semaphore
    ) -> None:
        try:
            result = await self.callers[moment.model].ask(moment, arrived, skipped)
            if result.error is not None:
                self.pumps.count("failed_items")
            await self.results.send(result)
        except Exception as error:
            self.pumps.fail(error)
            self.results.close(self.pumps.error)
        finally:
            free.release()


def _name_of(model: object) -> str:
    name = getattr(model.model if isinstance(model, Model) else model, "__name__", "")
    return name if name.isidentifier() else "model"
