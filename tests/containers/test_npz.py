"""NPZ on disk: read where it lies, written by columns."""

from __future__ import annotations

import os
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import EncodeError, EventBatch, Sensor
from aevents.codecs.npz import NpzEncoder
from aevents.containers.npz import NpzSink, read
from aevents.testing import assert_same_events, check_sink, encode, example_events
from aevents.types import Frame, Span

OPEN_FILES = Path("/proc/self/fd")
BATCH = example_events(40_000, sensor=Sensor(1280, 720))
HALVES = [BATCH[:15_000], BATCH[15_000:]]


async def written(path: Path, items: list[EventBatch], *, compressed: bool = False) -> None:
    sink = NpzSink(path, compressed=compressed)
    for item in items:
        await sink.write(item)
    await sink.aclose()


@pytest.mark.parametrize("compressed", [False, True])
async def test_columns_are_written_that_numpy_loads(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "a.npz"
    await written(path, HALVES, compressed=compressed)

    def load() -> dict[str, object]:
        with np.load(path) as arrays:
            return dict(arrays)

    arrays = await anyio.to_thread.run_sync(load)
    assert [*arrays] == ["t", "x", "y", "p", "width", "height"]
    for name in "txyp":
        np.testing.assert_array_equal(arrays[name], getattr(BATCH, name))
    assert (arrays["width"], arrays["height"]) == (1280, 720)
    assert await anyio.to_thread.run_sync(os.listdir, tmp_path) == ["a.npz"]


@pytest.mark.parametrize("compressed", [False, True])
async def test_what_is_written_is_read_back(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "a.npz"
    await written(path, HALVES, compressed=compressed)
    read_back = await aevents.open(path).collect()
    assert_same_events([read_back], [BATCH])
    assert read_back.sensor == BATCH.sensor


async def test_a_file_and_a_stream_of_bytes_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    data = encode(NpzEncoder(), [BATCH])[:-60] + b"x" * 60
    path.write_bytes(data)
    with pytest.raises(aevents.DecodeError, match="the archive cannot be read"):
        await aevents.open(path).collect()


async def test_what_is_odd_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, t=[5, 7], x=[-1, 8], y=[7, 9], p=[1, 0])
    async with aevents.open(path).open() as run:
        events = [event async for batch in run for event in batch]
    assert events == [(7, 8, 9, False)]
    assert run.report["bad_rows"] == 1
    with pytest.raises(aevents.DecodeError, match="row 0 holds a value"):
        await aevents.open(path, strict=True).collect()


async def test_without_events_the_columns_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    await written(path, [])
    assert len(await aevents.open(path).collect()) == 0


async def test_only_events_can_be_written(tmp_path: Path) -> None:
    sink = NpzSink(tmp_path / "a.npz")
    with pytest.raises(EncodeError, match="the columns hold events, not a Frame"):
        await sink.write(Frame(np.zeros((2, 3)), Span(0, 1), Sensor(3, 2)))  # type: ignore[arg-type]  # the point
    await sink.aclose()


async def test_it_obeys_the_laws_of_sinks(tmp_path: Path) -> None:
    await check_sink(lambda: NpzSink(tmp_path / "a.npz"), HALVES)


def test_closing_a_reader_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(encode(NpzEncoder(), [BATCH]))
    reader = read(path, kind=EventBatch)
    next(reader)
    assert str(path) in {str(one.resolve()) for one in OPEN_FILES.iterdir()}
    reader.close()
    assert str(path) not in {str(one.resolve()) for one in OPEN_FILES.iterdir()}
