"""Frames in files of arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
import pytest
from blockbuster import BlockBuster

import aevents
from aevents import Frame, Origin
from aevents.containers.frame_files import MOST_BYTES, open_frames
from aevents.errors import DecodeError
from aevents.testing import check_source
from tests.pictures import Array, allow_blocking_runs, spans

RANDOM = np.random.default_rng(0)
ARRAY = RANDOM.integers(0, 256, (10, 4, 6), np.uint8)
FILES = ["a.npy", "a.npz", "packed.npz", "a.h5", "packed.hdf5"]


def save(path: Path, array: Array = ARRAY) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        (np.savez_compressed if "packed" in path.name else np.savez)(path, images=array)
    else:
        with h5py.File(path, "w") as file:
            options = {"compression": "gzip"} if "packed" in path.name else {}
            file.create_dataset("images", data=array, chunks=(4, 4, 6), **options)
    return path


def pictures(path: Path, **options: Any) -> Array:  # noqa: ANN401  # those of `open_frames`
    stream = aevents.open(path, kind=Frame, **options)
    return np.stack([frame.array for frame in stream.blocking()])


@pytest.mark.parametrize("name", FILES)
async def test_files_obey_the_laws_of_sources(
    name: str, tmp_path: Path, blockbuster: BlockBuster
) -> None:
    allow_blocking_runs(blockbuster)
    origin = cast("Origin[Frame]", open_frames(save(tmp_path / name), rate_hz=10).origin)
    frames = await check_source(origin)
    np.testing.assert_array_equal(np.stack([frame.array for frame in frames]), ARRAY)
    assert spans(frames)[-1] == (900_000, 1_000_000)
    assert {frame.mode for frame in frames} == {"intensity"}


@pytest.mark.parametrize("name", FILES)
def test_they_are_had_again_and_from_the_middle(name: str, tmp_path: Path) -> None:
    path = save(tmp_path / name)
    np.testing.assert_array_equal(pictures(path, repeat=2), np.concatenate([ARRAY, ARRAY]))
    stream = aevents.open(path, kind=Frame, rate_hz=10, start_us=5, repeat=3)
    frames = [*stream.time_slice(1_700_005, 2_200_005).blocking()]
    assert frames[0].span.start == 1_700_005
    found = np.stack([frame.array for frame in frames])
    np.testing.assert_array_equal(found, ARRAY[[7, 8, 9, 0, 1]])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4)),
        np.zeros((3, 4, 5), np.complex64),
        np.zeros((3, 0, 5)),
        np.zeros(3, [("t", "<i8"), ("x", "<u2")]),
    ],
    ids=["two dimensions", "complex", "empty", "events"],
)
def test_what_holds_no_frames_says_so(name: str, array: Array, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix in (".npy", ".npz"):
        save(path, array)
    else:
        with h5py.File(path, "w") as file:
            file["images"] = array
    with pytest.raises(
        DecodeError, match=r"holds is .*, not Frames, .* shape \(n, height, width\) or more"
    ):
        pictures(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5"])
def test_other_files_and_none_say_so(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pictures(tmp_path / f"none{suffix}")
    (tmp_path / f"text{suffix}").write_bytes(b"nothing of the kind")
    with pytest.raises(DecodeError):
        pictures(tmp_path / f"text{suffix}")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_an_array_that_is_cut_off_says_so(name: str, tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.npy").read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[:-30])
    if path.suffix == ".npz":
        import zipfile

        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", whole[:-30])
    with pytest.raises(DecodeError):
        pictures(path)


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    many = RANDOM.integers(0, 256, (1000, 8, 8), np.uint8)
    data = bytearray(save(tmp_path / "packed.npz", many).read_bytes())
    data[40_000:50_000] = bytes(10_000)
    (tmp_path / "packed.npz").write_bytes(data)
    with pytest.raises(DecodeError, match=r"frame \d+ is damaged"):
        pictures(tmp_path / "packed.npz")


def test_a_damaged_chunk_says_so(tmp_path: Path) -> None:
    path = save(tmp_path / "packed.h5")
    with h5py.File(path) as file:
        place = file["images"].id.get_chunk_info(1)
    data = bytearray(path.read_bytes())
    data[place.byte_offset : place.byte_offset + place.size] = bytes(place.size)
    path.write_bytes(data)
    frames = aevents.open(path, kind=Frame).blocking()
    for _ in range(4):
        next(frames)
    with pytest.raises(DecodeError, match="frames 4 and on are damaged"):
        next(frames)


def test_several_arrays_are_told_apart_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=ARRAY, other=ARRAY[:2])
    np.testing.assert_array_equal(pictures(tmp_path / "a.npz"), ARRAY)
    np.testing.assert_array_equal(pictures(tmp_path / "a.npz", array="other"), ARRAY[:2])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["left/images"], file["right"], file["rate"] = ARRAY, ARRAY[:2], 5
    np.testing.assert_array_equal(pictures(tmp_path / "a.h5", array="/left/images"), ARRAY)
    with pytest.raises(DecodeError, match="there are /left/images, /right"):
        pictures(tmp_path / "a.h5")
    for name in ("a.npz", "a.h5"):
        with pytest.raises(DecodeError, match="none"):
            pictures(tmp_path / name, array="none")
    with pytest.raises(ValueError, match="one array, without a name"):
        pictures(save(tmp_path / "a.npy"), array="images")


def test_the_only_array_of_pictures_is_meant(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["video"], file["rate"] = ARRAY, 5
    np.testing.assert_array_equal(pictures(tmp_path / "a.h5"), ARRAY)


def test_columns_first_are_read_from_npy_and_refused_in_archives(tmp_path: Path) -> None:
    array = np.asfortranarray(ARRAY)
    np.testing.assert_array_equal(pictures(save(tmp_path / "a.npy", array)), ARRAY)
    with pytest.raises(DecodeError, match="Fortran order"):
        pictures(save(tmp_path / "a.npz", array))


def test_a_frame_that_takes_too_much_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("images", (2, MOST_BYTES, 3), np.uint8, chunks=(1, 1024, 3))
    with pytest.raises(DecodeError, match="is more than 512 MiB"):
        pictures(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (np.array([(5, 7), (9, 12)]), (5, 7)),
        (np.array([(9, 12), (5, 7)]), (0, 33_333)),  # they go back
        (np.array([(5, 3), (9, 12)]), (0, 33_333)),  # they end before they begin
        (np.array([(5, 7)]), (0, 33_333)),  # of other frames
        (np.array([(5.0, 7.0), (9.0, 12.0)]), (0, 33_333)),
    ],
)
def test_times_beside_frames_are_theirs(
    times: Array, first: tuple[int, int], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"], file["spans"] = ARRAY[:2], times
    frames = aevents.open(tmp_path / "a.h5", kind=Frame).blocking()
    assert next(frames).span == first
    frames = aevents.open(tmp_path / "a.h5", kind=Frame, rate_hz=10).blocking()
    assert next(frames).span == (0, 100_000)


def test_events_are_still_events(tmp_path: Path) -> None:
    batch = aevents.load("synthetic:bar?duration_us=1000")
    np.save(tmp_path / "a.npy", np.asarray(batch))
    assert len(aevents.load(tmp_path / "a.npy")) == len(batch)
