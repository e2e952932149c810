"""The sources of a run: one, or several as one stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from aevents.cli.reading import Input, Reading
from aevents.junctions.channel import Overflow
from aevents.junctions.merge import merge
from aevents.junctions.merge_sorted import merge_sorted
from aevents.stream import Stream
from aevents.types import EventBatch, Sensor

HELD = Overflow("block", capacity=256, capacity_bytes=64 << 20)
"""What waits between a task that reads and one that writes: a quarter of a second of what is
played.
"""


class Inputs:
    """Sources by name, and how far they have been read.

    Recordings are put together in the order of time, live sources as they come. Raises what
    `Reading` raises, and `ValueError` for sources that cannot be put together.
    """

    def __init__(self, names: Sequence[str], given: Input, /, *, start: int = 0) -> None:
        if not names:
            raise ValueError("no source was given: a path, - or a URL")
        if names.count("-") > 1:
            raise ValueError("standard input is one source: - is given twice")
        self.readings: list[Reading[EventBatch]] = [
            Reading(name, given, EventBatch, start=start) for name in names
        ]
        self.live: bool = any(one.stream.endless for one in self.readings)
        if self.live:
            self._refuse_recordings()
        self._streams = [one.stream for one in self.readings]
        self._sorted = self._streams[0] if len(names) == 1 else merge_sorted(*self._streams)

    @property
    def events(self) -> int:
        """How many events have come from all sources."""
        return sum(one.events for one in self.readings)

    @property
    def fraction(self) -> float | None:
        """How much of all files has been read; None where that is not known."""
        parts = [(one.size, one.fraction) for one in self.readings]
        whole = sum(size for size, _ in parts if size)
        read = [size * part for size, part in parts if size and part is not None]
        return sum(read) / whole if len(read) == len(parts) else None

    @property
    def rewindable(self) -> bool:
        """Whether they can be read again."""
        return not self.live and not any(_is_pipe(one.name) for one in self.readings)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Stream[EventBatch]]:
        """Give the one stream. That of live sources fails with `ValueError` at the first batch of
        another sensor size.
        """
        if self.live and len(self._streams) > 1:
            async with merge(*self._streams, overflow=HELD) as merged:
                yield merged.through(OneSensor)
        else:
            yield self._sorted

    def _refuse_recordings(self) -> None:
        for one in self.readings:
            if not one.stream.endless and not _is_pipe(one.name):
                live = next(other.name for other in self.readings if other.stream.endless)
                raise ValueError(
                    f"{one.name} is a recording, and would be over before {live}, which is live, "
                    f"begins: aevents play {one.name} --to - | aevents run --from evt3 - {live} …"
                )


class OneSensor:
    """An operator for batches of several sensors that go on as one: they are of one size."""

    def __init__(self) -> None:
        self._sensor: Sensor | None = None

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the batch as one of the common sensor. Raises `ValueError` for another size."""
        if self._sensor is None:
            self._sensor = Sensor(batch.sensor.width, batch.sensor.height)
        first, other = self._sensor, batch.sensor
        if (first.width, first.height) != (other.width, other.height):
            raise ValueError(
                f"sensors of {first.width}x{first.height} and {other.width}x{other.height} pixels "
                "do not go into one stream as they come: --size WIDTHxHEIGHT gives them one size"
            )
        return (replace(batch, sensor=first),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def _is_pipe(name: str) -> bool:
    return name == "-" or Path(name).is_fifo()
