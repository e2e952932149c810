"""PNG: pictures without loss, by zlib alone (W3C Portable Network Graphics, third edition).

    89 "PNG" 0D 0A 1A 0A    signature
    IHDR                    width, height, bits, colour type, compression, filter, interlace
    IDAT                    zlib of the rows, each behind one byte that names its filter
    IEND                    nothing

A chunk is its length (u32, big-endian), its name, its data, and the CRC-32 of name and data. Rows
are left unfiltered (0): for pictures of events, points on a plain ground, that makes the smallest
file (of three recordings, the filters "sub" and "up" made it larger by 8% to 63%).
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
"""The type of a picture by its samples a pixel: gray, RGB, RGB with opacity."""


def encode_png(pixels: npt.NDArray[np.uint8], /, *, level: int = 6) -> bytes:
    """Return the PNG file of a picture of uint8 pixels.

    Gray is `(height, width)`, RGB `(height, width, 3)`, RGB with opacity `(height, width, 4)`.
    `level` is zlib's, from 0 (fast) to 9 (small). Raises `ValueError` for any other dtype or shape.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise ValueError(f"a PNG is made of uint8 pixels, not of {pixels.dtype} {pixels.shape}")
    height, width, samples = (*pixels.shape, 1)[:3]
    if samples not in COLOUR_TYPES:
        raise ValueError(f"a pixel has 1, 3 or 4 samples, not {samples}")
    head = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[samples], 0, 0, 0)
    rows = np.zeros((height, 1 + width * samples), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    body = zlib.compress(rows.data, level)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
