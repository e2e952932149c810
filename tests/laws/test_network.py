"""Trouble between two hosts, which are network namespaces: what comes is right, and the stream goes
on.

The sender's datagrams go through a relay on its host, which loses, doubles and delays some, and
counts what it hands on; the cut is a link that is taken down. Needs root and iproute2.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None,
        reason="needs root, and ip of iproute2",
    ),
]

SEND = """
import asyncio, json, random, socket, sys
import numpy as np
import aevents

class Relay(asyncio.DatagramProtocol):
    def __init__(self, to, loss, doubled, late):
        self.loss, self.doubled, self.late = loss, doubled, late
        self.random, self.held, self.got, self.gone = random.Random(5), [], 0, 0
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.to = to

    def datagram_received(self, data, _sender):
        self.got += 1
        if self.random.random() < self.loss:
            return
        if self.random.random() < self.late:
            self.held.append(data)
            return
        self.send(data)
        if self.random.random() < self.doubled:
            self.send(data)
        if len(self.held) > 3:
            self.send(self.held.pop(0))

    def send(self, data):
        try:
            self.out.sendto(data, self.to)
            self.gone += 1
        except OSError:
            pass  # the link is down

async def main():
    address, count, cut, *trouble = sys.argv[1:]
    relay = Relay((address, 3333), *map(float, trouble))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: relay, ("127.0.0.1", 5000))
    sink = aevents.create("udp://127.0.0.1:5000?timestamps=yes&rate=400000")
    k = np.arange(int(count))
    for first in range(0, len(k), 6400):
        t = k[first : first + 6400]
        if cut == "cut" and first == len(k) // 2 // 6400 * 6400:
            link = await asyncio.create_subprocess_exec("ip", "link", "set", "west0", "down")
            await link.wait()
            task = asyncio.create_task(restore())
        batch = aevents.EventBatch.from_columns(t=t, x=t % 640, y=t // 640 % 480, p=t % 3 == 0)
        await sink.write(batch)
        if cut == "cut":
            await asyncio.sleep(0.1)
    await sink.aclose()
    while relay.got < -(-len(k) // 64):
        await asyncio.sleep(0.01)
    print(json.dumps({"got": relay.got, "gone": relay.gone}))

async def restore():
    await asyncio.sleep(5)
    await (await asyncio.create_subprocess_exec("ip", "link", "set", "west0", "up")).wait()

asyncio.run(main())
"""

RECEIVE = """
import asyncio, json, sys
import numpy as np
import aevents

async def main():
    times, wrong = [], 0
    async with aevents.open(sys.argv[1]).open() as batches:
        print("ready", flush=True)
        end = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
        while True:
            reading = asyncio.ensure_future(anext(batches))
            await asyncio.wait((reading, end), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await asyncio.wait((reading,), timeout=0.2)  # what is still under way
            if not reading.done():
                reading.cancel()
                break
            b = reading.result()
            times.append(b.t)
            t = b.t
            wrong += int(((b.x != t % 640) | (b.y != t // 640 % 480) | (b.p != (t % 3 == 0))).sum())
        report = batches.report
    t = np.concatenate(times)
    said = {"events": report.events, "different": len(np.unique(t)), "last": int(t.max())}
    print(json.dumps(said | {"wrong": wrong, "anomalies": dict(report.anomalies)}))

aevents.run(main)
"""


class Hosts(NamedTuple):
    """Two hosts with a link between them."""

    west: str
    east: str

    @contextmanager
    def start(self, host: str, program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        command = ["ip", "netns", "exec", host, sys.executable, "-c", program, *arguments]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:
            try:
                yield process
            finally:
                process.kill()  # it waits for the other side, which may have failed


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    west, east = (f"aevents-{side}-{os.getpid()}" for side in ("west", "east"))
    for host in (west, east):
        ip(f"netns add {host}")
    try:
        ip(f"link add west0 netns {west} type veth peer name east0 netns {east}")
        for host, link, number in ((west, "west0", 1), (east, "east0", 2)):
            ip(f"-n {host} addr add 10.77.0.{number}/24 dev {link}")
            ip(f"-n {host} addr add fd77::{number}/64 dev {link} nodad")
            for one in ("lo", link):
                ip(f"-n {host} link set {one} up")
        yield Hosts(west, east)
    finally:
        for host in (west, east):
            ip(f"netns del {host}")


def ip(arguments: str) -> None:
    done = subprocess.run(["ip", *arguments.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no network namespaces here: {done.stderr}")


EVENTS = 320_000


@pytest.mark.parametrize(
    ("loss", "doubled", "late"),
    [(0, 0, 0), (0.001, 0, 0), (0.01, 0, 0), (0.1, 0, 0), (0, 0.05, 0), (0, 0, 0.05)],
    ids=["sound", "0.1 % lost", "1 % lost", "10 % lost", "5 % doubled", "5 % late"],
)
def test_what_the_network_does_to_datagrams_is_all_that_happens(
    hosts: Hosts, loss: float, doubled: float, late: float
) -> None:
    sent, said = through(hosts, EVENTS, "whole", loss, doubled, late)
    assert sent["got"] == EVENTS // 64
    assert said["events"] == 64 * sent["gone"]
    assert said["wrong"] == 0
    if doubled:
        assert said["different"] == EVENTS < said["events"]
    else:
        assert said["different"] == said["events"]
    assert set(said["anomalies"]) == ({"backward_jumps"} if doubled or late else set())


def test_a_cut_of_five_seconds_is_survived(hosts: Hosts) -> None:
    sent, said = through(hosts, 2 * EVENTS, "cut", 0, 0, 0)
    assert sent["got"] == 2 * EVENTS // 64 > sent["gone"]
    assert said["events"] == said["different"] == 64 * sent["gone"]
    assert (said["last"], said["wrong"], said["anomalies"]) == (2 * EVENTS - 1, 0, {})


def through(
    hosts: Hosts, events: int, cut: str, *trouble: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send events from west to east; return what each side says."""
    with hosts.start(hosts.east, RECEIVE, "udp://:3333?size=640x480") as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "ready\n"
        with hosts.start(
            hosts.west, SEND, "10.77.0.2", str(events), cut, *map(str, trouble)
        ) as sender:
            sent, _ = sender.communicate()
        said, _ = receiver.communicate("\n")
    return json.loads(sent), json.loads(said)


SEND_TO_GROUP = """
import socket, sys, time
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
    index = socket.if_nametoindex("west0")
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    for _ in range(60):  # a new address is of use only when nobody has claimed it for a second
        one.sendto(bytes.fromhex("00008080"), (sys.argv[1], 3333))
        time.sleep(0.05)
"""


def test_a_group_of_ipv6_is_received(hosts: Hosts) -> None:
    url = "udp://[ff15::77]:3333?interface=east0"
    with hosts.start(hosts.east, RECEIVE, url) as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "ready\n"
        with hosts.start(hosts.west, SEND_TO_GROUP, "ff15::77") as sender:
            assert sender.wait() == 0
        said, _ = receiver.communicate("\n")
    assert 1 <= json.loads(said)["events"] <= 60
