"""Files as sinks: whole whatever happens."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from aevents.codecs.base import Patch
from aevents.errors import EncodeError
from aevents.sinks.file import FileSink
from aevents.testing import check_sink


class Lines:
    """An encoder of words: a header, a line each, and an end."""

    def __init__(self, patch: bool = False) -> None:
        self.begun = False
        self.patch = patch

    def feed(self, word: str, /) -> Iterator[bytes]:
        if not self.begun:
            self.begun = True
            yield b"count ?\n"
        if word == "bad":
            raise EncodeError("lines", "a bad word")
        yield word.encode() + b"\n"

    def flush(self) -> Iterator[bytes | Patch]:
        if self.patch:
            yield Patch(6, b"!")
        yield b"end\n"


async def test_a_file_obeys_the_laws_of_sinks(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    await check_sink(lambda: FileSink(Lines(), path), ["one", "two", "three"])
    assert path.read_text() == "count ?\none\ntwo\nthree\nend\n"


async def test_a_write_cancelled_natively_is_written_all_the_same(tmp_path: Path) -> None:
    go = threading.Event()

    class Slow(Lines):
        def feed(self, word: str, /) -> Iterator[bytes]:
            go.wait(5)
            return super().feed(word)

    path = tmp_path / "words.txt"
    sink = FileSink(Slow(), path)
    task = asyncio.ensure_future(sink.write("one"))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    go.set()
    await sink.aclose()
    assert path.read_text() == "count ?\none\nend\n"


async def test_a_patch_goes_back_and_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    sink = FileSink(Lines(patch=True), path)
    await sink.write("one")
    await sink.aclose()
    assert path.read_text() == "count !\none\nend\n"


async def test_an_item_that_does_not_fit_leaves_the_rest_whole(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    sink = FileSink(Lines(), path)
    await sink.write("one")
    with pytest.raises(EncodeError, match="a bad word"):
        await sink.write("bad")
    await sink.aclose()
    assert path.read_text() == "count ?\none\nend\n"


async def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    sink = FileSink(Lines(), tmp_path)
    with pytest.raises(IsADirectoryError):
        await sink.write("one")
    with pytest.raises(IsADirectoryError):
        await sink.aclose()


class Out(io.BytesIO):
    """Standard output to look at; `seekable` as asked."""

    def __init__(self, *, pipe: bool) -> None:
        super().__init__()
        self.pipe = pipe

    def seekable(self) -> bool:
        return not self.pipe

    @property
    def buffer(self) -> Out:
        return self


async def test_what_was_put_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    sink = FileSink(Lines(), path)
    await sink.write("one")
    assert path.read_bytes() == b"count ?\none\n"
    await sink.aclose()


async def test_standard_output_is_flushed_item_by_item_and_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = Out(pipe=True)
    monkeypatch.setattr(sys, "stdout", out)
    sink = FileSink(Lines(), None)
    await sink.write("one")
    assert out.getvalue() == b"count ?\none\n"
    await sink.aclose()
    assert out.getvalue() == b"count ?\none\nend\n"
    assert not out.closed


async def test_a_format_that_goes_back_cannot_go_down_a_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", Out(pipe=True))
    sink = FileSink(Lines(patch=True), None)
    with pytest.raises(EncodeError, match="write it to a file"):
        await sink.aclose()


async def test_a_closed_sink_takes_nothing(tmp_path: Path) -> None:
    sink = FileSink(Lines(), tmp_path / "words.txt")
    await sink.aclose()
    with pytest.raises(anyio.ClosedResourceError):
        await sink.write("one")
    assert (tmp_path / "words.txt").read_text() == "end\n"
