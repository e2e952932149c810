"""Find out which format some bytes are: by their first bytes, then by the file's suffix."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from msgspec.structs import replace

from aevents._native.room import Room
from aevents.codecs.base import (
    SNIFF_BYTES,
    Buffer,
    Codec,
    Decoder,
    Hurry,
    Jump,
    Opened,
    ReadAt,
    Reader,
)
from aevents.codecs.seek import FOREVER, Indexer, Indexes, IndexNeededError, Seeker
from aevents.errors import DecodeError, UnknownFormatError
from aevents.types import Damage, EventBatch, Frame

MOST_HEAD = 1 << 22
"""So much is read of a file, until the first events, to know its header."""


class Recognise:
    """A decoder that looks at the first bytes before it knows which decoder it is.

    An input may begin with a `Jump`, to be read from the middle, or with `Hurry`. What is `Opened`
    by path has been decoded already: its items are handed on.

    `name` is the file's (for its suffix and for messages); `format` names the codec outright;
    `options` go to the decoder that is found. Raises `UnknownFormatError` when no codec matches,
    `DecodeError` for an empty input, `ValueError` for a format that does not hold the `kind` of
    item asked for, `TypeError` for options that it does not take.
    """

    def __init__(
        self,
        codecs: Callable[[], Iterable[Codec]],
        *,
        name: str,
        kind: type,
        format: str | None,
        options: dict[str, object],
    ) -> None:
        self.kind: type = kind
        self.format = format
        self._codecs = codecs
        self._name = name
        self._options = options
        self._head = b""
        self._decoder: Decoder | None = None
        self._reader: Reader | None = None
        self._room: Room | None = None
        self._hurried = False
        self.codec: Codec | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """What the decoder has counted."""
        counted = self._reader or self._decoder
        return counted.counts if counted else {}

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the decoder found the input damaged."""
        return getattr(self._reader or self._decoder, "damage", ())

    def keep_in(self, room: Room) -> None:
        """Have the decoder, if it can, decode into `room`, where the events stay."""
        self._room = room

    def feed(self, item: object, /) -> Iterator[object]:
        """Give what the decoder gives, once enough bytes have come to choose it."""
        if isinstance(item, Buffer):
            yield from self._decode(item)
        elif isinstance(item, Jump):
            self._resume(item)
        elif isinstance(item, Hurry):
            self._hurried = True
        elif isinstance(item, Opened):
            self._use(item.codec)
            self._reader = item.reader
            self._reader.room = self._room
        else:
            yield from self._wanted((item,))

    def locate(self, read: ReadAt, size: int, start: int, indexes: Indexes) -> Jump | None:
        """Return where to begin reading for the events from `start` µs on; None: at the start.

        Where that takes an index of the file, it is taken from `indexes`, or made and put there.
        """
        self._head = read(0, SNIFF_BYTES)
        self._hurried = True  # this decoder only finds a place
        decoder = self._choose()
        if not hasattr(decoder, "locate") or size <= SNIFF_BYTES:
            return None
        begun = any([*decoder.feed(self._head)])
        while not begun and len(self._head) < min(size, MOST_HEAD):
            more = read(len(self._head), len(self._head))
            self._head += more
            begun = any([*decoder.feed(more)])
        try:
            jump = cast("Seeker", decoder).locate(read, size, start)
        except IndexNeededError:
            jump = self._look_up(cast("Indexer", decoder), read, size, start, indexes)
        return jump and replace(jump, head=self._head)

    def _look_up(
        self, decoder: Indexer, read: ReadAt, size: int, start: int, indexes: Indexes
    ) -> Jump | None:
        assert self.codec is not None
        name, goal = self.codec.name, start - decoder.t0
        until = FOREVER if indexes.wanted else goal
        index = indexes.get(name)
        if index is None or index.reach < until:
            index = indexes.put(name, decoder.index(read, size, until, index))
        mark = index.before(goal)
        return mark.jump(decoder.t0) if mark else None

    def _resume(self, jump: Jump) -> None:
        self._head = jump.head
        self._decoder = self._choose()
        deque(self._decoder.feed(self._head), maxlen=0)
        cast("Seeker", self._decoder).resume(jump)  # it located the jump

    def _decode(self, data: Buffer) -> Iterator[object]:
        if self._decoder is None:
            enough = 1 if self.format else SNIFF_BYTES  # named, it reads at once
            if len(self._head) + len(data) < enough:
                self._head += bytes(data)
                return
            data = self._head + bytes(data) if self._head else data
            self._head = bytes(data[:SNIFF_BYTES])
            self._decoder = self._choose()
        yield from self._wanted(self._decoder.feed(data))

    def flush(self) -> Iterator[object]:
        """Give what is left."""
        if self._reader is not None:
            return
        if self._decoder is None:
            self._decoder = self._choose()
            yield from self._wanted(self._decoder.feed(self._head))
        yield from self._wanted(self._decoder.flush())

    def _choose(self) -> Decoder:
        if not self._head:
            raise DecodeError(self.format or self._name, "the input is empty")
        if self.format:
            codec = next(one for one in self._codecs() if one.name == self.format)
        else:
            codec = recognise(self._head[:SNIFF_BYTES], self._codecs, self._name)
        self._use(codec)
        decoder = codec.decoder(**self._options)
        if hasattr(decoder, "want"):
            decoder.want(self.kind)
        if self._room is not None and hasattr(decoder, "keep_in"):
            decoder.keep_in(self._room)
        if self._hurried and hasattr(decoder, "hurry"):
            decoder.hurry()
        return decoder

    def _use(self, codec: Codec) -> None:
        if codec.kinds == (Frame,) and self.kind is EventBatch:
            self.kind = Frame  # of a format of pictures, they need not be asked for
        if not any(issubclass(kind, self.kind) for kind in codec.kinds):
            held = ", ".join(kind.__name__ for kind in codec.kinds)
            raise ValueError(f"{codec.name} holds {held}, not {self.kind.__name__}")
        self.codec = codec

    def _wanted(self, items: Iterable[object]) -> Iterator[object]:
        return (item for item in items if isinstance(item, self.kind))


def recognise(head: bytes, codecs: Callable[[], Iterable[Codec]], name: str) -> Codec:
    """Return the first codec whose files begin like this; else the one that the name's suffix
    leaves no doubt about. Raises `UnknownFormatError`.
    """
    for codec in codecs():
        if codec.matches is not None and codec.matches(head):
            return codec
    suffix = "." + name.lower().rpartition(".")[2]
    named = [codec for codec in codecs() if suffix in codec.suffixes]
    certain = [codec for codec in named if codec.matches is None]
    if len(certain) == 1:
        return certain[0]
    what = f"{name} begins with {head[:8]!r}, which is no format known here"
    if named:
        names = " or ".join(codec.name for codec in named)
        what += f", although its suffix says {names} (format={named[0].name!r} reads it as that)"
    raise UnknownFormatError(what, (codec.name for codec in codecs()))
