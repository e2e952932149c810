"""A source as the commands read it: opened by name, and counted as it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Generic, Never, TypeVar, cast

from cyclopts import Parameter, Token
from msgspec.structs import replace

from aevents import _pictures, registry
from aevents._contracts import Report
from aevents._driver import AsyncRun
from aevents.cli.kinds import Census
from aevents.codecs.base import Buffer, Jump, Opened
from aevents.codecs.sniff import Recognise
from aevents.errors import UnknownFormatError
from aevents.operators.base import Operator
from aevents.operators.dvs import Preset
from aevents.operators.simulate import Model
from aevents.stream import OperatorFactory, Stream
from aevents.types import EventBatch, Frame, Sensor

STANDARD = "standard:"

T = TypeVar("T")
U = TypeVar("U")


def hide_hyphen(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with another name for a lone `-`, which cyclopts takes for an option."""
    return [STANDARD if one == "-" else one for one in arguments]


def read_name(_type: object, tokens: Sequence[Token]) -> str:
    """Return the one name given, where a lone `-` is itself again."""
    return read_names(_type, tokens)[0]


def read_names(_type: object, tokens: Sequence[Token]) -> list[str]:
    """Return the names given, where a lone `-` is itself again."""
    return ["-" if token.value == STANDARD else token.value for token in tokens]


def read_format(_type: object, tokens: Sequence[Token]) -> str:
    """Return the name of a format that there is. Raises `ValueError` for any other."""
    try:
        return registry.codec(tokens[0].value).name
    except UnknownFormatError as error:
        raise ValueError(str(error)) from None


def read_size(_type: object, tokens: Sequence[Token]) -> Sensor:
    """Return the sensor of this size. Raises `ValueError` for what is no WIDTHxHEIGHT."""
    return Sensor.parse(tokens[0].value)


Name = Annotated[str, Parameter(converter=read_name, n_tokens=1)]
Names = Annotated[list[str], Parameter(converter=read_names, n_tokens=1, metavar="DST")]
Format = Annotated[str | None, Parameter(converter=read_format, n_tokens=1, metavar="NAME")]
Size = Annotated[
    Sensor | None,
    Parameter(converter=read_size, n_tokens=1, accepts_keys=False, metavar="WIDTHxHEIGHT"),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Input:
    """How to read the source.

    Parameters
    ----------
    from_
        Format of the input, where its first bytes and its suffix leave doubt.
    size
        Size of the sensor, where the input does not say it, or says it wrongly.
    strict
        Fail at the first thing that is not as it should be, instead of counting such things.
    """

    from_: Annotated[Format, Parameter(name="--from")] = None
    size: Size = None
    strict: bool = False

    def opened(self, name: str, kind: type[T]) -> Stream[T]:
        """Return the stream of what a name stands for. Raises what `aevents.open` raises, and
        `ValueError` for a video or a picture where events are wanted.
        """
        if kind is EventBatch and _pictures.source_of(Path(name), kind) is not None:
            raise ValueError(
                f"{name} holds frames, not events: aevents run … --events v2e makes events of "
                "them, and aevents convert writes them elsewhere"
            )
        return registry.open(
            name, kind=kind, format=self.from_, sensor=self.size, strict=self.strict
        )


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Pictures(Input):
    """How to read the source, of which pictures can be seen as an event camera would see them.

    Parameters
    ----------
    events
        Read pictures, not events, and make events of them, as v2e or as ESIM does.
    preset
        With --events: what the pixels are like. default is what v2e has on its command line.
    """

    events: Model | None = None
    preset: Preset | None = None

    def opened(self, name: str, kind: type[T]) -> Stream[T]:
        """Return the stream of what a name stands for, or of the events of its pictures."""
        if self.events is None:
            if self.preset is not None:
                raise ValueError("--preset: of no use without --events")
            return super().opened(name, kind)
        events = super().opened(name, Frame).events(self.events, preset=self.preset)
        return cast("Stream[T]", events)  # who asks for other kinds takes no pictures


class Progressed:
    """An operator that hands on what it is given, and knows up to which byte that was: None where
    a library reads the file.
    """

    def __init__(self) -> None:
        self.offset: int | None = 0

    def feed(self, item: T, /) -> tuple[T]:
        """Give the item."""
        if isinstance(item, Jump):
            self.offset = item.offset
        elif isinstance(item, Opened):
            self.offset = None
        elif isinstance(item, Buffer) and self.offset is not None:
            self.offset += len(item)
        return (item,)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Reading(Generic[T]):
    """A source that is read: its stream of a kind of items (`object`: all), to be run once at a
    time, and how far it has come.

    Nothing of before `start` µs is wanted. Raises what `aevents.open` raises, `FileNotFoundError`
    at once for a path that is not there, and `ValueError` for a video where events are wanted.
    """

    def __init__(self, name: str, given: Input, /, kind: type[T], *, start: int = 0) -> None:
        opened = given.opened(name, kind)
        self.name: str = name
        self.census: Census = Census()
        self._bytes = Progressed()
        self._recognise: Recognise | None = None
        self._scheme = registry.split_url(name)[0]
        self.size: int | None = None if self._scheme or name == "-" else _file_size(Path(name))
        self._run: AsyncRun[object] | None = None
        self._started = 0.0
        known = (partial(self._made, make) for make in opened.operators)
        row = (self._begin, *known, lambda: self.census)
        within = opened.origin.within if start > 0 else None
        origin = within(start) if within else opened.origin
        self.stream: Stream[T] = replace(opened, origin=origin, operators=row)

    def start(self, stream: Stream[U], /) -> AsyncRun[U]:
        """Return this stream, which continues `self.stream`, running."""
        run = stream.open()
        self._run = cast("AsyncRun[object]", run)  # only its report is asked for
        self._started = time.perf_counter()
        return run

    @property
    def format(self) -> str | None:
        """Name of the format that was recognised; the scheme where the source is no file."""
        codec = self._recognise.codec if self._recognise else None
        return codec.name if codec else self._scheme or None

    @property
    def events(self) -> int:
        """How many events have come from the source."""
        return self.census[EventBatch]

    @property
    def fraction(self) -> float | None:
        """How much of the file has been read, from 0 to 1; None where that is not known."""
        read = self._bytes.offset
        return min(1.0, read / self.size) if self.size and read is not None else None

    @property
    def doing(self) -> str:
        """Nothing that needs to be said."""
        return ""

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self._started

    @property
    def report(self) -> Report:
        """What has happened so far."""
        return self._run.report if self._run else Report(0, 0, {})

    def _begin(self) -> Progressed:
        self._bytes = Progressed()
        return self._bytes

    def _made(self, make: OperatorFactory) -> Operator[Never, object]:
        """Return an operator, and remember the one that is to be asked later."""
        made = make()
        if isinstance(made, Recognise):
            self._recognise = made
        return made


def _file_size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() or not path.exists() else None
