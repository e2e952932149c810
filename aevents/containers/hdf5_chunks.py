"""Chunks of an HDF5 dataset as they stand in the file: unpacked elsewhere, or not packed at all.

The library copies a chunk into its cache and from there into a new array; this reads it once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer
from aevents.containers.hdf5_file import Dataset, filters_of

LEAST_ROWS, MOST_ROWS = 4096, 1 << 17
"""In a chunk: a call takes as long as copying thousands of rows, and all of a chunk is held."""


class Chunks:
    """The chunks of a dataset of one dimension, of `length` rows each. There is room for `most`
    bytes of one.
    """

    def __init__(self, dataset: Dataset, *, most: int = 0) -> None:
        self._dataset = dataset
        self.length: int = dataset.chunks[0]
        self._room = bytearray(max(most, self.length * dataset.dtype.itemsize))

    def read(self, index: int, to: Any = None) -> tuple[Buffer, bool]:  # noqa: ANN401  # a buffer
        """Return the bytes of a chunk, until the next is read, and whether the dataset's filters
        have packed them; no bytes if there are none, or too many. They are written to `to`, if that
        is given.
        """
        at = (index * self.length,)
        try:  # asking for the size beforehand would take the library a walk along all chunks
            to = self._room if to is None else to
            mask, chunk = self._dataset.id.read_direct_chunk(at, out=to)
        except (RuntimeError, ValueError):
            return b"", True
        return chunk, not mask

    def records(self, chunk: Buffer) -> npt.NDArray[np.void]:
        """Return the rows of a chunk that the filter has left as they were."""
        return np.frombuffer(chunk, self._dataset.dtype, self.length)


class PlainRows:
    """Rows of a dataset of one dimension, read as the library would, and more quickly where its
    chunks are large and not packed: of `length` rows then, else 0. They stay until the next are
    read, which begin at a chunk, too.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._chunks = Chunks(dataset) if _is_plain(dataset) else None
        self.length: int = self._chunks.length if self._chunks else 0
        self._rows: npt.NDArray[Any] = np.empty(0, dataset.dtype)

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return these rows."""
        chunks = self._chunks
        aligned = chunks is not None and start % chunks.length == 0
        found = self._direct(chunks, start, stop) if chunks and aligned else None
        return self._dataset[start:stop] if found is None else found

    def _direct(self, chunks: Chunks, start: int, stop: int) -> npt.NDArray[Any] | None:
        length = chunks.length
        numbers = range(start // length, -(-stop // length))  # `start` is where a chunk begins
        if len(self._rows) < len(numbers) * length:
            self._rows = np.empty(len(numbers) * length, self._dataset.dtype)
        for place, number in enumerate(numbers):
            part = self._rows[place * length : (place + 1) * length].view(np.uint8)
            chunk, _ = chunks.read(number, part.data)
            if len(chunk) != len(part):
                return None  # it is not there: the library knows what stands for it
        return self._rows[: stop - start]


def _is_plain(dataset: Dataset) -> bool:
    """Say whether chunks are worth reading, and their bytes are those of NumPy's values."""
    from h5py import h5t

    if len(dataset.shape) != 1 or not dataset.chunks:
        return False
    if not LEAST_ROWS <= dataset.chunks[0] <= MOST_ROWS:
        return False
    if filters_of(dataset) or dataset.dtype.kind not in "iufV":
        return False
    return bool(h5t.py_create(dataset.dtype).equal(dataset.id.get_type()))
