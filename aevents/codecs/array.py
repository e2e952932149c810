"""One NumPy array in bytes, as a .npy file or an entry of a .npz holds it.

    6 bytes \\x93NUMPY, 2 bytes version (1.0, 2.0 or 3.0), length of the header in u16 (1.0) or u32,
    then the header: a Python literal {'descr': …, 'fortran_order': …, 'shape': …}, then the values

Specified in NumPy's documentation of `numpy.lib.format`. Pickled objects are refused.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._native.room import Room
from aevents.codecs.base import SNIFF_BYTES, Buffer, ByteBuffer, Jump, ReadAt, Watch
from aevents.codecs.fields import TimeUnit, find_columns, place_columns
from aevents.codecs.seek import MARGIN_US, Search, jump_to, record_probe
from aevents.codecs.table import SLAB, Column, Table
from aevents.types import EventBatch

_Rows = npt.NDArray[Any]  # of structures, or of plain numbers in two dimensions

MAGIC = b"\x93NUMPY"
LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
"""Width of the header's length, by version."""
ROW_BYTES = 65_536
"""A row of events is tens of bytes; a header that says more than this is wrong."""


class ArrayHeader(msgspec.Struct, frozen=True):
    """What an array is: the type of its values, its shape, the order they are in, and where they
    begin (`length`, the bytes of the header).
    """

    dtype: np.dtype[np.void]
    shape: tuple[int, ...]
    fortran: bool
    length: int


class ArrayReader:
    """Reads the events of one array, cut anywhere: an array of structures with fields for t, x, y
    and p under any of their names, or a matrix with a row an event and columns in the order of
    `columns`.

    Gives batches as the bytes come, at most 32,768 events each. A matrix in Fortran order is column
    after column: there is no event before its end, so it is gathered.
    """

    def __init__(
        self, watch: Watch, *, columns: str | None = None, time_unit: TimeUnit | None = None
    ) -> None:
        self._watch = watch
        self._order = place_columns(columns or "txyp")
        self._width = len(columns or "txyp")
        self._table = Table(watch, time_unit=time_unit)
        self._bytes = ByteBuffer()
        self._head = bytearray()
        self._gathered = bytearray()
        self._header: ArrayHeader | None = None
        self._fields: dict[str, str] = {}
        self._row_bytes = 0
        self._rows = 0  # read so far
        self._extra = 0  # bytes after the last row that the header promises

    def keep_in(self, room: Room) -> None:
        """Put the events into `room`, where they stay."""
        self._table.keep_in(room)

    def feed(self, data: Buffer, /) -> Iterator[EventBatch]:
        """Give the events that these bytes complete."""
        if self._header is None:
            before = len(self._head)
            self._head += memoryview(data)[:SNIFF_BYTES]  # no header is longer
            self._header = read_header(self._head, self._watch)
            if self._header is None:
                return
            self._begin(self._header)
            data = memoryview(data)[self._header.length - before :]
        if self._header.fortran:
            self._gather(self._header, data)
            return
        for run in self._bytes.records(data, self._row_bytes):
            yield from self._decode(self._header, run)

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to the row behind which all from `start` on are; None: to the first."""
        header = self._header
        if header is None or header.fortran:
            return None

        def time(row: bytes) -> int | None:
            return self._table.time(self._columns(self._as_rows(header, row))["t"])

        end = header.length + (header.shape[0] or size) * self._row_bytes
        probe = record_probe(read, header.length, self._row_bytes, time)
        search = Search(probe)
        return jump_to(search.find(header.length, min(size, end), start - MARGIN_US))

    def resume(self, jump: Jump) -> None:
        """Go on with the rows from there."""
        assert self._header is not None
        self._bytes = ByteBuffer()
        self._bytes.offset = jump.offset
        self._rows = (jump.offset - self._header.length) // self._row_bytes
        self._table.resume(self._rows)
        self._extra = 0

    def flush(self) -> Iterator[EventBatch]:
        """Give the rest; count what the array lacks, or has too much."""
        header = self._header
        if header is None:
            self._watch.fail("the input ends before the header does", offset=len(self._head))
        if header.fortran:
            yield from self._decode_fortran(header)
        elif self._rows < header.shape[0] or not header.shape[0]:
            self._watch.torn(len(self._bytes), self._bytes.offset)
        else:
            self._extra += len(self._bytes)
        self._conclude(header)

    def _begin(self, header: ArrayHeader) -> None:
        """Make ready for the rows, or fail if these are no events."""
        dtype, shape = header.dtype, header.shape
        self._fields = find_columns(dtype.names or ()) or {}
        types = [dtype[self._fields[letter]] for letter in self._fields] or [dtype]
        matrix = dtype.names is None and len(shape) == 2 and shape[1] == self._width
        if not (matrix or (self._fields and len(shape) == 1)) or not are_numbers(types):
            self._watch.fail(
                f"an array of shape {shape} and type {dtype} is no list of events: that has fields "
                f"t, x, y, p, or {self._width} columns (give their order, as in columns='txyp-')"
            )
        self._row_bytes = dtype.itemsize * (shape[1] if matrix else 1)
        if not 0 < self._row_bytes <= ROW_BYTES:
            self._watch.fail(f"rows of {self._row_bytes} bytes are none of events")
        self._bytes.offset = header.length

    def _decode(self, header: ArrayHeader, run: memoryview) -> Iterator[EventBatch]:
        rows = self._as_rows(header, run)
        # A header of no rows, then rows: whoever wrote this was interrupted before the count
        promised = header.shape[0] or self._rows + len(rows)
        left = min(promised - self._rows, len(rows))
        self._extra += (len(rows) - left) * self._row_bytes
        self._rows += left
        yield from self._batches(rows[:left])

    def _as_rows(self, header: ArrayHeader, data: Buffer) -> _Rows:
        rows = np.frombuffer(data, header.dtype)
        return rows.reshape(-1, header.shape[1]) if header.dtype.names is None else rows

    def _batches(self, rows: _Rows) -> Iterator[EventBatch]:
        for start in range(0, len(rows), SLAB):
            batch = self._table.batch(self._columns(rows[start : start + SLAB]))
            if batch is not None:
                yield batch

    def _columns(self, rows: _Rows) -> Mapping[str, Column]:
        if self._fields:
            return {letter: rows[name] for letter, name in self._fields.items()}
        return {letter: rows[:, place] for letter, place in self._order.items()}

    def _gather(self, header: ArrayHeader, data: Buffer) -> None:
        room = header.shape[0] * self._row_bytes - len(self._gathered)
        self._gathered += memoryview(data)[:room]
        self._extra += max(0, len(data) - room)

    def _decode_fortran(self, header: ArrayHeader) -> Iterator[EventBatch]:
        """Give the rows of which the last column has come: the others have none of theirs."""
        count, width = header.shape
        whole = len(self._gathered) // header.dtype.itemsize
        values = np.frombuffer(self._gathered, header.dtype, whole)
        self._rows = max(0, whole - (width - 1) * count)
        columns = [values[i * count : i * count + self._rows] for i in range(width)]
        yield from self._batches(np.stack(columns, axis=1))

    def _conclude(self, header: ArrayHeader) -> None:
        end = header.length + header.shape[0] * self._row_bytes
        missing = header.shape[0] - self._rows
        self._watch.note("extra_bytes", self._extra, "bytes follow the last row", offset=end)
        self._watch.note(
            "missing_rows", max(0, missing), f"the header promises {missing} rows more"
        )
        self._watch.note(
            "unpromised_rows", max(0, -missing), "the header says that there are no rows"
        )


def read_header(data: Buffer, watch: Watch, /) -> ArrayHeader | None:
    """Return the header at the beginning of `data`, or None while it is not all there.

    Fails with `DecodeError` on anything but the header of an array of plain values.
    """
    if bytes(data[: len(MAGIC)]) != MAGIC[: len(data)]:
        watch.fail("this is no .npy array", offset=0)
    if len(data) < 12:
        return None
    version = data[6], data[7]
    if version not in LENGTH_BYTES:
        watch.fail(f"version {version[0]}.{version[1]} is not known", offset=6)
    start = 8 + LENGTH_BYTES[version]
    end = start + int.from_bytes(data[8:start], "little")
    if end > SNIFF_BYTES:
        watch.fail(f"a header of {end} bytes is too long", offset=8)
    if len(data) < end:
        return None
    return _parse(bytes(data[start:end]), end, watch)


def write_header(dtype: np.dtype[Any], shape: tuple[int, ...], /) -> bytes:
    """Return the header of an array of these values. NumPy leaves room for 21 digits of the first
    length, so it is as long for any.
    """
    out = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(dtype)
    fields = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, fields)
    return out.getvalue()


def are_numbers(types: list[np.dtype[np.void]], /) -> bool:
    """Say whether values of these types are numbers or bools, one each."""
    return all(one.kind in "biuf" and not one.shape for one in types)


def _parse(text: bytes, length: int, watch: Watch) -> ArrayHeader:
    try:
        fields = ast.literal_eval(text.decode("utf-8", "surrogateescape").strip())
        dtype = np.lib.format.descr_to_dtype(fields["descr"])
        fortran, shape = fields["fortran_order"], fields["shape"]
    except Exception as error:  # whatever a literal or a description of a type may be found to be
        watch.fail(f"the header cannot be read: {error}", offset=8)
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        watch.fail(f"the header says that the shape is {shape!r}", offset=8)
    if dtype.hasobject:
        watch.fail("pickled objects are not read: save the array with a type of numbers", offset=8)
    return ArrayHeader(dtype, shape, bool(fortran) and len(shape) > 1, length)
