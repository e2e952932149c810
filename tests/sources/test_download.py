"""Downloads from a server of our own: whole, gone on with, from the next mirror, or refused."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import anyio
import pytest

from aevents.errors import DownloadError
from aevents.sources import download
from aevents.sources.download import fetch
from aevents.sources.published import Published

DATA = bytes(range(256)) * 1000
FILE = Published("digits.gz", len(DATA), hashlib.sha256(DATA).hexdigest())


class Mirror(ThreadingHTTPServer):
    """A server with one file, and a fault; it notes what it was asked for."""

    daemon_threads = True

    def __init__(self, data: bytes, fault: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.data = data
        self.fault = fault
        self.asked: list[tuple[str, str | None]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mnist"


class Answer(BaseHTTPRequestHandler):
    """The whole file, or the rest of it that is asked for."""

    def do_GET(self) -> None:
        mirror = cast("Mirror", self.server)
        asked = self.headers["Range"]
        mirror.asked.append((self.path, asked))
        if mirror.fault == "missing":
            return self.send_error(404)
        start = int(asked[6:-1]) if asked and mirror.fault != "no ranges" else 0
        rest = mirror.data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        if start:
            shown = start + 1 if mirror.fault == "another range" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(mirror.data) - 1}/*")
        self.end_headers()
        if mirror.fault == "breaks off":
            rest = rest[: len(rest) // 2]
        if mirror.fault == "hangs":
            self.wfile.write(rest[: len(rest) // 2])
            mirror.begun.set()
            mirror.go_on.wait(10)
            return None
        self.wfile.write(rest)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def mirror(data: bytes = DATA, fault: str = "") -> Iterator[Mirror]:
    with Mirror(data, fault) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


async def test_a_file_is_downloaded_once(tmp_path: Path) -> None:
    with mirror() as server:
        path = await fetch(FILE, tmp_path / "new", [server.url])
        assert path == tmp_path / "new" / "digits.gz"
        assert path.read_bytes() == DATA
        assert await fetch(FILE, tmp_path / "new", [f"{server.url}/"]) == path
        assert server.asked == [("/mnist/digits.gz", None)]
    assert [one.name for one in path.parent.iterdir()] == ["digits.gz"]


async def test_a_download_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "digits.gz.part").write_bytes(DATA[:1000])
    with mirror() as server:
        path = await fetch(FILE, tmp_path, [server.url])
        assert server.asked == [("/mnist/digits.gz", "bytes=1000-")]
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("fault", ["no ranges", "another range"])
async def test_a_server_without_the_range_gives_the_whole_file(fault: str, tmp_path: Path) -> None:
    (tmp_path / "digits.gz.part").write_bytes(DATA[:1000])
    with mirror(fault=fault) as server:
        path = await fetch(FILE, tmp_path, [server.url])
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("begun", [b"something else" * 100, DATA + b"more", b"x" * len(DATA)])
async def test_what_was_begun_wrong_is_begun_again(begun: bytes, tmp_path: Path) -> None:
    (tmp_path / "digits.gz.part").write_bytes(begun)
    with mirror() as server:
        path = await fetch(FILE, tmp_path, [server.url])
    assert path.read_bytes() == DATA


async def test_a_wrong_file_is_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / "digits.gz").write_bytes(b"wrong")
    with mirror() as server:
        path = await fetch(FILE, tmp_path, [server.url])
    assert path.read_bytes() == DATA


async def test_the_next_mirror_goes_on_where_one_broke_off(tmp_path: Path) -> None:
    with mirror(fault="breaks off") as first, mirror() as second:
        path = await fetch(FILE, tmp_path, [first.url, second.url])
        assert second.asked == [("/mnist/digits.gz", f"bytes={len(DATA) // 2}-")]
    assert path.read_bytes() == DATA


async def test_the_error_names_all_mirrors(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        silent = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with mirror(fault="missing") as first, mirror(b"forged" * 100_000) as second:
            urls = [first.url, second.url, silent]
            with pytest.raises(DownloadError) as caught:
                await fetch(FILE, tmp_path, urls)
    error = caught.value
    assert len(error.failures) == 3
    for url, failure, reason in zip(
        urls, error.failures, ["404", "checksum", "refused"], strict=True
    ):
        assert failure.startswith(f"{url}/digits.gz: ")
        assert reason in failure
        assert failure in str(error)
    assert not (tmp_path / "digits.gz.part").exists()  # what was forged is gone


async def test_without_a_mirror_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"digits.gz could not be downloaded: no mirror"):
        await fetch(FILE, tmp_path, [])


async def test_a_mirror_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    with mirror(fault="hangs") as first, mirror() as second:
        path = await fetch(FILE, tmp_path, [first.url, second.url])
    assert path.read_bytes() == DATA


async def test_a_cancelled_download_leaves_at_once_and_is_gone_on_with(tmp_path: Path) -> None:
    part = tmp_path / "digits.gz.part"
    with mirror(fault="hangs") as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fetch, FILE, tmp_path, [server.url])
            await anyio.to_thread.run_sync(server.begun.wait, 10)
            tasks.cancel_scope.cancel()
        server.fault = ""
        server.go_on.set()
        path = await fetch(FILE, tmp_path, [server.url])
    assert path.read_bytes() == DATA
    assert not part.exists()


async def test_a_folder_that_cannot_be_written_is_no_fault_of_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with mirror() as server:
        with pytest.raises(OSError, match="file"):
            await fetch(FILE, tmp_path / "file" / "folder", [server.url])
        assert server.asked == []


def test_a_worker_that_was_abandoned_stops(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with mirror() as server, pytest.raises(InterruptedError, match="was cancelled"):
        download._Download(FILE, tmp_path, stop).run([server.url])
    assert not (tmp_path / "digits.gz").exists()
