"""Which datasets are the events: the layouts in use, and what is told where there is a doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aevents
from aevents import DecodeError, EventBatch, Sensor
from aevents.containers.hdf5_index import INDEX
from aevents.containers.hdf5_write import EVENT
from aevents.testing import assert_same_events, example_events
from tests.containers.hdf5_files import apart, put

EVENTS = example_events(100)
LATER = EventBatch.from_columns(t=EVENTS.t + 10**12, x=EVENTS.x, y=EVENTS.y, p=EVENTS.p)
SIGNED = np.where(EVENTS.p, 1, -1)
ROWS = np.empty(100, EVENT)
for _letter in "txyp":
    ROWS[_letter] = getattr(EVENTS, _letter)
MATRIX = np.stack([EVENTS.x, EVENTS.y, EVENTS.t / 1e6, SIGNED], axis=1)
SECONDS = {**apart(EVENTS, names="ts xs ys ps"), "events/ts": EVENTS.t / 1e6}

LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, Any], EventBatch]] = {
    "Prophesee": ({"CD/events": ROWS}, {"geometry": "320x240"}, EVENTS),
    "DSEC": ({**apart(EVENTS), "ms_to_idx": np.zeros(3), "t_offset": 10**12}, {}, LATER),
    "TUM-VIE": ({**apart(EVENTS), "events/t": EVENTS.t * 1.0, "ms_to_idx": [0]}, {}, EVENTS),
    "M3ED": (
        {**apart(EVENTS, "prophesee/left"), "prophesee/left/ms_map_idx": [0],
         "prophesee/left/calib/resolution": [320, 240]}, {}, EVENTS,
    ),
    "MVSEC": ({"davis/left/events": MATRIX, "davis/left/imu": np.zeros((9, 6))}, {}, EVENTS),
    "RVT": ({**apart(EVENTS), "events/width": 320, "events/height": 240}, {}, EVENTS),
    "E2VID": (SECONDS, {"sensor_resolution": [240, 320]}, EVENTS),
    "evlib": (apart(EVENTS, names="ts xs ys ps"), {}, EVENTS),
    "at the root": (apart(EVENTS, ""), {}, EVENTS),
}  # fmt: skip
SIZED = {"Prophesee", "M3ED", "RVT", "E2VID"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read(name: str, tmp_path: Path) -> None:
    datasets, attributes, events = LAYOUTS[name]
    found = aevents.load(put(tmp_path / "a.h5", datasets, **attributes), strict=True)
    assert_same_events([found], [events])
    assert found.sensor == (Sensor(320, 240) if name in SIZED else Sensor())


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_slice_of_a_layout_is_exact(name: str, tmp_path: Path) -> None:
    datasets, attributes, events = LAYOUTS[name]
    start = int(events.t[60])
    path = put(tmp_path / "a.h5", datasets, **attributes)
    found = aevents.open(path).time_slice(start).blocking()
    assert_same_events(list(found), [events.where(events.t >= start)])


def test_the_unit_of_time_can_be_given(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", {**apart(EVENTS), "events/t": EVENTS.t * 1.0})
    assert_same_events([aevents.load(path, time_unit="us")], [EVENTS])
    assert aevents.load(path).t[0] == EVENTS.t[0] * 1_000_000
    path = put(tmp_path / "b.h5", {**apart(EVENTS), "events/t": EVENTS.t // 1_000_000})
    assert aevents.load(path, time_unit="s").t[-1] == EVENTS.t[-1] // 1_000_000 * 1_000_000
    with pytest.raises(ValueError, match="time_unit is 'us' or 's', not 'ms'"):
        aevents.load(path, time_unit="ms")


def test_of_two_cameras_one_is_to_be_chosen(tmp_path: Path) -> None:
    right = EVENTS.where(EVENTS.p)
    datasets = {**apart(EVENTS, "prophesee/left"), **apart(right, "prophesee/right")}
    path = put(tmp_path / "a.h5", datasets)
    with pytest.raises(DecodeError, match=r"in /prophesee/left, /prophesee/right: say which with"):
        aevents.load(path)
    for group in ("prophesee/right", "/prophesee/right/"):
        assert_same_events([aevents.load(path, group=group)], [right])
    with pytest.raises(DecodeError, match=r"no events are found in prophesee/lef \(columns"):
        aevents.load(path, group="prophesee/lef")


def test_what_is_there_is_told_where_there_are_no_events(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", {"depth/left": np.zeros((3, 3)), "x": [1], "y": [b"no"]})
    with pytest.raises(DecodeError, match=r"there is /depth/left, /x, /y$"):
        aevents.load(path)
    with pytest.raises(DecodeError, match=r"there is nothing$"):
        aevents.load(put(tmp_path / "b.h5", {}))


def test_columns_of_unequal_length_are_read_as_far_as_all_go(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", {**apart(EVENTS), "events/p": [0, 1, 0]})
    assert len(aevents.load(path)) == 3


@pytest.mark.parametrize(
    ("index", "offset"),
    [(np.zeros(5, INDEX), "-1000"), (np.zeros(5, INDEX), "much"), (np.zeros(5), "-1000"),
     (np.zeros(0, INDEX), "0"), (np.zeros((2, 2), INDEX), "0")],
)  # fmt: skip
def test_any_index_will_do(tmp_path: Path, index: Any, offset: str) -> None:  # noqa: ANN401
    import h5py

    path = put(tmp_path / "a.h5", {"CD/events": ROWS, "CD/indexes": index})
    with h5py.File(path, "a") as file:
        file["CD/indexes"].attrs["offset"] = offset
    start = int(EVENTS.t[60])
    found = aevents.open(path).time_slice(start).blocking()
    assert_same_events(list(found), [EVENTS.where(EVENTS.t >= start)])
