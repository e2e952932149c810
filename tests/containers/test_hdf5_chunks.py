"""Chunks of HDF5 files, read as they stand there."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest

import aevents
from aevents.containers.hdf5_chunks import LEAST_ROWS, MOST_ROWS, Chunks, PlainRows
from aevents.testing import assert_same_events, example_events
from tests.containers.hdf5_files import apart, put

VALUES = np.arange(3 * LEAST_ROWS + 7, dtype=np.uint32)


def dataset(path: Path, values: npt.ArrayLike, **options: object) -> h5py.Dataset:
    return h5py.File(path, "w").create_dataset("a", data=values, **options)


@pytest.fixture
def plain(tmp_path: Path) -> h5py.Dataset:
    return dataset(tmp_path / "a.h5", VALUES, chunks=(LEAST_ROWS,))


def test_a_chunk_is_given_as_it_stands(plain: h5py.Dataset) -> None:
    chunks = Chunks(plain)
    chunk, _ = chunks.read(1)
    np.testing.assert_array_equal(chunks.records(chunk), VALUES[LEAST_ROWS : 2 * LEAST_ROWS])
    assert chunks.read(99) == (b"", True)


def test_rows_are_those_that_the_library_reads(plain: h5py.Dataset) -> None:
    rows = PlainRows(plain)
    assert rows.length == LEAST_ROWS
    for start, stop in ((0, 5), (0, len(VALUES)), (2 * LEAST_ROWS, len(VALUES)), (17, 9_000)):
        np.testing.assert_array_equal(rows.read(start, stop), VALUES[start:stop])


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (VALUES, {"chunks": (LEAST_ROWS - 1,)}),
        (np.arange(MOST_ROWS + 2), {"chunks": (MOST_ROWS + 1,)}),
        (VALUES, {"chunks": (LEAST_ROWS,), "compression": "gzip"}),
        (VALUES > 5, {"chunks": (LEAST_ROWS,)}),
        (VALUES, {}),
        (VALUES[:8192].reshape(-1, 1), {"chunks": (LEAST_ROWS, 1)}),
    ],
    ids=["small", "large", "packed", "bool", "in one piece", "matrix"],
)
def test_others_are_left_to_the_library(
    tmp_path: Path, values: npt.NDArray[np.generic], options: dict[str, object]
) -> None:
    rows = PlainRows(dataset(tmp_path / "a.h5", values, **options))
    assert rows.length == 0
    np.testing.assert_array_equal(rows.read(3, 20), values[3:20])


def test_numbers_of_another_precision_are_left_to_the_library(tmp_path: Path) -> None:
    narrow = h5py.h5t.STD_U32LE.copy()
    narrow.set_precision(24)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((LEAST_ROWS,))
        space = h5py.h5s.create_simple((LEAST_ROWS,))
        h5py.h5d.create(file.id, b"a", narrow, space, plan)
        assert PlainRows(file["a"]).length == 0


def test_a_chunk_that_is_not_there_is_what_the_library_says(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        sparse = file.create_dataset(
            "a", (3 * LEAST_ROWS,), "u4", chunks=(LEAST_ROWS,), fillvalue=7
        )
        sparse[:LEAST_ROWS] = 5
        rows = PlainRows(sparse).read(0, 3 * LEAST_ROWS)
        np.testing.assert_array_equal(rows, np.repeat([5, 7, 7], LEAST_ROWS))


@pytest.mark.parametrize("chunks", [5_000, 40_000, 200_000, None])
def test_chunks_of_all_sizes_give_the_same_events(tmp_path: Path, chunks: int | None) -> None:
    events = example_events(300_000)
    options = {"chunks": (chunks,)} if chunks else {}
    path = put(tmp_path / "a.h5", apart(events), packed=options)
    assert_same_events([aevents.load(path)], [events])
    start = int(events.t[150_000])
    found = list(aevents.open(path).time_slice(start).blocking())
    assert_same_events(found, [events.where(start <= events.t)])
