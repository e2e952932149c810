"""Indexes of recordings, kept for as long as the process lives, and beside the file when asked for.

An index is of a file of one size and one time of change; of any other it is none.
"""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock

import msgspec

from aevents.codecs.seek import FOREVER, Index

SUFFIX = ".aeindex"
VERSION = 1
MOST_KEPT = 32
SUM_BYTES = 4
MOST_BYTES = 1 << 26
"""Of a kept index that is read: this one would be of a file of 500 GB."""

Key = tuple[str, str, int, int]


class Kept(msgspec.Struct, frozen=True):
    """What stands beside a file, as MessagePack behind its CRC-32: the format, the size and the
    time of change (ns) of the file, and the index.
    """

    version: int
    format: str
    size: int
    changed: int
    index: Index


class FileIndexes:
    """The indexes of one file, by format; `wanted` keeps them beside it, too.

    Keeping one raises what writing a file raises.
    """

    def __init__(self, path: Path, status: os.stat_result, *, wanted: bool) -> None:
        self.wanted: bool = wanted
        self._path = path
        self._size = status.st_size
        self._changed = status.st_mtime_ns

    def get(self, format: str) -> Index | None:
        """Return the index of the file as it is now, if there is one."""
        with _lock:
            index = _kept.pop(self._key(format), None)
        if self.wanted:
            beside = self._beside(format)
            if beside is None and index is not None and index.reach == FOREVER:
                self._write(format, index)
            index = beside or index
        if index is not None:
            self._remember(format, index)
        return index

    def put(self, format: str, index: Index) -> Index:
        """Keep an index; return it."""
        self._remember(format, index)
        if self.wanted:
            self._write(format, index)
        return index

    def _key(self, format: str) -> Key:
        return os.path.realpath(self._path), format, self._size, self._changed

    def _remember(self, format: str, index: Index) -> None:
        with _lock:
            _kept[self._key(format)] = index
            if len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)

    def _beside(self, format: str) -> Index | None:
        """Return what is kept beside the file, unless that is damaged or of another file."""
        try:
            with self._place().open("rb") as file:
                data = file.read(MOST_BYTES)
        except FileNotFoundError:
            return None
        if data[:SUM_BYTES] != _sum(data[SUM_BYTES:]):
            return None
        try:
            kept = msgspec.msgpack.decode(data[SUM_BYTES:], type=Kept)
        except msgspec.DecodeError:
            return None  # of another version
        of_this = Kept(VERSION, format, self._size, self._changed, kept.index) == kept
        return kept.index if of_this else None

    def _write(self, format: str, index: Index) -> None:
        """Write it whole or not at all: others may be reading."""
        kept = Kept(VERSION, format, self._size, self._changed, index)
        data = msgspec.msgpack.encode(kept)
        place = self._place()
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        part.write_bytes(_sum(data) + data)
        part.replace(place)

    def _place(self) -> Path:
        return self._path.with_name(self._path.name + SUFFIX)


def _sum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(SUM_BYTES, "little")


_lock = Lock()
_kept: OrderedDict[Key, Index] = OrderedDict()
"""The last indexes that were used, of any file."""
