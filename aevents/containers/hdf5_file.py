"""HDF5 files through h5py, which the extra `hdf5` installs: opened with care, as anything may stand
in them.

Whatever the library raises becomes `DecodeError`. No link is followed, so that nothing is read from
other files, and a chunk that would take much memory to unpack is refused before it is touched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from aevents.codecs.base import Watch
from aevents.errors import AeventsError, missing_extra
from aevents.types import Sensor

Dataset: TypeAlias = Any
File: TypeAlias = Any
"""h5py has no types."""

MOST_CHUNK_BYTES = 8 << 20
"""Unpacked, of each of four columns: they are held while their events are given out."""
CACHED_CHUNKS = 3
"""Of each dataset: they are read one after the other. (Else 8 MiB of small ones would be held.)"""
MOST_TEXT_BYTES = 65_536
MOST_SIDE = 65_535
HEAPS_WITHIN = 1 << 20
"""The texts of a recording are written before its events."""
MOST_DATASETS = 10_000
"""A recording has tens; finding the events among more would take long."""


@contextmanager
def opened(path: Path, watch: Watch) -> Iterator[File]:
    """Open a file to read. Inside, what the library raises becomes `DecodeError`.

    Raises `MissingExtraError` without h5py, and what `open` raises.
    """
    h5py = import_h5py()
    with path.open("rb") as plain:  # this says better than the library why it cannot be opened
        _check_heaps(plain.read(HEAPS_WITHIN), watch)
    try:
        with h5py.File(path, "r", rdcc_nbytes=MOST_CHUNK_BYTES, rdcc_nslots=CACHED_CHUNKS) as file:
            yield file
    except AeventsError:
        raise
    except Exception as error:  # h5py raises what it likes: OSError, KeyError, RuntimeError, ...
        watch.fail(f"the HDF5 library says: {' '.join(str(error).split())[:300]}")


def import_h5py() -> Any:  # noqa: ANN401  # as above
    """Return h5py. Raises `MissingExtraError`."""
    try:
        import h5py
    except ImportError as error:
        raise missing_extra("h5py", "hdf5") from error
    return h5py


def blosc() -> Mapping[str, Any]:
    """Return what h5py is to be told for compression with Blosc. Raises `MissingExtraError`."""
    return _hdf5plugin().Blosc(cname="zstd")  # type: ignore[no-any-return]  # no types


def datasets_of(file: File, watch: Watch) -> Mapping[str, Dataset]:
    """Return what is in a file, by its path without the first slash."""
    from h5py import Dataset as H5Dataset

    found: dict[str, Dataset] = {}

    def look(name: str, item: object) -> bool | None:
        if isinstance(item, H5Dataset):
            found[name] = item
        return True if len(found) > MOST_DATASETS else None

    file.visititems(look)
    if len(found) > MOST_DATASETS:
        watch.fail(f"there are more than {MOST_DATASETS} datasets")
    return found


def checked(dataset: Dataset, watch: Watch, *, known: Collection[int] = ()) -> Dataset:
    """Return the dataset, if it can be read from this file and in little memory; else fail.

    `known` are filters that are undone elsewhere. Raises `MissingExtraError` where one is needed
    that hdf5plugin has.
    """
    name, size = dataset.name, dataset.dtype.itemsize
    if dataset.is_virtual or dataset.external:
        watch.fail(f"the data of {name} stand in another file")
    for length in dataset.chunks or ():
        size *= length
    filters = [filter for filter in filters_of(dataset) if filter not in known]
    if filters and size > MOST_CHUNK_BYTES:
        what = f"{name} is packed in chunks of {size >> 20} MiB, which is too much to unpack"
        watch.fail(f"{what}: h5repack makes smaller ones")
    for filter in filters:
        _load(filter, name, watch)
    return dataset


def filters_of(dataset: Dataset) -> list[int]:
    """Return the numbers of the filters that a dataset is packed with."""
    plan = dataset.id.get_create_plist()
    return [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]


def numeric(dtype: np.dtype[np.void]) -> bool:
    """Say whether rows of this type are structures of numbers and nothing else."""
    return dtype.names is not None and all(dtype[name].kind in "biuf" for name in dtype.names)


def stored_rows(dataset: Dataset, watch: Watch) -> int:
    """Return how many rows there are; count those that the file promises and does not hold."""
    rows: int = dataset.shape[0]
    held = rows if dataset.id.get_storage_size() else 0
    if dataset.chunks:
        held = int(dataset.id.get_num_chunks()) * int(dataset.chunks[0])
    watch.note("missing_rows", max(0, rows - held), f"{dataset.name} lacks rows that it promises")
    return min(rows, held)


def attribute(item: File | Dataset, name: str) -> object:
    """Return an attribute that is a text or whole numbers; None if there is none, or a very long
    one. (Where damage makes another type of it, the library may crash.)
    """
    from h5py import h5t

    if name not in item.attrs:
        return None
    found = item.attrs.get_id(name)
    known = isinstance(found.get_type(), h5t.TypeStringID | h5t.TypeIntegerID)
    if not known or found.get_storage_size() > MOST_TEXT_BYTES:
        return None
    value: object = item.attrs[name]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def sensor_of(file: File) -> Sensor:
    """Return the sensor that the root of a file tells of."""
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(attribute(file, "geometry")))
    if size is not None:
        serial = str(attribute(file, "serial_number") or "")
        return sized(int(size[1]), int(size[2]), serial=serial)
    shape = attribute(file, "sensor_resolution")  # E2VID: height and width
    if isinstance(shape, np.ndarray) and shape.ndim == 1 and len(shape) >= 2:
        return sized(int(shape[1]), int(shape[0]))
    return Sensor()


def sized(width: int, height: int, *, serial: str = "") -> Sensor:
    """Return the sensor of this size; one of no known size if this is none."""
    fits = 0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE
    return Sensor(width, height, serial=serial) if fits else Sensor()


def _check_heaps(head: bytes, watch: Watch) -> None:
    """Fail where a heap of strings has an object of no size, from which the library never returns.

    A heap: `GCOL`, 4 bytes, its size (u64); then objects: number (u16), 6 bytes, size (u64), data
    up to a multiple of 8. The number 0 is free room, and its size includes these 16 bytes.
    """
    for found in re.finditer(b"GCOL\x01\0\0\0", head):
        at = found.start() + 16
        end = min(len(head), found.start() + int.from_bytes(head[at - 8 : at], "little"))
        while at + 16 <= end:
            free = head[at : at + 2] == b"\0\0"
            size = int.from_bytes(head[at + 8 : at + 16], "little")
            if free and not size:
                watch.fail("a heap of strings is damaged", offset=at)
            at += size if free else 16 + (size + 7) // 8 * 8


def _load(filter: int, name: str, watch: Watch) -> None:
    """Make a filter known to the library, or fail."""
    from h5py import h5z

    if h5z.filter_avail(filter):
        return
    _hdf5plugin()  # its import makes its filters known
    if not h5z.filter_avail(filter):
        watch.fail(f"{name} is packed with filter {filter}, which is not known here")


def _hdf5plugin() -> Any:  # noqa: ANN401  # as above
    try:
        import hdf5plugin
    except ImportError as error:
        raise missing_extra("hdf5plugin", "hdf5") from error
    return hdf5plugin
