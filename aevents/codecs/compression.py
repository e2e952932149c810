"""LZ4 frames and Zstandard frames, unpacked under a bound: no input makes more than `limit` bytes.

`ValueError` for what is damaged, not whole, or too large.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

import lz4.frame
import zstandard

AT_ONCE = 1 << 20
"""LZ4 is unpacked in pieces of so many bytes: few frames tell their size."""
WINDOW = 1 << 27
"""The largest window of Zstandard that is accepted, which is what its own tool accepts."""
SLICE = 1 << 10
"""Zstandard is handed so many bytes at a time, which hold 32 MiB at worst."""

Pieces = Callable[[memoryview], Iterator[bytes | memoryview]]
"""Takes the next bytes of what is packed; gives, piece by piece, what they hold."""


def lz4_pack(data: bytes, *, level: int = 0) -> bytes:
    """Return one LZ4 frame: linked blocks of at most 64 KiB, no checksums."""
    size = lz4.frame.BLOCKSIZE_MAX64KB
    packed = lz4.frame.compress(
        data, compression_level=level, block_size=size, block_linked=True, store_size=False
    )
    return cast("bytes", packed)  # the package says nothing of types


def lz4_unpack(data: bytes, limit: int) -> bytes:
    """Return what an LZ4 frame holds."""
    unpacker = lz4.frame.LZ4FrameDecompressor()
    pieces: list[bytes] = []
    left = limit
    while not unpacker.eof:
        try:
            piece = unpacker.decompress(data, max_length=min(left + 1, AT_ONCE))
        except (RuntimeError, MemoryError) as error:
            raise ValueError(f"the LZ4 frame is damaged: {error}") from None
        data = b""
        left -= len(piece)
        if left < 0:
            raise ValueError(f"the LZ4 frame holds more than {limit} bytes")
        if unpacker.needs_input and not unpacker.eof:
            raise ValueError("the LZ4 frame is not whole")
        pieces.append(piece)
    return b"".join(pieces)


def zstd_pack(data: bytes, *, level: int = 3) -> bytes:
    """Return one Zstandard frame, which tells its size."""
    return zstandard.ZstdCompressor(level=level).compress(data)


def zstd_unpack(data: bytes, limit: int) -> bytes:
    """Return what a Zstandard frame holds."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    try:
        size = zstandard.frame_content_size(data)
        if size > limit:
            raise ValueError(f"the Zstandard frame holds {size} bytes, more than {limit}")
        return unpacker.decompress(data, max_output_size=limit)
    except zstandard.ZstdError as error:
        raise ValueError(f"the Zstandard frame is damaged: {error}") from None


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
