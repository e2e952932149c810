"""A camera of the network that speaks RTSP: GStreamer's server, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

PYTHON = "/usr/bin/python3"
"""The one that Debian's python3-gi is for."""
SERVER = Path(__file__).with_name("rtsp_server.py")
NEEDS = "import gi; gi.require_version('GstRtspServer', '1.0')"
PACKAGES = "python3-gi gir1.2-gst-rtsp-server-1.0"


@cache
def missing() -> bool:
    """Say whether there is no such server here."""
    if not Path(PYTHON).exists():
        return True
    return subprocess.run([PYTHON, "-c", NEEDS], capture_output=True, check=False).returncode != 0


class RtspCamera:
    """Shows a ball that moves, in 64x48 at 50 pictures a second, from the first look on."""

    def __init__(self) -> None:
        self._port = 0
        self._process: Process | None = None

    def url(self, path: str) -> str:
        """Return where to look: of `rtsp_server.MOUNTS`."""
        return f"rtsp://127.0.0.1:{self._port}/{path}"

    async def start(self) -> None:
        """Listen, on the port of the last time."""
        self._process = await anyio.open_process(
            [PYTHON, str(SERVER), str(self._port)], stderr=None
        )
        assert self._process.stdout is not None
        line = await BufferedByteReceiveStream(self._process.stdout).receive_until(b"\n", 10)
        self._port = int(line)

    def stop(self) -> None:
        """Say nothing more, and leave all connections as they are."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        """Be gone."""
        assert self._process is not None
        self._process.kill()
        await self._process.aclose()


@asynccontextmanager
async def rtsp_camera() -> AsyncIterator[RtspCamera]:
    """A camera that runs. Skips the test where there is no such server."""
    if await anyio.to_thread.run_sync(missing):
        pytest.skip(f"no RTSP server: apt-get install {PACKAGES}")
    one = RtspCamera()
    await one.start()
    try:
        yield one
    finally:
        await one.kill()
