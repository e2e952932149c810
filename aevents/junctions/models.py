"""Models as `infer` calls them: what one is, where it runs, and what it has to say."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Literal, Protocol, TypeVar, cast

import anyio
import anyio.to_thread
import msgspec

from aevents.junctions.crew import Crew, pickled
from aevents.junctions.workers import Where, is_coroutine
from aevents.operators.moments import History, Moment, Schedule
from aevents.operators.results import Result

T = TypeVar("T")
U_co = TypeVar("U_co", covariant=True)

OnError = Literal["emit", "raise"]
SECOND_US = 1_000_000
RAISED_BY = "raised by the model "
"""Before the model's name, in the note that `blame` makes."""


class Runnable(Protocol[U_co]):
    """A model that is an object. If it has a method `init`, that is called once before all, where
    the model runs.
    """

    @property
    def run(self) -> Callable[..., U_co]:
        """What makes something of a frame, or of those of a history."""


class Model(msgspec.Struct, frozen=True, eq=False):
    """A model with settings of its own, for `infer`, which says what each is.

    Raises `ValueError` for a number below 1 or an unknown `where`, `TypeError` for what is no
    function and has no method `run`, and for a coroutine function that is to run elsewhere than on
    the loop.
    """

    model: Callable[..., object] | Runnable[object]
    history: History | None = None
    every_us: int | None = None
    origin_us: int | None = None
    where: Where | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if self.where not in (None, "thread", "loop", "process"):
            raise ValueError(f"where is 'thread', 'loop' or 'process', not {self.where!r}")
        if self.workers < 1:
            raise ValueError(f"workers is at least 1, not {self.workers}")
        coroutine = is_coroutine(function_of(self.model))
        if self.where is not None and coroutine != (self.where == "loop"):
            raise TypeError("a coroutine function runs where='loop', any other elsewhere")
        _ = self.schedule  # which refuses what it cannot be

    @property
    def schedule(self) -> Schedule:
        """When the model is asked."""
        return Schedule(self.history or History(), self.every_us, self.origin_us)


def now() -> float:
    """Return the time, in seconds since whenever: finer than that of uvloop, which counts ms."""
    return time.perf_counter()


def blame(name: str, error: Exception, /) -> None:
    """Note in an error that it came out of the model of this name."""
    error.add_note(f"{RAISED_BY}{name}")


def function_of(model: object, /) -> Callable[..., object]:
    """Return what is called with frames. Raises `TypeError` for what is no model."""
    run = getattr(model, "run", None)
    if isinstance(model, type) and run is not None:
        raise TypeError(f"{model.__name__} is a class: give an object of it")
    function: object = run if callable(run) else model
    if not callable(function):
        raise TypeError(f"a model is a function, or has a method run: {model!r} is none")
    return function


def begin(model: object, /) -> Callable[..., object]:
    """Have a model begin, and return what is called with frames."""
    function = function_of(model)
    init = getattr(model, "init", None)
    if callable(init) and function is not model:
        init()
    return function


class Sent:
    """A model on its way into a process: where it is unpickled, it begins."""

    def __init__(self, model: object) -> None:
        self._model = model

    def __reduce__(self) -> tuple[Callable[[object], object], tuple[object]]:
        return begin, (self._model,)


class Caller(Generic[T]):
    """Calls a model, `workers` times at once, and makes results of what it says. Raises `TypeError`
    for a model that is to go to a process and cannot.
    """

    def __init__(self, model: Model, on_error: OnError) -> None:
        self.workers: int = model.workers
        self._model = model.model
        self._single = model.history is None
        self._emits = on_error == "emit"
        self._places = anyio.CapacityLimiter(model.workers)
        self._threads = anyio.CapacityLimiter(model.workers)
        self._crew: Crew | None = None
        self._call: Callable[[object], Awaitable[object]] = self._in_a_thread
        if model.where == "process":
            sent = cast("Callable[..., object]", Sent(model.model))  # that is what comes out of it
            self._crew = Crew(pickled(sent), model.workers)
            self._call = self._crew.call
        elif is_coroutine(function_of(model.model)):
            self._call = cast("Callable[[object], Awaitable[object]]", function_of(model.model))

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """Have the model begin; processes end with the body."""
        if self._crew is not None:
            async with self._crew:
                yield
            return
        if is_coroutine(getattr(self._model, "init", len)):
            await cast("Runnable[object]", self._model).init()  # type: ignore[attr-defined]  # as was seen
        else:
            await anyio.to_thread.run_sync(begin, self._model)
        yield

    async def ask(self, moment: Moment[T], arrived: float, skipped: int = 0) -> Result[object]:
        """Return what the model says. `arrived` is when the newest frame came, by `now`."""
        value, error = None, None
        async with self._places:
            began = now()
            try:
                value = await self._call(moment.frames[0] if self._single else moment.frames)
            except Exception as raised:
                if not self._emits:
                    blame(moment.model, raised)
                    raise
                error = raised
        age, latency = (int((at - arrived) * SECOND_US) for at in (began, now()))
        return Result(
            moment.model, moment.index, moment.span, moment.numbers, skipped, time.time(), age,
            latency, value, error,
        )  # fmt: skip

    async def _in_a_thread(self, frames: object) -> object:
        function = function_of(self._model)
        return await anyio.to_thread.run_sync(function, frames, limiter=self._threads)
