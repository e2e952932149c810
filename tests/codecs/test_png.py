"""PNG: the bytes, read back by hand and by FFmpeg."""

from __future__ import annotations

import io
import struct
import zlib

import av
import numpy as np
import numpy.typing as npt
import pytest

from aevents.codecs.png import encode_png


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG by name, after checking their CRC."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        (crc,) = struct.unpack_from(">I", data, at + 8 + size)
        assert crc == zlib.crc32(name + body)
        found.append((name, body))
        at += 12 + size
    return found


def pixels_of(data: bytes, format: str) -> npt.NDArray[np.generic]:
    with av.open(io.BytesIO(data), "r") as container:
        return next(container.decode(video=0)).to_ndarray(format=format)


def test_a_gray_picture_is_three_chunks_with_its_rows_unfiltered() -> None:
    header, body, end = chunks(encode_png(np.array([[1, 2, 3], [4, 5, 6]], np.uint8)))
    assert header == (b"IHDR", b"\x00\x00\x00\x03\x00\x00\x00\x02\x08\x00\x00\x00\x00")
    assert body[0] == b"IDAT"
    assert zlib.decompress(body[1]) == b"\x00\x01\x02\x03\x00\x04\x05\x06"
    assert end == (b"IEND", b"")


@pytest.mark.parametrize(
    ("shape", "colour_type", "format"),
    [((7, 5), 0, "gray"), ((7, 5, 3), 2, "rgb24"), ((7, 5, 4), 6, "rgba")],
)
def test_a_picture_is_read_back_as_it_was(
    shape: tuple[int, ...], colour_type: int, format: str
) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    data = encode_png(picture)
    assert chunks(data)[0][1][9] == colour_type
    np.testing.assert_array_equal(pixels_of(data, format), picture)


def test_pixels_that_are_not_contiguous_are_read_in_their_order() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)[:, ::-1]
    np.testing.assert_array_equal(pixels_of(encode_png(picture), "rgb24"), picture)


def test_a_higher_level_makes_a_smaller_file() -> None:
    picture = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    assert len(encode_png(picture, level=9)) < len(encode_png(picture, level=0)) / 10


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 2), np.float32), "uint8 pixels, not of float32"),
        (np.zeros(4, np.uint8), r"not of uint8 \(4,\)"),
        (np.zeros((0, 4), np.uint8), r"not of uint8 \(0, 4\)"),
        (np.zeros((2, 2, 2), np.uint8), "1, 3 or 4 samples, not 2"),
    ],
)
def test_what_is_no_picture_is_refused(picture: npt.NDArray[np.uint8], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_png(picture)
