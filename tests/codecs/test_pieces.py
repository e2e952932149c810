"""Packed data that comes cut anywhere."""

from __future__ import annotations

import bz2
import random
from collections.abc import Callable

import pytest

from aevents.codecs.compression import lz4_packer, zstd_packer
from aevents.codecs.pieces import PIECES

TEXT = b"events " * 1_000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4_packer(),
    "bz2": bz2.compress,
    "zstd": zstd_packer(),
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
