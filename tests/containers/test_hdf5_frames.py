"""Frames written to HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import aevents
from aevents import Frame
from aevents.containers.hdf5_frames import CHUNK_BYTES
from aevents.containers.hdf5_write import create
from aevents.errors import EncodeError
from aevents.testing import check_sink
from tests.pictures import frame

TIMES = [(5, 100), (100, 250), (900, 950)]


def made(count: int = 3, shape: tuple[int, ...] = (4, 6), dtype: str = "u1") -> list[Frame]:
    return [frame(np.full(shape, number, dtype), *TIMES[number % 3]) for number in range(count)]


@pytest.mark.parametrize("compression", ["none", "gzip"])
async def test_frames_and_their_times_come_back(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    await check_sink(lambda: create(path, compression=compression), made())  # type: ignore[arg-type]
    frames = await aevents.open(path, kind=Frame).to_list()
    assert [one.span for one in frames] == TIMES
    assert [one.array.tolist() for one in frames] == [one.array.tolist() for one in made()]
    assert frames[0].array.dtype == np.uint8


async def test_a_chunk_has_no_more_than_a_mebibyte_of_one_frame(tmp_path: Path) -> None:
    sink = create(tmp_path / "a.h5", compression="gzip")
    large = made(2, (1080, 1920, 3), "f4")
    for one in large:
        await sink.write(one)
    await sink.aclose()
    with h5py.File(tmp_path / "a.h5") as file:
        chunks = file["images"].chunks
    assert chunks[0] == 1
    assert CHUNK_BYTES / 2 < np.prod(chunks) * 4 <= CHUNK_BYTES * 1.1
    again = await aevents.open(tmp_path / "a.h5", kind=Frame).stack()
    np.testing.assert_array_equal(again, np.stack([one.array for one in large]))


@pytest.mark.parametrize("other", [made(1, (4, 7))[0], made(1, (4, 6), "u2")[0]])
async def test_a_frame_unlike_the_first_is_refused_and_the_rest_is_whole(
    other: Frame, tmp_path: Path
) -> None:
    sink = create(tmp_path / "a.h5")
    await sink.write(made()[0])
    with pytest.raises(EncodeError, match=r"a frame \(4, .\) of uint.* after frames \(4, 6\)"):
        await sink.write(other)
    await sink.aclose()
    assert len(await aevents.open(tmp_path / "a.h5", kind=Frame).to_list()) == 1


async def test_frames_and_events_do_not_go_into_one_file(tmp_path: Path) -> None:
    batch = aevents.load("synthetic:bar?duration_us=1000")
    sink = create(tmp_path / "a.h5")
    await sink.write(made()[0])
    with pytest.raises(EncodeError, match="a file holds frames, not a EventBatch"):
        await sink.write(batch)
    await sink.aclose()
    sink = create(tmp_path / "b.h5")
    await sink.write(batch)
    with pytest.raises(EncodeError, match="a file holds events, not a Frame"):
        await sink.write(made()[0])
    await sink.aclose()
    assert len(await aevents.open(tmp_path / "b.h5").collect()) == len(batch)
