"""Matrices in Fortran order, read as if row followed row."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest

from aevents.codecs.row_order import RowOrder, fortran_header

MATRIX = np.arange(40, dtype=">i4").reshape(10, 4)


def saved(array: npt.NDArray[np.generic]) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def in_rows(data: bytes) -> RowOrder:
    header = fortran_header(data)
    assert header is not None
    return RowOrder(lambda at, size: data[at : at + size], len(data), header)


IN_ROWS = saved(MATRIX)
IN_COLUMNS = saved(np.asfortranarray(MATRIX))


@pytest.mark.parametrize("size", [1, 7, 16, 50, 10_000])
def test_it_is_the_file_in_the_order_of_rows(size: int) -> None:
    rows = in_rows(IN_COLUMNS)
    assert (rows.size, rows.head) == (len(IN_ROWS), IN_ROWS[:128])
    pieces = [rows.read(at, size) for at in range(0, len(IN_ROWS) + 20, size)]
    assert b"".join(pieces) == IN_ROWS


def test_bytes_behind_it_stay_there() -> None:
    rows = in_rows(IN_COLUMNS + b"behind")
    assert rows.read(0, 10_000) == IN_ROWS + b"behind"
    assert rows.read(len(IN_ROWS) + 2, 2) == b"hi"
    assert rows.read(len(IN_ROWS) + 99, 2) == b""


def test_of_a_torn_matrix_there_are_the_rows_that_are_whole() -> None:
    assert in_rows(IN_COLUMNS[:-9]).read(0, 10_000) == IN_ROWS[: 128 + 7 * 16]
    assert in_rows(IN_COLUMNS[:200]).read(0, 10_000) == IN_ROWS[:128]


def headed(descr: str, shape: str) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': True, 'shape': {shape}, }}"
    return IN_ROWS[:10] + text.ljust(117).encode() + b"\n" + bytes(64)


def test_a_promise_of_very_many_rows_is_not_believed() -> None:
    rows = in_rows(headed("'<f8'", f"({1 << 62}, 4)"))
    assert rows.read(0, 1 << 30) == rows.head


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"something else",
        IN_ROWS,
        saved(np.zeros(7)),
        saved(np.asfortranarray(np.zeros((2, 3, 4)))),
        headed("'<f8'", "(0, 4)"),
        headed("'<f8'", "(9, 0)"),
        headed("'<f8'", "(9, 100000)"),
        headed("('<f8', (4,))", "(9, 4)"),
        headed("'<c8'", "(9, 4)"),
    ],
)
def test_other_files_are_none_in_fortran_order(data: bytes) -> None:
    assert fortran_header(data) is None
