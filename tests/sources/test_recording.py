"""Recordings by path: bytes, from the middle, by a library that opens them; folders."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from aevents import DecodeError, EventBatch, Sensor, TriggerBatch
from aevents.codecs.base import Buffer, Codec, Jump, ReadAt, Reader
from aevents.codecs.sniff import Recognise
from aevents.sources.recording import recording_origin
from aevents.stream import Stream, stream_of

OpenFiles = Callable[[], set[str]]
HEAD = b"COUNT\n"


class Counting:
    """A decoder of bytes, each an event at the time of its place behind the header."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._at = -len(HEAD)

    def feed(self, data: Buffer, /) -> Iterator[EventBatch]:
        times = [t for t in range(self._at, self._at + len(data)) if t >= 0]
        self._at += len(data)
        if times:
            zeros = [0] * len(times)
            yield EventBatch.from_columns(t=times, x=zeros, y=zeros, p=zeros, sensor=Sensor(1, 1))

    def flush(self) -> tuple[()]:
        return ()

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        assert read(0, 6) == HEAD
        offset = len(HEAD) + start
        return Jump(offset) if offset < size else None

    def resume(self, jump: Jump) -> None:
        self._at = jump.offset - len(HEAD)


def read(path: Path, *, kind: type, start: int | None) -> Reader:
    """Read like a library that opens the file itself."""
    counts = {"odd": 1}

    def items() -> Generator[EventBatch, None, None]:
        try:
            for t in range(start or 0, 5):
                yield EventBatch.from_columns(t=[t], x=[0], y=[0], p=[0], sensor=Sensor(1, 1))
            counts["odd"] += 1
        finally:
            CLOSED.append(path.name)

    return Reader(items(), counts)


CLOSED: list[str] = []
BYTES = Codec("counting", (".count",), Counting, matches=lambda head: head.startswith(HEAD))
LIBRARY = Codec(
    "library",
    (".lib",),
    reader=read,
    matches=lambda head: head.startswith((b"LIB", b"bag:")),
)


def recording(
    path: Path, *, kind: type = EventBatch, format: str | None = None
) -> Stream[EventBatch]:
    def codecs() -> tuple[Codec, ...]:
        return BYTES, LIBRARY

    make = partial(Recognise, codecs, name=path.name, kind=kind, format=format, options={})
    return stream_of(recording_origin(path, make, codecs)).through(make)  # type: ignore[arg-type]


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    path = tmp_path / "a.count"
    path.write_bytes(HEAD + bytes(3_000_000))
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "a.lib"
    path.write_bytes(b"LIB")
    CLOSED.clear()
    return path


def blocking_times(stream: Stream[EventBatch]) -> list[int]:
    return [t for batch in stream.blocking() for t in batch.t.tolist()]


async def times_of(stream: Stream[EventBatch]) -> list[int]:
    times = [t for batch in await stream.to_list() for t in batch.t.tolist()]
    assert await anyio.to_thread.run_sync(blocking_times, stream) == times
    return times


async def test_a_slice_begins_in_the_middle(counted: Path, open_files: OpenFiles) -> None:
    sliced = recording(counted).time_slice(2_000_000, 2_000_003)
    assert await times_of(sliced) == [2_000_000, 2_000_001, 2_000_002]
    first = await stream_of(sliced.origin).first()
    assert isinstance(first, Jump)
    assert first.offset == 2_000_006
    assert not open_files()


async def test_a_slice_with_nothing_to_jump_to_is_read_from_the_start(counted: Path) -> None:
    assert await times_of(recording(counted).time_slice(5_000_000)) == []


async def test_a_slice_after_another_operator_does_not_jump(counted: Path) -> None:
    stream = recording(counted).polarity(False)
    assert stream.time_slice(7).origin is stream.origin


async def test_a_library_reads_the_file_itself(library: Path) -> None:
    assert await times_of(recording(library)) == [0, 1, 2, 3, 4]
    assert await times_of(recording(library).time_slice(3)) == [3, 4]
    assert CLOSED == ["a.lib"] * 4


async def test_what_a_library_counts_is_reported(library: Path) -> None:
    async with recording(library).open() as run:
        async for _ in run:
            pass
    assert run.report == {"delivered": 5, "events": 5, "odd": 2}


async def test_break_closes_the_library(library: Path) -> None:
    async with recording(library).open() as run:
        await anext(run)
    assert CLOSED == ["a.lib"]


def test_break_closes_the_library_without_a_loop(library: Path) -> None:
    for _ in recording(library).blocking():
        break
    assert CLOSED == ["a.lib"]


async def test_a_folder_is_known_by_its_description(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_bytes(b"bag: 1")
    assert await times_of(recording(tmp_path)) == [0, 1, 2, 3, 4]


async def test_a_format_can_be_named(counted: Path) -> None:
    assert await times_of(recording(counted, format="library")) == [0, 1, 2, 3, 4]


async def test_kinds_that_are_not_held_are_refused(library: Path) -> None:
    with pytest.raises(ValueError, match="library holds EventBatch, not TriggerBatch"):
        await recording(library, kind=TriggerBatch).to_list()


def test_a_stream_of_bytes_is_not_for_a_library() -> None:
    recognise = Recognise(lambda: (LIBRARY,), name="-", kind=EventBatch, format=None, options={})
    with pytest.raises(DecodeError, match="is read from a file"):
        [*recognise.feed(b"LIB"), *recognise.flush()]


async def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await recording(tmp_path / "nowhere").to_list()
    with pytest.raises(IsADirectoryError):
        await recording(tmp_path).to_list()
