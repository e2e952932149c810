"""LZ4 frames and Zstandard frames, unpacked under a bound: no input makes more than `limit` bytes.

`ValueError` for what is damaged, not whole, or too large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, cast

import lz4.frame
import zstandard

from aevents.codecs.base import Buffer

AT_ONCE = 1 << 16
"""Bytes that are unpacked in one step where the size is not known."""
MOST_BLOCK = 1 << 16
"""Of LZ4 frames as they are in use: with room for one more, all are unpacked where they belong."""
WINDOW = 1 << 25
"""The largest window of Zstandard that is accepted: it is memory that unpacking in steps takes."""


class Unpacker(Protocol):
    """Unpacks frames, one after the other: what it needs for that it keeps."""

    magic: ClassVar[bytes]
    """What frames begin with."""

    def whole(self, data: Buffer, limit: int) -> Buffer:
        """Return what this one frame holds. Raises `ValueError`, for bytes behind it too."""

    def some(self, data: Buffer, limit: int) -> Buffer:
        """Return what can be unpacked of a frame that is torn, damaged or followed by more."""


class Plain:
    """Data that is not packed."""

    magic: ClassVar[bytes] = b""

    def whole(self, data: Buffer, limit: int) -> Buffer:
        """Return these bytes."""
        return data[:limit]

    some = whole


class Lz4:
    """LZ4 frames."""

    magic: ClassVar[bytes] = b"\x04\x22\x4d\x18"

    def __init__(self) -> None:
        self._context = lz4.frame.create_decompression_context()
        self._expected = AT_ONCE

    def whole(self, data: Buffer, limit: int) -> Buffer:
        """Return what this one frame holds. Raises `ValueError`, for bytes behind it too."""
        content, fault = self._unpacked(data, limit, min(limit, self._expected) + MOST_BLOCK)
        if fault:
            raise ValueError(f"the LZ4 frame {fault}")
        self._expected = max(self._expected, len(content))
        return content

    def some(self, data: Buffer, limit: int) -> Buffer:
        """Return what can be unpacked of a frame that is torn, damaged or followed by more."""
        return memoryview(self._unpacked(data, limit, AT_ONCE)[0])[:limit]

    def _unpacked(self, data: Buffer, limit: int, step: int) -> tuple[Buffer, str]:
        """Return what was unpacked, and what is wrong with the frame."""
        lz4.frame.reset_decompression_context(self._context)
        view, content, piece = memoryview(data), bytearray(), b""
        while True:
            content += piece
            try:
                piece, used, ended = lz4.frame.decompress_chunk(
                    self._context, view, max_length=step
                )
            except (RuntimeError, MemoryError) as error:
                return content, f"is damaged: {error}"
            view = view[used:]
            if len(content) + len(piece) > limit:
                content += piece[: limit - len(content)]
                return content, f"holds more than {limit} bytes"
            if ended:
                fault = f"is followed by {len(view)} bytes" if len(view) else ""
                return content + piece if content else piece, fault
            if not piece and not used:
                return content, "is not whole"


class Zstd:
    """Zstandard frames."""

    magic: ClassVar[bytes] = b"\x28\xb5\x2f\xfd"

    def __init__(self) -> None:
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)

    def whole(self, data: Buffer, limit: int) -> bytes:
        """Return what this one frame holds. Raises `ValueError`, for bytes behind it too."""
        try:
            size = zstandard.frame_content_size(data)
            if size > limit:
                raise ValueError(f"the Zstandard frame holds {size} bytes, more than {limit}")
            return self._unpacker.decompress(data, max_output_size=limit, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise ValueError(f"the Zstandard frame is damaged: {error}") from None

    def some(self, data: Buffer, limit: int) -> Buffer:
        """Return what can be unpacked of a frame that is torn, damaged or followed by more."""
        reader = self._unpacker.stream_reader(data)
        content, piece = bytearray(), b"begun"
        while piece and len(content) < limit:
            try:
                piece = reader.read(min(limit - len(content), AT_ONCE))
            except zstandard.ZstdError:
                break
            content += piece
        return content


def lz4_packer(*, level: int = 0) -> Callable[[Buffer], bytes]:
    """Return what makes LZ4 frames, one after the other: blocks of at most 64 KiB, each by itself,
    no checksums.

    Of events, blocks that are linked are packed more slowly, and not better.
    """
    context = lz4.frame.create_compression_context()

    def pack(data: Buffer) -> bytes:
        head = lz4.frame.compress_begin(
            context,
            compression_level=level,
            block_size=lz4.frame.BLOCKSIZE_MAX64KB,
            block_linked=False,
            auto_flush=True,
        )
        blocks = lz4.frame.compress_chunk(context, data)
        return cast("bytes", head + blocks + lz4.frame.compress_flush(context))  # untyped

    return pack


def zstd_packer(*, level: int = 3) -> Callable[[Buffer], bytes]:
    """Return what makes Zstandard frames, which tell their size, one after the other."""
    return zstandard.ZstdCompressor(level=level).compress
