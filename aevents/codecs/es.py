"""Event Stream (.es), version 2: events of DVS, ATIS or colour pixels, or bytes of any meaning,
packed by the time between them.

    12 bytes  Event Stream
    u8 x 3    version: 2, 0, 0
    u8        what it holds: 0 generic, 1 DVS, 2 ATIS, 4 colour (3, AMD, has no public layout)
    u16 x 2   width, height (little-endian; not there for generic)

Then comes the body: `codecs/es_pixels.py` or `codecs/es_generic.py`. The file counts rows from the
bottom; they are turned upright. Specified at github.com/neuromorphicsystems/event_stream.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import cast

from aevents.codecs.base import Buffer, Codec, Jump, ReadAt, Watch
from aevents.codecs.es_generic import GenericReader, GenericWriter
from aevents.codecs.es_pixels import ATIS, COLOUR, DVS, PixelBatch, PixelReader, PixelWriter
from aevents.codecs.limits import Limits
from aevents.codecs.seek import Index, IndexNeededError
from aevents.errors import EncodeError
from aevents.types import ColourBatch, Damage, EventBatch, ExposureBatch, GenericBatch, Sensor

MAGIC = b"Event Stream"
VERSION = bytes((2, 0, 0))
HEADER = struct.Struct("<12s3sB")
SIZE = struct.Struct("<HH")
GENERIC = 0

HOLDS: dict[int, tuple[type, ...]] = {
    DVS: (EventBatch,),
    ATIS: (EventBatch, ExposureBatch),
    COLOUR: (ColourBatch,),
    GENERIC: (GenericBatch,),
}
FIRST = {EventBatch: DVS, ExposureBatch: ATIS, ColourBatch: COLOUR, GenericBatch: GENERIC}
"""What a file holds, by the type of its first batch."""


class EsDecoder:
    """Event Stream bytes to events, or to what else the file holds.

    The stream begins at `t0_us`: the file does not say when.
    """

    def __init__(
        self, *, sensor: Sensor | None = None, strict: bool = False, t0_us: int = 0
    ) -> None:
        self._watch = Watch("es", strict=strict)
        self._sensor = sensor
        self.t0: int = t0_us
        self._head = b""
        self._body: PixelReader | GenericReader | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[PixelBatch | GenericBatch]:
        """Give the batches that these bytes complete, in slabs of at most 64 k events."""
        if self._body is None:
            self._head += bytes(data)
            self._body = self._begin(self._head)
            if self._body is None:
                return
            data, self._head = self._head[self._body.offset :], b""
        yield from self._body.feed(data)

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Raise `IndexNeededError`: the bytes tell nothing but the time between two events."""
        raise IndexNeededError

    def index(self, read: ReadAt, size: int, until: int, begun: Index | None) -> Index:
        """Return an index of the file up to the time `until` of its clock, made by reading all that
        is not in the one that is `begun`; of generic bytes, an empty one.
        """
        body = self._body
        return body.index(read, until, begun) if isinstance(body, PixelReader) else Index()

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        self._watch.resume(jump.time)
        assert isinstance(self._body, PixelReader)
        self._body.resume(jump.offset, jump.time)

    def flush(self) -> Iterator[EventBatch]:
        """Count a torn record; give an empty batch with the sensor if there were no events."""
        if self._body is None:
            self._watch.fail("the header is not whole" if self._head else "the input is empty")
        self._watch.torn(len(self._body), self._body.offset)
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _begin(self, head: bytes) -> PixelReader | GenericReader | None:
        """Read the header; None while it is not all there."""
        if len(head) < HEADER.size:
            return None
        magic, version, kind = HEADER.unpack_from(head)
        if magic != MAGIC:
            self._watch.fail("the first bytes are not 'Event Stream'", offset=0)
        if version[0] != VERSION[0]:
            self._watch.fail(f"version {'.'.join(map(str, version))} is not known", offset=12)
        if kind not in HOLDS:
            self._watch.fail(f"streams of type {kind} are not known", offset=15)
        if kind == GENERIC:
            return GenericReader(self._watch, time=self.t0, offset=HEADER.size)
        start = HEADER.size + SIZE.size
        if len(head) < start:
            return None
        width, height = SIZE.unpack_from(head, HEADER.size)
        self._watch.use(self._sensor or Sensor(width, height))
        height = height or self._watch.sensor.height
        return PixelReader(self._watch, kind, height=height, time=self.t0, offset=start)


class EsEncoder:
    """Events, exposures and events, colours, or generic bytes to Event Stream bytes.

    The first batch says which of these; `atis` makes room for exposures where it is of events.
    Exposures are written in order with the batch of events that comes next. The stream begins at
    `t0_us`: the file does not say when.
    """

    def __init__(self, *, atis: bool = False, t0_us: int = 0) -> None:
        self._kind = ATIS if atis else None
        self._t0 = t0_us
        self._body: PixelWriter | GenericWriter | None = None

    def feed(self, batch: PixelBatch | GenericBatch, /) -> Iterator[bytes]:
        """Give the bytes of this batch. Raises `EncodeError` for what does not fit."""
        kind = FIRST.get(type(batch)) if self._kind is None else self._kind
        held = tuple(FIRST) if kind is None else HOLDS[kind]
        if kind is None or not isinstance(batch, held):
            names = " or ".join(one.__name__ for one in held)
            raise EncodeError("es", f"the file can take {names}, not {type(batch).__name__}")
        self._kind = kind
        if not len(batch):
            return  # perhaps without the sensor's size, which the first events bring
        if self._body is None:
            self._body = self._begin(kind, batch)
            yield _header(kind, getattr(batch, "sensor", Sensor()))
        write = cast(
            "Callable[[object], Iterator[bytes]]", self._body.write
        )  # takes what HOLDS says
        yield from write(batch)

    def flush(self) -> Iterator[bytes]:
        """Give what waits for events; the header alone if there were none."""
        if self._body is None:
            yield _header(DVS if self._kind is None else self._kind, Sensor())
        else:
            yield from self._body.flush()

    def _begin(self, kind: int, batch: PixelBatch | GenericBatch) -> PixelWriter | GenericWriter:
        """Return what writes batches of this kind and sensor."""
        if isinstance(batch, GenericBatch):
            return GenericWriter(time=self._t0)
        sensor = batch.sensor
        if not sensor.sized or max(sensor.width, sensor.height) > 0xFFFF:
            size = f"{sensor.width}x{sensor.height}" if sensor.sized else "of no known size"
            what = "rows are counted from the bottom of a sensor of up to 65535x65535"
            raise EncodeError("es", f"{what}, and this one is {size} (give sensor= to the reader)")
        return PixelWriter(kind, sensor, time=self._t0)


def _header(kind: int, sensor: Sensor) -> bytes:
    size = b"" if kind == GENERIC else SIZE.pack(sensor.width, sensor.height)
    return HEADER.pack(MAGIC, VERSION, kind) + size


def _matches(head: bytes) -> bool:
    return head.startswith(MAGIC)


CODEC = Codec(
    "es",
    suffixes=(".es",),
    matches=_matches,
    decoder=EsDecoder,
    encoder=EsEncoder,
    limits=Limits(
        kinds=((EventBatch, ExposureBatch), (ColourBatch,), (GenericBatch,)),
        options={ExposureBatch: {"atis": True}},
        start_us=0,
        back_us=0,
        leap_us=1 << 34,
        sized=True,
    ),
    unverified="exposures, colours and generic bytes, beyond one other implementation",
    seekable=True,
    kinds=(EventBatch, ExposureBatch, ColourBatch, GenericBatch),
    about="Event Stream, version 2 (.es)",
)
