"""Pipelines as files: what is opened, what happens to it, which models see it, and where it goes,
in TOML and in the names that Python has.

    open = "street.raw"
    steps = [{ window = { duration_us = 10000 } }, { frames = "signed" }]
    to = "results.jsonl"

    [infer]
    every_us = 100000

    [infer.models]
    activity = "activity:mean"
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import anyio
import anyio.to_thread
import msgspec

from aevents import registry
from aevents._contracts import Report, Sink
from aevents._named import applied, function_named, named
from aevents.junctions.channel import BLOCK
from aevents.junctions.infer import infer
from aevents.junctions.models import Model, OnError, blame, function_of
from aevents.junctions.tee import tee
from aevents.junctions.workers import Where
from aevents.operators.moments import History
from aevents.operators.results import Draw, Result, annotate
from aevents.stream import Stream
from aevents.types import Frame, Sensor


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a file. Keys that it does not know are refused."""


class Opening(_Table, frozen=True):
    """What `aevents.open` is told; `sensor` is a size like `"640x480"`, `options` are those of the
    format or the source.
    """

    name: str
    format: str | None = None
    sensor: str | None = None
    strict: bool = False
    options: dict[str, Any] = {}

    def stream(self) -> Stream[object]:
        """Return the stream."""
        sensor = None if self.sensor is None else Sensor.parse(self.sensor)
        opened = registry.open(
            self.name, format=self.format, sensor=sensor, strict=self.strict, **self.options
        )
        return cast("Stream[object]", opened)


class OneModel(_Table, frozen=True):
    """What `aevents.Model` is told. `model` is a function, an object, or a class, which is made an
    object with these `arguments`; a function gets them beside its frames.
    """

    model: str
    arguments: dict[str, Any] = {}
    history: History | None = None
    every_us: int | None = None
    origin_us: int | None = None
    where: Where | None = None
    workers: int = 1

    def made(self) -> Model:
        """Return the model. Raises what `Model` and a class raise."""
        model = named(self.model)
        if isinstance(model, type):
            try:
                model = model(**self.arguments)
            except Exception as error:
                blame(self.model, error)
                raise
        elif self.arguments:
            model = partial(function_of(model), **self.arguments)
        return Model(
            cast("Callable[..., object]", model),  # which sees to it
            self.history,
            self.every_us,
            self.origin_us,
            self.where,
            self.workers,
        )


class Inference(_Table, frozen=True):
    """What `aevents.infer` is told."""

    models: dict[str, str | OneModel]
    history: History | None = None
    every_us: int | None = None
    origin_us: int | None = None
    where: Where | None = None
    workers: int = 1
    realtime: bool = False
    on_error: OnError = "emit"

    def made(self) -> dict[str, Model]:
        """Return the models by name."""
        shared = {
            name: getattr(self, name)
            for name in ("history", "every_us", "origin_us", "where", "workers")
        }
        return {
            name: (OneModel(model=one, **shared) if isinstance(one, str) else one).made()
            for name, one in self.models.items()
        }


class Annotation(_Table, frozen=True):
    """A function that draws, as `aevents.annotate` has it, and where its frames go."""

    draw: str
    to: str


class Pipeline(_Table, frozen=True):
    """What is opened, the methods of the stream that follow in `steps`, the models that see it, and
    where it goes, or what they say.

    >>> def main():
    ...     print(aevents.run(Pipeline.read("pipeline.toml").run))
    """

    open: str | Opening
    steps: tuple[dict[str, Any], ...] = ()
    infer: Inference | None = None
    annotate: Annotation | None = None
    to: str | tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("to: nothing says where it goes")
        if self.annotate is not None and self.infer is None:
            raise ValueError("annotate draws what models say: there is no infer")

    @classmethod
    def read(cls, path: str | Path, /) -> Self:
        """Return the pipeline of a TOML file. Raises `ValueError`, with the place, for what is no
        TOML, for keys that are not known and for values that do not fit; and what reading a file
        raises.
        """
        file = Path(path)
        try:
            return msgspec.toml.decode(file.read_bytes(), type=cls)
        except msgspec.DecodeError as error:
            known = f"; a pipeline has {', '.join(cls.__struct_fields__)}"
            told = f"{file.name}: {error}" + known * ("unknown field" in str(error))
            raise ValueError(told) from None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all that is written."""
        to = (self.to,) if isinstance(self.to, str) else self.to
        return (*to, *((self.annotate.to,) if self.annotate else ()))

    async def run(self) -> Report:
        """Run it to its end, and return what happened: to results, where there are models.

        Everything that is named is looked up first. Raises `ValueError` for what is not there or
        does not fit, and what reading, models and writing raise.
        """
        stream, models, draw = await anyio.to_thread.run_sync(self._looked_up)
        to = (self.to,) if isinstance(self.to, str) else self.to
        sinks = [registry.create(name) for name in to]
        if self.infer is None:
            return await stream.to(*sinks)
        seen = None if self.annotate is None else registry.create(self.annotate.to)
        async with infer(
            stream,
            models,
            realtime=self.infer.realtime,
            on_error=self.infer.on_error,
            with_frames=seen is not None,
        ) as items:
            if draw is None or seen is None:
                return await items.to(*sinks)
            async with _beside(items, draw, seen) as results:
                return await results.filter(_is_result).to(*sinks)

    def _looked_up(self) -> tuple[Stream[object], dict[str, Model], Draw | None]:
        """Return the stream, the models and what draws, in a worker: modules may take long."""
        opening = Opening(name=self.open) if isinstance(self.open, str) else self.open
        stream = opening.stream()
        for step in self.steps:
            stream = applied(stream, step)
        models = {} if self.infer is None else self.infer.made()
        draw = None if self.annotate is None else function_named(self.annotate.draw)
        return stream, models, draw


@asynccontextmanager
async def _beside(
    items: Stream[object], draw: Draw, to: Sink[object]
) -> AsyncIterator[Stream[object]]:
    """Write the frames, with what is drawn on them, and give the stream of results beside."""
    try:
        async with (
            tee(items, BLOCK, BLOCK) as (results, seen),
            anyio.create_task_group() as tasks,
        ):
            frames = cast("Stream[Frame | Result[object]]", seen)  # it is told if it is not
            tasks.start_soon(frames.through(annotate(draw)).to, to)
            yield results
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise


def _is_result(item: object) -> bool:
    return isinstance(item, Result)
