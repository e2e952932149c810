"""Does a web service stay quick while it gives out a stream?

`examples/service_fastapi.py`, on a synthetic recording at 1 Mev/s and 640x480 that goes on for
ever, in a process of its own; 20 clients take its pictures by WebSocket in another, and `wrk`, if
it is installed, asks for its page with 10 connections as fast as it can. A callback every 5 ms in
the service's loop says how late it is. Then it is told to end, with all clients there: how long
until the process is gone, and how many tasks are left in the loop.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import NamedTuple
from urllib.request import urlopen

from benchmarks.measure import ROOT, Answer, Gate, Options, Table

CLIENTS, CONNECTIONS = 20, 10
SECONDS = 15
SOURCE = "synthetic:disk?size=640x480&rate=1e6&duration_us=2000000"
SERVICE = """
import asyncio, json, runpy, signal, sys, time
from contextlib import asynccontextmanager, nullcontext
import uvicorn

app = runpy.run_path(sys.argv[1])["service"](sys.argv[2])
late = []

async def tick():
    while True:
        due = time.perf_counter() + 0.005
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - due)

inner = app.router.lifespan_context

@asynccontextmanager
async def lifespan(app):
    ticker = asyncio.create_task(tick())
    async with inner(app) as state:
        yield state
    ticker.cancel()

app.router.lifespan_context = lifespan
config = uvicorn.Config(
    app, port=int(sys.argv[3]), timeout_graceful_shutdown=1, log_level="critical"
)

async def main():
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, server.handle_exit, signal.SIGINT, None)
    before = asyncio.all_tasks()
    await server.serve()
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before
    late.sort()
    print(json.dumps([late[len(late) // 2], late[len(late) * 95 // 100], len(left)]))

with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
    runner.run(main())
"""
CLIENT = """
import asyncio, json, sys, time
from websockets.asyncio.client import connect

async def look(url, until, seen):
    async with connect(url, proxy=None, close_timeout=0.1) as socket:
        while time.monotonic() < until:
            await socket.recv()
            seen.append(1)
        await asyncio.sleep(60)  # until the service ends

async def main():
    url, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    each = [[] for _ in range(clients)]
    until = time.monotonic() + seconds
    looking = [asyncio.create_task(look(url, until, seen)) for seen in each]
    await asyncio.sleep(seconds + 0.5)
    print(json.dumps([len(seen) for seen in each]), flush=True)
    await asyncio.wait(looking)

asyncio.run(main())
"""


class Found(NamedTuple):
    """What one run found: lateness in s, tasks left, the end in s, pictures of each client, pages a
    second.
    """

    median: float
    most: float
    tasks: int
    ending: float
    pictures: list[int]
    pages: float | None


def run(options: Options) -> Answer:
    """Measure without and with `wrk`."""
    seconds = 1 if options.smoke else SECONDS
    runs = {"clients alone": measure(seconds, pages=False)}
    if shutil.which("wrk"):
        runs["wrk beside them"] = measure(seconds, pages=True)
    rows: list[tuple[str | float | None, ...]] = [
        (
            name,
            1e3 * one.median,
            1e3 * one.most,
            min(one.pictures) / seconds,
            one.pages,
            one.ending,
            one.tasks,
        )
        for name, one in runs.items()
    ]
    columns = (
        "", "lag p50 ms", "lag p95 ms", "pictures/s, slowest", "pages/s", "end s", "tasks left",
    )  # fmt: skip
    gates = [
        gate
        for name, one in runs.items()
        for gate in (
            Gate(f"{name}: loop lag p50, ms", 1e3 * one.median, at_most=2),
            Gate(f"{name}: s to the end", one.ending, at_most=2),
            Gate(f"{name}: tasks left", one.tasks, at_most=0),
        )
    ]
    return Answer([Table(f"{CLIENTS} clients", columns, rows)], gates)


def measure(seconds: float, *, pages: bool) -> Found:
    """Run the service, its clients and perhaps `wrk`; end it."""
    port = free_port()
    with ExitStack() as running:

        def start(*command: str) -> subprocess.Popen[str]:
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
            running.callback(process.kill)
            return process

        example = str(ROOT / "examples" / "service_fastapi.py")
        service = start(sys.executable, "-c", SERVICE, example, SOURCE, str(port))
        wait_for(f"http://127.0.0.1:{port}/")
        address = f"ws://127.0.0.1:{port}/camera/frames"
        clients = start(sys.executable, "-c", CLIENT, address, str(CLIENTS), str(seconds))
        told = ""
        if pages:
            asks = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]
            told = start(*asks).communicate()[0]
        assert clients.stdout is not None
        pictures = json.loads(clients.stdout.readline())
        began = time.monotonic()
        service.send_signal(signal.SIGINT)
        median, most, left = json.loads(service.communicate()[0])
        ending = time.monotonic() - began
    return Found(median, most, left, ending, pictures, rate_of(told))


def rate_of(told: str) -> float | None:
    """Return the requests a second that `wrk` tells of."""
    rates = [line.split()[1] for line in told.splitlines() if line.startswith("Requests/sec")]
    return float(rates[0]) if rates else None


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(url: str) -> None:
    """Return when the service answers."""
    for _ in range(600):
        try:
            urlopen(url).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)
