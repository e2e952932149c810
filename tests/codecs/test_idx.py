"""IDX: arrays of all types, and what is no IDX file."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents.codecs.idx import TYPES, decode_idx
from aevents.errors import DecodeError, TruncatedError


def idx(code: int, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    """Return the file of an array."""
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes((0, 0, code, array.ndim)) + shape + array.astype(TYPES[code]).tobytes()


IMAGES = idx(0x08, np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize("code", TYPES)
def test_numbers_of_all_types_are_read(code: int) -> None:
    array = np.arange(6).reshape(2, 3)
    found = decode_idx(idx(code, array))
    assert found.dtype == np.dtype(TYPES[code])
    assert (found == array).all()


def test_an_array_shares_the_bytes_and_cannot_be_changed() -> None:
    found = decode_idx(IMAGES)
    assert found.shape == (2, 3, 4)
    assert not found.flags.owndata
    assert not found.flags.writeable


def test_an_array_may_have_no_dimensions_or_no_numbers() -> None:
    assert decode_idx(bytes((0, 0, 8, 0, 7))).item() == 7
    assert decode_idx(idx(0x08, np.zeros((0, 28, 28)))).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", DecodeError, "no IDX header"),
        (b"\x00\x00\x0a\x01", DecodeError, "no IDX header"),
        (b"\x01\x00\x08\x01", DecodeError, "no IDX header"),
        (IMAGES[:9], TruncatedError, "the header is cut at byte 9"),
        (IMAGES[:-1], TruncatedError, "39 of 40 bytes"),
        (IMAGES + b"x", DecodeError, "bytes behind the last number at byte 40"),
        (bytes((0, 0, 14, 255)) + b"\xff" * 4 * 255, TruncatedError, "the file has"),
    ],
)
def test_what_is_no_idx_file_is_refused(data: bytes, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        decode_idx(data)


@given(st.binary(max_size=64) | st.binary(max_size=40).map(lambda tail: IMAGES[:4] + tail))
def test_any_bytes_give_an_array_or_a_decode_error(data: bytes) -> None:
    with suppress(DecodeError):
        assert decode_idx(data).nbytes < len(data)
