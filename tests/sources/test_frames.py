"""Arrays of frames as streams, as convis has them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import aevents
from aevents.sources.frames import from_frames
from aevents.testing import check_source
from tests.pictures import spans, truth
from tests.truth import CONVIS, needs_convis


async def test_an_array_obeys_the_laws_of_sources() -> None:
    array = np.arange(60.0).reshape(10, 2, 3)
    frames = await check_source(from_frames(array, rate_hz=10).origin)
    assert len(frames) == 10


def test_frames_are_views_that_cannot_be_changed() -> None:
    array = np.zeros((2, 4, 6, 3), np.uint8)
    frame = next(from_frames(array).blocking())
    assert (frame.shape, frame.sensor.width, frame.sensor.height) == ((4, 6, 3), 6, 4)
    assert np.shares_memory(frame.array, array)
    assert not frame.array.flags.writeable
    assert array.flags.writeable


def test_a_list_of_pictures_will_do() -> None:
    frames = from_frames([[[1, 2]], [[3, 4]]], rate_hz=10, start_us=500).blocking()
    assert spans(frames) == [(500, 100_500), (100_500, 200_500)]


@pytest.mark.parametrize("shape", [(), (3,), (3, 4)])
def test_less_than_pictures_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"frames are \(n, height, width\) or more"):
        from_frames(np.zeros(shape))


async def test_the_operators_of_streams_take_frames() -> None:
    frames = from_frames(np.arange(10).reshape(10, 1, 1), rate_hz=10)
    assert [one.array[0, 0] for one in await frames.take(2).to_list()] == [0, 1]
    chunks = await frames.rechunk(4, exact=True).to_list()
    assert [chunk.data.shape for chunk in chunks] == [(4, 1, 1), (4, 1, 1), (2, 1, 1)]
    assert [chunk.span for chunk in chunks][:2] == [(0, 300_001), (400_000, 700_001)]
    assert await frames.map(lambda frame: int(frame.array[0, 0])).filter(bool).first() == 1
    async with aevents.tee(frames, aevents.BLOCK, aevents.BLOCK) as (one, other):
        assert len(await one.take(3).to_list()) == 3
        assert len(await other.to_list()) == 10


# -- as convis has them ----------------------------------------------------------------------------


@needs_convis
def test_a_sequence_ends_where_it_ends() -> None:
    kept = truth("sequence")
    with from_frames(kept["x"]).blocking() as frames:
        for request in ("get0", "get1", "get2"):
            for expected in kept[request]:
                np.testing.assert_array_equal(next(frames).array, expected)
        assert kept["get3"].shape == (0, 2, 3)
        with pytest.raises(StopIteration):
            next(frames)


@needs_convis
def test_a_repeating_sequence_wraps_as_often_as_is_asked() -> None:
    kept = truth("repeating_ideal")
    with from_frames(truth("repeating")["x"], repeat=True).blocking() as frames:
        for request in range(7):
            expected = kept[f"g{request}"]
            found = np.stack([next(frames).array for _ in range(len(expected))])
            np.testing.assert_array_equal(found, expected)


@needs_convis
def test_a_timed_sequence_is_cut_by_its_times() -> None:
    kept = truth("timed_sequence")
    described = json.loads((CONVIS / "truth.json").read_text())["timed_sequence"]["desc"]
    requests = json.loads(described.split("LOG=")[1])
    stream = from_frames(kept["x"], rate_hz=10, start_us=500_000)
    for number, request in enumerate(requests):
        # convis rounds what is asked for to the nearest frame, halves to the even one
        start, stop = (500_000 + 100_000 * place for place in request["bins"])
        frames = [*stream.time_slice(start, stop).blocking()]
        expected = kept[f"vs{number}"]
        assert len(frames) == len(expected)
        for frame, picture, time in zip(frames, expected, kept[f"ts{number}"], strict=True):
            np.testing.assert_array_equal(frame.array, picture)
            assert frame.span.start == 500_000 + round(float(time) * 1e6)  # it forgets its t_zero


@needs_convis
def test_files_of_arrays_are_read_as_convis_reads_them() -> None:
    for name, kept, dataset in (
        ("images/seq.npz", truth("numpy_reader"), None),
        ("images/t.h5", truth("hdf5"), "images"),
    ):
        options: dict[str, Any] = {} if dataset is None else {"array": dataset}
        frames = [*aevents.open(CONVIS / name, kind=aevents.Frame, **options).blocking()]
        expected = np.concatenate([kept[f"g{number}"] for number in range(3)])
        np.testing.assert_array_equal(np.stack([frame.array for frame in frames]), expected)
        assert {frame.array.dtype for frame in frames} == {expected.dtype}


@needs_convis
def test_npy_files_are_read_too() -> None:
    frames = [*aevents.open(CONVIS / "images/seq.npy", kind=aevents.Frame).blocking()]
    expected = [*aevents.open(CONVIS / "images/seq.npz", kind=aevents.Frame).blocking()]
    for one, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(one.array, other.array)
