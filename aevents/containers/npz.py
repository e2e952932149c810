"""NPZ on disk: read entry by entry, and written column by column, so that memory stays bounded.

The columns of an archive lie one behind the other. So they are read at four places at once, and
kept apart in temporary files beside the archive until the last event has come.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from msgspec.structs import replace

from aevents.codecs import npz
from aevents.codecs.base import Reader
from aevents.errors import EncodeError
from aevents.sinks.worker import WorkerSink
from aevents.types import EventBatch, Sensor

COPY_BYTES = 1 << 20
TYPES = {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.bool_}
"""The arrays that are written, and the type of their values."""


def read(path: Path, *, kind: type, start: int | None = None, **options: object) -> Reader:
    """Read the archive at `path`; the options are those of `NpzDecoder`. There is nothing but
    events in it, and no way to begin in the middle.
    """
    decoder = npz.NpzDecoder(**options)  # type: ignore[arg-type]  # it says what it does not take

    def items() -> Generator[EventBatch, None, None]:
        if reader.room is not None:
            decoder.keep_in(reader.room)
        with path.open("rb") as file:
            yield from decoder.decode(file)

    reader = Reader(items(), decoder.counts, decoder.damage)
    return reader


class NpzSink(WorkerSink[EventBatch]):
    """Events to an archive of arrays t, x, y and p, and the sensor's width and height if they are
    known. `compressed` deflates it.

    The archive appears at the close. Writing raises `EncodeError` for anything but events, and what
    writing a file raises.
    """

    def __init__(self, path: Path, *, compressed: bool = False) -> None:
        super().__init__()
        self._path = path
        self._method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        self._columns: dict[str, IO[bytes]] = {}
        self._events = 0
        self._sensor = Sensor()
        self._open = ExitStack()

    def put(self, item: EventBatch, /) -> None:
        """Add the events to the columns."""
        if not isinstance(item, EventBatch):
            raise EncodeError("npz", f"the columns hold events, not a {type(item).__name__}")
        if not self._columns:
            self._begin(item.sensor)
        self._events += len(item)
        for name, column in self._columns.items():
            column.write(np.ascontiguousarray(getattr(item, name)).data)

    def end(self) -> None:
        """Write the archive."""
        with self._open:
            if not self._columns:
                self._begin(Sensor())
            with zipfile.ZipFile(self._path, "w", self._method) as archive:
                for name, column in self._columns.items():
                    self._write(archive, name, column)
                if self._sensor.sized:
                    _write_number(archive, "width", self._sensor.width)
                    _write_number(archive, "height", self._sensor.height)

    def _begin(self, sensor: Sensor) -> None:
        self._sensor = sensor
        folder = self._path.parent
        for name in TYPES:
            file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # `end` closes it
            self._columns[name] = self._open.enter_context(file)

    def _write(self, archive: zipfile.ZipFile, name: str, column: IO[bytes]) -> None:
        descr = np.lib.format.dtype_to_descr(np.dtype(TYPES[name]))
        header = {"descr": descr, "fortran_order": False, "shape": (self._events,)}
        column.seek(0)
        with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array_header_1_0(entry, header)
            while data := column.read(COPY_BYTES):
                entry.write(data)


def _write_number(archive: zipfile.ZipFile, name: str, value: int) -> None:
    with archive.open(f"{name}.npy", "w") as entry:
        np.save(entry, np.uint16(value))


CODEC = replace(npz.CODEC, reader=read, writer=NpzSink)
