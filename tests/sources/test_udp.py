"""Datagrams in: what comes, what is lost, and closing at any time, batched or one by one."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor
from aevents._driver import AsyncRun
from aevents._native import mmsg
from aevents._udp import Address
from aevents.codecs.spif import SpifEncoder
from aevents.sources import udp
from aevents.sources.udp import UdpSource, open_url
from aevents.stream import stream_of
from aevents.testing import assert_same_events, example_events

SENSOR = Sensor(320, 240)
EVENTS = example_events(5_000, sensor=SENSOR)
OFF = b"\xff" * 8


@pytest.fixture(params=["many at a time", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of taking datagrams; they behave the same."""
    if request.param == "one by one":
        monkeypatch.setattr(mmsg, "available", False)
    elif not mmsg.available:
        pytest.skip("not on Linux, or without C")
    return str(request.param)


class Sender:
    """Sends datagrams to a source."""

    def __init__(self, source: UdpSource) -> None:
        family = socket.AF_INET6 if ":" in source.address.host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.connect(source.address)

    def __call__(self, *datagrams: bytes) -> None:
        for one in datagrams:
            self.socket.send(one)


Opened = tuple[UdpSource, Sender]


@pytest.fixture
def opened(way: str) -> Iterator[Opened]:
    """A source at a port of its own, and what sends to it."""
    source = UdpSource(Address("127.0.0.1", 0), SENSOR)
    sender = Sender(source)
    yield source, sender
    source.close()
    sender.socket.close()


def datagrams(batch: EventBatch, *, timestamps: bool = True) -> list[bytes]:
    return list(SpifEncoder(timestamps=timestamps).feed(batch))


async def read(source: UdpSource, events: int) -> list[EventBatch]:
    got: list[EventBatch] = []
    while sum(map(len, got)) < events:
        got.append(await anext_of(source))
    return got


async def anext_of(source: UdpSource) -> EventBatch:
    return await source.__anext__()


def port_of_nobody() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_what_is_sent_comes_in_few_batches(opened: Opened) -> None:
    source, send = opened
    send(*datagrams(EVENTS))
    got = await read(source, len(EVENTS))
    assert_same_events(got, [EVENTS])
    assert len(got) == 1
    assert source.counts == {}


async def test_a_read_waits_for_what_comes_later(opened: Opened) -> None:
    source, send = opened
    reading = asyncio.ensure_future(anext_of(source))
    await asyncio.sleep(0)
    await anyio.wait_all_tasks_blocked()
    assert not reading.done()
    send(*datagrams(EVENTS[:10]))
    assert_same_events([await reading], [EVENTS[:10]])


async def test_events_without_timestamps_get_the_time_of_arrival(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, send = opened
    now = udp._now_us()
    times = []
    for later in (5_000, 5_000, 9_000):
        monkeypatch.setattr(udp, "_now_us", lambda later=later: now + later)
        send(*datagrams(EVENTS[:2], timestamps=False))
        times += (await anext_of(source)).t.tolist()
    assert times[0] == times[3]
    assert times[4] - times[0] == 4_000


async def test_a_turn_takes_no_more_than_so_much(opened: Opened) -> None:
    source, send = opened
    send(*[b"\x01\x00\x02\x80" * 16_376] * 20)
    batches = await read(source, 20 * 16_376)
    assert max(map(len, batches)) <= 65_536
    send(*[b"\x01\x00\x02\x80"] * 600)
    assert [len(batch) for batch in await read(source, 600)] == [256, 256, 88]


async def test_hostile_datagrams_are_counted_and_the_stream_goes_on(opened: Opened) -> None:
    source, send = opened
    random = np.random.default_rng(5)
    for size in (0, 1, 3, 65_507, *random.integers(0, 65_508, 40).tolist()):
        send(b"\xff" * size, b"")
        reading = asyncio.ensure_future(anext_of(source))
        for _ in range(3):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    send(*datagrams(EVENTS))
    assert_same_events(await read(source, len(EVENTS)), [EVENTS])
    assert set(source.counts) == {"off_sensor", "torn_bytes"}


@pytest.mark.timeout(120)
async def test_a_million_hostile_datagrams_are_all_counted() -> None:
    if not mmsg.available:
        pytest.skip("not on Linux, or without C: takes minutes")
    source = UdpSource(Address("127.0.0.1", 0), SENSOR)
    send, sent = Sender(source), 0
    flood = memoryview(OFF * 64)
    reading = asyncio.ensure_future(anext_of(source))
    while sent < 1_000_000:
        for _ in range(20):
            sent += mmsg.send(send.socket.fileno(), flood, len(OFF)) // len(OFF)
        await asyncio.sleep(0)
    with anyio.fail_after(60):
        while _accounted(source) < sent:  # noqa: ASYNC110 - nothing tells: none of it is an event
            await asyncio.sleep(0.001)
    assert not reading.done()
    assert set(source.counts) <= {"off_sensor", "kernel_drops"}
    assert _accounted(source) == sent
    source.close()
    await asyncio.wait([reading])
    send.socket.close()


def _accounted(source: UdpSource) -> int:
    return source.counts.get("off_sensor", 0) // 2 + source.counts.get("kernel_drops", 0)


async def test_what_the_system_drops_is_counted_exactly(way: str) -> None:
    source = UdpSource(Address("127.0.0.1", 0), SENSOR, buffer=20_000)
    send = Sender(source)
    send(*datagrams(EVENTS, timestamps=False) * 10)
    sent, got = 10 * len(datagrams(EVENTS, timestamps=False)), 0
    dropped = source.counts["kernel_drops"]
    assert 0 < dropped < sent
    while got < sent - dropped:
        got += -(-len(await anext_of(source)) // 128)
    assert (got, source.counts["kernel_drops"]) == (sent - dropped, dropped)
    source.close()
    assert source.counts["kernel_drops"] == dropped
    send.socket.close()


async def test_a_granted_size_that_is_less_than_asked_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp, "SO_RCVBUFFORCE", -1)
    source = UdpSource(Address("127.0.0.1", 0), buffer=1 << 30)
    assert 0 < source.receive_buffer < 1 << 30
    assert source.counts == {"receive_buffer_bytes": source.receive_buffer}
    source.close()


@pytest.mark.parametrize(
    ("host", "to"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("", "127.0.0.1"), ("", "::1")],
)
async def test_both_families(way: str, host: str, to: str) -> None:
    source = UdpSource(Address(host, 0), SENSOR)
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagrams(EVENTS[:9])[0], (to, source.address.port))
        assert_same_events([await anext_of(source)], [EVENTS[:9]])
    source.close()


async def test_several_may_join_a_group(way: str) -> None:
    address = Address("239.7.7.7", port_of_nobody())
    both = [UdpSource(address, SENSOR, interface="lo") for _ in range(2)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        there = socket.inet_aton("127.0.0.1")
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, there)
        sender.sendto(datagrams(EVENTS[:9])[0], address)
    for source in both:
        assert_same_events([await anext_of(source)], [EVENTS[:9]])
        source.close()


def test_a_group_of_ipv6_is_joined() -> None:  # tests/laws/test_network.py sends to one
    source = UdpSource(Address("ff11::77", 0), interface="lo")
    joined = Path("/proc/net/igmp6").read_text()
    source.close()
    assert "lo              ff110000000000000000000000000077" in joined


async def test_a_busy_port_raises_at_once_and_a_closed_one_is_free_at_once(way: str) -> None:
    port = port_of_nobody()
    stream = aevents.open(f"udp://127.0.0.1:{port}?size=320x240")
    for _ in range(3):
        async with stream.open():
            with pytest.raises(OSError, match=f"udp://127.0.0.1:{port}: Address already in use"):
                stream.open()


async def test_break_frees_the_port_at_once(opened: Opened) -> None:
    _, send = opened
    port = port_of_nobody()
    send.socket.connect(("127.0.0.1", port))
    for _ in range(3):
        run = aevents.open(f"udp://127.0.0.1:{port}").open()
        send(*datagrams(EVENTS[:1]))
        async for batch in run:
            assert len(batch) == 1
            break
        del run


@pytest.mark.parametrize("cancel", ["scope", "task"])
async def test_a_silent_stream_is_cancelled_at_once(opened: Opened, cancel: str) -> None:
    source, send = opened
    if cancel == "scope":
        with anyio.move_on_after(0.01) as scope:
            await anext_of(source)
        assert scope.cancelled_caught
    else:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext_of(source), 0.01)
    send(*datagrams(EVENTS[:9]))
    assert_same_events([await anext_of(source)], [EVENTS[:9]])


@pytest.mark.parametrize("turns", range(8))
async def test_a_read_that_is_cancelled_anywhere_loses_nothing(opened: Opened, turns: int) -> None:
    source, send = opened
    got: list[EventBatch] = []
    reading = asyncio.ensure_future(_append(source, got))
    for turn in range(turns):
        if turn == turns // 2:
            send(*datagrams(EVENTS[:9]))
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    send(*datagrams(EVENTS[9:20]))
    while sum(map(len, got)) < (20 if turns else 11):
        await _append(source, got)
    assert_same_events(got, [EVENTS[:20] if turns else EVENTS[9:20]])


async def _append(source: UdpSource, got: list[EventBatch]) -> None:
    got.append(await source.__anext__())


async def test_closing_ends_a_read_that_waits(way: str) -> None:
    run: AsyncRun[EventBatch] = stream_of(open_url(f"//127.0.0.1:{port_of_nobody()}")).open()
    reading = asyncio.ensure_future(anext(run, None))
    await asyncio.sleep(0.01)
    await run.aclose()
    assert await reading is None
    await run.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_report_grows_while_it_runs(opened: Opened) -> None:
    _, send = opened
    port = port_of_nobody()
    send.socket.connect(("127.0.0.1", port))
    async with aevents.open(f"udp://127.0.0.1:{port}?size=320x240").open() as batches:
        for number in range(1, 4):
            send(OFF, *datagrams(EVENTS[:9]))
            await anext(batches)
            assert batches.report["events"] == 9 * number
            assert batches.report["off_sensor"] == 2 * number


async def test_a_window_and_frames_of_what_comes(opened: Opened) -> None:
    _, send = opened
    port = port_of_nobody()
    send.socket.connect(("127.0.0.1", port))
    stream = aevents.open(f"udp://127.0.0.1:{port}?size=320x240")
    frames = stream.window(count=1_000).frames("polarity")
    async with frames.open() as run:
        send(*datagrams(EVENTS))
        sums = [float((await anext(run)).array.sum()) for _ in range(5)]
    assert sums == [1000.0] * 5


def test_a_live_stream_has_no_blocking_form_and_no_end() -> None:
    stream = aevents.open("udp://:3333")
    assert stream.endless
    with pytest.raises(TypeError, match="udp://:3333 has no blocking form"):
        stream.blocking()
    with pytest.raises(ValueError, match="no end"):
        aevents.load("udp://:3333")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("udp://localhost:3333", "listens at a numeric address, not 'localhost'"),
        ("udp://:3333?size=640", "a sensor size is"),
        ("udp://:3333?buffer=much", "buffer is of type int"),
        ("udp://:3333?buffer=0", "buffer is a number of bytes, not 0"),
        ("udp://:3333?sise=1x1", "no option 'sise'; known: size, buffer, interface"),
        ("udp://127.0.0.1:3333?interface=lo", "'127.0.0.1' is none"),
        ("udp:3333", "an address is"),
    ],
)
def test_what_is_wrong_is_said_at_the_call(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aevents.open(url)


def test_an_interface_that_is_not_there_is_an_error_when_opened() -> None:
    stream = aevents.open("udp://239.1.1.1:3333?interface=nowhere")
    with pytest.raises(OSError, match="udp://239"):
        stream.open()


def test_a_source_that_is_dropped_leaves_no_socket(way: str) -> None:
    for _ in range(3):
        aevents.open(f"udp://127.0.0.1:{port_of_nobody()}").open()
    gc.collect()  # which would warn of a socket that was left open


async def test_a_flood_does_not_keep_other_tasks_from_running(way: str) -> None:
    source = UdpSource(Address("127.0.0.1", 0), SENSOR)
    send = Sender(source)
    turns = itertools.count()
    reading = asyncio.ensure_future(anext_of(source))
    deadline = time.monotonic() + 5
    while next(turns) < 50:
        send(*[OFF] * 300)  # faster than it is read: nothing of it is an event
        await asyncio.sleep(0)
        assert time.monotonic() < deadline
    assert not reading.done()
    reading.cancel()
    await asyncio.wait([reading])
    source.close()
    send.socket.close()
