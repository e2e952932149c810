"""Random numbers that depend on nothing but their number and a key, in NumPy: see `dice.h`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bits = NDArray[np.uint32]


def dice(number: NDArray[np.integer], key: int, other_key: int | Bits) -> Bits:
    """Return 32 random bits for each number, by a key of twice 32 bits."""
    bits = number.astype(np.uint32) * np.uint32(0x9E3779B9) + np.uint32(key)
    return _mixed(_mixed(bits) + np.asarray(other_key, np.uint32))


def share(bits: Bits, following: Bits) -> NDArray[np.float64]:
    """Return numbers from 0 up to 1, of 64 bits each."""
    return (bits + following * 2.0**-32) * 2.0**-32


def below(bits: Bits, most: int) -> NDArray[np.uint64]:
    """Return whole numbers from 0 up to `most`."""
    return bits.astype(np.uint64) * np.uint64(most) >> np.uint64(32)


def normal(bits: Bits, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return normal numbers, by `normals.normal_table`: the highest bit is their sign."""
    share = ((bits & np.uint32(0x7FFFFFFF)) | np.uint32(1)).astype(np.float32)
    seen = share.view(np.uint32)
    at = (seen >> np.uint32(19)) - np.uint32(127 << 4)
    rest = (seen & np.uint32(0x7FFFF)).astype(np.float32) * np.float32(2**-19)
    far = table[at] + rest * (table[at + 1] - table[at])
    return np.asarray(np.where(bits >> np.uint32(31), -far, far), np.float32)


def _mixed(bits: Bits) -> Bits:
    bits = (bits ^ bits >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    bits = (bits ^ bits >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return bits ^ bits >> np.uint32(16)
