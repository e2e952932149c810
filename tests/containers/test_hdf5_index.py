"""Indexes of times: the first event of each stretch."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from aevents.containers import hdf5_index
from aevents.containers.hdf5_index import INDEX, Index, TimesIndex, append_rows


def added(index: Index, t: list[int]) -> list[tuple[int, int]]:
    parts = [zip(*(one.tolist() for one in part), strict=True) for part in index.add(np.array(t))]
    return [pair for part in parts for pair in part]


@pytest.mark.parametrize("part", [1, 2, 65_536])
def test_each_stretch_has_the_first_event_of_its_time_or_later(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5_index, "PART", part)
    index = Index(10)
    assert added(index, [0, 3, 10, 31]) == [(0, 0), (2, 10), (3, 31), (3, 31)]
    assert added(index, [35, 12]) == []  # late: no stretch begins with it
    assert added(index, [39, 45, 40]) == [(7, 45)]


def test_the_first_stretch_has_the_first_event_however_late() -> None:
    assert added(Index(10), [25, 5]) == [(0, 25), (0, 25), (0, 25)]


def test_stretches_without_events_have_the_entry_before(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("index", (0,), INDEX, maxshape=(None,))
        index = TimesIndex(dataset)
        index.add(np.array([500, 600, 8_501]))
        index.add(np.array([8_600, 10_499, 14_500]))
        assert dataset.attrs["offset"] == "-500"
        early, late = [(0, -1)] + 4 * [(0, 0)], 3 * [(2, 8_001)] + [(5, 14_000)]
        assert dataset[:].tolist() == early + late


def test_rows_are_appended(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("x", (0,), "u2", maxshape=(None,))
        append_rows(dataset, np.array([1, 2]))
        append_rows(dataset, np.array([3]))
        assert dataset[:].tolist() == [1, 2, 3]
