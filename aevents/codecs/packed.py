"""The run of a decoder, and of an encoder, whose body is fixed-size words after a text header:
EVT2, EVT2.1, EVT3, EVT4, DAT.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from aevents._native import kernels
from aevents._native.columns import Columns
from aevents._native.room import Room
from aevents.codecs.base import SNIFF_BYTES, Buffer, ByteBuffer, Jump, Watch
from aevents.codecs.header import Header, parse_header
from aevents.codecs.mend import Mender, Turn
from aevents.errors import EncodeError
from aevents.types import Damage, EventBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import (
        Ahead,
        EncoderState,
        InspectionState,
    )  # not loaded where there is C


SLAB = 32_768
"""Events that are encoded in one go: they and their bytes stay in the cache."""


class PackedDecoder(ABC):
    """Reads the header, then has a kernel turn words into columns, one slab of events at a time."""

    name: ClassVar[str]
    word_bytes: ClassVar[int]

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch(self.name, strict=strict)
        self._sensor = sensor
        self._head = b""
        self._begun = False
        self.t0: int = 0
        self._body = 0  # where the words begin
        self._bytes = ByteBuffer()
        self._mender: Mender | None = None
        self._hurried = False
        self._out = kernels.columns()
        self._yielded = False

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[EventBatch | TriggerBatch]:
        """Give the batches that these bytes complete, in slabs of at most 64 k events."""
        if not self._begun:
            self._head += bytes(data)
            rest = self._read_header(final=False)
            if rest is None:
                return
            data = rest
        yield from self._words(data, final=False)

    def hurry(self) -> None:
        """Give what words say as soon as they come: damage is not looked for."""
        self._hurried = True

    def keep_in(self, room: Room) -> None:
        """Decode into `room`, where the events stay."""
        self._out.keep_in(room)

    def resume(self, jump: Jump) -> None:
        """Go on with the words from there."""
        self._watch.resume(jump.time)
        self._start(jump.offset, first=False)
        self.stand(*cast("tuple[int, ...]", jump.state))

    def flush(self) -> Iterator[EventBatch | TriggerBatch]:
        """Count a torn word; give an empty batch with the sensor if there were no events at all."""
        if not self._begun:
            if not self._head:
                self._watch.fail("the input is empty")
            yield from self.feed(self._read_header(final=True) or b"")
        yield from self._words(b"", final=True)
        rest = self._mender.held if self._mender else self._bytes
        self._watch.torn(len(rest), self.offset)
        if not self._yielded:
            yield EventBatch.empty(self._watch.sensor)

    @abstractmethod
    def begin(self, header: Header, body: bytes, *, final: bool) -> int | None:
        """Make ready for the words; return how many bytes of `body` to skip, or None to ask for
        more.
        """

    @abstractmethod
    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        """Decode words from byte `start` on into `out`; return the byte after the last word
        consumed.
        """

    @abstractmethod
    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        """Decode into `out` what is borne out of the words ahead, and inspect it; return whether
        there is more.
        """

    @abstractmethod
    def mender(self, offset: int, *, first: bool) -> Mender:
        """Return what looks for damage from `offset` on, where the recording begins if `first`."""

    @abstractmethod
    def turn(self, turn: Turn) -> None:
        """Change the state of the kernel."""

    @abstractmethod
    def stand(self, *state: int) -> None:
        """Put the kernel where a jump says that it stands, with nothing counted."""

    def anomalies(self) -> dict[str, int]:
        """Return what the kernel has counted so far."""
        return {}

    def _read_header(self, *, final: bool) -> bytes | None:
        header = parse_header(self._head, self._watch, final=final)
        if header is None:
            return None
        self._watch.use(self._sensor or header.sensor())
        self.t0 = header.t0
        body = self._head[header.length : header.length + SNIFF_BYTES]
        skip = self.begin(header, body, final=final)
        if skip is None:
            return None
        rest = self._head[header.length + skip :]
        self._body = header.length + skip
        self._start(self._body, first=True)
        self._begun, self._head = True, b""
        return rest

    def _start(self, offset: int, *, first: bool) -> None:
        self._bytes = ByteBuffer()
        self._bytes.offset = offset
        if not self._hurried:
            self._mender = self.mender(offset, first=first)

    @property
    def offset(self) -> int:
        """Where the words stand in the input that are being decoded."""
        return self._mender.offset if self._mender else self._bytes.offset

    def _words(self, data: Buffer, *, final: bool) -> Iterator[EventBatch | TriggerBatch]:
        steps: Iterator[memoryview | Turn | Ahead]
        if self._mender:
            steps = self._mender.feed(data, final=final)
        else:
            steps = self._bytes.records(data, self.word_bytes)
        for step in steps:
            if isinstance(step, Turn):
                self.turn(step)
            elif isinstance(step, memoryview):
                yield from self._decode(step)
            else:
                yield from self._follow(step)
        self._note(self.offset)

    def _decode(self, run: memoryview) -> Iterator[EventBatch | TriggerBatch]:
        at = 0
        while at < len(run):
            at = self.decode(run, at, self._out)
            yield from self._decoded(self._watch.batch)

    def _follow(self, ahead: Ahead) -> Iterator[EventBatch | TriggerBatch]:
        watch, more = self._watch, True
        seen, batch = watch.state, watch.inspected
        if self.t0:  # inspected when that is added
            seen, batch = kernels.inspection_state(), watch.batch
        while more:
            more = self.follow(ahead, seen, self._out)
            yield from self._decoded(batch)

    def _decoded(self, batch: Callable[..., EventBatch]) -> Iterator[EventBatch | TriggerBatch]:
        out = self._out
        if out.triggers:
            yield self._triggers(out)
        if out.n:
            self._yielded = True
            if self.t0:
                out.t[: out.n] += self.t0
            yield batch(*out.take(), offset=self.offset)

    def _triggers(self, out: Columns) -> TriggerBatch:
        t = out.trigger_t[: out.triggers] + self.t0
        id, value = out.trigger_id[: out.triggers].copy(), out.trigger_value[: out.triggers] != 0
        return self._watch.triggers(t, id, value)

    def _note(self, offset: int) -> None:
        for name, total in self.anomalies().items():
            new = total - self.counts.get(name, 0)
            self._watch.note(name, new, name.replace("_", " "), offset=offset)


class PackedEncoder(ABC):
    """Writes a header for the first batch's sensor, then lets a kernel turn columns into words.

    Triggers are held until the events that come next, to be written in order of time with them.
    They are rare: each is written as an event at its time, whose last word is then replaced.
    """

    name: ClassVar[str]
    inputs: ClassVar[int]
    """How many trigger inputs the format can tell apart."""
    limits: str
    """What the format can hold, for the message to somebody who wants more."""

    def __init__(self) -> None:
        self._begun = False
        self._held: TriggerBatch | None = None

    def feed(self, batch: EventBatch | TriggerBatch, /) -> Iterator[bytes]:
        """Give the bytes of these events, or of the triggers that were held.

        Raises `EncodeError` for the first that the format cannot hold.
        """
        if not isinstance(batch, EventBatch | TriggerBatch):
            raise EncodeError(self.name, f"holds events and triggers, not {type(batch).__name__}")
        if isinstance(batch, TriggerBatch):
            yield from self._release()
            self._held = batch
            return
        yield from self._begin(batch)
        if self._held is not None and len(batch):
            yield from self._in_order(self._held, batch)
        elif len(batch):
            yield from self._events(batch)

    def flush(self) -> Iterator[bytes]:
        """Give the triggers that are held; the header alone if nothing was ever written."""
        yield from self._release()
        yield from self._begin(EventBatch.empty())

    @abstractmethod
    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header, and make ready for batches of this sensor, the first of this kind."""

    @abstractmethod
    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the words for these events, and the index of the first that does not fit."""

    @abstractmethod
    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the words of a trigger: those of an OFF event at its time, the last replaced."""

    def _begin(self, batch: EventBatch | TriggerBatch) -> Iterator[bytes]:
        if not self._begun:
            self._begun = True
            yield self.begin(batch.sensor, type(batch))

    def _release(self) -> Iterator[bytes]:
        """Give the triggers that are held."""
        held, self._held = self._held, None
        if held is not None:
            yield from self._begin(held)
            yield from self._triggers(held, 0, len(held))

    def _in_order(self, held: TriggerBatch, batch: EventBatch) -> Iterator[bytes]:
        """Give events, each trigger that is held before the first of its time; keep later ones."""
        reached = np.maximum.accumulate(batch.t)
        places = np.searchsorted(reached, np.maximum.accumulate(held.t))
        done, at = int(np.count_nonzero(places < len(batch))), 0
        for stop in np.unique(places[:done]).tolist():
            if stop > at:
                yield from self._events(batch.cut(at, stop, batch.span))
            first, last = np.searchsorted(places, (stop, stop + 1)).tolist()
            yield from self._triggers(held, first, last)
            at = stop
        yield from self._events(batch.cut(at, len(batch), batch.span))
        columns = held.t[done:], held.id[done:], held.value[done:]
        self._held = TriggerBatch(*columns, held.sensor, held.span) if done < len(held) else None

    def _events(self, batch: EventBatch) -> Iterator[bytes]:
        for start in range(0, len(batch), SLAB):
            yield from self._slab(batch.cut(start, start + SLAB, batch.span))

    def _slab(self, batch: EventBatch) -> Iterator[bytes]:
        data, refused = self.encode(batch)
        yield data
        if refused is not None:
            t, x, y = int(batch.t[refused]), int(batch.x[refused]), int(batch.y[refused])
            raise EncodeError(
                self.name, f"an event at t={t}, x={x}, y={y} does not fit: {self.limits}"
            )

    def _triggers(self, batch: TriggerBatch, start: int, stop: int) -> Iterator[bytes]:
        origin = [0]
        columns = (batch.t[start:stop], batch.id[start:stop], batch.value[start:stop])
        for t, id, value in zip(*(column.tolist() for column in columns), strict=True):
            if id >= self.inputs:
                what = f"a trigger of input {id} does not fit: there are {self.inputs} inputs"
                raise EncodeError(self.name, what)
            at = EventBatch.from_columns(t=[t], x=origin, y=origin, p=origin, sensor=batch.sensor)
            yield self.trigger(b"".join(self._events(at)), id, value)


def encoded(data: bytes, state: EncoderState) -> tuple[bytes, int | None]:
    """Return what an encoding kernel made, and the index of the event that it refused, if any."""
    return data, int(state.next) if state.refused else None
