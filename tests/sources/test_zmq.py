"""Messages in: what comes, what is lost, and closing at any time, in both forms."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import anyio
import numpy as np
import pytest
import zmq

import aevents
from aevents import EventBatch, Sensor, SpikeBatch
from aevents._zmq_link import Keys, Link
from aevents.codecs.message import MessageEncoder
from aevents.codecs.speck import SENSOR as SPECK
from aevents.codecs.speck import SpeckEncoder
from aevents.sources.zmq import TURN_BYTES, Events, ZmqSource, open_url
from aevents.stream import stream_of
from aevents.testing import assert_same_events, cut_events, example_events

SENSOR = Sensor(320, 240, "left")
EVENTS = example_events(5_000, sensor=SENSOR)
OF_SPECK = example_events(5_000, sensor=SPECK)

Parts = tuple[bytes, ...]


class Peer:
    """A socket of plain pyzmq, which sends; closed after the test."""

    all: ClassVar[list[Peer]] = []

    def __init__(
        self, kind: int = zmq.PUSH, endpoint: str = "tcp://127.0.0.1:*", queue: int = 1_000
    ) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, queue)
        self.all.append(self)
        self.socket.bind(endpoint)
        self.endpoint = self.socket.get_string(zmq.LAST_ENDPOINT)

    def __call__(self, *messages: Parts | list[bytes]) -> None:
        for one in messages:
            self.socket.send_multipart(one)

    def await_subscriber(self) -> None:
        assert self.socket.recv() == b"\1"

    def close(self) -> None:
        self.socket.close()
        self.context.term()


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while Peer.all:
        Peer.all.pop().close()


def source(peer: Peer, sensor: Sensor | None = None, *, queue: int = 256) -> ZmqSource[EventBatch]:
    kind = "pull" if peer.socket.type == zmq.PUSH else "sub"
    link = Link(endpoint=peer.endpoint, kind=kind, bind=False, keys=Keys(), queue=queue)  # type: ignore[arg-type]  # one of the two
    return ZmqSource(link, Events(sensor, gaps=kind == "sub"))


Opened = tuple[ZmqSource[EventBatch], Peer]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """A source, and what sends to it."""
    peer = Peer()
    one = source(peer)
    yield one, peer
    one.close()


@pytest.fixture
def subscribed() -> Iterator[Opened]:
    """A source that has subscribed, and what publishes."""
    peer = Peer(zmq.XPUB)
    one = source(peer)
    peer.await_subscriber()
    yield one, peer
    one.close()


def messages(*batches: EventBatch, stream: int = 1, packing: str = "") -> list[Parts]:
    encoder = MessageEncoder(bytes([stream]) * 16, packing=packing)
    return [one for batch in batches for one in encoder.feed(batch)]


async def read(one: ZmqSource[EventBatch], events: int) -> list[EventBatch]:
    got: list[EventBatch] = []
    while sum(map(len, got)) < events:
        got.append(await one.__anext__())
    return got


@pytest.mark.parametrize("packing", ["", "lz4", "zstd"])
async def test_a_message_is_a_batch(opened: Opened, packing: str) -> None:
    one, send = opened
    batches = list(cut_events(EVENTS, [10, 0, 200]))
    send(*messages(*batches, packing=packing))
    got = [await one.__anext__() for _ in batches]
    assert_same_events(got, batches)
    assert [(b.span, b.sensor) for b in got] == [(b.span, SENSOR) for b in batches]
    assert one.counts == {}


async def test_spikes_of_a_speck_that_have_come_together_are_a_batch() -> None:
    send = Peer()
    spike = bytes.fromhex("03 00 07 01 05 09 00 00 64 00 00 00")
    url = f"zmq+{send.endpoint}?socket=pull&record=spikes"
    async with aevents.open(url, size="16x16").open() as batches:
        got: list[SpikeBatch] = []
        while sum(map(len, got)) < 3:
            if not got:
                send((b"V", spike[:5]), (b"V", spike * 2), (b"V",), (b"V", spike))
            batch: object = await anext(batches)
            assert isinstance(batch, SpikeBatch)
            got.append(batch)
        assert batches.report["bad_messages"] == 2
    assert [batch.sensor for batch in got] == [Sensor(16, 16)] * len(got)
    assert {(int(b.x[0]), int(b.y[0]), int(b.feature[0])) for b in got} == {(9, 5, 263)}


def test_spikes_are_read_without_a_loop() -> None:
    send = Peer()
    with aevents.open(f"zmq+{send.endpoint}?socket=pull&record=viz").blocking() as batches:
        send((bytes(8), bytes(80)), (b"?", b""))
        batch: object = next(batches)
        assert isinstance(batch, SpikeBatch)
        assert len(batch) == 2


def test_a_record_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="record"):
        aevents.open("zmq+tcp://127.0.0.1:1?record=layers")


async def test_messages_of_a_speck_that_have_come_together_are_a_batch(opened: Opened) -> None:
    one, send = opened
    send((b"V", bytes.fromhex("01 05 09 00 64 00 00 00")))
    (first,) = await read(one, 1)
    assert list(first) == [(100, 9, 5, True)]
    assert first.sensor == SPECK
    small = [part for cut in cut_events(OF_SPECK, [10] * 400) for part in SpeckEncoder().feed(cut)]
    send(*small)
    got = await read(one, len(OF_SPECK))
    assert_same_events(got, [OF_SPECK])
    assert len(got) < 200


def test_the_blocking_form_gives_the_same(opened: Opened) -> None:
    one, send = opened
    send(*messages(EVENTS), *SpeckEncoder().feed(OF_SPECK))
    assert_same_events([next(one)], [EVENTS])
    got = [next(one)]
    while sum(map(len, got)) < len(OF_SPECK):
        got.append(next(one))
    assert_same_events(got, [OF_SPECK])
    one.close()
    with pytest.raises(StopIteration):
        next(one)


def test_with_and_for() -> None:
    peer = Peer(zmq.XPUB)
    with aevents.open(f"zmq+{peer.endpoint}?size=640x480").take(1).blocking() as batches:
        peer.await_subscriber()
        peer(*messages(EVENTS))
        got = list(batches)
    assert_same_events(got, [EVENTS])
    assert got[0].sensor == Sensor(640, 480)


async def test_a_read_waits_for_what_comes_later(opened: Opened) -> None:
    one, send = opened
    reading = asyncio.ensure_future(one.__anext__())
    await anyio.wait_all_tasks_blocked()
    assert not reading.done()
    send(*messages(EVENTS))
    assert_same_events([await reading], [EVENTS])


SCRIPT = """
import struct, sys, zmq
publisher = zmq.Context().socket(zmq.XPUB)
publisher.bind("tcp://127.0.0.1:*")
print(publisher.last_endpoint.decode(), flush=True)
publisher.recv()
for number in range(100):
    events = [struct.pack("<BBBBI", n % 2, n, 127 - n, 0, 100 * number + n) for n in range(100)]
    publisher.send_multipart([b"V", b"".join(events)])
sys.stdin.read()
"""


async def test_a_script_that_is_not_ours_is_understood() -> None:
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(  # noqa: ASYNC220 - a test
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as script:
        assert script.stdout is not None
        async with aevents.open(f"zmq+{script.stdout.readline().strip()}").open() as batches:
            got = [await anext(batches)]
            while sum(map(len, got)) < 10_000:
                got.append(await anext(batches))
            assert batches.report.anomalies == {}
        script.communicate()
    n = np.tile(np.arange(100), 100)
    t = np.arange(10_000)
    assert_same_events(got, [EventBatch.from_columns(t=t, x=127 - n, y=n, p=n % 2, sensor=SPECK)])


@pytest.mark.timeout(60)
async def test_hostile_messages_are_counted_and_the_stream_goes_on(opened: Opened) -> None:
    one, send = opened
    random = np.random.default_rng(5)
    reading = asyncio.ensure_future(one.__anext__())
    for size in (0, 1, 3, 1 << 18, *random.integers(0, 1 << 16, 100).tolist()):
        send((random.bytes(size),), (random.bytes(size), random.bytes(size)))
        send([b"V"], [b"V", b"", b""], [b"", b""], [b"x"] * 50, [b"V", b"\xff" * 9])
        await asyncio.sleep(0)
    send(*messages(EVENTS))
    assert_same_events([await reading], [EVENTS])
    counts = {"bad_messages": 104 * 6, "torn_bytes": 104, "invalid_events": 104}
    assert one.counts == counts


async def test_a_message_too_large_is_refused_and_shows_as_a_gap(subscribed: Opened) -> None:
    one, send = subscribed
    first, big, *more = messages(EVENTS[:10], EVENTS[:1_000], *[EVENTS[:20]] * 200)
    send(first)
    await read(one, 10)
    send((big[0], big[1] + bytes(1 << 20)))
    reading = asyncio.ensure_future(one.__anext__())
    for message in more:  # until it has connected anew
        send(message)
        await asyncio.sleep(0.02)
        if reading.done():
            break
    assert_same_events([await reading], [EVENTS[:20]])
    assert one.counts["lost_events"] == 1_000 + 20 * (one.counts["lost_messages"] - 1)
    assert one.counts["broken_connections"] == 1


def test_the_blocking_form_connects_anew_too(opened: Opened) -> None:
    one, send = opened
    small, big = messages(EVENTS[:10], EVENTS[:20])
    send(small)
    assert len(next(one)) == 10
    send((big[0], bytes(1 << 20)))
    got = threading.Event()

    def send_until_it_comes() -> None:
        while not got.is_set():
            send(small)
            time.sleep(0.02)

    sending = threading.Thread(target=send_until_it_comes)
    sending.start()
    assert len(next(one)) == 10
    got.set()
    sending.join()
    assert one.counts == {"broken_connections": 1}


async def test_what_a_slow_reader_loses_is_counted_exactly() -> None:
    peer = Peer(zmq.XPUB, queue=10)
    one = source(peer, queue=10)
    peer.await_subscriber()
    sizes = [(37 * n) % 10_000 + 20_000 for n in range(400)]
    many = example_events(30_000, sensor=SENSOR)
    sent = messages(*[many[:size] for size in sizes])
    for message in sent[:-1]:
        peer(message)
    got: list[EventBatch] = []
    with anyio.move_on_after(0.5) as silence:
        while True:
            got.append(await one.__anext__())
            silence.deadline = anyio.current_time() + 0.5
    peer(sent[-1])
    got.append(await one.__anext__())
    assert one.counts["lost_messages"] == len(sent) - len(got) > 0
    assert one.counts["lost_events"] == sum(sizes) - sum(map(len, got))
    assert {len(batch) for batch in got} <= set(sizes)
    one.close()


async def test_two_publishers_are_told_apart_and_one_that_starts_anew_has_lost_nothing() -> None:
    first, second = Peer(zmq.XPUB), Peer(zmq.XPUB)
    link = Link(endpoint="tcp://127.0.0.1:*", kind="sub", bind=True, keys=Keys(), queue=99)
    one = ZmqSource(link, Events())
    reading = asyncio.ensure_future(read(one, 7))
    for peer in (first, second):
        peer.socket.connect(one.endpoint)
    await asyncio.to_thread(first.await_subscriber)
    await asyncio.to_thread(second.await_subscriber)
    left = messages(*cut_events(EVENTS[:5], [1, 1, 1, 1]))
    other = EventBatch.from_columns(
        t=[1, 2, 3, 4], x=[0] * 4, y=[0] * 4, p=[0] * 4, sensor=Sensor(9, 9, "right")
    )
    right = messages(*cut_events(other, [1, 2]), stream=2)
    first(left[0], left[1], left[4])
    second(*right)
    got = await reading
    assert {b.sensor.name: sum(len(o) for o in got if o.sensor == b.sensor) for b in got} == {
        "left": 3,
        "right": 4,
    }
    assert one.counts == {"lost_messages": 2, "lost_events": 2}
    second(*messages(*cut_events(other, [1, 2]), stream=3))
    await read(one, 4)
    assert one.counts == {"lost_messages": 2, "lost_events": 2}
    one.close()


async def test_a_publisher_that_is_started_anew_is_found_again() -> None:
    peer = Peer(zmq.XPUB)
    one = source(peer)
    peer.await_subscriber()
    peer(*messages(EVENTS[:5], EVENTS[:6]))
    await read(one, 11)
    peer.close()
    reading = asyncio.ensure_future(read(one, 7))
    again = Peer(zmq.XPUB, peer.endpoint)
    await asyncio.to_thread(again.await_subscriber)
    again(*messages(EVENTS[:7], stream=2))
    assert_same_events(await reading, [EVENTS[:7]])
    assert one.counts == {}
    one.close()


async def test_who_pulls_a_share_has_lost_nothing() -> None:
    peer = Peer()
    both = [source(peer) for _ in range(2)]
    shares: list[list[EventBatch]] = [[], []]
    reading = [asyncio.ensure_future(_all(*pair)) for pair in zip(both, shares, strict=True)]
    for message in messages(*[EVENTS] * 200):
        peer(message)
        await asyncio.sleep(0.02)
        if all(len(share) > 1 for share in shares):
            break
    assert all(shares)
    for task in reading:
        task.cancel()
    await asyncio.wait(reading)
    assert [one.counts for one in both] == [{}, {}]
    for one in both:
        one.close()


async def _all(one: ZmqSource[EventBatch], got: list[EventBatch]) -> None:
    while True:
        got.append(await one.__anext__())


async def test_a_turn_takes_no_more_than_so_much(opened: Opened) -> None:
    one, send = opened
    body = b"\1\2\3\0\1\0\0\0" * 8_192
    send(*[(b"V", body)] * 20)
    batches = await read(one, 20 * 8_192)
    assert max(map(len, batches)) * 8 <= TURN_BYTES + len(body)


async def test_a_flood_does_not_keep_other_tasks_from_running(opened: Opened) -> None:
    one, send = opened
    reading = asyncio.ensure_future(one.__anext__())
    deadline = time.monotonic() + 5
    for _ in range(50):
        send(*[(b"V", b"\xff" * 8), (b"bad",)] * 100)
        await asyncio.sleep(0)
        assert time.monotonic() < deadline
    assert not reading.done()
    reading.cancel()
    await asyncio.wait([reading])


async def test_hostile_messages_take_no_memory(opened: Opened) -> None:
    one, send = opened
    reading = asyncio.ensure_future(one.__anext__())
    bad: list[Parts | list[bytes]] = [
        (b"V", bytes(1 << 18) + b"\xff"),
        (bytes(1 << 18),),
        [b"x"] * 1_000,
    ]
    tracemalloc.start()
    for _ in range(50):
        send(*bad)
        await asyncio.sleep(0)
        if reading.done():
            reading = asyncio.ensure_future(one.__anext__())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    reading.cancel()
    await asyncio.wait([reading])
    assert peak < 64 << 20


@pytest.mark.parametrize("cancel", ["scope", "task"])
async def test_a_silent_stream_is_cancelled_at_once(opened: Opened, cancel: str) -> None:
    one, send = opened
    if cancel == "scope":
        with anyio.move_on_after(0.01) as scope:
            await one.__anext__()
        assert scope.cancelled_caught
    else:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.__anext__(), 0.01)
    send(*messages(EVENTS))
    assert_same_events([await one.__anext__()], [EVENTS])


@pytest.mark.parametrize("turns", range(8))
async def test_a_read_that_is_cancelled_anywhere_loses_nothing(opened: Opened, turns: int) -> None:
    one, send = opened
    got: list[EventBatch] = []
    sent = messages(*cut_events(EVENTS, [9, 11]))
    reading = asyncio.ensure_future(_append(one, got))
    for turn in range(turns):
        if turn == turns // 2:
            send(sent[0])
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    send(*sent[1 if turns else 0 :])
    while sum(map(len, got)) < len(EVENTS):
        await _append(one, got)
    assert_same_events(got, [EVENTS])


async def _append(one: ZmqSource[EventBatch], got: list[EventBatch]) -> None:
    got.append(await one.__anext__())


async def test_closing_ends_a_read_that_waits(tmp_path: Path) -> None:
    run = stream_of(open_url("ipc", f"//{tmp_path}/socket", bind=True)).open()
    reading = asyncio.ensure_future(anext(run, None))
    await asyncio.sleep(0.01)
    await run.aclose()
    assert await reading is None
    await run.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a test


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
async def test_a_busy_address_raises_at_once_and_a_closed_one_is_free_at_once(
    transport: str, tmp_path: Path
) -> None:
    free = Peer()
    free.close()
    rest = free.endpoint.partition(":")[2] if transport == "tcp" else f"//{tmp_path}/socket"
    stream = aevents.open(f"zmq+{transport}:{rest}?bind=yes")
    for _ in range(3):
        async with stream.open():
            with pytest.raises(OSError, match=f"zmq.{transport}:{rest}: Address already in use"):
                stream.open()


async def test_break_frees_everything_at_once() -> None:
    before = _resources()
    for _ in range(3):
        peer = Peer()
        run = aevents.open(f"zmq+{peer.endpoint}?socket=pull").open()
        peer(*messages(EVENTS))
        async for batch in run:
            assert len(batch) == len(EVENTS)
            break
        del run
        peer.close()
        assert _resources() == before


def _resources() -> tuple[int, int]:
    return len([*Path("/proc/self/fd").iterdir()]), len([*Path("/proc/self/task").iterdir()])


async def test_the_report_grows_while_it_runs() -> None:
    peer = Peer()
    async with aevents.open(f"zmq+{peer.endpoint}?socket=pull").open() as batches:
        for number in range(1, 4):
            peer((b"bad",), (b"V",), *messages(EVENTS))
            await anext(batches)
            assert batches.report["events"] == len(EVENTS) * number
            assert batches.report["bad_messages"] == 2 * number
            assert batches.report.dropped == 2 * number


async def test_a_window_and_frames_of_what_comes() -> None:
    peer = Peer()
    stream = aevents.open(f"zmq+{peer.endpoint}?socket=pull")
    async with stream.window(count=1_000).frames("polarity").open() as run:
        peer(*messages(EVENTS))
        sums = [float((await anext(run)).array.sum()) for _ in range(5)]
    assert sums == [1000.0] * 5


def test_a_live_stream_has_no_end() -> None:
    assert aevents.open("zmq+tcp://127.0.0.1:5").endless
    with pytest.raises(ValueError, match="no end"):
        aevents.load("zmq+tcp://127.0.0.1:5")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("zmq+tcp://127.0.0.1", "an address is zmq.tcp://HOST:PORT"),
        ("zmq+ipc:", "an address is zmq.ipc://PATH"),
        ("zmq+tcp://*:5?bind=no", "can only be bound"),
        ("zmq+tcp://127.0.0.1:5?size=640", "a sensor size is"),
        ("zmq+tcp://127.0.0.1:5?socket=pub", "zmq: Invalid enum value 'pub'"),
        ("zmq+tcp://127.0.0.1:5?max_message=0", "max_message is a number of bytes, not 0"),
        ("zmq+tcp://127.0.0.1:5?sise=1x1", "unknown field `sise`; known: .* max_message"),
    ],
)
def test_what_is_wrong_is_said_at_the_call(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aevents.open(url)
