"""ROS 2 bags: a folder with `metadata.yaml` and files of messages, or one such SQLite file (.db3).

    metadata.yaml    relative_file_paths: the files, in order of time, MCAP (see `mcap`) or SQLite
                     (see `db3`), each perhaps packed as a whole with Zstandard, or each message

Specified in rosbag2 (`rosbag2_storage`, `rosbag2_compression`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from os import SEEK_END
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import BinaryIO

import zstandard

from aevents.codecs.base import SNIFF_BYTES, Codec, Reader
from aevents.codecs.pieces import WINDOW
from aevents.containers.mcap import MAGIC, McapDecoder
from aevents.containers.seek import MARGIN_US, last_before
from aevents.containers.topics import KINDS, ZSTD_MAGIC, Item, Topics
from aevents.types import EventBatch, Sensor

AT_ONCE = 1 << 20
SQLITE = b"SQLite format 3\0"
DESCRIPTION = "metadata.yaml"
MOST_DESCRIPTION = 1 << 24
MOST_TIMES = 256
"""A file packed as a whole is refused if it is more than so many times as large."""
Unpacked = BinaryIO | zstandard.ZstdDecompressionReader
FILES = re.compile(rb"^\s*relative_file_paths:\s*\n((?:\s*-[ \t]*\S.*(?:\n|$))+)", re.M)


def read(
    path: Path,
    *,
    kind: type = EventBatch,
    start: int | None = None,
    sensor: Sensor | None = None,
    strict: bool = False,
    topic: str | None = None,
) -> Reader:
    """Return what reads a ROS 2 bag: events, triggers, inertial measurements or frames.

    `topic` picks one topic by its name, as in the other bags. What is before `start` µs is left out
    as far as that is quick. Reading raises `DecodeError`, and `OSError` for a file that is missing.
    """
    topics = Topics("ros2", sensor=sensor, strict=strict, topic=topic)
    topics.kinds = tuple(one for one in KINDS if issubclass(one, kind))

    def items() -> Generator[Item, None, None]:
        if reader.room is not None:
            topics.keep_in(reader.room)
        yield from _items(path, topics, start)

    reader = Reader(items(), topics.counts, topics.watch.damage)
    return reader


def _items(path: Path, topics: Topics, start: int | None) -> Generator[Item, None, None]:
    files = _files(path, topics) if path.is_dir() else [path]
    if start is not None:
        files = _from_start(files, topics, start)
    for number, one in enumerate(files):
        topics.renumber()
        yield from _file(one, topics, None if number else start)
    yield from topics.flush()


def _from_start(files: list[Path], topics: Topics, start: int) -> list[Path]:
    """Leave out the files that end before `start`; none if that cannot be told."""

    def first_time(number: int) -> int | None:
        probe = topics.fresh()
        with closing(_file(files[number], probe, None)) as items:
            item = next(items, None)
        return None if item is None or probe.clock else item.span.start

    return files[last_before(len(files), first_time, start - MARGIN_US) :]


def _files(folder: Path, topics: Topics) -> list[Path]:
    with (folder / DESCRIPTION).open("rb") as file:
        named = FILES.search(file.read(MOST_DESCRIPTION))
    if named is None:
        topics.watch.fail(f"{DESCRIPTION} names no files")
    lines = named[1].decode("utf-8", "replace").splitlines()
    names = [line.strip().removeprefix("-").strip(" \t\"'") for line in lines]
    return [folder / PurePath(name).name for name in names]


def _file(path: Path, topics: Topics, start: int | None) -> Generator[Item, None, None]:
    with path.open("rb") as file:
        head = file.read(len(SQLITE))
        file.seek(0)
        if head.startswith(ZSTD_MAGIC):
            yield from _packed(path, file, topics, start)
        elif head.startswith(MAGIC):
            yield from _mcap(file, topics, start)
        elif head.startswith(SQLITE):
            yield from _open(path, topics)(start)
        else:
            topics.watch.fail(f"{path.name} is neither MCAP nor SQLite")


def _packed(path: Path, file: BinaryIO, topics: Topics, start: int | None) -> Iterator[Item]:
    """Read a file that is packed as a whole: MCAP from its start, SQLite where it can be sought."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    with unpacker.stream_reader(file) as pieces:
        try:
            first = pieces.read(AT_ONCE)
            if first.startswith(MAGIC):
                yield from _decoded(McapDecoder(topics=topics), first, pieces)
                return
            if not first.startswith(SQLITE):
                topics.watch.fail(f"{path.name} holds neither MCAP nor SQLite")
            with TemporaryDirectory() as folder:
                whole = Path(folder, path.stem)
                limit = MOST_TIMES * max(path.stat().st_size, AT_ONCE)
                if not _copy(first, pieces, whole, limit):
                    topics.watch.fail(f"{path.name} holds more than {limit} bytes")
                database = _open(whole, topics)
        except zstandard.ZstdError as error:
            topics.watch.fail(f"{path.name} is damaged: {error}")
    yield from database(start)


def _copy(first: bytes, pieces: Unpacked, to: Path, limit: int) -> bool:
    """Write the pieces to a file; say whether they are as few as this."""
    with to.open("wb") as file:
        while first and file.tell() <= limit:
            file.write(first)
            first = pieces.read(AT_ONCE)
        return file.tell() <= limit


def _open(path: Path, topics: Topics) -> Callable[[int | None], Iterator[Item]]:
    """Return what reads this SQLite file: it is open, and may be removed."""
    from aevents.containers import db3  # SQLite, which some Pythons are built without

    return partial(db3.read, db3.open(path, topics), topics)


def _mcap(file: BinaryIO, topics: Topics, start: int | None) -> Iterator[Item]:
    decoder = McapDecoder(topics=topics)
    if start is not None:
        _seek(file, decoder, start)
    yield from _decoded(decoder, file.read(AT_ONCE), file)


def _decoded(decoder: McapDecoder, first: bytes, rest: Unpacked) -> Iterator[Item]:
    while first:
        yield from decoder.feed(first)
        first = rest.read(AT_ONCE)
    decoder.end()


def _seek(file: BinaryIO, decoder: McapDecoder, start: int) -> None:
    def read_at(offset: int, size: int) -> bytes:
        file.seek(offset)
        return file.read(size)

    finder = McapDecoder(topics=decoder.topics.fresh())
    deque(finder.feed(read_at(0, SNIFF_BYTES)), maxlen=0)
    jump = finder.locate(read_at, file.seek(0, SEEK_END), start)
    if jump is not None:
        decoder.resume(jump)
    file.seek(jump.offset if jump else 0)


def _is_bag(head: bytes) -> bool:
    if head.startswith(SQLITE):
        return b"topics" in head and b"messages" in head
    return b"rosbag2_bagfile_information:" in head


CODEC = Codec(
    "ros2",
    suffixes=(".db3",),
    matches=_is_bag,
    reader=read,
    kinds=KINDS,
    seekable=True,
    about="ROS 2 bag: a folder, or SQLite (.db3)",
)
