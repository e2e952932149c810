"""HDF5 files as we write them: h5py alone reads them; what does not fit is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import h5py
import numpy as np
import pytest

import aevents
from aevents import EncodeError, EventBatch, Sensor, Span, TriggerBatch
from aevents.codecs.ecf import FILTER
from aevents.containers.hdf5_write import CHUNK, EVENT, TRIGGER
from aevents.testing import assert_same_events, check_sink, cut_events, example_events
from aevents.types import GenericBatch
from tests.containers.hdf5_files import written

EVENTS = example_events(100_000, sensor=Sensor(320, 240, serial="00000307"))
TRIGGERS = TriggerBatch(
    np.array([1_500, 9_000]), np.array([0, 7], np.uint8), np.array([True, False]),
    EVENTS.sensor, Span(1_500, 9_000),
)  # fmt: skip
WAYS = [
    (layout, compression)
    for layout in ("prophesee", "dsec", "tumvie")
    for compression in ("none", "gzip", "blosc")
] + [("prophesee", "ecf")]


def events(t: list[int], x: int = 0, y: int = 0) -> EventBatch:
    n = len(t)
    return EventBatch.from_columns(t=t, x=[x] * n, y=[y] * n, p=[1] * n, sensor=EVENTS.sensor)


@pytest.mark.parametrize(("layout", "compression"), WAYS)
def test_what_is_written_is_read_back(tmp_path: Path, layout: str, compression: str) -> None:
    pieces = cut_events(EVENTS, [0, 1, 10_000, 70_000, 3])
    path = written(tmp_path / "a.h5", *pieces, layout=layout, compression=compression)
    found = aevents.load(path, strict=True)
    assert_same_events([found], [EVENTS])
    assert found.sensor == EVENTS.sensor


def test_prophesees_layout_is_read_by_h5py_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.hdf5", EVENTS[:60_000], TRIGGERS, EVENTS[60_000:])
    with h5py.File(path) as file:
        rows = file["CD/events"]
        assert rows.dtype == EVENT
        assert rows.chunks == (CHUNK,)
        for letter in "txyp":
            np.testing.assert_array_equal(rows[letter], getattr(EVENTS, letter))
        assert file["EXT_TRIGGER/events"].dtype == TRIGGER
        assert file["EXT_TRIGGER/events"][:].tolist() == [(1, 1_500, 0), (0, 9_000, 7)]
        assert file["EXT_TRIGGER/indexes"][:].tolist() == [
            (0, -1), (0, 0), (0, 0), (0, 0), (1, 7_500)
        ]  # fmt: skip
        assert dict(file.attrs) == {
            "version": "1.0", "format": "HDF5", "integrator_name": "Prophesee",
            "geometry": "320x240", "serial_number": "00000307",
        }  # fmt: skip
        check_index(file["CD/indexes"][:], int(file["CD/indexes"].attrs["offset"]))


def check_index(index: np.ndarray, offset: int) -> None:
    """Compare with the definition, row by row: the latest stretch that has an event of its own."""
    t = EVENTS.t + offset
    assert index[0].item() == (0, -1)
    assert len(index) == 2 + int(t[-1]) // 2_000
    firsts: dict[int, tuple[int, int]] = {}
    for number, time in enumerate(t.tolist()):
        firsts.setdefault(time // 2_000, (number, time))
    expected = (0, -1)
    for stretch, row in enumerate(index[1:]):
        expected = firsts.get(stretch, expected)
        assert row.item() == expected


def test_ecf_is_written_as_the_filter_would(tmp_path: Path) -> None:
    path = written(tmp_path / "a.hdf5", EVENTS, compression="ecf")
    with h5py.File(path) as file:
        rows = file["CD/events"]
        assert rows.id.get_create_plist().get_filter(0)[:2] == (FILTER, 1)  # optional
        assert rows.shape == (100_000,)
        mask, chunk = rows.id.read_direct_chunk((6 * CHUNK,))
        assert mask == 0
        assert int.from_bytes(chunk[:4], "little") >> 2 == 100_000 - 6 * CHUNK


@pytest.mark.parametrize(("layout", "first", "dtype"), [("dsec", 1_000, "u4"), ("tumvie", 0, "i8")])
def test_columns_are_read_by_h5py_alone(
    tmp_path: Path, layout: str, first: int, dtype: str
) -> None:
    path = written(tmp_path / "a.h5", EVENTS, layout=layout)
    with h5py.File(path) as file:
        offset = int(file["t_offset"][()]) if layout == "dsec" else 0
        assert offset == (EVENTS.t[0] if layout == "dsec" else 0)
        t = file["events/t"][:]
        assert t.dtype == dtype
        np.testing.assert_array_equal(t.astype(np.int64) + offset, EVENTS.t)
        for letter, type in (("x", "u2"), ("y", "u2"), ("p", "u1")):
            assert file[f"events/{letter}"].dtype == type
            np.testing.assert_array_equal(file[f"events/{letter}"], getattr(EVENTS, letter))
        starts = np.arange(int(t[-1]) // 1_000 + 1) * 1_000
        np.testing.assert_array_equal(file["ms_to_idx"], np.searchsorted(t, starts))


FAR = 1 << 36
# Layout, compression, times that fit, the first that does not.
REFUSED = [
    ("prophesee", "none", [5, -FAR + 6, FAR + 4], FAR + 5),
    ("prophesee", "none", [5], -FAR + 5),
    ("prophesee", "ecf", [5, 5], 4),
    ("dsec", "none", [5, 7, 6, (1 << 32) + 4], (1 << 32) + 5),
    ("dsec", "none", [5, 7], 4),
    ("tumvie", "none", [5, 0], -1),
    ("tumvie", "none", [5, 0, 1 << 24], FAR),
]


@pytest.mark.parametrize(("layout", "compression", "fit", "bad"), REFUSED)
def test_times_that_do_not_fit_are_refused_after_those_that_do(
    tmp_path: Path, layout: str, compression: str, fit: list[int], bad: int
) -> None:
    path = tmp_path / "a.h5"
    with pytest.raises(EncodeError, match=f"an event at t={bad}, x=0, y=0 does not fit: "):
        written(path, events([*fit, bad, 9]), layout=layout, compression=compression)
    assert aevents.load(path).t.tolist() == fit


@pytest.mark.parametrize("place", [(2048, 0), (0, 2048)])
def test_ecf_holds_no_more_than_2048_columns_and_rows(
    tmp_path: Path, place: tuple[int, int]
) -> None:
    with pytest.raises(EncodeError, match="columns and rows are below 2048"):
        written(tmp_path / "a.h5", events([5]), events([6], *place), compression="ecf")
    assert aevents.load(tmp_path / "a.h5").t.tolist() == [5]
    with pytest.raises(EncodeError, match="does not fit"):
        written(tmp_path / "a.h5", events([5], *place), compression="ecf")
    written(tmp_path / "b.h5", events([5], *place))
    assert (aevents.load(tmp_path / "b.h5").x[0], aevents.load(tmp_path / "b.h5").y[0]) == place


def test_what_is_no_event_is_refused(tmp_path: Path) -> None:
    measured = GenericBatch(np.zeros(0, np.int64), (), Span(0, 1))
    with pytest.raises(EncodeError, match="a file holds events, not a GenericBatch"):
        written(tmp_path / "a.h5", measured)  # type: ignore[arg-type]
    assert not (tmp_path / "a.h5").exists()
    with pytest.raises(EncodeError, match="no place for triggers: prophesee's has"):
        written(tmp_path / "a.h5", EVENTS, TRIGGERS, layout="dsec")
    assert len(aevents.load(tmp_path / "a.h5")) == len(EVENTS)


def test_other_layouts_and_compressions_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="layout is one of prophesee, dsec, tumvie, not 'csv'"):
        aevents.create(tmp_path / "a.h5", layout="csv")
    with pytest.raises(ValueError, match="compression is one of none, gzip, ecf, blosc, not 'zip'"):
        aevents.create(tmp_path / "a.h5", compression="zip")
    with pytest.raises(ValueError, match="ecf goes with the layout prophesee, not with dsec"):
        aevents.create(tmp_path / "a.h5", layout="dsec", compression="ecf")


@pytest.mark.parametrize("layout", ["prophesee", "dsec", "tumvie"])
def test_no_events_make_a_file_without_any(tmp_path: Path, layout: str) -> None:
    empty = EventBatch.empty(Sensor(64, 48))
    path = written(tmp_path / "a.h5", empty, layout=layout)
    assert len(aevents.load(path, strict=True)) == 0
    assert aevents.load(path).sensor == Sensor(64, 48)


async def test_it_obeys_the_laws_of_sinks(tmp_path: Path) -> None:
    pieces = list(cut_events(EVENTS, [30_000, 40_000]))
    await check_sink(lambda: aevents.create(tmp_path / "a.h5"), pieces)
    assert_same_events([await aevents.open(tmp_path / "a.h5").collect()], [EVENTS])


@pytest.mark.parametrize("turns", range(0, 40, 4))
async def test_a_copy_cancelled_at_any_point_is_whole(tmp_path: Path, turns: int) -> None:
    path = tmp_path / "a.h5"
    stream = aevents.from_array(np.asarray(EVENTS), EVENTS.sensor).window(count=7_000)
    task = asyncio.ensure_future(stream.to(aevents.create(path, compression="ecf")))
    for _ in range(turns):
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    if path.exists():
        kept = await aevents.open(path, strict=True).collect()
        assert_same_events([kept], [EVENTS[: len(kept)]])


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await aevents.from_array(np.asarray(EVENTS)).to(str(tmp_path / "none" / "a.h5"))
