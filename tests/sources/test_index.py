"""Indexes in memory and beside the file: used while the file is the same, else made anew."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest

import aevents
from aevents import Sensor
from aevents.codecs import evt3_seek
from aevents.codecs.seek import FOREVER, Index, Mark
from aevents.registry import codec
from aevents.sources import index
from aevents.sources.index import FileIndexes
from aevents.types import EventBatch

INDEX = Index((Mark(5, 100, (1, 2)), Mark(9, 200, (3, 4))))
PART = Index((Mark(5, 100),), reach=7)


@pytest.fixture(autouse=True)
def _forget() -> None:
    index._kept.clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.raw"
    path.write_bytes(b"something")
    return path


def of(path: Path, *, wanted: bool = False) -> FileIndexes:
    return FileIndexes(path, path.stat(), wanted=wanted)


def beside(path: Path) -> Path:
    return path.with_name(path.name + ".aeindex")


def test_an_index_is_kept_in_memory(path: Path) -> None:
    assert of(path).get("evt3") is None
    assert of(path).put("evt3", INDEX) == INDEX
    assert of(path).get("evt3") == INDEX
    assert of(path).get("es") is None
    assert [one.name for one in path.parent.iterdir()] == ["a.raw"]


def test_an_index_is_not_of_a_file_that_has_changed(path: Path) -> None:
    of(path).put("evt3", INDEX)
    path.write_bytes(b"something else")
    assert of(path).get("evt3") is None


def test_only_so_many_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_KEPT", 2)
    for format in ("a", "b"):
        of(path).put(format, INDEX)
    assert of(path).get("a") == INDEX  # and so it is the last that was used
    of(path).put("c", INDEX)
    assert [of(path).get(format) for format in "abc"] == [INDEX, None, INDEX]


def test_an_index_is_kept_beside_the_file_where_that_is_wanted(path: Path) -> None:
    of(path, wanted=True).put("evt3", INDEX)
    index._kept.clear()
    assert of(path).get("evt3") is None
    assert of(path, wanted=True).get("evt3") == INDEX
    assert of(path, wanted=True).get("es") is None
    assert sorted(one.name for one in path.parent.iterdir()) == ["a.raw", "a.raw.aeindex"]


def test_an_index_in_memory_is_put_beside_the_file_once_it_is_wanted(path: Path) -> None:
    of(path).put("evt3", PART)
    assert of(path, wanted=True).get("evt3") == PART
    assert not beside(path).exists()  # it is to be made whole first
    of(path).put("evt3", INDEX)
    assert of(path, wanted=True).get("evt3") == INDEX
    assert beside(path).exists()


def test_a_stale_index_is_none(path: Path) -> None:
    of(path, wanted=True).put("evt3", INDEX)
    path.write_bytes(b"something else")
    assert of(path, wanted=True).get("evt3") is None


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_a_damaged_index_is_none(path: Path, at: int) -> None:
    of(path, wanted=True).put("evt3", INDEX)
    index._kept.clear()
    data = beside(path).read_bytes()
    assert len(data) > at
    for damaged in (data[:at], data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]):
        beside(path).write_bytes(damaged)
        assert of(path, wanted=True).get("evt3") is None


def test_an_index_of_another_version_is_none(path: Path) -> None:
    data = msgspec.msgpack.encode({"version": 0})
    beside(path).write_bytes(zlib.crc32(data).to_bytes(4, "little") + data)
    assert of(path, wanted=True).get("evt3") is None


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """An EVT3 recording that takes an index."""
    path = tmp_path / "long.raw"
    t = np.arange(400_000) * 100
    zeros = np.zeros(len(t))
    batch = EventBatch.from_columns(t=t, x=zeros, y=zeros, p=zeros, sensor=Sensor(2, 2))
    encoder = codec("evt3").encoder()  # type: ignore[misc]  # it has one
    path.write_bytes(b"".join(encoder.feed(batch)))  # type: ignore[arg-type]  # bytes alone
    return path


def times(path: Path, start: int, **options: bool) -> list[int]:
    stream = aevents.open(path, **options).time_slice(start, start + 200)  # type: ignore[call-overload]  # index
    return [t for batch in stream.blocking() for t in batch.t.tolist()]


def test_an_index_grows_as_far_as_it_is_needed(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    make = evt3_seek.index

    def noted(*args: object) -> Index:
        old = args[-1]
        begun.append(len(old.marks) if isinstance(old, Index) else 0)
        return make(*args)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(evt3_seek, "index", noted)
    assert times(recorded, 10_000_000) == [10_000_000, 10_000_100]
    assert times(recorded, 5_000_000) == [5_000_000, 5_000_100]
    assert times(recorded, 30_000_000) == [30_000_000, 30_000_100]
    assert times(recorded, 39_000_000, index=True) == [39_000_000, 39_000_100]
    assert times(recorded, 20_000_000, index=True) == [20_000_000, 20_000_100]
    assert begun[0] == 0
    assert 0 < begun[1] < begun[2]
    assert len(begun) == 3
    kept = of(recorded, wanted=True).get("evt3")
    assert kept is not None
    assert kept.reach == FOREVER


def test_no_index_is_made_of_a_format_without(tmp_path: Path) -> None:
    path = tmp_path / "long.npy"
    t = np.arange(100_000)
    np.save(path, np.stack([t, t % 9, t % 9, t % 2], axis=1))
    assert times(path, 90_000, index=True) == [*range(90_000, 90_200)]
    assert not beside(path).exists()


def test_a_folder_that_cannot_be_written_to_is_named(path: Path) -> None:
    beside(path).mkdir()
    with pytest.raises(OSError, match="aeindex"):
        of(path, wanted=True).put("evt3", INDEX)
