"""Frames in HDF5: `/images`, of shape (n, …, height, width), and `/spans`, of shape (n, 2), the
beginning and the end of each in µs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aevents.containers.hdf5_file import Dataset, File
from aevents.errors import EncodeError
from aevents.types import Frame

IMAGES, SPANS = "images", "spans"
CHUNK_BYTES = 1 << 20
"""A chunk has rows of one frame, of about so many bytes: then readers unpack no more than asked."""
SPANS_AT_ONCE = 512


class FrameRows:
    """Frames like `first`, appended one by one."""

    def __init__(self, file: File, first: Frame, filter: Mapping[str, Any]) -> None:
        shape = first.shape
        largest = max(range(len(shape)), key=shape.__getitem__) if shape else 0
        pieces = -(-first.array.nbytes // CHUNK_BYTES) or 1
        chunk = [*shape]
        chunk[largest] = -(-chunk[largest] // pieces)
        self._images: Dataset = file.create_dataset(
            IMAGES, (0, *shape), first.array.dtype, chunks=(1, *chunk),
            maxshape=(None, *shape), **filter,
        )  # fmt: skip
        self._spans: Dataset = file.create_dataset(
            SPANS, (0, 2), np.int64, chunks=(SPANS_AT_ONCE, 2), maxshape=(None, 2)
        )
        self._like = shape, first.array.dtype

    def put(self, frame: Frame) -> None:
        """Append a frame. Raises `EncodeError` for one of another shape or type than the first."""
        if (frame.shape, frame.array.dtype) != self._like:
            shape, dtype = self._like
            what = f"a frame {frame.shape} of {frame.array.dtype} after frames {shape} of {dtype}"
            raise EncodeError("hdf5", what)
        number = len(self._spans)
        self._images.resize(number + 1, axis=0)
        self._images[number] = frame.array
        self._spans.resize(number + 1, axis=0)
        self._spans[number] = frame.span
