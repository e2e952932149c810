"""ROS 2 bags: folders, as rosbags writes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from rosbags.rosbag2 import StoragePlugin

import aevents
from aevents import DecodeError, EventBatch, TruncatedError
from aevents.containers.ros2 import CODEC, SQLITE, read
from aevents.testing import assert_same_events, example_events
from tests.containers import bags

BATCH = example_events(2_000)
OpenFiles = Callable[[], set[str]]
STORAGES = pytest.mark.parametrize("storage", StoragePlugin, ids=lambda one: one.name)


def rewrite(folder: Path, files: list[str]) -> None:
    names = "".join(f"  - {name}\n" for name in files)
    text = f"rosbag2_bagfile_information:\n  relative_file_paths:\n{names}"
    (folder / "metadata.yaml").write_text(text)


def split(folder: Path, batch: EventBatch, storage: StoragePlugin) -> Path:
    """Write a bag in three files."""
    folder.mkdir()
    names = []
    for number in range(3):
        third = batch[number * len(batch) // 3 : (number + 1) * len(batch) // 3]
        part = bags.write_ros2(folder / f"bag_{number}", bags.arrays(third, 20), storage=storage)
        (file,) = (path for path in part.iterdir() if path.name != "metadata.yaml")
        names.append(file.name)
        shutil.move(file, folder / file.name)
    rewrite(folder, names)
    return folder


@STORAGES
@pytest.mark.parametrize("packed", ["none", "message", "file"])
async def test_files_and_messages_may_be_packed(
    storage: StoragePlugin, packed: str, tmp_path: Path, open_files: OpenFiles
) -> None:
    folder = bags.write_ros2(tmp_path / "bag", bags.arrays(BATCH), storage=storage, packed=packed)
    assert_same_events([await aevents.open(folder, strict=True).collect()], [BATCH])
    assert not open_files()


@STORAGES
def test_a_bag_may_be_in_several_files(storage: StoragePlugin, tmp_path: Path) -> None:
    folder = split(tmp_path / "bag", BATCH, storage)
    assert_same_events([aevents.load(folder)], [BATCH])
    for start in (0, 200_000, 500_000, 900_000):
        sliced = list(aevents.open(folder).time_slice(start, start + 100_000).blocking())
        inside = (BATCH.t >= start) & (BATCH.t < start + 100_000)
        assert_same_events(sliced, [BATCH.where(inside)])


def test_files_before_the_slice_are_not_read(tmp_path: Path) -> None:
    folder = split(tmp_path / "bag", BATCH, StoragePlugin.SQLITE3)
    start = int(BATCH.t[1_500])
    first = next(read(folder, start=start))
    assert isinstance(first, EventBatch)
    assert first.t[0] > BATCH.t[1_300]


@STORAGES
async def test_break_closes_the_files(
    storage: StoragePlugin, tmp_path: Path, open_files: OpenFiles
) -> None:
    folder = bags.write_ros2(tmp_path / "bag", bags.arrays(BATCH), storage=storage, packed="file")
    async with aevents.open(folder).open() as run:
        await anext(run)
    assert not open_files()


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_names_of_files_are_found(quote: str, tmp_path: Path) -> None:
    folder = split(tmp_path / "bag", BATCH, StoragePlugin.MCAP)
    names = sorted(path.name for path in folder.glob("*.mcap"))
    rewrite(folder, [f"{quote}somewhere/else/{name}{quote}" for name in names])
    assert len(aevents.load(folder)) == len(BATCH)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    rewrite(tmp_path, ["gone.db3"])
    with pytest.raises(FileNotFoundError, match=r"gone\.db3"):
        aevents.load(tmp_path)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    rewrite(tmp_path, ["text.db3"])
    (tmp_path / "text.db3").write_text("no bag")
    with pytest.raises(DecodeError, match=r"text\.db3 is neither MCAP nor SQLite"):
        aevents.load(tmp_path)


def test_a_description_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("rosbag2_bagfile_information:\n  version: 9\n")
    with pytest.raises(DecodeError, match=r"metadata\.yaml names no files"):
        aevents.load(tmp_path)


@STORAGES
def test_a_packed_file_cut_short_is_read_up_to_there(
    storage: StoragePlugin, tmp_path: Path
) -> None:
    folder = bags.write_ros2(
        tmp_path / "bag", bags.arrays(example_events(40_000)), storage=storage, packed="file"
    )
    (file,) = folder.glob("*.zstd")
    file.write_bytes(file.read_bytes()[: -file.stat().st_size // 3])
    kept = aevents.load(folder)
    assert_same_events([kept], [example_events(40_000)[: len(kept)]])
    assert len(kept) > 10_000
    with pytest.raises(TruncatedError):
        aevents.load(folder, strict=True)


def test_a_packed_file_of_very_much_is_refused(tmp_path: Path) -> None:
    rewrite(tmp_path, ["a.db3.zstd"])
    (tmp_path / "a.db3.zstd").write_bytes(zstandard.compress(SQLITE + bytes(300 << 20)))
    with pytest.raises(DecodeError, match=r"a\.db3\.zstd holds more than 268435456 bytes"):
        aevents.load(tmp_path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zstandard.compress(b"no bag"), "holds neither MCAP nor SQLite"),
        (zstandard.compress(b"")[:4] + b"not packed", "is damaged"),
    ],
)
def test_packed_files_of_another_kind_are_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    rewrite(tmp_path, ["a.mcap.zstd"])
    (tmp_path / "a.mcap.zstd").write_bytes(data)
    with pytest.raises(DecodeError, match=reason):
        aevents.load(tmp_path)


def test_bags_are_recognised() -> None:
    assert CODEC.matches is not None
    assert CODEC.matches(b"# bag\nrosbag2_bagfile_information:\n")
    assert CODEC.matches(b"SQLite format 3\0 CREATE TABLE topics CREATE TABLE messages")
    assert not CODEC.matches(b"SQLite format 3\0 CREATE TABLE songs")
    assert not CODEC.matches(b"version: 9")
