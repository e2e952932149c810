"""NPZ: NumPy arrays in a zip, stored or deflated: one array a column, or one array of events.

    t, x, y, p (or ts, xs, timestamp, polarity, …)   one array each, all of one length; or
    events, event_data, or the only array            structures, or N x 4 (see codecs/array.py)
    width, height, or sensor_size (width, height)    the sensor, where the writer gave it

A zip has its index at the end: what comes as a stream of bytes is held in memory until all of it
has come; a file on disk is read where it lies (containers/npz.py). Either way arrays are unpacked
as a stream, and what they unpack to is never held.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from typing import IO

import numpy as np

from aevents._native.room import Room
from aevents.codecs.array import (
    ArrayHeader,
    ArrayReader,
    are_numbers,
    read_header,
    write_header,
)
from aevents.codecs.base import SNIFF_BYTES, Buffer, Codec, Watch
from aevents.codecs.fields import TimeUnit, find_columns
from aevents.codecs.held import HeldFile, StoredStream
from aevents.codecs.table import SLAB, Column, Table
from aevents.errors import EncodeError
from aevents.types import Damage, EventBatch, Sensor

READ_BYTES = 1 << 20
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What NumPy writes. The others unpack without a bound on what one read may give."""
MOST_PIXELS = 65_536
"""Coordinates have 16 bits."""


class NpzDecoder:
    """NPZ bytes to events, all at the end of the input.

    `columns` and `time_unit` are as for NPY.
    """

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        columns: str | None = None,
        time_unit: TimeUnit | None = None,
    ) -> None:
        self._watch = Watch("npz", strict=strict)
        self._sensor = sensor
        self._table = Table(self._watch, time_unit=time_unit)
        self._reader = ArrayReader(self._watch, columns=columns, time_unit=time_unit)
        self._file = HeldFile()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by the names that NPY has."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def keep_in(self, room: Room) -> None:
        """Put the events into `room`, where they stay."""
        self._table.keep_in(room)
        self._reader.keep_in(room)

    def feed(self, data: Buffer, /) -> tuple[()]:
        """Take some bytes."""
        self._file.add(data)
        return ()

    def flush(self) -> Iterator[EventBatch]:
        """Give the events; an empty batch with the sensor if there are none."""
        return self.decode(self._file)

    def decode(self, file: IO[bytes] | HeldFile) -> Iterator[EventBatch]:
        """Give the events of a file that can be read anywhere."""
        entries = _entries(file, self._watch)
        self._watch.use(self._sensor or _sensor(entries))
        columns = find_columns(list(entries))
        if columns is not None:
            yield from self._columns({letter: entries[name] for letter, name in columns.items()})
        else:
            yield from self._array(_events_of(entries, self._watch))
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _array(self, entry: _Entry) -> Iterator[EventBatch]:
        while data := entry.read(READ_BYTES):
            yield from self._reader.feed(data)
        yield from self._reader.flush()

    def _columns(self, entries: Mapping[str, _Entry]) -> Iterator[EventBatch]:
        headers = [entry.header() for entry in entries.values()]
        shapes = [header.shape for header in headers]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1:
            self._watch.fail(f"the columns t, x, y, p have shapes {shapes}")
        if not are_numbers([header.dtype for header in headers]):
            self._watch.fail(f"the columns t, x, y, p are {[str(one.dtype) for one in headers]}")
        left = shapes[0][0]
        while left:
            rows = _shortest(
                {name: entry.values(min(left, SLAB)) for name, entry in entries.items()}
            )
            if not len(rows["t"]):
                break
            left -= len(rows["t"])
            batch = self._table.batch(rows)
            if batch is not None:
                yield batch
        self._watch.note("missing_rows", left, f"the headers promise {left} rows more")


class NpzEncoder:
    """Events to NPZ: arrays t, x, y and p, and the sensor's width and height if they are known.

    A zip of columns can be written only when all events are there: they are held in memory (13
    bytes each). `compressed` deflates it.
    """

    def __init__(self, *, compressed: bool = False) -> None:
        self._batches: list[EventBatch] = []
        self._compression = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED

    def feed(self, batch: EventBatch, /) -> tuple[()]:
        """Take the events. Raises `EncodeError` for anything else."""
        if not isinstance(batch, EventBatch):
            raise EncodeError("npz", f"the columns hold events, not a {type(batch).__name__}")
        self._batches.append(batch)
        return ()

    def flush(self) -> Iterator[bytes]:
        """Give the file."""
        batches, self._batches = self._batches or [EventBatch.empty()], []
        file, sensor = _Output(), batches[0].sensor
        with zipfile.ZipFile(file, "w", self._compression) as archive:
            for name in "txyp":
                columns = [getattr(batch, name) for batch in batches]
                shape = (sum(map(len, columns)),)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    entry.write(write_header(columns[0].dtype, shape))
                    for column in columns:
                        entry.write(column.tobytes())
                        yield from file.take()
            if sensor.sized:
                for name, length in (("width", sensor.width), ("height", sensor.height)):
                    scalar = write_header(np.dtype(np.uint16), ()) + np.uint16(length).tobytes()
                    archive.writestr(f"{name}.npy", scalar)
        yield from file.take()


class _Output:
    """A file that cannot be rewound: what is written waits to be taken."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        """Keep these bytes."""
        self._written.append(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def take(self) -> list[bytes]:
        """Return what has been written since the last time."""
        written, self._written = self._written, []
        return written


class _Entry:
    """One array of the archive, unpacked as it is read."""

    def __init__(
        self,
        file: IO[bytes] | HeldFile,
        archive: zipfile.ZipFile,
        info: zipfile.ZipInfo,
        watch: Watch,
    ) -> None:
        self._file = file
        self._archive = archive
        self._info = info
        self._watch = watch
        self._stream: IO[bytes] | StoredStream | None = None
        self._header: ArrayHeader | None = None
        self._begun = b""  # read together with the header

    def read(self, size: int) -> Buffer:
        """Return the next `size` bytes, fewer at the end."""
        begun, self._begun = self._begun[:size], self._begun[size:]
        try:
            if self._stream is None:
                self._stream = self._open()
            rest = self._stream.read(size - len(begun))
            return begun + bytes(rest) if begun else rest
        except Exception as error:  # zipfile raises many kinds on a damaged file
            self._watch.fail(f"{self._info.filename} cannot be unpacked: {error}")

    def header(self) -> ArrayHeader:
        """Return the header; what `read` gives next is the first value."""
        if self._header is None:
            head = bytes(self.read(SNIFF_BYTES))
            self._header = read_header(head, self._watch)
            if self._header is None:
                self._watch.fail(f"{self._info.filename} ends before its header does")
            self._begun = head[self._header.length :]
        return self._header

    def values(self, count: int) -> Column:
        """Return the next values, at most `count`."""
        header = self.header()
        data = self.read(count * header.dtype.itemsize)
        return np.frombuffer(data, header.dtype, len(data) // header.dtype.itemsize)

    def _open(self) -> IO[bytes] | StoredStream:
        stream = self._archive.open(self._info)  # this checks the entry's own header
        if self._info.compress_type == zipfile.ZIP_STORED and isinstance(self._file, HeldFile):
            return StoredStream(self._file.view, self._info)
        return stream


def _entries(file: IO[bytes] | HeldFile, watch: Watch) -> dict[str, _Entry]:
    """Return the arrays of an archive by their names without the suffix."""
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # as above
        watch.fail(f"the archive cannot be read: {error}")
    entries = {}
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            if info.compress_type not in PACKED:
                watch.fail(f"{info.filename} is packed in way {info.compress_type}, not deflated")
            entries[info.filename.removesuffix(".npy")] = _Entry(file, archive, info, watch)
    return entries


def _events_of(entries: Mapping[str, _Entry], watch: Watch) -> _Entry:
    """Return the array that is a list of events."""
    for name in ("events", "event_data"):
        if name in entries:
            return entries[name]
    if len(entries) != 1:
        held = ", ".join(sorted(entries)) or "nothing"
        watch.fail(f"no arrays t, x, y, p, and none called events, in this archive of {held}")
    return next(iter(entries.values()))


def _sensor(entries: Mapping[str, _Entry]) -> Sensor:
    size = _numbers(entries.get("sensor_size"))
    if not size:
        size = _numbers(entries.get("width")) + _numbers(entries.get("height"))
    if len(size) >= 2 and all(0 < length <= MOST_PIXELS for length in size[:2]):
        return Sensor(size[0], size[1])
    return Sensor()


def _numbers(entry: _Entry | None) -> list[int]:
    """Return the first integers of an array, none if it holds anything else."""
    if entry is None or entry.header().dtype.kind not in "iu":
        return []
    return [int(value) for value in entry.values(2)]


def _shortest(columns: Mapping[str, Column]) -> dict[str, Column]:
    count = min(map(len, columns.values()))
    return {name: column[:count] for name, column in columns.items()}


def _matches(head: bytes) -> bool:
    """Say whether this is a zip whose first file is an array."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return head.startswith(b"PK\x03\x04") and name.endswith(b".npy")


CODEC = Codec(
    "npz",
    suffixes=(".npz",),
    matches=_matches,
    decoder=NpzDecoder,
    encoder=NpzEncoder,
    about="NumPy arrays in a zip, one a column (.npz)",
)
