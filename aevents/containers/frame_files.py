"""Frames in files of arrays: `.npy`, `.npz` and HDF5, read frame by frame."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from aevents._sequence import Rows, Timing, sequence_stream
from aevents.codecs.base import Watch
from aevents.containers.hdf5_file import Dataset, checked, datasets_of, opened, stored_rows
from aevents.containers.hdf5_frames import IMAGES, SPANS
from aevents.errors import DecodeError
from aevents.operators.view import Array
from aevents.stream import Stream
from aevents.types import Frame, Times

MOST_BYTES = 1 << 29
"""Of a frame, or of the frames of a block: a file may promise anything."""
RATE_HZ = 30


def open_frames(
    path: Path,
    *,
    rate_hz: float | Fraction | None = None,
    repeat: int | bool = 1,
    start_us: int = 0,
    array: str | None = None,
) -> Stream[Frame]:
    """Return the frames of an array `(n, height, width)` or `(n, height, width, 3)` in a file.

    `array` names it where there are several; unless given, it is the first of a `.npz`, and of HDF5
    `images`, or the only one that can be meant. `rate_hz`, 30 unless the file has times, `repeat`
    and `start_us` are as for `from_frames`.

    Raises `ValueError` for an option that is none; reading raises `FileNotFoundError`,
    `MissingExtraError` without h5py, and `DecodeError` for a file without frames.
    """
    rows = partial(READERS[path.suffix.lower()], path, array, timed=rate_hz is None)
    timing = Timing.of(RATE_HZ if rate_hz is None else rate_hz, repeat, start_us)
    return sequence_stream(str(path), rows, timing)


class NpyRows:
    """The rows of an array on disk, by mapping it into memory."""

    spans: Times | None = None

    def __init__(self, path: Path, array: str | None, *, timed: bool) -> None:
        if array is not None:
            raise ValueError("a .npy file has one array, without a name")
        try:
            self._array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise DecodeError("npy", str(error)) from error
        _check("npy", self._array.dtype, self._array.shape)

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, number: int, /) -> Array:
        return np.array(self._array[number])

    def close(self) -> None:
        """Let go of the file."""
        del self._array


class NpzRows:
    """The rows of one array of an archive. Those of a packed one are had in their order; going back
    begins at the first.
    """

    spans: Times | None = None

    def __init__(self, path: Path, array: str | None, *, timed: bool) -> None:
        with ExitStack() as stack:
            try:
                archive = stack.enter_context(zipfile.ZipFile(path))
                name = f"{array}.npy" if array else next(iter(archive.namelist()), "")
                self._entry = stack.enter_context(archive.open(name))
                version = np.lib.format.read_magic(self._entry)
                read = HEADERS.get(version, np.lib.format.read_array_header_2_0)
                shape, fortran, self._dtype = read(self._entry)
            except (zipfile.BadZipFile, ValueError, KeyError) as error:
                raise DecodeError("npz", f"{path.name}: {error}") from error
            if fortran:
                raise DecodeError("npz", f"{name} is in Fortran order: save it in C order")
            _check("npz", self._dtype, shape)
            self._count, *self._shape = shape
            self._first = self._entry.tell()
            self._open = stack.pop_all()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int, /) -> Array:
        size = int(np.prod(self._shape)) * self._dtype.itemsize
        try:
            self._entry.seek(self._first + number * size)
            data = self._entry.read(size)
        except (zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise DecodeError("npz", f"frame {number} is damaged: {error}") from error
        if len(data) < size:
            raise DecodeError("npz", f"the array ends within frame {number} of {self._count}")
        return np.frombuffer(data, self._dtype).reshape(self._shape)

    def close(self) -> None:
        """Close the archive."""
        self._open.close()


class Hdf5Rows:
    """The rows of a dataset, read in its own chunks; `spans` beside it are their times."""

    def __init__(self, path: Path, array: str | None, *, timed: bool) -> None:
        watch = Watch("hdf5", strict=True)
        with ExitStack() as stack:
            file = stack.enter_context(opened(path, watch))
            found = datasets_of(file, watch)
            self._dataset: Dataset = checked(_named(found, array, watch), watch)
            _check("hdf5", self._dataset.dtype, self._dataset.shape)
            self._count = stored_rows(self._dataset, watch)
            self.spans: Times | None = _spans(found.get(SPANS), self._count) if timed else None
            self._open = stack.pop_all()
        size = self._dataset.dtype.itemsize * int(np.prod(self._dataset.shape[1:]))
        length = self._dataset.chunks[0] if self._dataset.chunks else 1
        self._length = max(1, min(length, MOST_BYTES // size))
        self._block, self._at = np.empty(0), -1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int, /) -> Array:
        at = number - number % self._length
        if at != self._at:
            try:
                self._block, self._at = self._dataset[at : at + self._length], at
            except Exception as error:  # h5py raises what it likes
                raise DecodeError("hdf5", f"frames {at} and on are damaged: {error}") from error
        return np.array(self._block[number - at])

    def close(self) -> None:
        """Close the file."""
        self._open.close()


READERS: Mapping[str, Callable[..., Rows]] = {
    ".npy": NpyRows,
    ".npz": NpzRows,
    ".hdf5": Hdf5Rows,
    ".h5": Hdf5Rows,
}
"""By suffix."""
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def _check(format: str, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
    """Raise `DecodeError` for an array that holds no frames."""
    if dtype.kind not in "buif" or len(shape) < 3 or 0 in shape[1:]:
        what = f"{dtype} of shape {shape}".replace("'", "")
        frames = "Frames, which are numbers of shape (n, height, width) or more"
        raise DecodeError(format, f"what this {format} holds is {what}, not {frames}")
    if int(np.prod(shape[1:], dtype=object)) * dtype.itemsize > MOST_BYTES:
        raise DecodeError(format, f"a frame of {shape[1:]} is more than {MOST_BYTES >> 20} MiB")


def _named(found: Mapping[str, Dataset], name: str | None, watch: Watch) -> Dataset:
    if name is not None:
        if name.strip("/") not in found:
            watch.fail(f"there is no dataset {name!r}, but {', '.join(found) or 'none'}")
        return found[name.strip("/")]
    if IMAGES in found:
        return found[IMAGES]
    meant = [one for one in found.values() if len(one.shape or ()) >= 3]
    if len(meant) != 1:
        names = ", ".join(one.name for one in meant) or "none"
        watch.fail(f"say which array holds the frames, array=…: there are {names}")
    return meant[0]


def _spans(dataset: Dataset | None, count: int) -> Times | None:
    """Return the times that are kept beside frames, if they are times of these."""
    if dataset is None or dataset.shape != (count, 2) or dataset.dtype != np.int64 or not count:
        return None
    spans: Times = dataset[()]
    forward = np.all(spans[:, 1] >= spans[:, 0]) and np.all(np.diff(spans[:, 0]) >= 0)
    return spans if forward else None
