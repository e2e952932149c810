"""AEDAT 1.0 and 2.0: jAER's big-endian records after a header of `#` lines.

    1.0   u16 address, u32 time in µs
    2.0   u32 address, u32 time in µs

    DVS128   15 input, [14:8] row, [7:1] column, 0 polarity (1 is OFF)
    DAVIS    31 a sample of a frame or of the IMU (skipped), [30:22] row, [21:12] column,
             11 polarity (1 is ON), 10 input: an edge, of a kind told in [2:0] (2 is falling)

The header's `AEChip` names the camera; 1.0 is DVS128. Columns count from the right and rows from
the bottom: they are turned, so that the picture is as jAER shows it. The clock has 32 bits (71.6
min) and is unwrapped. Specified in iniVation's documentation of AEDAT, and by jAER.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.codecs.aedat import SIZES, AedatHeader
from aevents.codecs.base import Buffer, ByteBuffer, Codec, Jump, ReadAt, Watch
from aevents.codecs.seek import MARGIN_US, Search, jump_to, record_probe
from aevents.codecs.table import SLAB
from aevents.types import EventBatch, Flags, Sensor, Times, TriggerBatch

RECORDS = {
    "1.0": np.dtype([("address", ">u2"), ("t", ">u4")]),
    "2.0": np.dtype([("address", ">u4"), ("t", ">u4")]),
}
CLOCK_RANGE = 1 << 32
SAMPLES = 256
"""No such part of a file lasts as long as a round of the clock: 71.6 min."""
HALF_RANGE = 1 << 31
FALLING = 2
"""What a DAVIS says of an edge in the lowest three bits; 3 is rising, 4 a pulse, older files 0."""

Addresses = npt.NDArray[np.uint32]


class Layout(msgspec.Struct, frozen=True):
    """Where a camera's addresses keep their fields."""

    x_shift: int
    x_mask: int
    y_shift: int
    y_mask: int
    polarity: int
    on: int
    """The value of the bits `polarity` in an ON event."""
    other: int
    """Bits that are 0 in an event."""
    input: int
    """What those bits are in an edge on the input."""


DVS128 = Layout(1, 0x7F, 8, 0x7F, polarity=1, on=0, other=0x8000, input=0x8000)
DAVIS = Layout(12, 0x3FF, 22, 0x1FF, polarity=0x800, on=0x800, other=0x8000_0400, input=0x400)
LAYOUTS = {"dvs128": DVS128, "davis": DAVIS, "sbret10": DAVIS}
"""By how the camera's name begins in lower case."""


class Aedat2Decoder:
    """AEDAT 1.0 and 2.0 bytes to events and triggers.

    `sensor` says which camera it was where the header does not: 128x128 is a DVS128, other sizes
    are of DAVIS cameras.
    """

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("aedat2", strict=strict)
        self._sensor = sensor
        self._header = AedatHeader(self._watch)
        self._bytes = ByteBuffer()
        self._out = kernels.columns()
        self._last: int | None = None  # 32-bit time of the last record
        self._loop = 0  # µs to add to it

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    def feed(self, data: Buffer, /) -> Iterator[EventBatch | TriggerBatch]:
        """Give the batches that these bytes complete."""
        if not self._header.whole:
            rest = self._header.feed(data)
            if rest is None:
                return
            self._begin()
            data = rest
        for run in self._bytes.records(data, self._record.itemsize):
            records = np.frombuffer(run, self._record)
            for start in range(0, len(records), SLAB):
                yield from self._decode(records[start : start + SLAB])

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if not self._header.whole:
            return None
        body, width = self._header.length, self._record.itemsize
        probe = record_probe(read, body, width, lambda record: int.from_bytes(record[-4:], "big"))
        search = Search(probe, samples=SAMPLES, wraps=CLOCK_RANGE, rises=True)
        tick = search.find(body, size, start - MARGIN_US)
        if tick is None:
            return None
        clock = tick.time % CLOCK_RANGE
        return jump_to(tick, tick.time - clock, clock)

    def resume(self, jump: Jump) -> None:
        """Go on with the bytes from there."""
        self._watch.resume(jump.time)
        self._bytes = ByteBuffer()
        self._bytes.offset = jump.offset
        self._loop, self._last = jump.state

    def flush(self) -> Iterator[EventBatch | TriggerBatch]:
        """Count a torn record; give an empty batch with the sensor if there were no events."""
        if not self._header.whole:
            rest = self._header.feed(b"", final=True) or b""
            if not self._header.length and not rest:
                self._watch.fail("the input is empty")
            self._begin()
            yield from self.feed(rest)
        self._watch.torn(len(self._bytes), self._bytes.offset)
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _begin(self) -> None:
        header = self._header
        if header.version not in RECORDS:
            self._watch.fail(f"version {header.version} is another format")
        self._record = RECORDS[header.version]
        named = header.fields.get("aechip", "").rpartition(".")[2]
        camera = "DVS128" if header.version == "1.0" else named
        sensor = self._sensor or header.sensor(camera)
        if not sensor.sized:
            known = f"the camera {camera!r} is not known" if camera else "no camera is named"
            self._watch.fail(f"{known}: give its size, as in sensor=Sensor(346, 260)")
        self._watch.use(sensor)
        self._layout = _layout_of(camera, sensor)
        self._bytes.offset = header.length

    def _decode(self, records: npt.NDArray[np.void]) -> Iterator[EventBatch | TriggerBatch]:
        address = records["address"].astype(np.uint32)
        t = self._unwrapped(records["t"].astype(np.int64))
        others = address & self._layout.other
        events = others == 0
        if not events.all():
            yield from self._triggers(t, address, others == self._layout.input)
            places = np.flatnonzero(events)  # faster than a mask
            t, address = t[places], address[places]
        if len(t):
            yield self._events(t, address)

    def _events(self, t: Times, address: Addresses) -> EventBatch:
        layout, sensor, out, n = self._layout, self._watch.sensor, self._out, len(t)
        out.begin()
        out.t[:n] = t
        field = address >> layout.x_shift & layout.x_mask
        np.subtract(sensor.width - 1, field, out=out.x[:n], casting="unsafe")
        field = address >> layout.y_shift & layout.y_mask
        np.subtract(sensor.height - 1, field, out=out.y[:n], casting="unsafe")
        np.equal(address & layout.polarity, layout.on, out=out.p[:n].view(np.bool_))
        out.n = n
        return self._watch.batch(*out.take())

    def _triggers(self, t: Times, address: Addresses, edges: Flags) -> Iterator[TriggerBatch]:
        t, address = t[edges], address[edges]
        if len(t):  # a DVS128 tells falling edges only
            value = (address & 7 != FALLING) & (self._layout is DAVIS)
            yield self._watch.triggers(t, np.zeros(len(t), np.uint8), value)

    def _unwrapped(self, t: Times) -> Times:
        """Return these 32-bit times on one axis: a fall, or a rise, of more than half the range is
        a roll-over, or a step back before it.
        """
        last = int(t[0]) if self._last is None else self._last
        self._last = int(t[-1])
        if max(last, int(t.max())) - min(last, int(t.min())) <= HALF_RANGE:
            return t + self._loop if self._loop else t
        steps = np.diff(t, prepend=last)
        turns = (steps < -HALF_RANGE).astype(np.int64) - (steps > HALF_RANGE)
        loops = self._loop + CLOCK_RANGE * np.cumsum(turns)
        self._loop = int(loops[-1])
        return t + loops


def _layout_of(camera: str, sensor: Sensor) -> Layout:
    """Return the layout of a camera by its name, or where that says nothing by its size."""
    for name, layout in LAYOUTS.items():
        if camera.lower().startswith(name):
            return layout
    return DVS128 if (sensor.width, sensor.height) == SIZES["dvs128"] else DAVIS


def _matches(head: bytes) -> bool:
    return head.startswith((b"#!AER-DAT1.", b"#!AER-DAT2."))


CODEC = Codec(
    "aedat2",
    suffixes=(".aedat",),
    matches=_matches,
    decoder=Aedat2Decoder,
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="AEDAT 1.0 and 2.0 of DVS128 and DAVIS cameras (.aedat)",
)
