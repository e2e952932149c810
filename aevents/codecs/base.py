"""What every format is made of: the record that names it, bytes cut anywhere, and a check of what
was decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Never, NoReturn, Protocol, TypeVar

import msgspec

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs.limits import Limits
from aevents.errors import DecodeError, TimeOrderError, TruncatedError
from aevents.types import (
    Coordinates,
    Damage,
    EventBatch,
    Flags,
    Sensor,
    Span,
    Times,
    TriggerBatch,
)

if TYPE_CHECKING:
    from aevents._native.twins import InspectionState  # not loaded where there is C

Buffer = bytes | bytearray | memoryview

T_contra = TypeVar("T_contra", contravariant=True)

SNIFF_BYTES = 65_536
"""A header is looked for in the first 64 KiB and no further."""

MOST_DAMAGE = 1_000
"""So many places of damage are remembered; more are only counted."""


class Decoder(Protocol):
    """Bytes in, batches out: an operator. `counts` names what was not as it should be.

    A decoder may have `damage`, a sequence of `Damage`: where the input is not what it was.

    A decoder of many things may have a method `want(kind)`, to be told the only kind of item that
    is wanted: it need not decode others.

    A decoder may have a method `keep_in`, for a room (`_native/room.py`) where all events are
    wanted in one batch: `kernels.columns().keep_in(room)` spares copying them.

    A decoder that waits for what follows, to tell damage by it, may have a method `hurry`, called
    before the first bytes where nobody wants to wait: it then gives events as soon as they come.

    The decoder of a format that can be read from the middle has the methods of a `Seeker`, perhaps
    those of an `Indexer` (`codecs/seek.py`): one decoder, fed the first bytes of a file, locates a
    `Jump`; a fresh one, fed the same, resumes there.
    """

    @property
    def counts(self) -> Mapping[str, int]:
        """What was not as it should be, by name."""

    def feed(self, data: Buffer, /) -> Iterable[object]:
        """Take some bytes, cut anywhere; give the batches that they complete."""

    def flush(self) -> Iterable[object]:
        """Give what is left: the input has ended."""


ReadAt = Callable[[int, int], bytes]
"""Reads from an offset so many bytes of a file, fewer at its end."""


class Jump(msgspec.Struct, frozen=True):
    """An input that goes on elsewhere: `head` are a file's first bytes, the next come from
    `offset`; `time` is a time (µs) that has been reached there, `state` what else the decoder must
    know.
    """

    offset: int
    time: int = 0
    state: object = ()
    head: bytes = b""


class Patch(msgspec.Struct, frozen=True):
    """Bytes that belong further up in a file already written: a count or an index that the end has
    settled.
    """

    offset: int
    data: bytes


class Encoder(Protocol[T_contra]):
    """Items in, bytes out: an operator. `flush` may also give `Patch`es, where the file can be
    rewound.
    """

    def feed(self, item: T_contra, /) -> Iterable[bytes | Patch]:
        """Take one item; give its bytes. Raises `EncodeError` when the format cannot hold it."""

    def flush(self) -> Iterable[bytes | Patch]:
        """Give the end of the file."""


class Reader:
    """A file that is being read by path: an iterator of items with `close`, and what was counted.

    `items` is a generator, which releases everything when it is closed; `counts` and `damage` grow
    meanwhile. `room`, if there is one when the first item is asked for, is where events may stay:
    see `Decoder`.
    """

    __slots__ = ("_items", "counts", "damage", "room")

    def __init__(
        self,
        items: Generator[object, None, None],
        counts: Mapping[str, int] = MappingProxyType({}),
        damage: Sequence[Damage] = (),
    ) -> None:
        self._items = items
        self.counts: Mapping[str, int] = counts
        self.damage: Sequence[Damage] = damage
        self.room: Room | None = None

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        return next(self._items)

    def close(self) -> None:
        """Release everything. May be called twice."""
        self._items.close()


class Hurry(msgspec.Struct, frozen=True):
    """What an input begins with that comes bit by bit: its events are wanted at once."""


class Opened(msgspec.Struct, frozen=True):
    """What an input begins with that is read by path: the items that follow are its reader's."""

    codec: Codec
    reader: Reader


def _no_decoder(**_options: object) -> Decoder:
    raise DecodeError("input", "this format is read from a file, not from a stream of bytes")


class Codec(msgspec.Struct, frozen=True):
    """A format by name: its suffixes, how it is recognised, and how it is decoded and encoded.

    `matches` looks at the first bytes (at most `SNIFF_BYTES`) and says whether they are this
    format's; where no codec matches, the suffix decides. `kinds` are the types of batches that a
    file of it may hold; `limits` say what it takes when written. `seekable` says that `time_slice`
    need not read what comes before; `goes_back`, that the encoder rewrites the beginning at the
    end, and so cannot write into a pipe. `unverified` says what no file or reader of other software
    has confirmed.

    A format that a library reads and writes by path has, instead of a decoder and an encoder,
    `reader(path, kind=, start=, …)`, which gives a `Reader` of items of this kind (`object`: of
    all), or None for a file that the decoder reads as well, and `writer(path, …)`, which gives a
    sink. `extra` is the extra of this package that
    installs what a format needs.
    """

    name: str
    suffixes: tuple[str, ...]
    decoder: Callable[..., Decoder] = _no_decoder
    encoder: Callable[..., Encoder[Never]] | None = None
    matches: Callable[[bytes], bool] | None = None
    limits: Limits = Limits()
    unverified: str = ""
    kinds: tuple[type, ...] = (EventBatch,)
    about: str = ""
    seekable: bool = False
    goes_back: bool = False
    extra: str = ""
    reader: Callable[..., Reader | None] | None = None
    writer: Callable[..., object] | None = None

    @property
    def streams(self) -> bool:
        """Whether this format can be read as a stream of bytes."""
        return self.decoder is not _no_decoder

    @property
    def writable(self) -> bool:
        """Whether this format can be written."""
        return self.encoder is not None or self.writer is not None


class ByteBuffer:
    """Bytes that come cut anywhere, given out as whole records.

    Only the record that straddles two chunks is copied.
    """

    __slots__ = ("_tail", "offset")

    def __init__(self) -> None:
        self._tail = b""
        self.offset: int = 0  # of the first byte not yet given out

    def __len__(self) -> int:
        return len(self._tail)

    def records(self, data: Buffer, size: int) -> Iterator[memoryview]:
        """Yield the whole records of `size` bytes that `data` completes, in one or two runs; keep
        the rest.
        """
        view = memoryview(data)
        if self._tail:
            missing = size - len(self._tail)
            self._tail += bytes(view[:missing])
            view = view[missing:]
            if len(self._tail) < size:
                return
            seam, self._tail = self._tail, b""
            yield memoryview(seam)
            self.offset += size
        whole = len(view) - len(view) % size
        self._tail = bytes(view[whole:])
        if whole:
            yield view[:whole]
            self.offset += whole


class Watch:
    """Looks at each decoded run of events: counts what goes back in time, and what is off the
    sensor.

    Makes the batches, so that spans follow on from each other: a batch's span ends at the latest
    time so far. With `strict`, raises instead of counting. `damage` has the places that `damaged`
    was told of.
    """

    __slots__ = ("_format", "_strict", "counts", "damage", "sensor", "started", "state", "stop")

    def __init__(self, format: str, *, strict: bool) -> None:
        self.counts: dict[str, int] = {}
        self.damage: list[Damage] = []
        self.sensor: Sensor = Sensor()
        self.started: bool = False
        self.stop: int = 0
        self._format = format
        self._strict = strict
        self.state: InspectionState = kernels.inspection_state(0, 0)

    def use(self, sensor: Sensor) -> None:
        """Check against this sensor from here on."""
        self.sensor = sensor
        self.state = kernels.inspection_state(sensor.width, sensor.height)

    def resume(self, time: int) -> None:
        """Forget what has come: the input goes on elsewhere, where `time` has been reached."""
        self.counts.clear()
        self.damage.clear()
        self.use(self.sensor)
        self.started, self.stop = True, time

    def batch(
        self, t: Times, x: Coordinates, y: Coordinates, p: Flags, *, offset: int | None = None
    ) -> EventBatch:
        """Return these columns as the next batch; their bytes begin at `offset` of the input."""
        kernels.inspect(t, x, y, self.state)
        return self.inspected(t, x, y, p, offset=offset)

    def inspected(
        self, t: Times, x: Coordinates, y: Coordinates, p: Flags, *, offset: int | None = None
    ) -> EventBatch:
        """Return these columns as `batch` does; they have been inspected with `state`."""
        state = self.state
        start = self.stop if self.started else int(t[0]) if len(t) else 0
        self.started = self.started or len(t) > 0
        self.stop = max(self.stop, state.latest) if self.started else 0
        if state.backward:
            reason = "time goes back"
            self.note("backward_jumps", state.backward, reason, offset=offset, error=TimeOrderError)
        if state.off_sensor:
            size = f"{self.sensor.width}x{self.sensor.height}"
            self.note("off_sensor", state.off_sensor, f"events outside {size}", offset=offset)
        return EventBatch(t, x, y, p, self.sensor, Span(start, self.stop))

    def triggers(self, t: Times, id: object, value: Flags) -> TriggerBatch:
        """Return these columns as a batch of triggers."""
        span = Span(int(t.min()), int(t.max())) if len(t) else Span(self.stop, self.stop)
        return TriggerBatch(t, id, value, self.sensor, span)  # type: ignore[arg-type]

    def note(
        self,
        name: str,
        count: int,
        reason: str,
        *,
        offset: int | None = None,
        error: type[DecodeError] = DecodeError,
    ) -> None:
        """Count an anomaly by name, or raise it when strict."""
        if count and self._strict:
            raise error(self._format, reason, offset=offset)
        if count:
            self.counts[name] = self.counts.get(name, 0) + count

    def damaged(
        self, what: str, offset: int, *, bytes: int = 0, events: int = 0, count: int = 1
    ) -> None:
        """Count `what`, and remember where it is: see `Damage`. Raise it when strict."""
        self.note(what, count, what.replace("_", " "), offset=offset)
        self._remember(Damage(what, offset, bytes, events))

    def torn(self, size: int, offset: int) -> None:
        """Count the bytes of a record that the input did not complete."""
        reason = f"the last {size} bytes are no whole record"
        self.note("torn_bytes", size, reason, offset=offset, error=TruncatedError)
        if size:
            self._remember(Damage("torn_bytes", offset, bytes=size))

    def fail(self, reason: str, *, offset: int | None = None) -> NoReturn:
        """Raise `DecodeError`: there is no going on."""
        raise DecodeError(self._format, reason, offset=offset)

    def _remember(self, damage: Damage) -> None:
        if len(self.damage) < MOST_DAMAGE:
            self.damage.append(damage)
