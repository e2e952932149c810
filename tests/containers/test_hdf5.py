"""HDF5: files are read from the start or the middle, and what is odd is counted or told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
import h5py
import numpy as np
import pytest

import aevents
from aevents import DecodeError, EventBatch, Sensor, TimeOrderError, TriggerBatch
from aevents.codecs.ecf import FILTER, encode_chunk
from aevents.containers import hdf5
from aevents.containers.hdf5 import CODEC
from aevents.containers.hdf5_write import EVENT, TRIGGER
from aevents.testing import assert_same_events, example_events
from tests.containers.hdf5_files import apart, put, written

EVENTS = example_events(100_000)
OpenFiles = Callable[[], set[str]]
WRITTEN = [
    {"layout": "prophesee"},
    {"compression": "ecf"},
    {"layout": "dsec", "compression": "blosc"},
    {"layout": "tumvie", "compression": "gzip"},
]


@pytest.fixture(params=WRITTEN, ids=lambda options: "-".join(options.values()))
def recording(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The events in one of the layouts, to be read in small blocks."""
    monkeypatch.setattr(hdf5, "BLOCK", 20_000)
    return written(tmp_path / "aevents-test.h5", EVENTS, **request.param)


def counts(path: Path, **options: object) -> dict[str, int]:
    with aevents.open(path, **options).blocking() as run:  # type: ignore[call-overload]
        for _ in run:
            pass
        return dict(run.report.anomalies)


def packed(path: Path, chunks: list[bytes], rows: int, *, plain: int | None = None) -> Path:
    """Write a dataset of these chunks, 1000 events each; `plain` is one that was left as it is."""
    with h5py.File(path, "w") as file:
        events = file.create_dataset(
            "CD/events", (rows,), EVENT, chunks=(1000,), compression=FILTER,
            allow_unknown_filter=True,
        )  # fmt: skip
        for number, chunk in enumerate(chunks):
            events.id.write_direct_chunk((1000 * number,), chunk, int(number == plain))
    return path


def test_files_are_known_by_their_first_bytes(recording: Path) -> None:
    other = recording.rename(recording.with_name("street"))
    assert_same_events([aevents.load(other)], [EVENTS])
    assert CODEC.matches is not None
    assert not CODEC.matches(b"\x89PNG\r\n\x1a\n")


async def test_it_is_read_in_an_event_loop_and_closed_at_once(
    recording: Path, open_files: OpenFiles
) -> None:
    assert_same_events([await aevents.open(recording, strict=True).collect()], [EVENTS])
    async with aevents.open(recording).open() as run:
        first = await anext(run)
        assert len(first) <= 65_536
    assert not open_files()


@pytest.mark.parametrize("start", [-5, 0, 999, 1_000, 1_001, 40_000_000, 10**9])
async def test_a_slice_is_exact(recording: Path, start: int) -> None:
    middle = int(EVENTS.t[50_000])
    begin = middle if start == 0 else start
    stop = begin + 2_000_000
    found = await aevents.open(recording).time_slice(begin, stop).to_list()
    inside = (EVENTS.t >= begin) & (EVENTS.t < stop)
    assert_same_events(found, [EVENTS.where(inside)])


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_what_comes_before_is_not_read(recording: Path, part: float) -> None:
    start = int(EVENTS.t[int(part * len(EVENTS))])
    reader = CODEC.reader
    assert reader is not None
    items = reader(recording, start=start)
    assert items is not None
    first = next(item for item in items if isinstance(item, EventBatch))
    before = EVENTS.t[np.searchsorted(EVENTS.t, start)] if part else EVENTS.t[0]
    assert first.t[0] <= before
    assert np.searchsorted(EVENTS.t, start) - np.searchsorted(EVENTS.t, first.t[0]) <= 20_000
    if part > 0.9:
        assert first.t[0] > EVENTS.t[60_000]


@pytest.mark.parametrize("lie", [0, 99_999, 10**12])
def test_an_index_that_lies_makes_no_difference(tmp_path: Path, lie: int) -> None:
    index = np.full(1 + int(EVENTS.t[-1]) // 1000, lie)
    path = put(tmp_path / "a.h5", {**apart(EVENTS), "ms_to_idx": index})
    start = int(EVENTS.t[70_000])
    sliced = list(aevents.open(path).time_slice(start).blocking())
    assert_same_events(sliced, [EVENTS.where(start <= EVENTS.t)])


def test_no_events_give_the_sensor(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", {"CD/events": np.empty(0, EVENT)}, geometry="64x48")
    (batch,) = aevents.open(path).blocking()
    assert (len(batch), batch.sensor) == (0, Sensor(64, 48))


def test_the_sensor_can_be_given(recording: Path) -> None:
    assert aevents.load(recording, sensor=Sensor(7, 5)).sensor == Sensor(7, 5)
    assert counts(recording, sensor=Sensor(320, 100))["off_sensor"] > 0


def test_times_that_go_back_are_counted(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", apart(EVENTS[:4].where(np.array([1, 1, 1, 1], bool))))
    with h5py.File(path, "a") as file:
        file["events/t"][...] = [5, 4, 9, 8]
    assert counts(path) == {"backward_jumps": 2}
    with pytest.raises(TimeOrderError):
        aevents.load(path, strict=True)


def test_rows_that_are_no_events_are_left_out(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", apart(EVENTS[:4]))
    with h5py.File(path, "a") as file:
        file["events/p"][2] = 7
    assert len(aevents.load(path)) == 3
    assert counts(path) == {"bad_rows": 1}


def test_triggers_are_read(tmp_path: Path) -> None:
    rows = np.array([(1, 50, 0), (0, 60, 3), (1, 70, 256)], TRIGGER)
    path = put(tmp_path / "a.h5", {"EXT_TRIGGER/events": rows}, geometry="64x48")
    (batch,) = aevents.open(path, kind=TriggerBatch).blocking()
    assert (batch.t.tolist(), batch.id.tolist()) == ([50, 60], [0, 3])
    assert (batch.value.tolist(), batch.span) == ([True, False], (50, 60))
    assert batch.sensor == Sensor(64, 48)
    assert counts(path, kind=TriggerBatch) == {"bad_rows": 1}


def test_a_file_without_triggers_gives_none(recording: Path, tmp_path: Path) -> None:
    assert list(aevents.open(recording, kind=TriggerBatch).blocking()) == []
    path = put(tmp_path / "b.h5", {"EXT_TRIGGER/events": np.zeros(3)})
    with pytest.raises(DecodeError, match="EXT_TRIGGER/events holds no triggers"):
        list(aevents.open(path, kind=TriggerBatch).blocking())


def test_a_damaged_chunk_is_left_out_and_counted(tmp_path: Path) -> None:
    chunks = [encode_chunk(EVENTS[at : at + 1000]) for at in range(0, 3000, 1000)]
    chunks[1] = chunks[1][:-1]
    path = packed(tmp_path / "a.hdf5", chunks, 3000)
    assert_same_events([aevents.load(path)], [EVENTS[:1000], EVENTS[2000:3000]])
    assert counts(path) == {"bad_chunks": 1}
    with pytest.raises(DecodeError, match="is damaged"):
        aevents.load(path, strict=True)


def test_a_chunk_that_the_filter_left_as_it_was_is_read(tmp_path: Path) -> None:
    chunks = [encode_chunk(EVENTS[at : at + 1000]) for at in range(0, 3000, 1000)]
    rows = np.empty(1000, EVENT)
    for letter in "txyp":
        rows[letter] = getattr(EVENTS, letter)[1000:2000]
    chunks[1] = rows.tobytes()
    path = packed(tmp_path / "a.hdf5", chunks, 2500, plain=1)
    assert_same_events([aevents.load(path, strict=True)], [EVENTS[:2500]])
    start = int(EVENTS.t[1500])
    sliced = list(aevents.open(path).time_slice(start).blocking())
    assert_same_events(sliced, [EVENTS[:2500].where(EVENTS.t[:2500] >= start)])


def test_a_promise_of_very_many_events_is_not_believed(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.hdf5", [encode_chunk(EVENTS[:1000])], 1 << 62)
    assert_same_events([aevents.load(path)], [EVENTS[:1000]])
    assert counts(path) == {"missing_rows": (1 << 62) - 1000}


def test_chunks_that_are_missing_or_too_long_are_left_out(tmp_path: Path) -> None:
    good, path = encode_chunk(EVENTS[:1000]), tmp_path / "a.hdf5"
    packed(path, [good, good + bytes(2 << 20), good], 3000)
    assert counts(path) == {"bad_chunks": 1, "backward_jumps": 1}
    with h5py.File(path, "w") as file:
        options = {"compression": FILTER, "allow_unknown_filter": True}
        events = file.create_dataset("CD/events", (2000,), EVENT, chunks=(1000,), **options)
        events.id.write_direct_chunk((1000,), good)
    assert counts(path) == {"missing_rows": 1000, "bad_chunks": 1}


def test_chunks_that_ecf_cannot_have_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        options = {"compression": FILTER, "allow_unknown_filter": True}
        file.create_dataset("CD/events", (70_000,), EVENT, chunks=(70_000,), **options)
    with pytest.raises(DecodeError, match="packed in chunks that are none of ECF"):
        aevents.load(tmp_path / "a.h5")


async def test_a_file_that_is_cut_short_or_no_hdf5_is_refused(tmp_path: Path) -> None:
    whole = (await anyio.to_thread.run_sync(written, tmp_path / "a.h5", EVENTS)).read_bytes()
    cut = tmp_path / "cut.h5"
    for length in (8, 100, 2_000, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(DecodeError, match="the HDF5 library says"):
            await aevents.open(cut).collect()
    with pytest.raises(FileNotFoundError):
        await aevents.open(tmp_path / "none.h5", format="hdf5").collect()
