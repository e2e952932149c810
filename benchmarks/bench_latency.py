"""How long is a datagram on its way to the reader, and does playing a recording drift?

A sender in C notes when it sends each datagram; what comes out at the other end says which one it
was. To `async for`, as batches and as frames, against asyncio's endpoint with NumPy, and AEStream
(where `.venv-peers` has it), which is asked again and again; they take turns. Then events are
played at the speed of the clock, and how late they come at the end is compared with the beginning.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace

import numpy as np
import uvloop
from numpy.typing import NDArray

import aevents
from benchmarks.datagrams import (
    HERE,
    PEERS,
    Sender,
    build,
    free_port,
    has_aestream,
    listening,
)
from benchmarks.measure import Answer, Gate, Options, Table

SIZE = 512
RATES = (1_000.0, 20_000.0)  # datagrams a second
SECONDS, REST = 1.0, 0.3  # of sending, and for what is still on its way
FRAMED = 10  # datagrams a frame: from the last of them it is waited for
OURS, FRAMES, ENDPOINT = "async for, uvloop", "frames of 10, uvloop", "asyncio endpoint, NumPy"
PLAYED_US, SLICES = 60_000_000, 10
Times = NDArray[np.int64]
Arrivals = list[tuple[int, int]]  # time in ns, and the last datagram that had come

PEER = """
import json, sys, time
import numpy as np
from aestream import UDPInput
with UDPInput((640, 480), device="cpu", port=int(sys.argv[1])) as source:
    print("ready", flush=True)
    came, last, until = [], -1, time.monotonic() + float(sys.argv[2])
    while time.monotonic() < until:
        frame = np.asarray(source.read())
        if frame.any():
            x, y = frame.nonzero()
            last = max(last, int((x + 640 * y).max()))
            came.append((time.monotonic_ns(), last))
    print(json.dumps(came), flush=True)
"""


def run(options: Options) -> Answer:
    """Measure both."""
    parts = [lateness(options), drift(options)]
    tables = [table for part in parts for table in part.tables]
    return Answer(tables, [gate for part in parts for gate in part.gates])


def lateness(options: Options) -> Answer:
    """Measure how long datagrams are on their way."""
    naive, seconds = build(), 0.1 if options.smoke else SECONDS
    ways: dict[str, Callable[[int, float], Times]] = {
        OURS: lambda *made: by_loop(naive, read_batches, uvloop.new_event_loop, *made),
        "async for, asyncio": lambda *made: by_loop(
            naive, read_batches, asyncio.new_event_loop, *made
        ),
        FRAMES: lambda *made: by_loop(naive, read_frames, uvloop.new_event_loop, *made),
        ENDPOINT: lambda *made: by_loop(naive, read_endpoint, asyncio.new_event_loop, *made),
        "uvloop endpoint, NumPy": lambda *made: by_loop(
            naive, read_endpoint, uvloop.new_event_loop, *made
        ),
    }
    if has_aestream():
        ways["AEStream, asked without end"] = lambda *made: by_peer(naive, *made)
    tables, gates = [], []
    for rate in RATES:
        taken: dict[str, list[Times]] = {
            name: [] for name in ways if rate == RATES[0] or name != FRAMES
        }
        for _ in range(options.rounds(5)):
            for name in taken:
                taken[name].append(ways[name](int(rate * seconds), rate))
        us = {name: np.concatenate(times) / 1e3 for name, times in taken.items()}
        rows: list[tuple[str | float | None, ...]] = [
            (name, *map(float, np.percentile(one, (50, 99)))) for name, one in us.items()
        ]
        title = f"{rate:.0f} datagrams of {SIZE} B a second, from sent to at hand"
        tables.append(Table(title, ("way", "median, us", "99 %, us"), rows))
        median = float(np.median(us[OURS])) / 1e3
        gates.append(Gate(f"{rate:.0f} datagrams/s: median, ms", median, at_most=1))
    return Answer(tables, gates)


def on_their_way(sent: Times, arrivals: Arrivals, every: int = 1) -> Times:
    """Return how long each datagram took, or one of every so many, in ns."""
    when, last = np.array(arrivals, np.int64).T
    wanted = np.arange(every - 1, last[-1] + 1, every)
    return when[np.searchsorted(last, wanted)] - sent[wanted]


def by_loop(
    naive: SimpleNamespace,
    read: Callable[[int, Arrivals, asyncio.Event], Coroutine[object, object, None]],
    loop: Callable[[], asyncio.AbstractEventLoop],
    count: int,
    rate: float,
) -> Times:
    """Return how long datagrams take to who reads on this loop."""

    async def main() -> Times:
        port, ready = free_port(), asyncio.Event()
        arrivals: Arrivals = []
        reading = asyncio.ensure_future(read(port, arrivals, ready))
        await ready.wait()
        sent = await asyncio.to_thread(Sender(naive, SIZE, port).send_timed, count, rate)
        await asyncio.wait([reading], timeout=REST)
        reading.cancel()
        await asyncio.wait([reading])
        return on_their_way(sent, arrivals, FRAMED if read is read_frames else 1)

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main())


async def read_batches(port: int, arrivals: Arrivals, ready: asyncio.Event) -> None:
    """Read batches."""
    stream = aevents.open(f"udp://{HERE}:{port}?size=640x480")
    async with stream.open() as batches:
        ready.set()
        async for batch in batches:
            now = time.monotonic_ns()
            arrivals.append((now, int(batch.x[-1]) + 640 * int(batch.y[-1])))


async def read_frames(port: int, arrivals: Arrivals, ready: asyncio.Event) -> None:
    """Read frames, each of FRAMED datagrams."""
    stream = aevents.open(f"udp://{HERE}:{port}?size=640x480")
    async with stream.window(count=FRAMED * SIZE // 4).frames().open() as frames:
        ready.set()
        async for _ in frames:
            arrivals.append((time.monotonic_ns(), FRAMED * (len(arrivals) + 1) - 1))


class Endpoint(asyncio.DatagramProtocol):
    """What anyone would write with asyncio and NumPy."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def datagram_received(self, data: bytes, _sender: object) -> None:
        """Decode one datagram."""
        words = np.frombuffer(data, "<u4")
        x = (words >> 16 & 0x7FFF).astype(np.uint16)
        y = (words & 0x7FFF).astype(np.uint16)
        p = (words >> 15 & 1).astype(np.bool_)
        t = np.full(len(words), time.monotonic_ns() // 1_000)
        assert len(t) == len(p)
        self._arrivals.append((time.monotonic_ns(), int(x[-1]) + 640 * int(y[-1])))


async def read_endpoint(port: int, arrivals: Arrivals, ready: asyncio.Event) -> None:
    """Read with `create_datagram_endpoint`."""
    made = asyncio.get_running_loop().create_datagram_endpoint
    transport, _ = await made(lambda: Endpoint(arrivals), sock=listening(port))
    ready.set()
    try:
        await asyncio.sleep(3600)
    finally:
        transport.close()


def by_peer(naive: SimpleNamespace, count: int, rate: float) -> Times:
    """Return how long datagrams take to who asks AEStream for frames."""
    port = free_port()
    command = [PEERS, "-c", PEER, str(port), str(count / rate + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdout is not None
        peer.stdout.readline()
        time.sleep(0.2)  # it binds in a thread of its own
        sent = Sender(naive, SIZE, port).send_timed(count, rate)
        return on_their_way(sent, json.loads(peer.stdout.readline()))


def drift(options: Options) -> Answer:
    """Measure how much later than it should a played stream is at its end than at its beginning."""
    played = PLAYED_US // 100 if options.smoke else PLAYED_US
    late: list[float] = []

    async def play() -> None:
        scene = aevents.open(f"synthetic:poisson?rate=1e5&duration_us={played}")
        begun = None
        async for batch in scene.paced():
            if len(batch):
                now = time.perf_counter()
                begun = now - batch.t[0] / 1e6 if begun is None else begun
                late.append(1e3 * (now - begun - batch.t[0] / 1e6))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())
    part = len(late) // SLICES
    medians = [statistics.median(late[k * part : (k + 1) * part]) for k in range(SLICES)]
    row = ("played", played / 1e6, len(late), medians[0], medians[-1], max(late))
    columns = (
        "what",
        "s",
        "pieces",
        "first tenth, ms late",
        "last tenth, ms late",
        "most, ms late",
    )
    moved = abs(medians[-1] - medians[0]) * 60e6 / played
    table = Table("events at the speed of the clock", columns, [row])
    gate = None if options.smoke else moved
    return Answer([table], [Gate("drift, ms a minute", gate, at_most=1)])
