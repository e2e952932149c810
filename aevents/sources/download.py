"""Files of known checksum from the web: from the first mirror that has them, into a folder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLError
from typing import cast
from urllib.error import URLError
from urllib.request import Request, urlopen

import anyio.to_thread

from aevents.errors import DownloadError
from aevents.sources.published import Published

CHUNK_BYTES = 1 << 16
STALL_SECONDS = 30
"""A mirror that says nothing for so long is given up."""
NETWORK_ERRORS = (URLError, HTTPException, ConnectionError, TimeoutError, SSLError)
"""What another mirror may do better; a full disk is none of them."""


async def fetch(file: Published, folder: Path, mirrors: Sequence[str]) -> Path:
    """Return the path of a file in `folder`, after downloading it if it is not there.

    It is there only when it is whole and its checksum right. `mirrors`, the addresses of folders,
    are tried one after the other; what one of them, or a call that was cancelled, left half done is
    gone on with. Raises `DownloadError` if none has it, and what writing a file raises.
    """
    stop = threading.Event()
    download = _Download(file, folder, stop)
    try:
        return await anyio.to_thread.run_sync(download.run, mirrors, abandon_on_cancel=True)
    finally:
        stop.set()  # a worker that was abandoned ends with its chunk


class _Download:
    """The work of `fetch`, in a worker."""

    def __init__(self, file: Published, folder: Path, stop: threading.Event) -> None:
        self._file = file
        self._path = folder / file.name
        self._part = folder / f"{file.name}.part"
        self._stop = stop

    def run(self, mirrors: Sequence[str]) -> Path:
        if self._is_right(self._path):
            return self._path
        self._path.parent.mkdir(parents=True, exist_ok=True)
        failures = []
        for mirror in mirrors:
            url = f"{mirror.rstrip('/')}/{self._file.name}"
            try:
                if self._get(url):
                    return self._path
            except NETWORK_ERRORS as error:
                failures.append(f"{url}: {type(error).__name__}: {error}")
            else:
                failures.append(f"{url}: the checksum is not {self._file.sha256}")
        raise DownloadError(self._file.name, failures)

    def _get(self, url: str) -> bool:
        """Say whether this mirror has the file; what was begun elsewhere may have been wrong."""
        resumed = self._append(url)
        return self._finish() or (resumed and (self._append(url), self._finish())[1])

    def _append(self, url: str) -> bool:
        """Read what is missing; say whether something was there before."""
        have = self._part.stat().st_size if self._part.exists() else 0
        if have >= self._file.size:
            return True
        asked = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        with cast("HTTPResponse", urlopen(asked, timeout=STALL_SECONDS)) as response:
            resumed = have > 0 and _goes_on(response, have)
            with self._part.open("ab" if resumed else "wb") as part:
                while part.tell() <= self._file.size and (chunk := response.read(CHUNK_BYTES)):
                    if self._stop.is_set():
                        raise InterruptedError(f"{self._file.name}: the download was cancelled")
                    part.write(chunk)
                if part.tell() < self._file.size and response.length:
                    raise ConnectionError(f"the connection ended {response.length} bytes early")
        return have > 0

    def _finish(self) -> bool:
        """Give the file its name, if it is right; else begin again."""
        right = self._is_right(self._part)
        if right:
            self._part.replace(self._path)
        else:
            self._part.unlink()
        return right

    def _is_right(self, path: Path) -> bool:
        if not path.exists():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self._file.sha256


def _goes_on(response: HTTPResponse, have: int) -> bool:
    """Say whether this is the rest of a file, and not the whole of it."""
    begins = f"bytes {have}-"
    partial = response.status == HTTPStatus.PARTIAL_CONTENT
    return partial and response.headers.get("Content-Range", "").startswith(begins)
