"""Write HDF5 files: events in the layouts of Prophesee, DSEC and TUM-VIE, with their indexes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from aevents.codecs import ecf
from aevents.containers.hdf5_file import Dataset, File, blosc, import_h5py
from aevents.containers.hdf5_frames import FrameRows
from aevents.containers.hdf5_index import INDEX, Index, TimesIndex, append_rows
from aevents.errors import EncodeError
from aevents.sinks.worker import WorkerSink
from aevents.types import EventBatch, Frame, Sensor, TriggerBatch

LayoutName = Literal["prophesee", "dsec", "tumvie"]
Compression = Literal["none", "gzip", "blosc", "ecf"]

CHUNK = 16_384
"""Rows in a chunk: Prophesee's number."""
SMALL_CHUNK = 1024
"""Of triggers and indexes, of which there may be few."""
BLOCK = 4 * CHUNK
"""Events that are written at once, as each call costs the library a tenth of a millisecond."""
LONGEST_US = 1 << 36
"""Of a recording (19 h): a bound for what a wrong time makes of its index."""

EVENT = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")], align=True)
TRIGGER = np.dtype([("p", "<i2"), ("t", "<i8"), ("id", "<i2")], align=True)
SIDE = 2048
"""ECF has 11 bits for a column or a row."""


def create(
    path: Path, *, layout: LayoutName = "prophesee", compression: Compression = "none"
) -> Hdf5Sink:
    """Return a sink that writes an HDF5 file: frames in `images`, their times in `spans`; events,
    without options, in Prophesee's layout, which holds all that a batch does and triggers too, in a
    form that h5py reads alone.

    `compression` is `"gzip"`, which is HDF5's own; `"blosc"`, for which readers need hdf5plugin; or
    `"ecf"`, in Prophesee's layout only, which Prophesee's own software wants. Raises `ValueError`
    for others, `MissingExtraError` without h5py, and hdf5plugin where it is needed.
    """
    import_h5py()
    if layout not in LAYOUTS:
        raise ValueError(f"layout is one of {', '.join(LAYOUTS)}, not {layout!r}")
    if compression == "ecf" and layout != "prophesee":
        raise ValueError(f"ecf goes with the layout prophesee, not with {layout}")
    kind = Ecf if compression == "ecf" else LAYOUTS[layout]
    return Hdf5Sink(path, kind, _filter(compression))


class Hdf5Sink(WorkerSink[EventBatch | TriggerBatch | Frame]):
    """Writes events, in Prophesee's layout triggers too, or frames, to a file that appears with the
    first of them and is whole after the close.

    Raises `EncodeError` for what it cannot hold; what came before is in the file.
    """

    def __init__(self, path: Path, layout: type[EventLayout], filter: Mapping[str, Any]) -> None:
        super().__init__()
        self._path = path
        self._kind = layout
        self._filter = filter
        self._file: File = None
        self._layout: EventLayout | None = None
        self._frames: FrameRows | None = None
        self._held: list[EventBatch] = []

    def put(self, item: EventBatch | TriggerBatch | Frame, /) -> None:
        """Write what makes up blocks, and hold the rest."""
        if isinstance(item, Frame) and self._layout is None:
            self._file = self._file or import_h5py().File(self._path, "w")
            self._frames = self._frames or FrameRows(self._file, item, self._filter)
            self._frames.put(item)
            return
        if self._frames or not isinstance(item, EventBatch | TriggerBatch):
            held = "frames" if self._frames else "events"
            raise EncodeError("hdf5", f"a file holds {held}, not a {type(item).__name__}")
        layout = self._layout or self._open(item.sensor)
        if isinstance(item, TriggerBatch):
            layout.put_triggers(item)
            return
        fitting = layout.fitting(item)
        self._held.append(item.cut(0, fitting, item.span))
        if sum(map(len, self._held)) >= BLOCK:
            self._write(layout, BLOCK)
        if fitting < len(item):
            t, x, y = int(item.t[fitting]), int(item.x[fitting]), int(item.y[fitting])
            what = f"an event at t={t}, x={x}, y={y} does not fit"
            raise EncodeError("hdf5", f"{what}: {layout.limits}")

    def end(self) -> None:
        """Write the events that are held, and close the file."""
        if self._file is None:
            return
        try:
            if self._layout is not None:
                self._write(self._layout, 1)
        finally:
            self._file.close()

    def _open(self, sensor: Sensor) -> EventLayout:
        self._file = import_h5py().File(self._path, "w")
        if sensor.sized:
            self._file.attrs["geometry"] = f"{sensor.width}x{sensor.height}"
        if sensor.serial:
            self._file.attrs["serial_number"] = sensor.serial
        self._layout = self._kind(self._file, self._filter)
        return self._layout

    def _write(self, layout: EventLayout, size: int) -> None:
        """Write the events that are held, in multiples of `size`."""
        if not self._held:
            return
        events = EventBatch.concat(self._held)
        whole = len(events) - len(events) % size
        for start in range(0, whole, BLOCK):
            stop = min(start + BLOCK, whole)
            layout.write(events.cut(start, stop, events.span))
        self._held = [events.cut(whole, len(events), events.span)]


class EventLayout(ABC):
    """How events stand in a file. Times are from `least` to below `most`, counted from `origin`,
    which is the first event's, or 0 where they are not `from_first`.
    """

    limits: ClassVar[str]
    least: ClassVar[int] = 0
    most: ClassVar[int] = LONGEST_US
    from_first: ClassVar[bool] = True

    def __init__(self, file: File, _filter: Mapping[str, Any], /) -> None:
        self._file = file
        self._begun = not self.from_first
        self.origin: int = 0

    def fitting(self, batch: EventBatch) -> int:
        """Return how many of these events, from the first on, can be held."""
        t = batch.t
        if not self._begun and len(t):
            self._begun, self.origin = True, int(t[0])
            self.begin(self.origin)
        fits = (t >= self.origin + self.least) & (t < self.origin + self.most)
        return len(t) if fits.all() else int(np.argmin(fits))

    def begin(self, origin: int) -> None:  # noqa: B027  # most have nothing to note
        """Note the time of the first event."""

    @abstractmethod
    def write(self, batch: EventBatch) -> None:
        """Append events: whole chunks, but at the end."""

    def put_triggers(self, batch: TriggerBatch) -> None:
        """Append triggers. Raises `EncodeError` where there is no place for them."""
        raise EncodeError("hdf5", "this layout has no place for triggers: prophesee's has")

    def _dataset(
        self, name: str, dtype: npt.DTypeLike, chunk: int = CHUNK, **filter: object
    ) -> Dataset:
        return self._file.create_dataset(
            name, (0,), dtype, chunks=(chunk,), maxshape=(None,), **filter
        )


class Prophesee(EventLayout):
    """Rows in `/CD/events` and `/EXT_TRIGGER/events`, each with an index of every 2 ms."""

    limits = "events are at most 2**36 µs (19 h) apart"
    least = 1 - LONGEST_US

    def __init__(self, file: File, filter: Mapping[str, Any], /) -> None:
        super().__init__(file, filter)
        file.attrs.update({"version": "1.0", "format": "HDF5", "integrator_name": "Prophesee"})
        self.events: Dataset = self._dataset("CD/events", EVENT, **filter)
        self._event_index = TimesIndex(self._dataset("CD/indexes", INDEX, SMALL_CHUNK))
        self._triggers = self._dataset("EXT_TRIGGER/events", TRIGGER, SMALL_CHUNK)
        self._trigger_index = TimesIndex(self._dataset("EXT_TRIGGER/indexes", INDEX, SMALL_CHUNK))

    def write(self, batch: EventBatch) -> None:
        """Append events, and what the index says of them."""
        self.append(batch)
        self._event_index.add(batch.t)

    def append(self, batch: EventBatch) -> None:
        """Append events."""
        rows = np.empty(len(batch), EVENT)
        rows["x"], rows["y"], rows["p"], rows["t"] = batch.x, batch.y, batch.p, batch.t
        append_rows(self.events, rows)

    def put_triggers(self, batch: TriggerBatch) -> None:
        """Append triggers."""
        rows = np.zeros(len(batch), TRIGGER)
        rows["t"], rows["id"], rows["p"] = batch.t, batch.id, batch.value
        if len(batch):
            append_rows(self._triggers, rows)
            self._trigger_index.add(batch.t)


class Ecf(Prophesee):
    """The same, packed by Prophesee's filter. HDF5 would let a chunk that it cannot hold stay as it
    is, but Prophesee's own software takes every chunk for packed.
    """

    limits = "columns and rows are below 2048, times do not go back, and are 19 h apart at most"

    def __init__(self, file: File, filter: Mapping[str, Any], /) -> None:
        super().__init__(file, filter)
        self._latest: int | None = None

    def fitting(self, batch: EventBatch) -> int:
        """Return how many of these events, from the first on, can be held."""
        t = batch.t[: super().fitting(batch)]
        if not len(t):
            return 0
        latest = t[0] if self._latest is None else self._latest
        fits = np.diff(t, prepend=latest) >= 0
        fits &= (batch.x[: len(t)] < SIDE) & (batch.y[: len(t)] < SIDE)
        fitting = len(t) if fits.all() else int(np.argmin(fits))
        self._latest = int(t[fitting - 1]) if fitting else self._latest
        return fitting

    def append(self, batch: EventBatch) -> None:
        """Append events, chunk by chunk; the last may be shorter."""
        start = len(self.events)
        self.events.resize(start + len(batch), axis=0)
        for at in range(0, len(batch), CHUNK):
            part = batch.cut(at, min(at + CHUNK, len(batch)), batch.span)
            self.events.id.write_direct_chunk((start + at,), ecf.encode_chunk(part))


class Columns(EventLayout):
    """A dataset a column in `/events`, and an index of every millisecond, `/ms_to_idx`."""

    time: ClassVar[str]

    def __init__(self, file: File, filter: Mapping[str, Any], /) -> None:
        super().__init__(file, filter)
        types = {"t": self.time, "x": "<u2", "y": "<u2", "p": "u1"}
        self._columns = {
            name: self._dataset(f"events/{name}", dtype, **filter) for name, dtype in types.items()
        }
        self._firsts = self._dataset("ms_to_idx", "<u8", SMALL_CHUNK, **filter)
        self._index = Index(1_000)

    def write(self, batch: EventBatch) -> None:
        """Append events."""
        t = batch.t - self.origin
        append_rows(self._columns["t"], t)
        append_rows(self._columns["x"], batch.x)
        append_rows(self._columns["y"], batch.y)
        append_rows(self._columns["p"], batch.p)
        for firsts, _ in self._index.add(t):
            append_rows(self._firsts, firsts)


class Dsec(Columns):
    """DSEC: times in 32 bits, counted from the first event's, which is `/t_offset`."""

    limits = "times are at most 2**32 µs (71 min) after the first, and none is before it"
    time = "<u4"
    most = 1 << 32

    def begin(self, origin: int) -> None:
        """Write the time of the first event."""
        self._file["t_offset"] = np.int64(origin)


class TumVie(Columns):
    """TUM-VIE: times as they are."""

    limits = "times are from 0 to 2**36 µs (19 h)"
    time = "<i8"
    from_first = False


LAYOUTS: Mapping[str, type[EventLayout]] = {"prophesee": Prophesee, "dsec": Dsec, "tumvie": TumVie}


def _filter(compression: Compression) -> Mapping[str, Any]:
    """Return what h5py is to be told of a compression."""
    if compression == "blosc":
        return blosc()
    known: Mapping[str, Mapping[str, Any]] = {
        "none": {},
        "gzip": {"compression": "gzip", "shuffle": True},
        "ecf": {"compression": ecf.FILTER, "allow_unknown_filter": True},
    }
    if compression not in known:
        raise ValueError(f"compression is one of {', '.join(known)}, blosc, not {compression!r}")
    return known[compression]
