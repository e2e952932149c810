"""NPY on disk: matrices in Fortran order read as others are, and in little memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents import DecodeError, EventBatch
from aevents.containers.npy import read
from aevents.testing import assert_same_events, example_events

EVENTS = example_events(100_000)
MATRIX = np.stack([EVENTS.t, EVENTS.x, EVENTS.y, EVENTS.p], axis=1)


@pytest.fixture(params=["f8", ">i8"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The events as a matrix in Fortran order."""
    place = tmp_path / "a.npy"
    scale = 1e6 if request.param == "f8" else 1
    np.save(place, np.asfortranarray((MATRIX / [scale, 1, 1, 1]).astype(request.param)))
    return place


async def test_a_matrix_in_fortran_order_is_read(path: Path) -> None:
    assert_same_events([await aevents.open(path, strict=True).collect()], [EVENTS])


def test_it_is_loaded_into_one_batch(path: Path) -> None:
    assert_same_events([aevents.load(path)], [EVENTS])


def test_memory_is_taken_for_a_piece_only(path: Path) -> None:
    reader = read(path, kind=EventBatch)
    assert reader is not None
    sizes = [len(item) for item in reader if isinstance(item, EventBatch)]
    assert max(sizes) <= 32_768


@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_it_is_read_from_the_middle(path: Path, part: float) -> None:
    start = int(EVENTS.t[int(part * len(EVENTS))])
    sliced = list(aevents.open(path).time_slice(start, start + 5_000_000).blocking())
    inside = (start <= EVENTS.t) & (start + 5_000_000 > EVENTS.t)
    assert_same_events(sliced, [EVENTS.where(inside)])
    if part > 0.9:
        reader = read(path, kind=EventBatch, start=start)
        assert reader is not None
        assert sum(len(item) for item in reader if isinstance(item, EventBatch)) < 20_000


@pytest.mark.parametrize(
    ("change", "count", "anomalies"),
    [(9, 100_000, {"extra_bytes": 9}), (-9, 99_998, {"missing_rows": 2})],
)
def test_what_is_missing_or_too_much_is_counted(
    path: Path, change: int, count: int, anomalies: dict[str, int]
) -> None:
    data = path.read_bytes()
    path.write_bytes(data + bytes(9) if change > 0 else data[:change])
    with aevents.open(path).blocking() as run:
        assert sum(map(len, run)) == count
        assert run.report.anomalies == anomalies


def test_other_files_are_streams_of_bytes(tmp_path: Path) -> None:
    arrays = {"rows": MATRIX, "cube": np.asfortranarray(np.zeros((2, 2, 4))), "none": MATRIX[:0]}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        assert read(tmp_path / f"{name}.npy", kind=EventBatch) is None
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff")
    assert read(tmp_path / "a.npy", kind=EventBatch) is None
    (tmp_path / "a.npy").write_bytes(b"something else")
    assert read(tmp_path / "a.npy", kind=EventBatch) is None
    with pytest.raises(DecodeError):
        aevents.load(tmp_path / "cube.npy")
    os.mkfifo(tmp_path / "pipe.npy")
    assert read(tmp_path / "pipe.npy", kind=EventBatch) is None
