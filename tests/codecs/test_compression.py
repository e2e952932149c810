"""LZ4 and Zstandard frames: there and back, and what is refused."""

from __future__ import annotations

import bz2
import random
from collections.abc import Callable

import pytest
import zstandard

from aevents.codecs.compression import PIECES, lz4_pack, lz4_unpack, zstd_pack, zstd_unpack

TEXT = b"events " * 1_000
Unpack = Callable[[bytes, int], bytes]
BOTH = pytest.mark.parametrize(
    ("packed", "unpack"),
    [
        (lz4_pack(TEXT), lz4_unpack),
        (lz4_pack(TEXT, level=9), lz4_unpack),
        (zstd_pack(TEXT), zstd_unpack),
        (zstandard.ZstdCompressor(write_content_size=False).compress(TEXT), zstd_unpack),
    ],
    ids=["lz4", "lz4 high", "zstd", "zstd without size"],
)


@BOTH
def test_what_is_packed_is_unpacked(packed: bytes, unpack: Unpack) -> None:
    assert len(packed) < 200
    assert unpack(packed, len(TEXT)) == TEXT
    assert unpack(packed, 1 << 26) == TEXT


@BOTH
def test_more_than_the_limit_is_refused(packed: bytes, unpack: Unpack) -> None:
    with pytest.raises(ValueError, match="frame"):
        unpack(packed, len(TEXT) - 1)


@BOTH
def test_part_of_a_frame_is_refused(packed: bytes, unpack: Unpack) -> None:
    for length in range(len(packed)):
        with pytest.raises(ValueError, match="frame"):
            unpack(packed[:length], 1 << 26)


@pytest.mark.parametrize("unpack", [lz4_unpack, zstd_unpack])
def test_other_bytes_are_refused(unpack: Unpack) -> None:
    with pytest.raises(ValueError, match="is damaged"):
        unpack(b"these are no frames", 100)


def test_a_small_frame_of_many_bytes_is_refused_before_it_is_unpacked() -> None:
    large = bytes(1 << 27)
    with pytest.raises(ValueError, match="holds more than 67108864 bytes"):
        lz4_unpack(lz4_pack(large), 1 << 26)
    with pytest.raises(ValueError, match="holds 134217728 bytes, more than 67108864"):
        zstd_unpack(zstd_pack(large), 1 << 26)


def test_frames_of_several_megabytes_come_whole() -> None:
    large = TEXT * 500
    assert lz4_unpack(lz4_pack(large), len(large)) == large
    assert zstd_unpack(zstd_pack(large), len(large)) == large


def test_lz4_frames_are_such_as_dv_reads() -> None:
    """Version 1, linked blocks, no checksums and no size; blocks of at most 64 KiB."""
    assert lz4_pack(TEXT * 20)[:6] == b"\x04\x22\x4d\x18\x40\x40"


PACK: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4_pack,
    "bz2": bz2.compress,
    "zstd": zstd_pack,
}
NOISE = random.Random(0).randbytes(3_000_000)


def pieces(name: str, data: bytes, cut: int) -> list[bytes]:
    unpack = PIECES[name]()
    return [
        bytes(piece)
        for at in range(0, len(data), cut)
        for piece in unpack(memoryview(data)[at : at + cut])
    ]


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
def test_what_comes_in_pieces_is_unpacked_in_pieces(name: str, cut: int) -> None:
    assert b"".join(pieces(name, PACK[name](TEXT), cut)) == TEXT


@pytest.mark.parametrize("name", PACK)
def test_what_is_behind_the_end_is_left(name: str) -> None:
    assert b"".join(pieces(name, PACK[name](TEXT) + b"more", 11)) == TEXT
    assert b"".join(pieces(name, PACK[name](TEXT) + bytes(5_000), 1 << 20)) == TEXT


@pytest.mark.parametrize("name", PACK)
def test_what_is_cut_short_is_unpacked_up_to_there(name: str) -> None:
    packed = PACK[name](NOISE)
    unpacked = b"".join(pieces(name, packed[: len(packed) // 2], 1 << 20))
    assert NOISE.startswith(unpacked)
    assert len(unpacked) > len(NOISE) // 2 - 1_000_000


@pytest.mark.parametrize("name", PACK)
def test_damaged_pieces_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="what is packed is damaged"):
        pieces(name, b"nothing that was packed", 100)


@pytest.mark.parametrize("name", PACK)
def test_pieces_are_small_however_much_there_is(name: str) -> None:
    packed = PACK[name](bytes(1 << 28))
    assert len(packed) < 2_000_000
    sizes = [len(piece) for piece in PIECES[name]()(memoryview(packed))]
    assert sum(sizes) == 1 << 28
    assert max(sizes) <= 1 << 25
