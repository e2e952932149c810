"""Write HDF5 files: events in the layouts of Prophesee, DSEC and TUM-VIE, with their indexes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from aevents.codecs import ecf
from aevents.containers.hdf5_file import Dataset, File, blosc, import_h5py
from aevents.errors import EncodeError
from aevents.sinks.worker import WorkerSink
from aevents.types import EventBatch, Sensor, Times, TriggerBatch

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
INDEX = np.dtype([("id", "<u8"), ("ts", "<i8")])
INDEX_US = 2_000
INDEX_PART = 1 << 16
"""Rows of an index that are written at once."""

Integers = npt.NDArray[np.int64]


def create(
    path: Path, *, layout: LayoutName = "prophesee", compression: Compression = "none"
) -> Hdf5Sink:
    """Return a sink that writes an HDF5 file. What is written without options can be read by h5py
    alone, and has the layout that most software of this field knows.

    `compression` is `"gzip"`, which is HDF5's own; `"blosc"`, for which readers need hdf5plugin; or
    `"ecf"`, in Prophesee's layout only, for which they need Prophesee's plug-in, or aevents. Raises
    `ValueError` for others, `MissingExtraError` without h5py, and hdf5plugin where it is needed.
    """
    import_h5py()
    if layout not in LAYOUTS:
        raise ValueError(f"layout is one of {', '.join(LAYOUTS)}, not {layout!r}")
    if compression == "ecf" and layout != "prophesee":
        raise ValueError(f"ecf goes with the layout prophesee, not with {layout}")
    return Hdf5Sink(path, LAYOUTS[layout], _filter(compression))


class Hdf5Sink(WorkerSink[EventBatch | TriggerBatch]):
    """Writes events, and in Prophesee's layout triggers, to a file that appears with the first of
    them and is whole after the close.

    Raises `EncodeError` for what the layout cannot hold; what came before it is in the file.
    """

    def __init__(self, path: Path, layout: type[EventLayout], filter: Mapping[str, Any]) -> None:
        super().__init__()
        self._path = path
        self._kind = layout
        self._filter = filter
        self._file: File = None
        self._layout: EventLayout | None = None
        self._held: list[EventBatch] = []

    def put(self, item: EventBatch | TriggerBatch, /) -> None:
        """Write what makes up blocks, and hold the rest."""
        if not isinstance(item, EventBatch | TriggerBatch):
            raise EncodeError("hdf5", f"a file holds events, not a {type(item).__name__}")
        layout = self._layout or self._open(item.sensor)
        if isinstance(item, TriggerBatch):
            layout.put_triggers(item)
            return
        fitting = layout.fitting(item.t)
        self._held.append(item.cut(0, fitting, item.span))
        if sum(map(len, self._held)) >= BLOCK:
            self._write(layout, BLOCK)
        if fitting < len(item):
            what = f"an event at t={int(item.t[fitting])} does not fit"
            raise EncodeError("hdf5", f"{what}: {layout.limits}")

    def end(self) -> None:
        """Write the events that are held, and close the file."""
        if self._layout is None:
            return
        try:
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

    def fitting(self, t: Times) -> int:
        """Return how many of these events, from the first on, can be held."""
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
        self._events = self._dataset("CD/events", EVENT, **filter)
        self._event_index = _TimesIndex(self._dataset("CD/indexes", INDEX, SMALL_CHUNK))
        self._triggers = self._dataset("EXT_TRIGGER/events", TRIGGER, SMALL_CHUNK)
        self._trigger_index = _TimesIndex(self._dataset("EXT_TRIGGER/indexes", INDEX, SMALL_CHUNK))
        self._packed = filter.get("compression") == ecf.FILTER

    def write(self, batch: EventBatch) -> None:
        """Append events."""
        if self._packed:
            for start in range(0, len(batch), CHUNK):
                part = batch.cut(start, min(start + CHUNK, len(batch)), batch.span)
                self._pack(part)
        else:
            _append(self._events, _records(batch))
        self._event_index.add(batch.t)

    def put_triggers(self, batch: TriggerBatch) -> None:
        """Append triggers."""
        rows = np.zeros(len(batch), TRIGGER)
        rows["t"], rows["id"], rows["p"] = batch.t, batch.id, batch.value
        if len(batch):
            _append(self._triggers, rows)
            self._trigger_index.add(batch.t)

    def _pack(self, batch: EventBatch) -> None:
        """Append a chunk, which stays as it is where ECF would change it. The last is filled up, as
        HDF5 expects whole ones.
        """
        columns = batch.t, batch.x, batch.y, batch.p
        whole = (np.pad(column, (0, CHUNK - len(batch)), mode="edge") for column in columns)
        filled = EventBatch(*whole, batch.sensor, batch.span)
        chunk = ecf.encode_chunk(filled)
        start = len(self._events)
        self._events.resize(start + len(batch), axis=0)
        data, left_out = (chunk, 0) if chunk else (_records(filled).tobytes(), 1)
        self._events.id.write_direct_chunk((start,), data, left_out)


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
        self._index = _Index(1_000)

    def write(self, batch: EventBatch) -> None:
        """Append events."""
        t = batch.t - self.origin
        for name, column in {"t": t, "x": batch.x, "y": batch.y, "p": batch.p}.items():
            _append(self._columns[name], column)
        for _, rows in self._index.add(t):
            _append(self._firsts, rows)


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


class _Index:
    """Finds the first event of each stretch of time, from 0 on: that which has its time or a later
    one.
    """

    def __init__(self, period_us: int) -> None:
        self._period = period_us
        self._latest = 0
        self._events = 0
        self._next = 0  # stretch

    def add(self, t: Integers) -> Iterator[tuple[Integers, Integers]]:
        """Give the stretches that these events begin, and the numbers of their first events."""
        running = np.maximum(np.maximum.accumulate(t), self._latest)
        stop = int(running[-1]) // self._period + 1
        for start in range(self._next, stop, INDEX_PART):
            stretches = np.arange(start, min(start + INDEX_PART, stop))
            yield stretches, self._events + np.searchsorted(running, stretches * self._period)
        self._latest, self._next = int(running[-1]), stop
        self._events += len(t)


class _TimesIndex:
    """An index as Prophesee has it: a row that stands for nothing, then the first event of each
    2 ms, counted from the first event of all, whose time is the attribute `offset`, negative.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._index = _Index(INDEX_US)
        self._origin: int | None = None
        _append(dataset, np.array([(0, -1)], INDEX))

    def add(self, t: Integers) -> None:
        """Add the rows of these events."""
        if self._origin is None:
            self._origin = int(t[0])
            self._dataset.attrs["offset"] = str(-self._origin)
        for stretches, firsts in self._index.add(t - self._origin):
            rows = np.empty(len(firsts), INDEX)
            rows["id"], rows["ts"] = firsts, stretches * INDEX_US
            _append(self._dataset, rows)


def _append(dataset: Dataset, rows: npt.NDArray[np.generic]) -> None:
    start = len(dataset)
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows


def _records(batch: EventBatch) -> npt.NDArray[np.void]:
    rows = np.empty(len(batch), EVENT)
    rows["x"], rows["y"], rows["p"], rows["t"] = batch.x, batch.y, batch.p, batch.t
    return rows


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
