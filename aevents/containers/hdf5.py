"""HDF5 (.hdf5, .h5): events in the layouts of Prophesee, DSEC, TUM-VIE and others.

The layouts are told in `hdf5_layout.py`. Specified by OpenEB's documentation of its HDF5 format, by
those of the data sets DSEC (dsec.ifi.uzh.ch) and TUM-VIE (cvg.cit.tum.de), and by what is in files.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np

from aevents._native.room import Room
from aevents.codecs import ecf
from aevents.codecs.base import Codec, Reader, Watch
from aevents.codecs.fields import TimeUnit, check_time_unit
from aevents.codecs.limits import Limits
from aevents.codecs.table import SLAB, Table
from aevents.containers.hdf5_chunks import Chunks
from aevents.containers.hdf5_file import (
    Dataset,
    File,
    checked,
    datasets_of,
    filters_of,
    numeric,
    opened,
    sensor_of,
    stored_rows,
)
from aevents.containers.hdf5_layout import Layout
from aevents.containers.hdf5_write import LONGEST_US, create
from aevents.types import EventBatch, Frame, Sensor, TriggerBatch

MAGIC = b"\x89HDF\r\n\x1a\n"
TRIGGERS = "EXT_TRIGGER/events"
BLOCK = 4 * SLAB
"""Rows that the library reads at once: a call costs it as much as reading thousands of them."""


def read(  # noqa: PLR0913  # the options of every format, and its own
    path: Path,
    *,
    kind: type = EventBatch,
    start: int | None = None,
    sensor: Sensor | None = None,
    strict: bool = False,
    group: str | None = None,
    time_unit: TimeUnit | None = None,
) -> Reader:
    """Return the events of a file, or its triggers; both, triggers first, of `kind=object`.

    With `start` (µs), what comes before may be left out. `group` says which events, where there are
    several, as in `"prophesee/left"`. `time_unit` is that of the times where the layout leaves it
    open. Raises `ValueError` for another; reading raises `DecodeError`, `MissingExtraError`, and
    what `open` raises.
    """
    check_time_unit(time_unit)
    watch = Watch("hdf5", strict=strict)

    def items() -> Generator[object, None, None]:
        with opened(path, watch) as file:
            if issubclass(TriggerBatch, kind):
                yield from _triggers(file, watch, sensor)
            if not issubclass(EventBatch, kind):
                return
            layout = Layout(file, watch, group=group, time_unit=time_unit)
            watch.use(sensor or layout.sensor)
            packed = layout.packed
            if packed is None:
                yield from _rows(layout, watch, start, reader.room)
            else:
                yield from _packed(layout, packed, watch, start, reader.room)
            if not watch.started:
                yield EventBatch.empty(watch.sensor)

    reader = Reader(items(), watch.counts, watch.damage)
    return reader


def _rows(
    layout: Layout, watch: Watch, start: int | None, room: Room | None
) -> Iterator[EventBatch]:
    """Give events whose rows the library reads."""
    table = Table(watch, time_unit=layout.time_unit, offset_us=layout.offset)
    if room is not None:
        table.keep_in(room)
    size = layout.block(BLOCK)
    first = _first(layout, start, size, lambda block: layout.time_at(block * size))
    for row in range(first * size, layout.rows, size):
        columns = layout.read(row, min(row + size, layout.rows))
        for at in range(0, len(columns["t"]), SLAB):
            part = {letter: column[at : at + SLAB] for letter, column in columns.items()}
            batch = table.batch(part)
            if batch is not None:
                yield batch


def _packed(
    layout: Layout, dataset: Dataset, watch: Watch, start: int | None, room: Room | None
) -> Iterator[EventBatch]:
    """Give events that Prophesee's filter has packed."""
    chunks = _Packed(dataset, watch)
    decoder, table = ecf.EcfDecoder(watch), Table(watch)
    if room is not None:
        decoder.keep_in(room)
        table.keep_in(room)
    first = _first(layout, start, chunks.length, chunks.time_at)
    for row in range(first * chunks.length, layout.rows, chunks.length):
        count = min(chunks.length, layout.rows - row)
        chunk, packed = chunks.read(row // chunks.length)
        if packed:
            yield from decoder.feed(chunk, count)
            continue
        yield from decoder.flush()
        records = chunks.records(chunk)[:count]
        for at in range(0, count, SLAB):
            batch = table.batch(layout.split(records[at : at + SLAB]))
            if batch is not None:
                yield batch
    yield from decoder.flush()


class _Packed(Chunks):
    """The chunks of a packed dataset."""

    def __init__(self, dataset: Dataset, watch: Watch) -> None:
        super().__init__(dataset, most=ecf.MOST_BYTES)
        self._watch = watch
        if self.length > ecf.MOST_EVENTS or filters_of(dataset) != [ecf.FILTER]:
            watch.fail(f"{dataset.name} is packed in chunks that are none of ECF")

    def time_at(self, index: int) -> int:
        """Return the time of a chunk's first event in µs."""
        chunk, packed = self.read(index)
        time = ecf.first_time(chunk) if packed else int(self.records(chunk)["t"][0])
        if time is None:
            self._watch.fail(f"chunk {index} of the events is damaged")
        return time


def _first(layout: Layout, start: int | None, size: int, time_at: Callable[[int], int]) -> int:
    """Return the last block of `size` rows that begins before `start`: all events from there on are
    in it or behind it. The file's index is asked first, and believed if the times agree.
    """
    count = -(-layout.rows // size)
    if start is None:
        return 0
    near = layout.near(start)
    if near is not None and 0 <= near < layout.rows:
        block = max(0, near - 1) // size
        after = block + 1 == count or time_at(block + 1) >= start
        if after and (block == 0 or time_at(block) < start):
            return block
    return max(0, bisect_left(range(count), start, key=time_at) - 1)


def _triggers(file: File, watch: Watch, sensor: Sensor | None) -> Iterator[TriggerBatch]:
    """Give the triggers of a file in Prophesee's layout."""
    found = datasets_of(file, watch).get(TRIGGERS)
    if found is None:
        return
    fields = set(found.dtype.names or ()) if numeric(found.dtype) else set()
    if len(found.shape or ()) != 1 or not {"t", "p", "id"} <= fields:
        watch.fail(f"/{TRIGGERS} holds no triggers")
    watch.use(sensor or sensor_of(file))
    dataset = checked(found, watch)
    rows = stored_rows(dataset, watch)
    for row in range(0, rows, SLAB):
        part = dataset[row : min(row + SLAB, rows)]
        fits = (part["id"] >= 0) & (part["id"] <= 255)
        watch.note("bad_rows", int(np.count_nonzero(~fits)), "a trigger's input is not 0 to 255")
        part = part[fits]
        columns = part["t"].astype(np.int64), part["id"].astype(np.uint8), part["p"] > 0
        for column in columns:
            column.flags.writeable = False
        yield watch.triggers(*columns)


CODEC = Codec(
    "hdf5",
    suffixes=(".hdf5", ".h5"),
    matches=lambda head: head.startswith(MAGIC),
    reader=read,
    writer=create,
    kinds=(EventBatch, TriggerBatch),
    limits=Limits(kinds=((EventBatch, TriggerBatch), (Frame,)), leap_us=LONGEST_US - 1),
    unverified="M3ED, MVSEC, RVT, E2VID and evlib's layout from memory; no file of a data set",
    about="HDF5 of Prophesee, DSEC, TUM-VIE and others (.hdf5, .h5)",
    seekable=True,
    extra="hdf5",
)
