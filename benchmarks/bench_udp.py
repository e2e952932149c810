"""What does a datagram cost, and how many a second are received without loss?

First a socket is filled, then emptied: in C, by `async for`, and by asyncio's own endpoint with
NumPy, in CPU time of the thread that empties it. Then a sender in C sends at rising rates, to
`async for` and to AEStream (where `.venv-peers` has it), for as long as none is lost. Last, 10
Mev/s come for half a minute, beside a ticker that tells how late the loop is.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import select
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import uvloop

import aevents
from benchmarks.datagrams import (
    BUFFER,
    HERE,
    PEERS,
    Sender,
    build,
    free_port,
    has_aestream,
    listening,
    run_async,
)
from benchmarks.measure import Answer, Gate, Options, Table

SIZES = (256, 1440)
FILLING = 2_000  # datagrams: these fit
PASSES = 3  # fillings of a socket: the last one is measured, when all memory is in use
C, OURS, ENDPOINT = "C, recvmmsg", "async for, uvloop", "asyncio endpoint, NumPy"
SECONDS = 1.0
FIRST_RATE, FASTER = 5_000.0, 1.25  # datagrams a second
STEADY_RATE, STEADY_SECONDS, TICK = 10e6 / 128, 30.0, 0.001
STEADY_LAG = 0.01  # s
STEADY_BUFFERS = 4, 32  # MiB: where a machine is busy, it is the larger that bears its stalls
PEER = """
import sys
from aestream import UDPInput
with UDPInput((640, 480), device="cpu", port=int(sys.argv[1])) as source:
    print("ready", flush=True)
    for _ in sys.stdin:
        print(int(source.read().sum()), flush=True)
"""


def run(options: Options) -> Answer:
    """Measure what a datagram costs, and the rates."""
    naive = build()
    rows: list[tuple[str | float | None, ...]] = []
    gates = []
    for size in SIZES:
        best = costs(naive, size, options.rounds(30))
        rows += [(f"{size} B, {name}", cost, cost / best[C]) for name, cost in best.items()]
        gates.append(Gate(f"{size} B, `async for` against C", best[OURS] / best[C], at_most=1.4))
        share = best[ENDPOINT] / best[OURS]
        gates.append(Gate(f"{size} B, an endpoint against `async for`", share, at_least=5))
    table = Table("a datagram, from a full socket", ("way", "us CPU", "of C"), rows)
    ours, theirs = rates(naive, options)
    columns = ("receiver", "thousand datagrams a second", "Mev a second")
    lossless = Table(
        f"without loss, datagrams of 512 B, {SECONDS:.0f} s at each rate",
        columns,
        [(name, rate and rate / 1e3, rate and rate * 128 / 1e6)
         for name, rate in (("async for, uvloop", ours), ("AEStream", theirs))],
    )  # fmt: skip
    advantage = None if theirs is None else ours / theirs
    gates.append(Gate("rate without loss against AEStream's", advantage, at_least=10))
    seconds = 1.0 if options.smoke else STEADY_SECONDS
    steady = [steadily(naive, seconds, buffer) for buffer in STEADY_BUFFERS]
    title = f"10 Mev/s for {seconds:.0f} s, beside a ticker of 1 ms"
    columns = ("buffer, MiB", "Mev/s", "lost", "told of", "late, ms", "most", "grown, MiB")
    table_of_steady = Table(title, columns, [tuple(one) for one in steady])
    gates += [
        Gate("10 Mev/s: datagrams lost, of the largest buffer", steady[-1].lost, at_most=0),
        Gate("lost and not told of", max(abs(one.lost - one.told) for one in steady), at_most=0),
        Gate("10 Mev/s: a ticker is late by, median, ms", steady[0].late, at_most=1),
        Gate("10 Mev/s: the process grows by, MiB", steady[0].grown, at_most=4),
    ]
    return Answer([table, lossless, table_of_steady], gates)


class Steady(NamedTuple):
    """What came of half a minute."""

    buffer: int  # MiB
    rate: float  # Mev/s
    lost: int  # datagrams
    told: int  # of the lost, in the report
    late: float  # ms, of a ticker, in the median
    latest: float
    grown: float  # MiB


def costs(naive: SimpleNamespace, size: int, rounds: int) -> dict[str, float]:
    """Return the least CPU time of a datagram for each way, in us."""
    ways: dict[str, Callable[[Sender, int, int], float]] = {
        C: lambda sender, port, events: empty_in_c(naive, sender, port, events),
        OURS: lambda *made: empty_by_loop(uvloop.new_event_loop, *made),
        "async for, asyncio": lambda *made: empty_by_loop(asyncio.new_event_loop, *made),
        ENDPOINT: lambda *made: empty_by_endpoint(asyncio.new_event_loop, *made),
        "uvloop endpoint, NumPy": lambda *made: empty_by_endpoint(uvloop.new_event_loop, *made),
    }
    best = dict.fromkeys(ways, float("inf"))
    for round in range(rounds + 1):
        for name, empty in ways.items():
            port = free_port()
            spent = empty(Sender(naive, size, port), port, FILLING * (size // 4))
            if round:
                best[name] = min(best[name], spent / FILLING * 1e6)
    return best


def empty_in_c(naive: SimpleNamespace, sender: Sender, port: int, events: int) -> float:
    """Return the CPU time that C takes to receive and decode what was sent."""
    receiver = listening(port)
    room = [np.empty(1 << 16, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8)]
    kinds = ("int64_t[]", "uint16_t[]", "uint16_t[]", "uint8_t[]")
    columns = [naive.ffi.from_buffer(kind, one) for kind, one in zip(kinds, room, strict=True)]
    spent = 0.0
    for _ in range(PASSES):
        sender.send(FILLING)
        start = time.thread_time()
        got = naive.lib.naive_receive(receiver.fileno(), *columns, 1 << 16)
        spent = time.thread_time() - start
        assert got == events, got
    return spent


def empty_by_loop(
    loop: Callable[[], asyncio.AbstractEventLoop], sender: Sender, port: int, events: int
) -> float:
    """Return the CPU time of `async for`."""

    async def read() -> float:
        async with aevents.open(f"udp://{HERE}:{port}?size=640x480").open() as batches:
            for _ in range(PASSES):
                sender.send(FILLING)
                got, start = 0, time.thread_time()
                while got < events:
                    got += len(await anext(batches))
                spent = time.thread_time() - start
            return spent

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(read())


class Endpoint(asyncio.DatagramProtocol):
    """What anyone would write with asyncio and NumPy."""

    def __init__(self, events: int) -> None:
        self._all = events
        self.begin()

    def begin(self) -> None:
        """Wait for all events again."""
        self._left = self._all
        self.done = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _sender: object) -> None:
        """Decode one datagram."""
        words = np.frombuffer(data, "<u4")
        x = (words >> 16 & 0x7FFF).astype(np.uint16)
        y = (words & 0x7FFF).astype(np.uint16)
        p = (words >> 15 & 1).astype(np.bool_)
        t = np.full(len(words), time.monotonic_ns() // 1_000)
        assert len(t) == len(x) == len(y) == len(p)
        self._left -= len(t)
        if self._left == 0:
            self.done.set_result(None)


def empty_by_endpoint(
    loop: Callable[[], asyncio.AbstractEventLoop], sender: Sender, port: int, events: int
) -> float:
    """Return the CPU time of `create_datagram_endpoint`."""

    async def read() -> float:
        made = asyncio.get_running_loop().create_datagram_endpoint
        transport, protocol = await made(lambda: Endpoint(events), sock=listening(port))
        for _ in range(PASSES):
            protocol.begin()
            sender.send(FILLING)
            start = time.thread_time()
            await protocol.done
            spent = time.thread_time() - start
        transport.close()
        return spent

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(read())


def rates(naive: SimpleNamespace, options: Options) -> tuple[float, float | None]:
    """Return the highest rate without loss, of ours and of AEStream's."""
    ours = highest(lambda rate: received_by_us(naive, rate), options)
    if not has_aestream():
        return ours, None
    return ours, highest(lambda rate: received_by_peer(naive, rate), options)


def highest(received: Callable[[float], float], options: Options) -> float:
    """Return the highest rate that came without loss, while it does so twice of three times."""
    rate, best = FIRST_RATE, 0.0
    while True:
        came = [received(rate) for _ in range(1 if options.smoke else 3)]
        if sum(one > 0 for one in came) < min(2, len(came)):
            return best
        best = max(best, *came)
        if options.smoke or max(came) < rate / 2:  # the sender can no more
            return best
        rate *= FASTER


def received_by_us(naive: SimpleNamespace, rate: float) -> float:
    """Return the rate at which datagrams came that were to be sent at this one; 0 if some were
    lost.
    """
    received = run_async(receive(naive, rate, SECONDS))
    return 0 if received.lost else int(rate * SECONDS) / received.seconds


class Received(NamedTuple):
    """What `async for` made of datagrams."""

    lost: int
    told: int  # of the lost, in the report
    seconds: float
    grown: float  # MiB


async def receive(
    naive: SimpleNamespace,
    rate: float,
    seconds: float,
    buffer: int = BUFFER,
    lag: float = math.inf,
) -> Received:
    """Return what comes of datagrams that are sent at this rate for so long."""
    port, count, got = free_port(), int(rate * seconds), 0
    source = aevents.open(f"udp://{HERE}:{port}?size=640x480&buffer={buffer}")
    async with source.open() as batches:
        sender = Sender(naive, 512, port)
        sender.send(FILLING)
        while got < FILLING * 128:  # takes the memory that it needs
            got += len(await anext(batches))
        before, begun, got = resident(), time.perf_counter(), 0
        sending = threading.Thread(target=sender.send, args=(count, rate, lag))
        sending.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * seconds + 5):  # a sender may be held up
                while got + batches.report.get("kernel_drops", 0) * 128 < count * 128:
                    got += len(await anext(batches))
        took, grown = time.perf_counter() - begun, resident() - before
        await asyncio.to_thread(sending.join)
        told = batches.report.get("kernel_drops", 0)
        return Received(count - got // 128, told, took, grown)


def steadily(naive: SimpleNamespace, seconds: float, buffer: int) -> Steady:
    """Return what comes of receiving 10 Mev/s for so long, beside a ticker."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(1e3 * (time.perf_counter() - due))

    async def watched() -> Received:
        ticking = asyncio.ensure_future(tick())
        received = await receive(naive, STEADY_RATE, seconds, buffer << 20, STEADY_LAG)
        ticking.cancel()
        return received

    lost, told, took, grown = run_async(watched())
    rate = (STEADY_RATE * seconds - lost) * 128 / took / 1e6
    return Steady(buffer, rate, lost, told, statistics.median(late), max(late), grown)


def resident() -> float:
    """Return the resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def received_by_peer(naive: SimpleNamespace, rate: float) -> float:
    """Return the rate at which AEStream received, 0 if not everything."""
    port, count = free_port(), int(rate * SECONDS)
    command = [PEERS, "-c", PEER, str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        peer.stdout.readline()
        time.sleep(0.2)  # it binds in a thread of its own
        begun = time.perf_counter()
        Sender(naive, 512, port).send(count, rate)
        took = time.perf_counter() - begun
        time.sleep(0.2)
        print(file=peer.stdin, flush=True)
        assert select.select([peer.stdout], [], [], 10)[0]
        got = int(peer.stdout.readline())
        peer.kill()
    return count / took if got == count * 128 else 0
