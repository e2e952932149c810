"""LZ4 and Zstandard frames: there and back, and what is refused."""

from __future__ import annotations

import pytest
import zstandard

from aevents.codecs.compression import Lz4, Plain, Unpacker, Zstd, lz4_packer, zstd_packer

TEXT = b"events " * 1_000
zstd_pack = zstd_packer()
BOTH = pytest.mark.parametrize(
    ("packed", "unpack"),
    [
        (lz4_packer()(TEXT), Lz4()),
        (lz4_packer(level=9)(TEXT), Lz4()),
        (zstd_pack(TEXT), Zstd()),
        (zstandard.ZstdCompressor(write_content_size=False).compress(TEXT), Zstd()),
    ],
    ids=["lz4", "lz4 high", "zstd", "zstd without size"],
)


@BOTH
def test_what_is_packed_is_unpacked(packed: bytes, unpack: Unpacker) -> None:
    assert len(packed) < 200
    assert unpack.whole(packed, len(TEXT)) == TEXT
    assert unpack.whole(packed, 1 << 26) == TEXT


@BOTH
def test_more_than_the_limit_is_refused(packed: bytes, unpack: Unpacker) -> None:
    with pytest.raises(ValueError, match="frame"):
        unpack.whole(packed, len(TEXT) - 1)


@BOTH
def test_part_of_a_frame_is_refused(packed: bytes, unpack: Unpacker) -> None:
    for length in range(len(packed)):
        with pytest.raises(ValueError, match="frame"):
            unpack.whole(packed[:length], 1 << 26)


@pytest.mark.parametrize("unpack", [Lz4(), Zstd()])
def test_other_bytes_are_refused(unpack: Unpacker) -> None:
    with pytest.raises(ValueError, match="is damaged"):
        unpack.whole(b"these are no frames", 100)


def test_a_small_frame_of_many_bytes_is_refused_before_it_is_unpacked() -> None:
    large = bytes(1 << 27)
    with pytest.raises(ValueError, match="holds more than 67108864 bytes"):
        Lz4().whole(lz4_packer()(large), 1 << 26)
    with pytest.raises(ValueError, match="holds 134217728 bytes, more than 67108864"):
        Zstd().whole(zstd_pack(large), 1 << 26)


def test_frames_of_several_megabytes_come_whole() -> None:
    large = TEXT * 500
    assert Lz4().whole(lz4_packer()(large), len(large)) == large
    assert Zstd().whole(zstd_pack(large), len(large)) == large


def test_lz4_frames_are_such_as_dv_reads() -> None:
    """Version 1, blocks by themselves, of at most 64 KiB, no checksums and no size."""
    assert lz4_packer()(TEXT * 20)[:6] == b"\x04\x22\x4d\x18\x60\x40"


@pytest.mark.parametrize(
    ("packed", "unpack"), [(lz4_packer()(TEXT * 40), Lz4()), (zstd_pack(TEXT * 40), Zstd())]
)
def test_what_there_is_of_a_frame_is_unpacked(packed: bytes, unpack: Unpacker) -> None:
    whole = TEXT * 40
    assert unpack.some(packed, 1 << 20) == whole
    assert unpack.some(packed + b"more", 1 << 20) == whole
    assert unpack.some(packed, 100) == whole[:100]
    part = unpack.some(packed[: 2 * len(packed) // 3], 1 << 20)
    assert len(part) >= 65_536
    assert whole.startswith(bytes(part))
    assert bytes(unpack.some(b"", 100)) == b""
    with pytest.raises(ValueError, match=r"is followed by 4 bytes|contains 4 bytes of unused"):
        unpack.whole(packed + b"more", 1 << 20)
    assert unpack.whole(packed, 1 << 20) == whole  # what came before has left nothing behind


def test_what_is_not_packed_stays() -> None:
    assert (Plain().whole(b"abc", 9), Plain().some(b"abc", 2)) == (b"abc", b"ab")
