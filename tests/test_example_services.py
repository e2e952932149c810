"""The services in `examples` serve: several browsers, figures, and an end when they are told to."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.test_examples import ROOT, run, start

RECORDING = "synthetic:disk?size=64x48&rate=1e5&duration_us=1000000"


async def free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    return port


async def answers(url: str) -> httpx.Response:
    """Return what a service says, as soon as it is there."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(1000):
            try:
                return await client.get(url)
            except httpx.ConnectError:
                await asyncio.sleep(0.01)
    raise AssertionError("no service")


@pytest.mark.timeout(60)
async def test_a_service_of_fastapi_shows_a_recording_to_several_browsers() -> None:
    port = await free_port()
    process = await asyncio.to_thread(start, "service_fastapi.py", RECORDING, port)
    assert "/camera/frames.mjpeg" in (await answers(f"http://127.0.0.1:{port}/")).text
    async with AsyncExitStack() as browsers:
        for _ in range(5):
            address = f"ws://127.0.0.1:{port}/camera/frames"
            socket = connect(address, proxy=None, close_timeout=0.1)
            browser = await browsers.enter_async_context(socket)
            assert (await browser.recv())[:2] == b"\xff\xd8"
        metrics = (await answers(f"http://127.0.0.1:{port}/metrics/")).text
        assert 'aevents_subscribers{stream="camera"} 5.0' in metrics
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.to_thread(process.communicate)
    assert process.returncode in (0, -signal.SIGINT)
    assert "Application shutdown complete" in err
    assert "Traceback" not in err


@pytest.mark.timeout(60)
async def test_a_service_of_aiohttp_sends_pictures() -> None:
    port = await free_port()
    process = await asyncio.to_thread(start, "service_aiohttp.py", RECORDING, port)
    assert (await answers(f"http://127.0.0.1:{port}/")).status_code == 404
    async with connect(f"ws://127.0.0.1:{port}/frames", proxy=None, close_timeout=0.1) as browser:
        assert (await browser.recv())[:4] == b"\x89PNG"
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.to_thread(process.communicate)
    assert (process.returncode, err) == (0, "")


def test_a_robot_steers_by_what_it_saw() -> None:
    (line,) = run("robot_loop.py", "synthetic:bar?duration_us=0", 10)
    found = re.fullmatch(r"(\d+) events, last turned by ([+-][01]\.\d\d)", line)
    assert found is not None
    assert int(found[1]) > 0


@pytest.mark.timeout(60)
def test_a_service_of_ones_own_is_tested_by_pytest_asyncio() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    told = subprocess.run(
        [*command, str(ROOT / "examples" / "test_watchdog.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in told.stdout, told.stdout + told.stderr
