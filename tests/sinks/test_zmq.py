"""Messages out: what is sent, to whom, and closing at any time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, cast

import anyio
import numpy as np
import pytest
import zmq
import zmq.auth
from blockbuster import BlockBuster

import aevents
from aevents import EncodeError, EventBatch, Sensor
from aevents.codecs.message import MOST_EVENTS, MessageDecoder
from aevents.codecs.speck import SENSOR as SPECK
from aevents.sinks.zmq import ZmqSink, create_url
from aevents.sources.zmq import ZmqSource
from aevents.testing import assert_same_events, check_sink, cut_events, example_events

SENSOR = Sensor(320, 240, "left")
EVENTS = example_events(100_000, sensor=SENSOR)
FEW = EVENTS[:1_000]
ANY = "zmq+tcp://127.0.0.1:*"
PUBLIC, SECRET = zmq.curve_keypair()


class Peer:
    """A socket of plain pyzmq, which receives; closed after the test."""

    all: ClassVar[list[Peer]] = []

    def __init__(self, kind: int, endpoint: str) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.all.append(self)
        if kind == zmq.SUB:
            self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.connect(endpoint)

    def come(self, wait_ms: int = 200) -> list[list[bytes]]:
        """Return the messages that have come, or do soon."""
        got = []
        while self.socket.poll(wait_ms):
            got.append(self.socket.recv_multipart())
        return got


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while Peer.all:
        peer = Peer.all.pop()
        peer.socket.close()
        peer.context.term()


def created(name: str, **options: object) -> ZmqSink:
    return cast("ZmqSink", aevents.create(name, **options))  # type: ignore[arg-type]  # as they are


async def collected(url: str, events: int, into: list[EventBatch]) -> aevents.Report:
    async with aevents.open(url).open() as batches:
        while sum(map(len, into)) < events:
            into.append(await anext(batches))
        return batches.report


@pytest.mark.parametrize("packing", ["", "lz4", "zstd"])
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("kinds", ["pub sub", "push pull"])
async def test_what_is_written_is_what_is_read(
    kinds: str, transport: str, packing: str, tmp_path: Path
) -> None:
    out, into = kinds.split()
    where = ANY if transport == "tcp" else f"zmq+ipc://{tmp_path}/socket"
    sink = created(f"{where}?socket={out}&packing={packing}", subscribers=int(out == "pub"))
    got: list[EventBatch] = []
    url = f"zmq+{sink.endpoint}?socket={into}"
    reading = asyncio.ensure_future(collected(url, len(EVENTS), got))
    for batch in cut_events(EVENTS, [10, 0, 5_000]):
        await sink.write(batch)
    report = await reading
    await sink.aclose()
    assert_same_events(got, [EVENTS])
    assert {batch.sensor for batch in got} == {SENSOR}
    assert report.anomalies == {}
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a test


async def test_a_sink_may_connect_and_a_source_be_bound() -> None:
    async with aevents.open(f"{ANY}?socket=pull").open() as batches:
        at = cast("ZmqSource[EventBatch]", batches._run._source).endpoint
        sink = created(f"zmq+{at}?socket=push&bind=no")
        await sink.write(FEW)
        assert_same_events([await anext(batches)], [FEW])
        await sink.aclose()


async def test_the_bytes_of_a_speck() -> None:
    sink = created(f"{ANY}?socket=push", format="speck")
    peer = Peer(zmq.PULL, sink.endpoint)
    await sink.write(EventBatch.from_columns(t=[100], x=[9], y=[5], p=[1]))
    await sink.write(EventBatch.empty())
    await sink.aclose()
    assert peer.come() == [[b"V", bytes.fromhex("01 05 09 00 64 00 00 00")]]


async def test_a_speck_is_read_back() -> None:
    sent = example_events(10_000, sensor=SPECK)
    sink = created(f"{ANY}?format=speck&subscribers=1")
    got: list[EventBatch] = []
    reading = asyncio.ensure_future(collected(f"zmq+{sink.endpoint}", len(sent), got))
    await sink.write(sent)
    await reading
    await sink.aclose()
    assert_same_events(got, [sent])


async def test_everybody_who_subscribes_gets_everything_and_is_waited_for() -> None:
    sink = created(f"{ANY}?subscribers=2")
    writing = asyncio.ensure_future(sink.write(FEW))
    first = Peer(zmq.SUB, sink.endpoint)
    assert first.come() == []
    assert not writing.done()
    second = Peer(zmq.SUB, sink.endpoint)
    await writing
    (one,), (other,) = first.come(), second.come()
    assert one == other
    assert_same_events(MessageDecoder().feed(one), [FEW])
    await sink.write(FEW)  # nobody is waited for twice
    await sink.aclose()


async def test_who_leaves_is_not_counted() -> None:
    sink = created(f"{ANY}?subscribers=2")
    writing = asyncio.ensure_future(sink.write(FEW))
    leaver = Peer(zmq.SUB, sink.endpoint)
    await asyncio.sleep(0.1)
    leaver.socket.close()
    await asyncio.sleep(0.1)
    Peer(zmq.SUB, sink.endpoint)
    await asyncio.sleep(0.1)
    assert not writing.done()
    await sink.aclose()
    with pytest.raises(anyio.ClosedResourceError):
        await writing


async def test_without_anybody_what_is_published_is_gone() -> None:
    sink = created(ANY)
    await sink.write(EVENTS)
    await sink.aclose()


async def test_each_message_goes_to_one_who_pulls() -> None:
    sink = created(f"{ANY}?socket=push")
    peers = [Peer(zmq.PULL, sink.endpoint) for _ in range(2)]
    sent, got = 0, [0, 0]
    while not all(got):
        await sink.write(FEW)
        sent += 1
        got = [count + len(peer.come(10)) for count, peer in zip(got, peers, strict=True)]
    await sink.aclose()
    assert sum(got) + sum(len(peer.come()) for peer in peers) == sent


@pytest.mark.parametrize("packing", ["", "lz4"])
async def test_a_write_that_is_cancelled_anywhere_leaves_no_gap(packing: str) -> None:
    sink = created(f"{ANY}?socket=push&packing={packing}&queue=2")
    peer = Peer(zmq.PULL, sink.endpoint)
    decoder = MessageDecoder()
    got: list[EventBatch] = []
    for turns in range(16):
        writing = asyncio.ensure_future(sink.write(EVENTS))
        for _ in range(turns):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        got += [batch for one in peer.come(20) for batch in decoder.feed(one)]
    await sink.write(FEW)
    await sink.aclose()
    got += [batch for one in peer.come() for batch in decoder.feed(one)]
    assert decoder.counts == {}
    assert_same_events(got[-1:], [FEW])
    assert {len(batch) for batch in got[:-1]} <= {MOST_EVENTS, len(EVENTS) % MOST_EVENTS}


async def test_a_full_socket_is_waited_for_and_the_wait_can_be_cancelled() -> None:
    sink = created(f"{ANY}?socket=push")
    with anyio.move_on_after(0.05) as scope:
        await sink.write(FEW)
    assert scope.cancelled_caught
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sink.write(FEW), 0.05)
    peer = Peer(zmq.PULL, sink.endpoint)
    await sink.write(FEW)
    await sink.aclose()
    assert len(peer.come()) == 1


async def test_it_obeys_the_laws_of_sinks() -> None:
    items = list(cut_events(EVENTS, [10, 500]))
    await check_sink(lambda: create_url("tcp", "//127.0.0.1:*"), items)


async def test_what_is_no_batch_is_refused() -> None:
    sink = created(ANY)
    with pytest.raises(EncodeError, match="holds events, not str"):
        await sink.write("events")  # type: ignore[arg-type]  # the point of the test
    await sink.aclose()
    speck = created(f"{ANY}?format=speck")
    with pytest.raises(EncodeError, match="does not fit 128x128"):
        await speck.write(EVENTS)
    await speck.aclose()


async def test_a_busy_address_raises_at_once_and_a_closed_one_is_free_at_once(
    tmp_path: Path,
) -> None:
    for where in (ANY, f"zmq+ipc://{tmp_path}/socket"):
        first = created(where)
        for _ in range(3):
            with pytest.raises(OSError, match=f"zmq.{first.endpoint}: Address already in use"):
                created(f"zmq+{first.endpoint}")
            await first.aclose()
            first = created(f"zmq+{first.endpoint}")
        await first.aclose()


async def test_closing_leaves_nothing() -> None:
    before = _resources()
    for out in ("pub", "push"):
        sink = created(f"{ANY}?socket={out}")
        writing = asyncio.ensure_future(sink.write(FEW))
        await asyncio.sleep(0.01)
        await sink.aclose()
        await asyncio.wait([writing])
        await sink.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert _resources() == before


def _resources() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def test_what_was_written_leaves_after_the_close() -> None:
    sink = created(f"{ANY}?subscribers=1")
    peer = Peer(zmq.SUB, sink.endpoint)
    await sink.write(EVENTS)
    await sink.aclose()
    decoder = MessageDecoder()
    assert_same_events([b for one in peer.come() for b in decoder.feed(one)], [EVENTS])


@pytest.mark.parametrize("given", ["bytes", "files"])
async def test_keys_let_through_who_has_the_right_ones(
    given: str, tmp_path: Path, blockbuster: BlockBuster
) -> None:
    blockbuster.deactivate()  # files of keys are read at the call
    public: object = PUBLIC
    secret: object = SECRET
    if given == "files":
        public, secret = zmq.auth.create_certificates(tmp_path, "mine")
    sink = created(f"{ANY}?socket=push", key=secret)
    wrong = aevents.open(f"zmq+{sink.endpoint}?socket=pull", server=zmq.curve_keypair()[0])
    plain = aevents.open(f"zmq+{sink.endpoint}?socket=pull")
    right = aevents.open(f"zmq+{sink.endpoint}?socket=pull", server=public)
    async with wrong.open() as nothing, plain.open() as neither:
        with anyio.move_on_after(0.3) as scope:
            await sink.write(FEW)
        assert scope.cancelled_caught
        async with right.open() as batches:
            await sink.write(FEW)
            assert_same_events([await anext(batches)], [FEW])
        for run in (nothing, neither):
            with anyio.move_on_after(0.2) as scope:
                await anext(run)
            assert scope.cancelled_caught
            assert run.report.events == 0
    await sink.aclose()


SCRIPT = """
import asyncio, sys
import numpy as np
import aevents

async def main():
    sink = aevents.create("zmq+tcp://127.0.0.1:*?subscribers=1&packing=zstd")
    print(sink.endpoint, flush=True)
    k = np.arange(300_000)
    for t in np.split(k, 30):
        batch = aevents.EventBatch.from_columns(t=t, x=t % 640, y=t // 640 % 480, p=t % 3 == 0)
        await sink.write(batch)
    await sink.aclose()

aevents.run(main)
"""


async def test_from_one_process_to_another() -> None:
    with subprocess.Popen(  # noqa: ASYNC220 - a test
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = f"zmq+{process.stdout.readline().strip()}"
        got: list[EventBatch] = []
        report = await collected(url, 300_000, got)
    assert process.returncode == 0
    t = np.arange(300_000)
    events = EventBatch.from_columns(t=t, x=t % 640, y=t // 640 % 480, p=t % 3 == 0)
    assert_same_events(got, [events])
    assert report.anomalies == {}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("zmq+tcp://127.0.0.1", "an address is zmq.tcp://HOST:PORT"),
        (f"{ANY}?socket=sub", "zmq: Invalid enum value 'sub'"),
        (f"{ANY}?format=evt3", "zmq: Invalid enum value 'evt3'"),
        (f"{ANY}?packing=gzip", "zmq: Invalid enum value 'gzip'"),
        (f"{ANY}?packing=lz4&format=speck", "only messages of aevents are packed"),
        (f"{ANY}?subscribers=-1", "subscribers is how many of a pub"),
        (f"{ANY}?subscribers=1&socket=push", "subscribers is how many of a pub"),
        (f"{ANY}?rate=5", "unknown field `rate`; known: bind, .* subscribers"),
        (f"{ANY}?key=", "the file of the secret key cannot be read: Is a directory"),
    ],
)
def test_what_is_wrong_is_said_at_the_call(url: str, message: str) -> None:
    with pytest.raises((ValueError, OSError), match=message):
        aevents.create(url)


async def test_results_go_out_as_json_under_the_name_of_the_model() -> None:
    sink = aevents.create(f"{ANY}?format=json&subscribers=1")
    peer = Peer(zmq.SUB, cast("ZmqSink", sink).endpoint)
    result = aevents.Result("net", 0, aevents.Span(5, 6), (0,), 0, 0.5, 1, 2, [0.25])
    await sink.write(result)
    await sink.write("no result")
    await sink.aclose()
    said = b'{"model":"net","index":0,"t_us":5,"wall":0.5,"latency_us":2,"age_us":1,'
    assert peer.come() == [
        [b"net", said + b'"frames_used":[0],"skipped":0,"value":[0.25]}'],
        [b"", b'"no result"'],
    ]


def test_json_is_not_packed() -> None:
    with pytest.raises(ValueError, match="only messages of aevents are packed"):
        aevents.create(f"{ANY}?format=json&packing=lz4")
