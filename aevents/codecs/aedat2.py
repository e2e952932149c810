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

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs.aedat import SIZES, AedatHeader
from aevents.codecs.base import Buffer, Codec, Watch
from aevents.types import Damage, EventBatch, Flags, Sensor, Times, TriggerBatch

RECORDS = {
    "1.0": np.dtype([("address", ">u2"), ("t", ">u4")]),
    "2.0": np.dtype([("address", ">u4"), ("t", ">u4")]),
}
CLOCK_RANGE = 1 << 32
HALF_RANGE = 1 << 31
WINDOW = 1024
"""Bytes from a doubtful record on that decide what is to be thought of it."""
VOTERS = 16
"""Records that say at which byte they begin."""
FEW = 4
"""So many records at the end of a file, or fewer, are believed."""
MOST = 0.6
"""Of the records."""
NEAR = 1 << 20
"""µs: behind damage, records are not further from the time before it."""
LONGEST = 1 << 27
"""µs (2 min): no longer silence is believed between records of a time that leaps."""


class View(msgspec.Struct, frozen=True):
    """What records look like: which share of the first is near to the time before, in order, and
    off the sensor; and the first times, from the one before on.
    """

    near: float
    near_all: float
    orderly: float
    off: float
    after: Times


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
    falls: int = 0
    """All edges do; else they are of a kind told in [2:0]."""
    most: int = 0xFFFF_FFFF
    """The greatest address."""


DVS128 = Layout(
    1, 0x7F, 8, 0x7F, polarity=1, on=0, other=0x8000, input=0x8000, falls=1, most=0xFFFF
)
DAVIS = Layout(12, 0x3FF, 22, 0x1FF, polarity=0x800, on=0x800, other=0x8000_0400, input=0x400)
LAYOUTS = {"dvs128": DVS128, "davis": DAVIS, "sbret10": DAVIS}
"""By how the camera's name begins in lower case."""


class Aedat2Decoder:
    """AEDAT 1.0 and 2.0 bytes to events and triggers.

    `sensor` says which camera it was where the header does not: 128x128 is a DVS128, other sizes
    are of DAVIS cameras.

    Where time leaps, what follows says whether it goes on there. If not, records are looked for
    from another byte on, or the time is mended or the record left out.
    """

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("aedat2", strict=strict)
        self._sensor = sensor
        self._header = AedatHeader(self._watch)
        self._bytes = b""  # fed, and not decoded yet
        self._offset = 0  # of the first of them
        self._out = kernels.columns()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def keep_in(self, room: Room) -> None:
        """Decode into `room`, where the events stay."""
        self._out.keep_in(room)
        self._out.begin()

    def feed(self, data: Buffer, /) -> Iterator[EventBatch | TriggerBatch]:
        """Give the batches that these bytes complete."""
        if not self._header.whole:
            rest = self._header.feed(data)
            if rest is None:
                return
            self._begin()
            data = rest
        yield from self._decode(memoryview(data), final=False)

    def flush(self) -> Iterator[EventBatch | TriggerBatch]:
        """Count a torn record; give an empty batch with the sensor if there were no events."""
        rest = b""
        if not self._header.whole:
            rest = self._header.feed(b"", final=True) or b""
            if not self._header.length and not rest:
                self._watch.fail("the input is empty")
            self._begin()
        yield from self._decode(memoryview(rest), final=True)
        self._watch.torn(len(self._bytes), self._offset)
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
        layout = _layout_of(camera, sensor)
        self._layout = layout
        self._clock = kernels.aedat_state(
            **{
                name: value
                for name, value in msgspec.structs.asdict(layout).items()
                if name != "most"
            },
            old=int(header.version == "1.0"),
            right=sensor.width - 1,
            bottom=sensor.height - 1,
        )
        self._offset = header.length

    def _decode(self, data: memoryview, *, final: bool) -> Iterator[EventBatch | TriggerBatch]:
        if self._bytes:
            data = memoryview(self._bytes + bytes(data))
        at, size, clock, out = 0, self._record.itemsize, self._clock, self._out
        while at + size <= len(data):
            at = kernels.aedat2_decode(data, at, clock, out)
            clock.wary = 1
            if out.triggers or out.n == out.capacity:
                yield from self._gathered()
            elif at + size <= len(data):  # a leap
                window = data[at : at + WINDOW]
                if len(window) < WINDOW and not final:
                    break
                at += self._past(window, self._offset + at)
        self._bytes = bytes(data[at:])
        self._offset += at
        yield from self._gathered()

    def _past(self, window: memoryview, offset: int) -> int:
        """Return how many bytes to pass over at a record whose time leaps; 0 if it is believed."""
        size = self._record.itemsize
        views = [self._look(window, shift) for shift in range(size)]
        shift = _best(views, self._record.itemsize)
        if shift:
            self._watch.damaged("lost_bytes", offset, bytes=shift, count=shift)
            return shift
        if shift is None and len(window) > FEW * size:
            far = max(view.near_all for view in views) < MOST / 4
            lost = len(window) - len(window) % size if far else VOTERS * size
            self._watch.damaged("lost_bytes", offset, bytes=lost, count=lost)
            return lost
        first, after = views[0].after[0], views[0].after[1:]
        if 2 * (np.abs(after) < np.abs(_wrapped(after - first))).sum() > len(after):
            self._watch.damaged("stray_events", offset, bytes=size, events=1)
            return size
        self._clock.last += int(first)
        return 0

    def _look(self, window: memoryview, shift: int) -> View:
        """Look at records as if they began at byte `shift`."""
        layout = self._layout
        count = (len(window) - shift) // self._record.itemsize
        records = np.frombuffer(window, self._record, count, shift)
        after = _wrapped(records["t"].astype(np.int64) - self._clock.last)
        steps = _wrapped(np.diff(after[:VOTERS]))
        address = records["address"][:VOTERS].astype(np.int64)
        x, y = address >> layout.x_shift & layout.x_mask, address >> layout.y_shift & layout.y_mask
        off = (x > self._clock.right) | (y > self._clock.bottom)
        off = (off & (address & layout.other == 0)) | (address > layout.most)
        near = np.abs(after) <= NEAR
        return View(
            near=_share(near[:VOTERS]),
            near_all=_share(near),
            orderly=_share((steps >= -NEAR) & (steps <= LONGEST)),
            off=_share(off),
            after=after[:4],
        )

    def _gathered(self) -> Iterator[EventBatch | TriggerBatch]:
        """Give the triggers, then the events, that wait."""
        out = self._out
        if out.triggers:
            id = out.trigger_id[: out.triggers].copy()
            value, t = out.trigger_value[: out.triggers] != 0, out.trigger_t[: out.triggers].copy()
            yield self._watch.triggers(t, id, value)
        columns = out.take() if out.n else None
        out.begin()
        if columns:
            yield self._watch.batch(*columns)


def _best(views: Sequence[View], size: int) -> int | None:
    """Return at which byte records begin; None if that cannot be told.

    There they go on near the time before, or else they are in order and on the sensor.
    """
    nearest = max(range(size), key=lambda shift: views[shift].near)
    if views[nearest].near >= MOST:
        return 0 if views[0].near + MOST / 2 >= views[nearest].near else nearest
    likely = [shift for shift in range(size) if views[shift].orderly >= MOST]
    if not likely:
        return None
    best = min(likely, key=lambda shift: views[shift].off)
    return 0 if 0 in likely and views[0].off <= views[best].off + MOST / 2 else best


def _share(flags: Flags) -> float:
    """Return how many of 1 are set."""
    return float(flags.mean()) if len(flags) else 0.0


def _wrapped(t: Times) -> Times:
    """Return the differences of 32-bit times that are nearest to 0."""
    return (t + HALF_RANGE) % CLOCK_RANGE - HALF_RANGE


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
    unverified=(
        "everything but single bits of 1.0 and of the DAVIS: no recording of a camera was "
        "at hand, and sources conflict on the polarity of a DVS128"
    ),
    kinds=(EventBatch, TriggerBatch),
    about="AEDAT 1.0 and 2.0 of DVS128 and DAVIS cameras (.aedat)",
)
