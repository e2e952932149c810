"""What the topics of a bag say: which are read, and how their messages become events."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs.base import MOST_DAMAGE, Decoder, Watch
from aevents.codecs.compression import Zstd
from aevents.codecs.evt2 import Evt2Decoder
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.ros_fields import LONGEST_TEXT, Fields
from aevents.codecs.ros_messages import READERS, Payload, plain_type
from aevents.errors import DecodeError
from aevents.types import Damage, EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch

Item = EventBatch | TriggerBatch | ImuBatch | Frame

KINDS = (EventBatch, TriggerBatch, ImuBatch, Frame)
"""What a bag may hold."""
STREAMS: Mapping[str, tuple[type[Evt2Decoder | Evt3Decoder], bytes]] = {
    "evt3": (Evt3Decoder, b"% evt 3.0\n% end\n"),
    "evt2": (Evt2Decoder, b"% evt 2.0\n% end\n"),
}
"""By encoding: decoders of bytes that go on from message to message, and the header they expect."""
CLOCKS = {"evt3": 1 << 24, "evt2": 1 << 34}
"""By encoding: when clocks roll over, in µs."""
MOST_TOPICS = 4096
MOST_RECORD = 1 << 26
"""The largest record that is read, of 5 million events. What is not read is skipped at any size."""
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Topic:
    """One topic: how its messages are read, and what must be known from one to the next."""

    __slots__ = ("cdr", "encoding", "name", "stream", "type", "watch")

    def __init__(self, name: str, type: str, *, cdr: bool, watch: Watch) -> None:
        self.name: str = name
        self.type: str = type
        self.cdr: bool = cdr
        self.watch: Watch = watch
        self.encoding: str = ""
        self.stream: Decoder | None = None


class Topics:
    """The topics of one bag, by the number that it gives them.

    `topic` picks one by its name. Otherwise all are read, but of each kind of item only one may
    hold any: two cameras are not one stream. Damaged messages are counted as `bad_messages`.
    """

    def __init__(
        self, format: str, *, sensor: Sensor | None, strict: bool, topic: str | None
    ) -> None:
        self.watch: Watch = Watch(format, strict=strict)
        self.counts: ChainMap[str, int] = ChainMap(self.watch.counts)
        """What was not as it should be, by name."""
        self.kinds: tuple[type, ...] = KINDS
        """What is wanted."""
        self.shift: int = 0
        """Is added to clocks that roll over: we began in the middle."""
        self._format = format
        self._sensor = sensor
        self._strict = strict
        self._picked = topic
        self._names: dict[str, Topic] = {}
        self._numbers: dict[int, Topic] = {}
        self._from: dict[type, str] = {}
        self._out = kernels.columns()
        self._room: Room | None = None

    def fresh(self) -> Topics:
        """Return topics of the same names and numbers, of which nothing has been read."""
        fresh = Topics(self._format, sensor=self._sensor, strict=self._strict, topic=self._picked)
        fresh.kinds = self.kinds
        fresh.restart(self)
        return fresh

    def restart(self, like: Topics) -> None:
        """Forget all that has been read; take note of the topics that `like` has."""
        known, self.shift = like._numbers, like.shift
        self._names, self._numbers, self._from = {}, {}, {}
        self.watch.counts.clear()
        self.watch.damage.clear()
        del self.counts.maps[1:]
        for number, topic in known.items():
            self.add(number, topic.name, topic.type, cdr=topic.cdr)

    def renumber(self) -> None:
        """Forget the numbers of topics: the next file has others."""
        self._numbers = {}

    @property
    def clock(self) -> int:
        """The range of the clock of what has been read, in µs, if it rolls over; else 0."""
        return max((CLOCKS.get(topic.encoding, 0) for topic in self._names.values()), default=0)

    def keep_in(self, room: Room) -> None:
        """Decode events into `room`, where they stay."""
        self._room = room
        self._out.keep_in(room)

    def add(self, number: int, name: str, type: str, *, cdr: bool) -> None:
        """Take note of a topic: messages of this number are on it."""
        type = plain_type(type)
        if type not in READERS or len(name) > LONGEST_TEXT:
            return
        if any(
            len(known) >= MOST_TOPICS and one not in known
            for one, known in ((number, self._numbers), (name, self._names))
        ):
            self.watch.fail(f"it has more than {MOST_TOPICS} topics")
        topic = self._names.get(name)
        if topic is None or (topic.type, topic.cdr) != (type, cdr):
            topic = Topic(name, type, cdr=cdr, watch=Watch(self._format, strict=self._strict))
            topic.watch.counts = self.watch.counts
            self._names[name] = topic
        self._numbers[number] = topic

    def wanted(self, number: int) -> bool:
        """Say whether messages of this number are to be read."""
        topic = self._numbers.get(number)
        if topic is None or self._picked not in (None, topic.name):
            return False
        return any(kind in self.kinds for kind in READERS[topic.type][1])

    def numbers(self) -> list[int]:
        """Return the numbers of messages that are to be read."""
        return [number for number in self._numbers if self.wanted(number)]

    def read(self, number: int, data: memoryview, offset: int | None) -> Iterator[Item]:
        """Yield what a message holds; `offset` is where it lies in the file."""
        topic = self._numbers[number]
        try:
            if topic.cdr and data[:4] == ZSTD_MAGIC:  # no CDR begins like this
                data = memoryview(Zstd().whole(bytes(data), MOST_RECORD))
            item = READERS[topic.type][0](Fields(data, cdr=topic.cdr), topic.name)
            parts = self._parts(topic, item) if isinstance(item, Payload) else iter((item,))
        except DecodeError:
            raise
        except ValueError as error:
            reason = f"a message on {topic.name} cannot be read: {error}"
            self.damaged("bad_messages", reason, offset, len(data))
            return
        yield from self._claimed(topic, parts)

    def damaged(self, what: str, reason: str, offset: int | None, size: int) -> None:
        """Count what is damaged, and remember where. Raises `DecodeError` when strict."""
        self.watch.note(what, 1, reason, offset=offset)
        if len(self.watch.damage) < MOST_DAMAGE:
            self.watch.damage.append(Damage(what, offset or 0, size))

    def flush(self) -> Iterator[Item]:
        """Give what decoders hold back; an empty batch with the sensor if there were no events."""
        if self._picked is not None and self._picked not in self._names:
            held = ", ".join(sorted(self._names)) or "none that is read here"
            self.watch.fail(f"there is no topic {self._picked!r}; the file has {held}")
        for topic in self._names.values():
            if topic.stream is not None:
                yield from self._claimed(topic, self._streamed(topic.stream.flush()))
        if EventBatch not in self._from:
            yield EventBatch.empty(self._sensor)

    def _claimed(self, topic: Topic, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items of wanted kinds. Fails at the first that another topic gives, too."""
        for item in items:
            kind = type(item)
            if kind not in self.kinds:
                continue
            first = self._from.setdefault(kind, topic.name)
            if first != topic.name:
                both = f"{first} and {topic.name} both hold {kind.__name__}"
                self.watch.fail(f"{both}: choose one, as in topic={topic.name!r}")
            yield item

    def _parts(self, topic: Topic, payload: Payload) -> Iterator[Item]:
        """Return the events in a message, slab by slab. Raises `ValueError` at once."""
        topic.encoding = topic.encoding or payload.encoding
        if payload.encoding != topic.encoding:
            raise ValueError(f"it is in {payload.encoding!r}, others in {topic.encoding!r}")
        sensor = self._sensor or payload.sensor
        if payload.decode is None:
            return self._streamed(self._stream(topic, sensor).feed(payload.data))
        if len(payload.data) % payload.size:
            raise ValueError(f"its {len(payload.data)} bytes are no words of {payload.size}")
        if topic.watch.sensor != sensor:
            topic.watch.use(sensor)
        return self._slabs(topic, payload)

    def _stream(self, topic: Topic, sensor: Sensor) -> Decoder:
        """Return the decoder of a topic whose events go on from message to message."""
        if topic.stream is None:
            if topic.encoding not in STREAMS:
                self.watch.fail(f"events in the encoding {topic.encoding!r} are not known")
            make, header = STREAMS[topic.encoding]
            decoder = make(sensor=sensor, strict=self._strict)
            decoder.hurry()  # a message is whole, and has a place in time
            if self._room is not None:
                decoder.keep_in(self._room)
            topic.stream = decoder
            self.counts.maps.append(decoder.counts)
            for _ in decoder.feed(header):
                pass
        return topic.stream

    def _slabs(self, topic: Topic, payload: Payload) -> Iterator[Item]:
        at, decode, state, out = 0, payload.decode, payload.state, self._out
        assert decode is not None
        assert state is not None
        while at < len(payload.data):
            at = decode(payload.data, at, state, out)
            if out.n:
                yield topic.watch.batch(*out.take())
        topic.watch.note("unknown_words", state.unknown, "unknown words")

    def _streamed(self, items: Iterable[object]) -> Iterator[Item]:
        """Yield the items that have something in them: decoders of bytes end with an empty one."""
        for item in items:
            if isinstance(item, EventBatch | TriggerBatch) and len(item):
                yield _later(item, self.shift) if self.shift else item


def _later(item: EventBatch | TriggerBatch, shift: int) -> EventBatch | TriggerBatch:
    t = item.t + shift
    t.flags.writeable = False
    return replace(item, t=t, span=Span(item.span.start + shift, item.span.stop + shift))
