"""LZ4, bzip2 and Zstandard that come cut anywhere, unpacked piece by piece: in bounded memory, and
up to where they are cut.

`ValueError` for what is damaged.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import lz4.frame
import zstandard

AT_ONCE = 1 << 20
"""LZ4 and bzip2 are unpacked in pieces of so many bytes."""
WINDOW = 1 << 27
"""The largest window of Zstandard that is accepted, which is what its own tool accepts."""
SLICE = 1 << 10
"""Zstandard is handed so many bytes at a time, which hold 32 MiB at worst."""

Pieces = Callable[[memoryview], Iterator[bytes | memoryview]]
"""Takes the next bytes of what is packed; gives, piece by piece, what they hold."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _pieces(unpacker: _Unpacker) -> Pieces:
    def unpack(data: memoryview) -> Iterator[bytes]:
        given = bytes(data)
        while not unpacker.eof:
            try:
                piece = unpacker.decompress(given, AT_ONCE)
            except (RuntimeError, OSError, MemoryError) as error:
                raise ValueError(f"what is packed is damaged: {error}") from None
            given = b""
            yield piece
            if unpacker.needs_input:
                return

    return unpack


def _zstd_pieces() -> Pieces:
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()

    def unpack(data: memoryview) -> Iterator[bytes]:
        for at in range(0, len(data), SLICE):
            if unpacker.eof:
                return
            try:
                yield unpacker.decompress(data[at : at + SLICE])
            except zstandard.ZstdError as error:
                raise ValueError(f"what is packed is damaged: {error}") from None

    return unpack


PIECES: Mapping[str, Callable[[], Pieces]] = {
    "lz4": lambda: _pieces(lz4.frame.LZ4FrameDecompressor()),
    "bz2": lambda: _pieces(bz2.BZ2Decompressor()),
    "zstd": _zstd_pieces,
}
"""Ways to unpack what comes cut anywhere, by name: in bounded memory, and up to where it is cut."""
