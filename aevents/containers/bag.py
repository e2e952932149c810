"""The run of a decoder of bags: records in a row, some of which are chunks, mostly packed, of more
of them. Nothing is held but the record that is not whole yet.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar

from aevents._native.room import Room
from aevents.codecs.base import Buffer, Jump, ReadAt
from aevents.codecs.pieces import PIECES, Pieces
from aevents.containers.seek import First, find
from aevents.containers.topics import KINDS, MOST_RECORD, Item, Topics
from aevents.errors import DecodeError, TruncatedError
from aevents.types import Damage, Sensor

AT_ONCE = 1 << 16
MOST_INDEX = 1 << 24
"""Bytes of the largest index that is read: of some 100,000 chunks."""
MOST_TIMES = 256
"""A chunk that holds so many times more than it takes is damaged, unless it is small."""
MOST_LOOK = 1 << 24
"""So many bytes are looked at to find an item."""


class Level:
    """Bytes that come cut anywhere, and what of them is no whole record yet.

    Of the record read last, `left` bytes are still to come: they are unpacked, or skipped.
    """

    __slots__ = ("_needed", "_pieces", "held", "left", "offset")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._needed = 0
        self.held: int = 0
        self.left: int = 0
        self.offset: int = 0  # of the first byte that no record has taken

    def join(self, data: Buffer) -> memoryview:
        """Return what is there now; nothing while it is known not to suffice."""
        view = memoryview(data)
        if not self._pieces:
            return view
        self._pieces.append(bytes(view))
        self.held += len(view)
        if self.held < self._needed:
            return view[:0]
        joined = b"".join(self._pieces)
        self._pieces, self.held = [], 0
        return memoryview(joined)

    def keep(self, rest: memoryview, needed: int) -> None:
        """Keep the beginning of a record that takes so many bytes."""
        if len(rest):
            self._pieces, self.held, self._needed = [bytes(rest)], len(rest), needed


class BagDecoder(ABC):
    """Bytes of a bag to events, triggers, inertial measurements and frames.

    `topic` picks one topic by its name; see `Topics`. Bags may end anywhere: what lies before is
    read, and `torn_bytes` or `unfinished` counted. A damaged chunk is skipped (`bad_chunks`).
    """

    name: ClassVar[str]
    magic: ClassVar[bytes]

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        topic: str | None = None,
        topics: Topics | None = None,
    ) -> None:
        self.topics: Topics = topics or Topics(self.name, sensor=sensor, strict=strict, topic=topic)
        self._outer = Level()
        self._chunk: Level | None = None
        self._unpack: Pieces | None = None
        self._room = 0  # bytes that the chunk may still hold
        self._begun = False
        self.ended: bool = False
        """Whether nothing more is to be read."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What was not as it should be, by name."""
        return self.topics.counts

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the bag is damaged."""
        return self.topics.watch.damage

    def want(self, kind: type) -> None:
        """Read only what may hold this kind of item."""
        self.topics.kinds = tuple(one for one in KINDS if issubclass(one, kind))

    def keep_in(self, room: Room) -> None:
        """Decode events into `room`, where they stay."""
        self.topics.keep_in(room)

    def feed(self, data: Buffer, /) -> Iterator[Item]:
        """Give what the messages that these bytes complete hold."""
        try:
            yield from self._records(self._outer, data)
        except DecodeError:
            raise
        except ValueError as error:
            self.topics.watch.fail(str(error), offset=self._outer.offset)

    def flush(self) -> Iterator[Item]:
        """Give what is left; count what is torn, or not finished."""
        yield from self.topics.flush()
        self.end()

    def stop(self) -> None:
        """Read nothing more."""
        self.ended = True

    def end(self) -> None:
        """Count what is torn, or not finished: there are no more bytes."""
        watch = self.topics.watch
        if not self._begun:
            watch.fail("the first bytes are those of no bag", offset=0)
        if self.ended:
            return
        torn = self._outer.held + (self._chunk.held if self._chunk else 0)
        watch.torn(torn, self._outer.offset)
        if not torn and (self._outer.left or not self.finished):
            reason = "the end is missing: its writer was interrupted"
            watch.note("unfinished", 1, reason, offset=self._outer.offset, error=TruncatedError)

    @property
    def offset(self) -> int:
        """Of the record that is being read."""
        return self._outer.offset

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the chunk to begin with for all that is at `start` µs or later; None if the bag
        does not tell where chunks are, or its events cannot be read without those before them.
        """
        try:
            chunks = sorted(self.index(read, size))
            found = find(len(chunks), partial(self._first, read, chunks), start, settle=1)
        except ValueError:
            return None
        if found is None:
            return None
        topics = self.topics.fresh()
        topics.shift = found[1]
        return Jump(chunks[found[0]][0], topics)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from this jump on."""
        assert isinstance(jump.state, Topics)
        self.topics.restart(jump.state)
        self._outer, self._chunk, self._unpack = Level(), None, None
        self._outer.offset = jump.offset
        self._begun, self.ended = True, False

    def _first(self, read: ReadAt, chunks: Sequence[tuple[int, int]], number: int) -> First | None:
        """Return the first item from this chunk on, None if there is none near."""
        offset, logged = chunks[number]
        probe = type(self)(topics=self.topics.fresh())
        probe.resume(Jump(offset, self.topics))
        for at in range(offset, offset + MOST_LOOK, AT_ONCE):
            data = read(at, AT_ONCE)
            item = next(probe.feed(data), None)
            if item is not None:
                return First(item.span.start, logged, probe.topics.clock)
            if not data:
                break
        return None

    @abstractmethod
    def index(self, read: ReadAt, size: int, /) -> Iterator[tuple[int, int]]:
        """Give where chunks begin, and the time in µs of their first message, as the index at the
        end of a bag has it; take note of the topics there. Raises `ValueError` if there is none.
        """

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the bag was written to its end, as far as it is known."""

    @abstractmethod
    def measure(self, view: memoryview, /) -> int:
        """Return how many bytes to read of the record that begins here, as far as these tell.

        Fewer than it takes if it is to be skipped, or is a chunk. Raises `ValueError` for what is
        no record.
        """

    @abstractmethod
    def record(self, view: memoryview, level: Level, /) -> Iterator[Item]:
        """Give what is in the record just measured; leave in `level.left` what it is longer."""

    def enter_chunk(self, compression: str, level: Level) -> None:
        """Unpack what is left of this record: it is a chunk. Raises `ValueError`."""
        if level is not self._outer:
            raise ValueError("a chunk lies in a chunk")
        if compression and compression not in PIECES:
            raise ValueError(f"compression {compression!r} is not known")
        self._chunk = Level() if level.left else None
        self._room = MOST_RECORD + MOST_TIMES * level.left
        self._unpack = PIECES[compression]() if compression else _as_it_is

    def _records(self, level: Level, data: Buffer) -> Iterator[Item]:
        view = level.join(data)
        at = 0
        while at < len(view) and not self.ended:
            if level.left:
                part = view[at : at + level.left]
                at += len(part)
                level.left -= len(part)
                level.offset += len(part)
                if level is self._outer:
                    yield from self._unpacked(part)
                continue
            needed = self.measure(view[at:]) if self._begun else len(self.magic)
            if needed > MOST_RECORD:
                raise ValueError(f"a record of {needed} bytes is too large")
            if needed > len(view) - at:
                level.keep(view[at:], needed)
                return
            yield from self._take(view[at : at + needed], level)
            at += needed
            level.offset += needed

    def _take(self, view: memoryview, level: Level) -> Iterator[Item]:
        if self._begun:
            yield from self.record(view, level)
        elif view != self.magic:
            raise ValueError(f"the first bytes are not {self.magic!r}")
        self._begun = True

    def _unpacked(self, part: memoryview) -> Iterator[Item]:
        """Give what is in these bytes of a chunk; skip the rest of it where it is damaged."""
        if self._chunk is None or self._unpack is None:
            return
        try:
            for piece in self._unpack(part):
                self._room -= len(piece)
                if self._room < 0:
                    raise ValueError(
                        f"it is more than {MOST_TIMES} times as large as it was packed"
                    )
                yield from self._records(self._chunk, piece)
            if not self._outer.left and (self._chunk.held or self._chunk.left):
                raise ValueError("its last record is not whole")
        except DecodeError:
            raise
        except ValueError as error:
            reason = f"a chunk is damaged: {error}"
            self.topics.damaged("bad_chunks", reason, self._outer.offset, len(part))
            self._chunk = None
        if not self._outer.left:
            self._chunk = None


def _as_it_is(data: memoryview) -> Iterator[memoryview]:
    yield data
