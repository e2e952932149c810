"""The run of a decoder, and of an encoder, whose body is fixed-size words after a text header:
EVT2, EVT2.1, EVT3, EVT4, DAT.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from aevents._native import kernels
from aevents._native.columns import Columns
from aevents._native.room import Room
from aevents.codecs.base import Buffer, Watch
from aevents.codecs.header import Header, parse_header
from aevents.codecs.mend import Mender, Verdict
from aevents.errors import EncodeError
from aevents.types import Damage, EventBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import EncoderState  # not loaded where there is C

NEEDS_MORE = 2
"""The doubt of a kernel about what it would know if there were more words."""
SEAM_BYTES = 256
SEAM_GROWTH = 8


class PackedDecoder(ABC):
    """Reads the header, then has a kernel turn words into columns, one slab of events at a time.

    At a word that the kernel doubts, `_mender` decides, once enough bytes have come.
    """

    name: ClassVar[str]
    word_bytes: ClassVar[int]

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch(self.name, strict=strict)
        self._sensor = sensor
        self._head = b""
        self._begun = False
        self._t0 = 0
        self._offset = 0  # of the first byte that is not decoded
        self._held = bytearray()  # the bytes from there on
        self._enough = 0  # so many are worth another look
        self._out = kernels.columns()
        self._yielded = False
        self._noted: dict[str, int] = {}  # of the kernel's anomalies
        self._state: Any = None  # of the kernel; words are doubted only by one that has a mender
        self._mender: Mender | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[EventBatch | TriggerBatch]:
        """Give the batches that these bytes complete, in slabs of at most 32 k events.

        What a doubtful word means may depend on the half megabyte that follows it: so much is held
        back at most.
        """
        if not self._begun:
            self._head += bytes(data)
            rest = self._read_header(final=False)
            if rest is None:
                return
            data = rest
        yield from self._take(memoryview(data), final=False)

    def keep_in(self, room: Room) -> None:
        """Decode into `room`, where the events stay."""
        self._out.keep_in(room)

    def flush(self) -> Iterator[EventBatch | TriggerBatch]:
        """Give what was held back, and count a torn word; give an empty batch with the sensor if
        there were no events at all.
        """
        if not self._begun:
            if not self._head:
                self._watch.fail("the input is empty")
            yield from self.feed(self._read_header(final=True) or b"")
        yield from self._take(memoryview(b""), final=True)
        self._watch.torn(len(self._held), self._offset)
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

    def anomalies(self) -> dict[str, int]:
        """Return what the kernel has counted so far."""
        return {}

    def _read_header(self, *, final: bool) -> bytes | None:
        header = parse_header(self._head, self._watch, final=final)
        if header is None:
            return None
        self._watch.use(self._sensor or header.sensor())
        self._t0 = header.t0
        skip = self.begin(header, self._head[header.length :], final=final)
        if skip is None:
            return None
        rest = self._head[header.length + skip :]
        self._offset = header.length + skip
        self._begun, self._head = True, b""
        return rest

    def _take(self, data: memoryview, *, final: bool) -> Iterator[EventBatch | TriggerBatch]:
        """Decode what is held and `data`; hold what cannot be decoded yet. Of `data` no more is
        copied than is needed to get over the seam.
        """
        if len(self._held) + len(data) < self._enough and not final:
            self._held += data
            return
        size = SEAM_BYTES
        while self._held:
            held = bytes(self._held)
            last = size >= len(data)
            seam = memoryview(held + bytes(data[:size]))
            yield from self._decode(seam, final=final and last)
            done = len(seam) - len(self._held)
            if done >= len(held):
                data, self._held = data[done - len(held) :], bytearray()
            elif last:
                return
            else:
                self._held = bytearray(held[done:])
                size *= SEAM_GROWTH
        yield from self._decode(data, final=final)

    def _decode(self, run: memoryview, *, final: bool) -> Iterator[EventBatch | TriggerBatch]:
        """Decode as much of `run` as can be; hold the rest."""
        at, out, start = 0, self._out, self._offset
        while len(run) - at >= self.word_bytes:
            at = self.decode(run, at, out)
            self._offset = start + at
            yield from self._decoded(out)
            if self._mender is None or not self._state.doubt:
                continue
            if self._state.doubt == NEEDS_MORE and not final:
                break
            verdict = self._mender.settle(run[at:], self._offset, final=final)
            if verdict is None:
                break
            if verdict.what:
                self._damaged(verdict)
            yield from self._trust(verdict.patch)
            at += verdict.skip
            self._offset = start + at
        self._held = bytearray(run[at:])
        self._enough = max(len(self._held) + 1, len(self._held) * 9 // 8, self.word_bytes)

    def _trust(self, patch: bytes) -> Iterator[EventBatch | TriggerBatch]:
        """Decode these words, whatever they are."""
        if patch:
            self._state.trusted = 1
            self.decode(memoryview(patch), 0, self._out)
            self._state.trusted = 0
            yield from self._decoded(self._out)

    def _decoded(self, out: Columns) -> Iterator[EventBatch | TriggerBatch]:
        if out.triggers:
            yield self._triggers(out)
        if out.n:
            self._yielded = True
            yield self._events(out)
        self._note(self._offset)

    def _damaged(self, verdict: Verdict) -> None:
        count = verdict.bytes if verdict.what == "skipped_bytes" else 1
        self._watch.damaged(
            verdict.what, self._offset, bytes=verdict.bytes, events=verdict.events, count=count
        )

    def _events(self, out: Columns) -> EventBatch:
        if self._t0:
            out.t[: out.n] += self._t0
        return self._watch.batch(*out.take())

    def _triggers(self, out: Columns) -> TriggerBatch:
        t = out.trigger_t[: out.triggers] + self._t0
        id, value = out.trigger_id[: out.triggers].copy(), out.trigger_value[: out.triggers] != 0
        return self._watch.triggers(t, id, value)

    def _note(self, offset: int) -> None:
        for name, total in self.anomalies().items():
            new = total - self._noted.get(name, 0)
            self._noted[name] = total
            self._watch.note(name, new, name.replace("_", " "), offset=offset)


class PackedEncoder(ABC):
    """Writes a header for the first batch's sensor, then lets a kernel turn columns into words.

    Triggers are rare: each is written as an event at its time, whose last word is then replaced.
    """

    name: ClassVar[str]
    limits: str
    """What the format can hold, for the message to somebody who wants more."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, batch: EventBatch | TriggerBatch, /) -> Iterator[bytes]:
        """Give the bytes of these events or triggers.

        Raises `EncodeError` for the first that the format cannot hold.
        """
        if not isinstance(batch, EventBatch | TriggerBatch):
            raise EncodeError(self.name, f"holds events and triggers, not {type(batch).__name__}")
        if not self._begun:
            self._begun = True
            yield self.begin(batch.sensor, type(batch))
        if isinstance(batch, TriggerBatch):
            yield b"".join(self._triggers(batch))
        elif len(batch):
            yield from self._events(batch)

    def flush(self) -> Iterator[bytes]:
        """Give the header alone if nothing was ever written."""
        if not self._begun:
            yield self.begin(Sensor(), EventBatch)

    @abstractmethod
    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header, and make ready for batches of this sensor, the first of this kind."""

    @abstractmethod
    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the words for these events, and the index of the first that does not fit."""

    @abstractmethod
    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the words of a trigger: those of an OFF event at its time, the last replaced."""

    def _events(self, batch: EventBatch) -> Iterator[bytes]:
        data, refused = self.encode(batch)
        yield data
        if refused is not None:
            t, x, y = int(batch.t[refused]), int(batch.x[refused]), int(batch.y[refused])
            raise EncodeError(
                self.name, f"an event at t={t}, x={x}, y={y} does not fit: {self.limits}"
            )

    def _triggers(self, batch: TriggerBatch) -> Iterator[bytes]:
        origin = [0]
        for t, id, value in zip(batch.t, batch.id.tolist(), batch.value.tolist(), strict=True):
            at = EventBatch.from_columns(t=[t], x=origin, y=origin, p=origin, sensor=batch.sensor)
            yield self.trigger(b"".join(self._events(at)), id, value)


def encoded(data: bytes, state: EncoderState) -> tuple[bytes, int | None]:
    """Return what an encoding kernel made, and the index of the event that it refused, if any."""
    return data, int(state.next) if state.refused else None
