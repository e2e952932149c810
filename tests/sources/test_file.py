"""Files and standard input: chunks, one ahead, closed at once, nothing lost."""

from __future__ import annotations

import asyncio
import io
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest

from aevents.codecs.base import Hurry
from aevents.sources import file
from aevents.sources.file import FileSource, file_origin, stdin_origin
from aevents.stream import stream_of
from aevents.testing import check_source

OpenFiles = Callable[[], set[str]]
CONTENT = os.urandom(10_000)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file, "CHUNK_BYTES", 256)
    path = tmp_path / "aevents-test.bin"
    path.write_bytes(CONTENT)
    return path


def chunks_of(items: Sequence[object]) -> list[bytes | memoryview]:
    chunks = [item for item in items if isinstance(item, bytes | memoryview)]
    assert len(chunks) == len(items)
    return chunks


async def test_a_file_obeys_the_laws_of_sources(path: Path, open_files: OpenFiles) -> None:
    chunks = chunks_of(await check_source(file_origin(path)))
    assert b"".join(chunks) == CONTENT
    assert {len(chunk) for chunk in chunks[:-1]} == {256}


async def test_break_closes_the_file_at_once(path: Path, open_files: OpenFiles) -> None:
    async for _ in stream_of(file_origin(path)):
        assert open_files()
        break
    assert not open_files()


async def test_closing_leaves_no_task(path: Path) -> None:
    async with stream_of(file_origin(path)).open() as chunks:
        await anext(chunks)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_end_leaves_no_task_and_no_file(path: Path, open_files: OpenFiles) -> None:
    assert await stream_of(file_origin(path)).to_list()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_chunk_is_read_ahead(path: Path) -> None:
    source = FileSource(path)
    assert await anext(source) == CONTENT[:256]
    (ahead,) = asyncio.all_tasks() - {asyncio.current_task()}
    assert await ahead == CONTENT[256:512]
    assert await anext(source) == CONTENT[256:512]
    await source.aclose()


async def test_reads_cancelled_natively_lose_nothing(path: Path) -> None:
    got = bytearray()
    run = stream_of(file_origin(path)).open()

    async def read() -> None:
        got.extend(*chunks_of([await anext(run)]))

    for turns in range(60):
        task = asyncio.ensure_future(read())
        for _ in range(turns % 12):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    async for chunk in run:
        got.extend(*chunks_of([chunk]))
    assert bytes(got) == CONTENT


async def test_a_file_opened_after_the_close_is_not(path: Path, open_files: OpenFiles) -> None:
    source = FileSource(path)
    source.close()
    source._open()
    assert not open_files()


async def test_a_silent_pipe_is_closed_without_waiting_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "aevents-test.pipe"
    os.mkfifo(pipe)
    with await anyio.to_thread.run_sync(lambda: pipe.open("r+b", buffering=0)) as writer:
        writer.write(b"one")
        async with stream_of(file_origin(pipe)).open() as run:
            assert await anext(run) == Hurry()
            assert await anext(run) == b"one"
            with anyio.move_on_after(0.01) as scope:
                await anext(run)
            assert scope.cancelled_caught
            writer.write(b"two")
            assert await anext(run) == b"two"
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("name", "error"), [("nowhere.raw", FileNotFoundError), (".", IsADirectoryError)]
)
async def test_what_cannot_be_read_says_so(tmp_path: Path, name: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        await anext(stream_of(file_origin(tmp_path / name)).open())
    with pytest.raises(error):
        next(stream_of(file_origin(tmp_path / name)).blocking())


def test_a_named_pipe_is_read_in_a_hurry(tmp_path: Path) -> None:
    pipe = tmp_path / "aevents-test.pipe"
    os.mkfifo(pipe)
    with open(os.open(pipe, os.O_RDWR), "r+b", buffering=0) as writer:  # noqa: PTH123
        writer.write(b"one")
        with stream_of(file_origin(pipe)).blocking() as run:
            assert [next(run), next(run)] == [Hurry(), b"one"]


def test_a_file_as_standard_input_is_read_as_a_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        chunks = chunks_of(list(stream_of(stdin_origin()).blocking()))
    assert b"".join(chunks) == CONTENT


async def test_standard_input_is_handed_on_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as stdin, open(writing, "wb", buffering=0) as out:  # noqa: ASYNC230, PTH123
        text = io.TextIOWrapper(stdin)
        monkeypatch.setattr(sys, "stdin", text)
        run = stream_of(stdin_origin()).filter(bool).open()
        out.write(b"one")
        assert await anext(run) == Hurry()
        assert await anext(run) == b"one"
        with anyio.move_on_after(0.01) as scope:
            await anext(run)
        assert scope.cancelled_caught
        out.write(b"two")
        assert await anext(run) == b"two"
        out.close()
        with pytest.raises(StopAsyncIteration):
            await anext(run)
        text.detach()


FAULTS = """
import resource, sys
from pathlib import Path
from aevents.sources.file import read_items

def faults():
    before, held = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, [b""] * 3
    for chunk in read_items(Path(sys.argv[1]), None):
        held = [*held[1:], chunk]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print([faults() for _ in range(3)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep what they do")
def test_chunks_are_read_into_memory_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "long.bin"
    path.write_bytes(bytes(32 << 20))
    command = [sys.executable, "-c", FAULTS, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=15)
    pages = (32 << 20) // os.sysconf("SC_PAGE_SIZE")
    assert int(told.stdout) < pages / 32
