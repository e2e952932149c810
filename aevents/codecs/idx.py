"""IDX: an array of numbers behind a short header, as MNIST is published and specified at
yann.lecun.com/exdb/mnist.

byte 0-1 zero, byte 2 type, byte 3 number of dimensions
a u32 for each dimension, then the numbers, the last dimension fastest; all big-endian
"""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer
from aevents.errors import DecodeError, TruncatedError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The numbers by the type's code."""


def decode_idx(data: Buffer, /) -> npt.NDArray[np.generic]:
    """Return the array of an IDX file, read-only, without copying it.

    Raises `DecodeError` for what is no such file, and for bytes behind its numbers;
    `TruncatedError` where numbers are missing.
    """
    if len(data) < 4 or data[0] or data[1] or data[2] not in TYPES:
        raise DecodeError(
            "idx", f"the file begins with {bytes(data[:4])!r}, which is no IDX header"
        )
    dtype, body = np.dtype(TYPES[data[2]]), 4 + 4 * data[3]
    shape = np.frombuffer(data[4:body], ">u4") if len(data) >= body else None
    if shape is None:
        raise TruncatedError("idx", "the header is cut", offset=len(data))
    size = body + prod(shape.tolist()) * dtype.itemsize
    if len(data) < size:
        raise TruncatedError("idx", f"the file has {len(data)} of {size} bytes", offset=len(data))
    if len(data) > size:
        raise DecodeError("idx", "there are bytes behind the last number", offset=size)
    array = np.frombuffer(data, dtype, offset=body).reshape(shape.tolist())
    array.flags.writeable = False
    return array
