"""One NumPy array in bytes: what its header may say, and which arrays are events."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aevents import DecodeError, Event, EventBatch
from aevents.codecs.array import ArrayReader, read_header, write_header
from aevents.codecs.base import Watch

ROWS = [(5, 10, 20, 1), (7, 65535, 3, 0)]
EVENTS = [Event(5, 10, 20, True), Event(7, 65535, 3, False)]
PLAIN = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])


def saved(array: npt.NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def headed(text: str, version: tuple[int, int] = (1, 0), *, body: bytes = b"") -> bytes:
    length = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + length + text.encode() + body


def read(
    data: bytes, *, size: int = 1 << 20, strict: bool = False, columns: str | None = None
) -> tuple[list[Event], dict[str, int]]:
    watch = Watch("npy", strict=strict)
    reader = ArrayReader(watch, columns=columns)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    batches: list[EventBatch] = [batch for chunk in chunks for batch in reader.feed(chunk)]
    batches += reader.flush()
    return [event for batch in batches for event in batch], watch.counts


STRUCTURES = {
    "ours": [("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "?")],
    "faery's": [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")],
    "tonic's": [("x", "<i4"), ("y", "<i2"), ("t", "<i8"), ("p", "?")],
    "Metavision's": [("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")],
    "big endian": [("t", ">i8"), ("x", ">u2"), ("y", ">i4"), ("p", ">i2")],
    "by long names": [("timestamp", "<u4"), ("x", "<u2"), ("y", "<u1"), ("polarity", "i1")],
    "plural": [("xs", "<f4"), ("ys", "<f4"), ("ts", "<i8"), ("ps", "<f4")],
    "with others between": [("id", "<u4"), ("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")],
}


@pytest.mark.parametrize("size", [1, 13, 1 << 20])
@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_are_read_whatever_their_fields(name: str, size: int) -> None:
    dtype = np.dtype(STRUCTURES[name])
    array = np.zeros(2, dtype)
    for place, names in enumerate(
        [("t", "ts", "timestamp"), ("x", "xs"), ("y", "ys"), ("p", "ps", "on", "polarity")]
    ):
        (field,) = set(names) & set(dtype.names or ())
        array[field] = [row[place] for row in [(5, 10, 20, 1), (7, 65535, 3, 0)]]
    assert read(saved(array), size=size) == (EVENTS, {})


def test_structures_are_read_with_gaps_between_their_fields() -> None:
    dtype = np.dtype(
        {
            "names": ["t", "x", "y", "p"],
            "formats": ["<i8", "<i2", "<i2", "u1"],
            "offsets": [0, 8, 10, 12],
            "itemsize": 16,
        }
    )
    array = np.array([(5, 10, 20, 1)], dtype)
    assert read(saved(array)) == ([Event(5, 10, 20, True)], {})


MATRICES = {
    "of integers": (np.array(ROWS), None),
    "of floats": (np.array([(5e-6, 10, 20, 1), (7e-6, 65535, 3, 0)]), None),
    "with minus one": (np.array([(5, 10, 20, 1), (7, 65535, 3, -1)], np.int32), None),
    "in another order": (np.array([(10, 20, 1, 5), (65535, 3, 0, 7)]), "xypt"),
    "with a column to leave out": (np.array([(9, 5, 10, 20, 1), (9, 7, 65535, 3, 0)]), "-txyp"),
    "in Fortran order": (np.asfortranarray(ROWS), None),
    "in Fortran order, big endian": (np.asfortranarray(np.array(ROWS, ">u4")), None),
}


@pytest.mark.parametrize("size", [1, 13, 1 << 20])
@pytest.mark.parametrize("name", MATRICES)
def test_matrices_are_read_in_the_order_of_their_columns(name: str, size: int) -> None:
    array, columns = MATRICES[name]
    assert read(saved(array), size=size, columns=columns) == (EVENTS, {})


def test_an_array_of_no_rows_is_no_events() -> None:
    assert read(saved(np.empty(0, PLAIN))) == ([], {})
    assert read(saved(np.empty((0, 4), order="F"))) == ([], {})


def test_a_large_array_comes_in_batches_of_32768() -> None:
    watch = Watch("npy", strict=False)
    reader = ArrayReader(watch)
    array = np.zeros(70_000, PLAIN)
    assert [len(batch) for batch in reader.feed(saved(array))] == [32768, 32768, 4464]


REFUSED = {
    "frames": (np.zeros((3, 10, 10)), r"shape \(3, 10, 10\) and type float64 is no list of events"),
    "one column": (np.zeros(9), "is no list of events"),
    "three columns": (np.zeros((9, 3)), "fields t, x, y, p, or 4 columns"),
    "structures of something else": (np.zeros(9, [("a", "u1")]), "is no list of events"),
    "structures in two dimensions": (np.zeros((2, 2), PLAIN), "is no list of events"),
    "times in a type of their own": (
        np.zeros(2, [("t", "m8[us]"), ("x", "u2"), ("y", "u2"), ("p", "?")]),
        "is no list of events",
    ),
    "several times a row": (
        np.zeros(2, [("t", "i8", 2), ("x", "u2"), ("y", "u2"), ("p", "?")]),
        "is no list of events",
    ),
    "complex numbers": (np.zeros((9, 4), complex), "is no list of events"),
    "a row of 100 kB": (
        np.zeros(1, [*STRUCTURES["ours"], ("picture", "V100000")]),
        "rows of 100013 bytes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_array_that_is_no_list_of_events_is_refused(name: str) -> None:
    array, message = REFUSED[name]
    with pytest.raises(DecodeError, match=message):
        read(saved(array))


HEADERS = {
    "no magic": (b"NUMPY", "no .npy array at byte 0"),
    "too short": (b"\x93NUMPY\x01\x00", "ends before the header does at byte 8"),
    "cut off": (saved(np.zeros(1, PLAIN))[:40], "ends before the header does at byte 40"),
    "version 9": (headed("{}", (9, 0), body=bytes(9)), "version 9.0 is not known at byte 6"),
    "4 GB long": (
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        "a header of 4294967307 bytes is too long",
    ),
    "no literal": (headed("print('hello')" * 9), "the header cannot be read"),
    "no dictionary": (headed("(1, 2, 3)   "), "the header cannot be read"),
    "no type": (headed("{'descr': 'zz', 'fortran_order': 0, 'shape': (1,)}"), "cannot be read"),
    "a shape below zero": (
        headed("{'descr': '<i4', 'fortran_order': False, 'shape': (-1, 4)}"),
        r"says that the shape is \(-1, 4\)",
    ),
    "a shape that is none": (
        headed("{'descr': '<i4', 'fortran_order': False, 'shape': 4}"),
        "says that the shape is 4",
    ),
    "pickled objects": (
        headed("{'descr': '|O', 'fortran_order': False, 'shape': (1, 4)}"),
        "pickled objects are not read",
    ),
    "rows of no bytes": (
        headed("{'descr': '<i4', 'fortran_order': False, 'shape': (4,)}"),
        "is no list of events",
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_cannot_be_read_is_refused(name: str) -> None:
    data, message = HEADERS[name]
    with pytest.raises(DecodeError, match=message):
        read(data)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_the_header_are_read(version: tuple[int, int]) -> None:
    data = headed("{'descr': '<i4', 'fortran_order': True, 'shape': (1, 4)}", version)
    header = read_header(data, Watch("npy", strict=False))
    assert header is not None
    assert (header.dtype.str, header.shape, header.fortran) == ("<i4", (1, 4), True)
    assert header.length == len(data)


WHOLE = saved(np.array(ROWS * 2))
COLUMNS = saved(np.asfortranarray(ROWS * 2))
ANOMALIES = {
    "rows are missing": (WHOLE[:-64], EVENTS, {"missing_rows": 2}),
    "a row is torn": (WHOLE[:-33], EVENTS, {"torn_bytes": 31, "missing_rows": 2}),
    "bytes follow": (WHOLE + b"1234567", EVENTS * 2, {"extra_bytes": 7, "backward_jumps": 1}),
    "rows follow": (WHOLE + bytes(70), EVENTS * 2, {"extra_bytes": 70, "backward_jumps": 1}),
    "the header counts no rows": (
        WHOLE[:-64].replace(b"'shape': (4, 4)", b"'shape': (0, 4)") + b"123",
        EVENTS,
        {"torn_bytes": 3, "unpromised_rows": 2},
    ),
    "rows that are no events": (saved(np.array([(5, -1, 0, 0)])), [], {"bad_rows": 1}),
    "columns are cut short": (COLUMNS[:-17], EVENTS[:1], {"missing_rows": 3}),
    "columns are missing": (COLUMNS[:-33], [], {"missing_rows": 4}),
    "bytes follow the columns": (
        COLUMNS + b"1234567",
        EVENTS * 2,
        {"extra_bytes": 7, "backward_jumps": 1},
    ),
}


@pytest.mark.parametrize("size", [1, 13, 1 << 20])
@pytest.mark.parametrize("name", ANOMALIES)
def test_what_an_array_lacks_or_has_too_much_is_counted(name: str, size: int) -> None:
    data, events, counts = ANOMALIES[name]
    assert read(data, size=size) == (events, counts)


STRICT = {
    "rows are missing": (WHOLE[:-64], "the header promises 2 rows more"),
    "bytes follow": (saved(np.array(ROWS)) + b"1", "bytes follow the last row at byte 192"),
    "a row is torn": (saved(np.array(ROWS))[:-1], "the last 31 bytes are no whole record"),
}


@pytest.mark.parametrize("name", STRICT)
def test_when_strict_it_is_raised(name: str) -> None:
    data, message = STRICT[name]
    with pytest.raises(DecodeError, match=message):
        read(data, strict=True)


@pytest.mark.parametrize("array", [np.zeros(3, PLAIN), np.zeros((2, 3), np.float32), np.uint16(7)])
def test_a_header_is_written_as_numpy_writes_it(array: npt.NDArray[Any]) -> None:
    assert write_header(array.dtype, array.shape) + array.tobytes() == saved(array)


def test_a_header_is_as_long_for_any_count() -> None:
    assert len(write_header(PLAIN, (0,))) == len(write_header(PLAIN, (10**18,)))
