"""Opening an HDF5 file with care."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import aevents
from aevents import DecodeError, MissingExtraError, Sensor
from aevents.codecs.base import Watch
from aevents.containers import hdf5_file
from aevents.containers.hdf5_file import (
    attribute,
    checked,
    datasets_of,
    opened,
    sensor_of,
    stored_rows,
)
from aevents.testing import example_events
from tests.containers.hdf5_files import apart, put, written

EVENTS = example_events(100)
WATCH = Watch("hdf5", strict=True)


def test_what_the_library_raises_is_a_decode_error(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", {"x": [1]})
    with (
        pytest.raises(DecodeError, match=r"hdf5: the HDF5 library says: .*nowhere"),
        opened(path, WATCH) as file,
    ):
        file["nowhere"]
    with pytest.raises(MissingExtraError), opened(path, WATCH):
        raise MissingExtraError("blosc", "pip")
    with pytest.raises(IsADirectoryError), opened(tmp_path, WATCH):
        pass


@pytest.mark.parametrize("package", ["h5py", "hdf5plugin"])
def test_a_package_that_is_missing_is_told(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "a.h5", apart(EVENTS))
    monkeypatch.setitem(sys.modules, package, None)
    if package == "h5py":
        with pytest.raises(MissingExtraError, match=r"h5py is not installed: .*aevents\[hdf5\]"):
            aevents.load(path)
        with pytest.raises(MissingExtraError, match="h5py"):
            aevents.create(path)
    with pytest.raises(MissingExtraError, match=f"{package} is not installed"):
        aevents.create(path, compression="blosc")


def test_a_filter_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filter = {"chunks": True, "compression": 32_767, "allow_unknown_filter": True}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "txyp":
            file.create_dataset(name, (9,), "u2", **filter)
    with pytest.raises(DecodeError, match="is packed with filter 32767, which is not known here"):
        aevents.load(tmp_path / "a.h5")
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with pytest.raises(MissingExtraError, match="hdf5plugin is not installed"):
        aevents.load(tmp_path / "a.h5")


def test_data_in_other_files_are_not_read(tmp_path: Path) -> None:
    put(tmp_path / "other.h5", apart(EVENTS))
    (tmp_path / "secret").write_bytes(bytes(800))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"] = h5py.ExternalLink("other.h5", "/events")
    with pytest.raises(DecodeError, match="there is nothing"):
        aevents.load(tmp_path / "a.h5")
    for path, t in (("b.h5", "secret"), ("c.h5", None)):
        columns = apart(EVENTS)
        columns.pop("events/t")
        with h5py.File(put(tmp_path / path, columns), "a") as file:
            if t is not None:
                file.create_dataset("events/t", (100,), "i8", external=str(tmp_path / t))
            else:
                layout = h5py.VirtualLayout((100,), "i8")
                layout[:] = h5py.VirtualSource("other.h5", "events/t", (100,))
                file.create_virtual_dataset("events/t", layout)
        with pytest.raises(DecodeError, match="the data of /events/t stand in another file"):
            aevents.load(tmp_path / path)


def test_a_chunk_that_takes_much_memory_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "txyp":
            file.create_dataset(name, (1 << 24,), "u2", chunks=(1 << 24,), compression="gzip")
    with pytest.raises(DecodeError, match="in chunks of 32 MiB, which is too much to unpack"):
        aevents.load(tmp_path / "a.h5")


def test_rows_that_are_not_there_are_counted(tmp_path: Path) -> None:
    watch = Watch("hdf5", strict=False)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        holes = file.create_dataset("holes", (1000,), "u2", chunks=(100,))
        holes[:150] = 1
        assert stored_rows(holes, watch) == 200
        assert stored_rows(file.create_dataset("none", (50,), "u2"), watch) == 0
        assert stored_rows(file.create_dataset("all", data=[1, 2]), watch) == 2
    assert watch.counts == {"missing_rows": 850}


def test_very_many_datasets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_file, "MOST_DATASETS", 3)
    path = put(tmp_path / "a.h5", {f"d{i}": [i] for i in range(4)})
    with pytest.raises(DecodeError, match="more than 3 datasets"), opened(path, WATCH) as file:
        datasets_of(file, WATCH)


@pytest.mark.parametrize(
    ("name", "value", "sensor"),
    [
        ("geometry", "64x48", Sensor(64, 48)),
        ("geometry", np.bytes_(b"64x48"), Sensor(64, 48)),
        ("geometry", "0x48", Sensor()),
        ("geometry", "99999x1", Sensor()),
        ("geometry", 7, Sensor()),
        ("geometry", "x" * 66_000, Sensor()),
        ("sensor_resolution", [48, 64], Sensor(64, 48)),
        ("sensor_resolution", [48], Sensor()),
        ("other", "64x48", Sensor()),
    ],
)
def test_the_sensor_is_told_by_attributes(
    tmp_path: Path, name: str, value: object, sensor: Sensor
) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.attrs[name] = value
        assert sensor_of(file) == sensor
        assert attribute(file, "nothing") is None


def test_a_dataset_without_filters_may_be_of_any_size(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        large = file.create_dataset("large", (1 << 24,), "i8", chunks=(1 << 24,))
        assert checked(large, WATCH) is large


HOSTILE = """
import pathlib, re, sys, aevents, h5py, hdf5plugin
def most_used():
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
before = most_used()
try:
    for batch in aevents.open(sys.argv[1]).blocking(): pass
except aevents.DecodeError: pass
print((most_used() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
def test_a_bomb_takes_little_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, size in (("t", 8), ("x", 2), ("y", 2), ("p", 1)):
            chunk = (8 << 20) // size
            type = f"u{size}"
            column = file.create_dataset(
                name, (1 << 62,), type, chunks=(chunk,), compression="gzip"
            )
            for number in range(3):
                column.id.write_direct_chunk((number * chunk,), zeros(8 << 20))
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE, str(tmp_path / "a.h5")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 64


def zeros(size: int) -> bytes:
    import zlib

    return zlib.compress(bytes(size))


def test_a_heap_that_the_library_never_leaves_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.h5", apart(EVENTS), geometry="320x240")
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    free = heap + 16 + 16 + 8  # behind the one text
    assert data[free : free + 2] == b"\0\0"
    data[free + 8 : free + 16] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(DecodeError, match=f"a heap of strings is damaged at byte {free}"):
        aevents.load(path)


def test_an_attribute_of_another_type_is_not_touched(tmp_path: Path) -> None:
    with h5py.File(put(tmp_path / "a.h5", apart(EVENTS)), "a") as file:
        lists = np.empty(1, object)
        lists[0] = np.arange(3)
        file.attrs.create("geometry", lists, dtype=h5py.vlen_dtype("i4"))
        file.attrs["sensor_resolution"] = 1.5
    assert aevents.load(tmp_path / "a.h5").sensor == Sensor()


DAMAGE = """
import pathlib, sys, numpy as np, aevents
path, data = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1]).read_bytes()
draw = np.random.default_rng(7)
used = np.flatnonzero(np.frombuffer(data, np.uint8))  # most of a small file is empty
read = refused = 0
for _ in range(int(sys.argv[2])):
    bent = bytearray(data)
    for place in draw.choice(used, draw.integers(1, 6)):
        bent[place] = draw.integers(0, 256)
    path.write_bytes(bent)
    try:
        for batch in aevents.open(path, format="hdf5").blocking():
            assert len(batch.t) == len(batch.x) == len(batch.y) == len(batch.p)
        read += 1
    except aevents.DecodeError:
        refused += 1
print(read, refused)
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("options", [{"compression": "ecf"}, {}, {"layout": "dsec"}], ids=str)
def test_damage_gives_batches_or_a_decode_error(tmp_path: Path, options: dict[str, str]) -> None:
    path = written(tmp_path / "a.h5", example_events(500), **options)
    command = [sys.executable, "-c", DAMAGE, str(path), "500"]  # apart, as the library might crash
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read, refused = map(int, done.stdout.split())
    assert read > 100
    assert refused > 20
