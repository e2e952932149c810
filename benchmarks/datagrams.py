"""Datagrams from a sender in C, for what is measured of UDP."""

from __future__ import annotations

import asyncio
import math
import os
import random
import socket
import subprocess
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import numpy as np
import uvloop
from numpy.typing import NDArray

import aevents
from aevents.codecs.spif import SpifEncoder
from aevents.sources.synthetic import poisson
from benchmarks.measure import ROOT, build_naive

T = TypeVar("T")

PROTOTYPES = """
int64_t naive_send(int file, const uint8_t *datagram, size_t size, int64_t count, double rate,
                   double lag);
int64_t naive_send_timed(int file, uint8_t *datagram, size_t size, int64_t count, double rate,
                         int64_t *times);
int64_t naive_receive(int file, int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p,
                      size_t capacity);
"""
HERE = "127.0.0.1"
SENSOR = aevents.Sensor(640, 480)
BUFFER = 4 << 20
PEERS = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))


def build() -> SimpleNamespace:
    """Compile the sender, and the receiver that anyone would write in C."""
    return build_naive("naive_udp", PROTOTYPES)


def has_aestream() -> bool:
    """Say whether AEStream is there."""
    asked = [PEERS, "-c", "import aestream"]
    return PEERS.exists() and not subprocess.run(asked, capture_output=True).returncode


def datagram(size: int) -> bytes:
    """Return a datagram of random events."""
    events = next(poisson(SENSOR, rate=1e9).blocking())[: size // 4]
    return next(iter(SpifEncoder(datagram=size).feed(events)))


class Sender:
    """Sends one datagram again and again."""

    def __init__(self, naive: SimpleNamespace, size: int, port: int) -> None:
        self._naive = naive
        self._data = datagram(size)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((HERE, port))

    def send(self, count: int, rate: float = 0, lag: float = math.inf) -> None:
        """Send so many, at this rate, in the calling thread. Who was held up himself catches up no
        more than `lag` seconds, so that what comes is never a burst.
        """
        data = self._naive.ffi.from_buffer("uint8_t[]", self._data)
        file = self._socket.fileno()
        sent = self._naive.lib.naive_send(file, data, len(self._data), count, rate, lag)
        assert sent == count, sent

    def send_timed(self, count: int, rate: float) -> NDArray[np.int64]:
        """Send so many, each with its number as the place of all its events; return when each went,
        in ns of the monotonic clock.
        """
        times = np.zeros(count, np.int64)
        data = self._naive.ffi.new("uint8_t[]", self._data)
        room = self._naive.ffi.from_buffer("int64_t[]", times)
        file, size = self._socket.fileno(), len(self._data)
        sent = self._naive.lib.naive_send_timed(file, data, size, count, rate, room)
        assert sent == count, sent
        return times


def run_async(main: Coroutine[object, object, T]) -> T:
    """Return the result of `main`, run on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def listening(port: int) -> socket.socket:
    """Return a socket with a large buffer."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    receiver.setblocking(False)
    receiver.bind((HERE, port))
    return receiver


def free_port() -> int:
    """Return a port that nobody listens at, none of those that the system gives to senders."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, suppress(OSError):
            one.bind((HERE, port))
            return port
