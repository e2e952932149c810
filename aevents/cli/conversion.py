"""One recording on its way into another format: looked at first where there is doubt, and refused
before a byte is written if there is no room for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from aevents import registry
from aevents._contracts import Sink
from aevents.cli.beside import OnSensor, ZeroTime, put_beside
from aevents.cli.delivery import draft, sink_of
from aevents.cli.ending import run
from aevents.cli.extent import Extent, Fitting, refuse_misfit, settled
from aevents.cli.figures import Row, figures
from aevents.cli.kinds import Census, names_of
from aevents.cli.operators import Step, start_of
from aevents.cli.progress import progress
from aevents.cli.reading import Input, Reading
from aevents.codecs.base import Codec
from aevents.errors import EncodeError, UnknownFormatError
from aevents.stream import Stream, deliver
from aevents.types import EventBatch, Sensor


class Wanted(msgspec.Struct, frozen=True):
    """How to convert: what to keep, what to do to the events, and how to read and to write.

    `format` of None: the suffix of the target says it. `on_sensor` leaves out what is off it.
    """

    only: tuple[type, ...] = ()
    steps: Sequence[Step] = ()
    zero_time: bool = False
    force: bool = False
    format: str | None = None
    given: Input = Input()
    on_sensor: bool = False


class Conversion:
    """A recording to be written in another format, and how far that has come.

    Raises what `aevents.open` and `aevents.create` raise; `ValueError` for a kind of items that
    the source does not have, and for times to be counted from zero where they have no end.
    """

    def __init__(self, source: str, target: str, wanted: Wanted, /) -> None:
        self.source = source
        self.target = target
        self._wanted = wanted
        self._from = codec_read(source, wanted.given)
        self._to = codec_written(target, wanted.format)
        self._refuse_absent()
        self.reading: Reading[object] = self._read()
        self.written: Census = Census()
        self._looking = False

    @property
    def figures(self) -> list[Row]:
        """What was written, and what was odd."""
        return figures(self.reading, self.written, [self.target])

    @property
    def events(self) -> int:
        """How many events have been read, in this pass over the recording."""
        return self.reading.events

    @property
    def seconds(self) -> float:
        """Time since the start of this pass."""
        return self.reading.seconds

    @property
    def fraction(self) -> float | None:
        """How much has been read in this pass; None where a library reads the file."""
        by_path = self._from is not None and self._from.reader is not None
        return None if by_path else self.reading.fraction

    @property
    def doing(self) -> str:
        """Whether this pass is the one that looks, or the one that writes."""
        return "looking" if self._looking else "writing"

    async def run(self) -> None:
        """Convert. Raises `FileExistsError`; `EncodeError` where the format has no room for it; and
        what reading and writing raise. The target is then as it was.
        """
        with draft(self.target, force=self._wanted.force) as name:
            extent = await self._look()
            if extent is not None and self._to is not None:
                self._refuse_nothing(extent, self._to)
                refuse_misfit(self._to, extent, zero=self._wanted.zero_time)
            self.reading = self._read()
            stream = self._stream(extent).through(lambda: self.written)
            async with self.reading.start(stream) as items:
                await deliver(items, [self._sink(name, extent)])

    def _read(self) -> Reading[object]:
        """Return a reading of what is wanted: from the middle on, if that is possible."""
        kinds = self._wanted.only or (self._from.kinds if self._from else ())
        start = start_of(self._wanted.steps) if tuple(kinds) == (EventBatch,) else 0
        return Reading(self.source, self._wanted.given, object, start=start)

    async def _look(self) -> Extent | None:
        """Return how far the recording reaches; None if there is no need to know, and if it can be
        read only once.
        """
        if self._from is None or self._to is None:
            return None
        if not self._wanted.zero_time and await self._settled(self._from, self._to):
            return None
        self._looking = True
        self.reading = self._read()
        async with self.reading.start(self._kept(self.reading).through(Extent)) as items:
            found = await anext(items)
        self._looking = False
        return found

    async def _settled(self, source: Codec, target: Codec) -> bool:
        kinds = self._wanted.only or source.kinds
        if settled(source, Sensor(), kinds, target.limits):
            return True
        async with self._kept(self._read()).open() as items:  # to see the size of the sensor
            sensor: Sensor = getattr(await anext(items, None), "sensor", Sensor())
        return settled(source, sensor, kinds, target.limits)

    def _kept(self, reading: Reading[object]) -> Stream[object]:
        """Return the items that are wanted, after the operators."""
        stream = reading.stream
        if self._wanted.only:
            stream = stream.filter(partial(_is_one_of, self._wanted.only))
        if self._wanted.on_sensor:
            stream = stream.through(OnSensor)
        return put_beside(stream, self._wanted.steps)

    def _stream(self, extent: Extent | None) -> Stream[object]:
        """Return what is to be written, without the empty batches of kinds that are not there."""
        stream = self._kept(self.reading)
        if extent is not None and extent.census.kinds:
            stream = stream.filter(partial(_is_one_of, extent.census.kinds))
        elif self._to is not None:
            stream = stream.through(partial(Fitting, self._to))
        if self._wanted.zero_time:
            stream = stream.through(partial(ZeroTime, extent.start if extent else None))
        return stream

    def _sink(self, name: str, extent: Extent | None) -> Sink[object]:
        kinds = extent.census.kinds if extent is not None else self._wanted.only
        asked = self._to.limits.options if self._to else {}
        options = {name: value for kind in kinds for name, value in asked.get(kind, {}).items()}
        return sink_of(name, self._wanted.format, **options)

    def _refuse_nothing(self, extent: Extent, target: Codec) -> None:
        """Refuse to write a file of other kinds than events that has none of them."""
        only = self._wanted.only
        if only and EventBatch not in only and not extent.census.kinds:
            raise EncodeError(target.name, f"there are no {names_of(only, 'or')} to write")

    def _refuse_absent(self) -> None:
        for kind in self._wanted.only:
            if self._from is not None and kind not in self._from.kinds:
                held = names_of(self._from.kinds)
                raise ValueError(f"{self._from.name} holds {held}, not {names_of([kind])}")


def convert_one(conversion: Conversion) -> None:
    """Run a conversion to its end, with a line on the terminal meanwhile."""

    async def main() -> None:
        with progress(conversion):
            await conversion.run()

    run(main)


def codec_read(source: str, given: Input) -> Codec | None:
    """Return the codec that a source is read with; None where that is seen only as it is read."""
    return registry.codec(given.from_) if given.from_ else registry.codec_of(source)


def codec_written(target: str, format: str | None) -> Codec | None:
    """Return the codec that a target is written with; None for a URL.

    Raises `ValueError` for a suffix that says nothing.
    """
    if registry.split_url(target)[0]:
        return None
    try:
        return registry.writer_of(target, format)
    except UnknownFormatError as error:
        raise ValueError(str(error)) from error


def _is_one_of(kinds: tuple[type, ...], item: object) -> bool:
    return isinstance(item, kinds)
