"""What do events cost that go from one process to another over ZeroMQ?

A second process sends or receives messages by plain pyzmq, made beforehand and thrown away. This
one receives or sends them by plain pyzmq, too, and as streams do, with batches of events at the
end. They take turns; the least CPU time of this process, all threads, counts. PUSH and PULL, so
that nothing is lost.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import uvloop
import zmq

import aevents
from aevents.codecs.message import MessageEncoder
from aevents.codecs.speck import SENSOR as SPECK
from aevents.codecs.speck import SpeckEncoder
from aevents.testing import example_events
from benchmarks.measure import Answer, Gate, Options, Table, race

PEER = """
import sys, zmq
receives, endpoint, head, size = sys.argv[1] == "receive", *sys.argv[2:]
message = [bytes.fromhex(head), sys.stdin.buffer.read(int(size))]
context = zmq.Context()
for line in sys.stdin.buffer:
    with context.socket(zmq.PULL if receives else zmq.PUSH) as socket:
        socket.connect(endpoint)
        for _ in range(int(line)):
            socket.recv_multipart() if receives else socket.send_multipart(message)
        print("done", flush=True)
"""
IPC = "ipc://@aevents-benchmark"
MESSAGES = {"aevents": 200, "speck": 1_600}
SENSORS = {"aevents": aevents.Sensor(640, 480), "speck": SPECK}
SIZES = {"aevents": 32_768, "speck": 4_096}
PLAIN = "pyzmq, bytes only"
AT_LEAST = {"aevents": 0.3, "speck": 0.1}  # on a busy machine these ratios move


def run(options: Options) -> Answer:
    """Measure both directions, both formats and both transports."""
    tables, gates = [], []
    for format, count in MESSAGES.items():
        for transport in ("tcp", "ipc"):
            times: dict[str, float] = {}
            some = 10 if options.smoke else count
            for direction in (receiving, sending):
                with direction(format, transport) as one:
                    ways = {name: partial(way, some) for name, way in one.ways.items()}
                    times |= race(ways, options.rounds(7), time.process_time)
            events = some * SIZES[format] / 1e6
            rows: list[tuple[str | float | None, ...]] = []
            for name, seconds in times.items():
                base = times[f"{name.split()[0]} {PLAIN}"]
                rows.append((name, events / seconds, base / seconds))
                if PLAIN not in name and "asyncio" not in name:
                    what = f"{format}, {transport}: {name}, of pyzmq"
                    gates.append(Gate(what, base / seconds, at_least=AT_LEAST[format]))
            title = f"{format}, {transport}, messages of {SIZES[format]} events"
            tables.append(Table(title, ("way", "Mev a CPU second", "of pyzmq"), rows))
    return Answer(tables, gates)


class Peer:
    """The second process, and what this one does with it."""

    def __init__(self, does: str, format: str, transport: str) -> None:
        self.batch = example_events(SIZES[format], sensor=SENSORS[format])
        encoder = SpeckEncoder() if format == "speck" else MessageEncoder(bytes(16))
        (self.message,) = encoder.feed(self.batch)
        head, body = self.message
        self.endpoint = f"tcp://127.0.0.1:{free_port()}" if transport == "tcp" else IPC
        command = [sys.executable, "-c", PEER, does, self.endpoint, head.hex(), len(body)]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.process.stdin.write(body)
        self.format = format
        self.ways: dict[str, Callable[[int], None]] = {}

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def begin(self, count: int) -> None:
        """Let it send or receive so many messages."""
        self.process.stdin.write(b"%d\n" % count)
        self.process.stdin.flush()

    def end(self) -> None:
        """Wait until it has."""
        assert self.process.stdout.readline() == b"done\n"


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def receiving(format: str, transport: str) -> Peer:
    """Return what sends, and the ways to receive it."""
    peer = Peer("send", format, transport)
    peer.ways = {
        f"receive: {PLAIN}": lambda count: pull(peer, count),
        "receive: for": lambda count: read(peer, count),
        "receive: async for, uvloop": lambda count: read_async(peer, count, uvloop.new_event_loop),
        "receive: async for, asyncio": lambda count: read_async(
            peer, count, asyncio.new_event_loop
        ),
    }
    return peer


def sending(format: str, transport: str) -> Peer:
    """Return what receives, and the ways to send to it."""
    peer = Peer("receive", format, transport)
    peer.ways = {
        f"send: {PLAIN}": lambda count: push(peer, count),
        "send: await write, uvloop": lambda count: write(peer, count, uvloop.new_event_loop),
        "send: await write, asyncio": lambda count: write(peer, count, asyncio.new_event_loop),
    }
    return peer


def pull(peer: Peer, count: int) -> None:
    """Receive bytes."""
    with zmq.Context() as context, context.socket(zmq.PULL) as one:
        one.bind(peer.endpoint)
        peer.begin(count)
        for _ in range(count):
            one.recv_multipart()
        peer.end()


def push(peer: Peer, count: int) -> None:
    """Send bytes."""
    with zmq.Context() as context, context.socket(zmq.PUSH) as one:
        one.bind(peer.endpoint)
        peer.begin(count)
        for _ in range(count):
            one.send_multipart(peer.message)
        peer.end()


def read(peer: Peer, count: int) -> None:
    """Receive batches, in blocking form."""
    wanted = count * len(peer.batch)
    with aevents.open(f"zmq+{peer.endpoint}?socket=pull&bind=yes").blocking() as batches:
        peer.begin(count)
        while wanted > 0:
            wanted -= len(next(batches))
        peer.end()


def read_async(peer: Peer, count: int, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Receive batches."""

    async def main() -> None:
        wanted = count * len(peer.batch)
        async with aevents.open(f"zmq+{peer.endpoint}?socket=pull&bind=yes").open() as batches:
            peer.begin(count)
            while wanted > 0:
                wanted -= len(await anext(batches))
            peer.end()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


def write(peer: Peer, count: int, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Send batches."""

    async def main() -> None:
        url = f"zmq+{peer.endpoint}?socket=push"
        sink = aevents.create(url, format=peer.format)
        peer.begin(count)
        for _ in range(count):
            await sink.write(peer.batch)
        peer.end()
        await sink.aclose()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
