"""Datagrams out: what is sent, at which pace, and through a full socket, batched or one by one."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from itertools import pairwise

import anyio
import numpy as np
import pytest

import aevents
from aevents import EncodeError, EventBatch, Frame, Sensor, Span
from aevents._native import mmsg
from aevents._udp import Address
from aevents.codecs.spif import SpifDecoder, SpifEncoder
from aevents.sinks.udp import LAG_SECONDS, UdpSink, create_url
from aevents.testing import assert_same_events, check_sink, cut_events, example_events

EVENTS = example_events(5_000)


@pytest.fixture(params=["many at a time", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of sending datagrams; they behave the same."""
    if request.param == "one by one":
        monkeypatch.setattr(mmsg, "available", False)
    elif not mmsg.available:
        pytest.skip("not on Linux, or without C")
    return str(request.param)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """A socket that receives."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        yield one


def url(receiver: socket.socket) -> str:
    return f"//127.0.0.1:{receiver.getsockname()[1]}"


def received(receiver: socket.socket) -> list[bytes]:
    got = []
    while True:
        try:
            got.append(receiver.recv(65_535))
        except BlockingIOError:
            return got


@pytest.mark.parametrize("datagram", [8, 512, 1440])
@pytest.mark.parametrize("timestamps", ["yes", "no"])
async def test_the_bytes_are_those_of_the_encoder(
    way: str, receiver: socket.socket, datagram: int, timestamps: str
) -> None:
    options = {"datagram": datagram, "timestamps": timestamps == "yes"}
    sink = create_url(url(receiver), **options)
    await sink.write(EVENTS[:2_000])
    await sink.aclose()
    wanted = SpifEncoder(datagram=datagram, timestamps=timestamps == "yes").feed(EVENTS[:2_000])
    assert received(receiver) == list(wanted)


async def test_the_words_of_the_specification(way: str, receiver: socket.socket) -> None:
    sink = aevents.create(f"udp:{url(receiver)}")
    await sink.write(EventBatch.from_columns(t=[5, 6], x=[25, 56], y=[8, 27], p=[0, 1]))
    await sink.aclose()
    assert received(receiver) == [bytes.fromhex("08001980 1b803880")]


async def test_every_batch_is_sent_at_once(way: str, receiver: socket.socket) -> None:
    sink = create_url(url(receiver))
    for batch in cut_events(EVENTS[:300], [1, 0, 200]):
        await sink.write(batch)
        assert sum(map(len, received(receiver))) == 4 * len(batch)
    await sink.aclose()


async def test_a_large_batch_comes_whole(way: str, receiver: socket.socket) -> None:
    sink, many = create_url(url(receiver)), example_events(100_000)
    writing = asyncio.ensure_future(sink.write(many))
    got: list[bytes] = []
    while not writing.done():
        await asyncio.sleep(0)
        got += received(receiver)
    await sink.aclose()
    decoder = SpifDecoder()
    batches = [batch for one in got + received(receiver) for batch in decoder.feed(one)]
    assert np.array_equal(EventBatch.concat(batches).x, many.x)


async def test_it_obeys_the_laws_of_sinks(way: str, receiver: socket.socket) -> None:
    items = list(cut_events(EVENTS, [10, 500]))
    await check_sink(lambda: create_url(url(receiver)), items)
    assert sum(map(len, received(receiver))) == 4 * sum(map(len, items[1:]))


async def test_from_a_source_to_a_sink_and_back(way: str, receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    receiver.close()
    got: list[EventBatch] = []
    async with aevents.open(f"udp://127.0.0.1:{port}?size=320x240").open() as batches:
        report = await aevents.from_array(np.asarray(EVENTS), EVENTS.sensor).to(
            f"udp://127.0.0.1:{port}?timestamps=yes"
        )
        while sum(map(len, got)) < len(EVENTS):
            got.append(await anext(batches))
    assert report.events == len(EVENTS)
    assert_same_events(got, [EVENTS])


async def test_a_pace_is_kept(
    way: str, receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, naps = 100.0, []

    async def sleep_until(due: float) -> None:
        nonlocal now
        naps.append(due)
        now = due
        await asyncio.sleep(0)

    monkeypatch.setattr(anyio, "current_time", lambda: now)
    monkeypatch.setattr(anyio, "sleep_until", sleep_until)
    sink = create_url(url(receiver), rate=256_000)  # 2 datagrams a millisecond
    await sink.write(EVENTS)
    await sink.aclose()
    steps = np.array([late - early for early, late in pairwise(naps)])
    assert np.allclose(steps, 0.001)
    assert now - 100.0 == pytest.approx(4_864 / 256_000)  # the last events are not waited for


async def test_a_late_loop_is_caught_up_but_not_for_long(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, naps = 100.0, []

    async def oversleep_until(due: float) -> None:
        nonlocal now
        naps.append(due)
        now = due + (1.0 if len(naps) == 1 else 0.0)
        await asyncio.sleep(0)

    monkeypatch.setattr(anyio, "current_time", lambda: now)
    monkeypatch.setattr(anyio, "sleep_until", oversleep_until)
    sink = create_url(url(receiver), rate=256_000)
    await sink.write(example_events(12_800))  # 50 ms
    await sink.aclose()
    assert len(naps) == pytest.approx(50 - 1 - 1000 * LAG_SECONDS, abs=1)
    assert naps[1] == pytest.approx(101.002, abs=0.0011)


@pytest.mark.parametrize(
    ("rate", "datagram", "events"), [("1", 512, 128), ("1e5", 8, 100), ("1e9", 512, 8192)]
)
def test_a_step_is_a_millisecond_or_what_goes_at_once(
    rate: str, datagram: int, events: int
) -> None:
    sink = create_url("//127.0.0.1:9", rate=rate, datagram=datagram)
    assert sink._step == events


async def test_a_full_socket_is_waited_for(
    way: str, receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[str] = []
    sink = create_url(url(receiver))
    send_some = sink._send_some

    def full_now_and_then(to: socket.socket, words: memoryview) -> int:
        if len(waits) % 2 == 0:
            waits.append("full")
            raise BlockingIOError(errno.EAGAIN, "full")
        waits.append("sent")
        return send_some(to, words[:512])

    monkeypatch.setattr(sink, "_send_some", full_now_and_then)
    await sink.write(EVENTS[:1_000])
    await sink.aclose()
    assert waits.count("full") == waits.count("sent") == 8
    assert b"".join(received(receiver)) == SpifEncoder().encode(EVENTS[:1_000])


async def test_nobody_has_to_listen(way: str, receiver: socket.socket) -> None:
    sink = create_url(url(receiver))
    receiver.close()
    for _ in range(3):
        await sink.write(EVENTS[:1_000])
    await sink.aclose()


async def test_ipv6(way: str) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.bind(("::1", 0))
        one.setblocking(False)
        sink = aevents.create(f"udp://[::1]:{one.getsockname()[1]}")
        await sink.write(EVENTS[:9])
        await sink.aclose()
        assert received(one) == [SpifEncoder().encode(EVENTS[:9])]


async def test_a_name_is_looked_up(way: str, receiver: socket.socket) -> None:
    sink = UdpSink(Address("localhost", receiver.getsockname()[1]))
    await sink.write(EVENTS[:9])
    await sink.aclose()


async def test_a_host_that_is_not_there_is_an_error_at_the_first_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nobody(*_args: object, **_options: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(anyio, "getaddrinfo", nobody)
    sink = aevents.create("udp://nowhere.invalid:3333")
    with pytest.raises(OSError, match="Name or service not known"):
        await sink.write(EVENTS)
    await sink.aclose()


async def test_a_socket_that_cannot_connect_is_closed() -> None:
    sink = aevents.create("udp://255.255.255.255:3333")
    with pytest.raises(PermissionError):
        await sink.write(EVENTS)
    await sink.aclose()


async def test_what_does_not_fit_is_refused(receiver: socket.socket) -> None:
    sink = aevents.create(f"udp:{url(receiver)}")
    off = EventBatch.from_columns(t=[1], x=[9], y=[9], p=[1], sensor=Sensor(4, 4))
    for item, message in [
        (off, "x=9, y=9"),
        (Frame(np.zeros((1, 1)), Span(0, 1), Sensor()), "Frame"),
    ]:
        with pytest.raises(EncodeError, match=message):
            await sink.write(item)
    await sink.write(EVENTS[:1])
    await sink.aclose()
    assert len(received(receiver)) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("udp://:3333", "a sink needs a host to send to, like udp://127.0.0.1:3333"),
        ("udp://h:3333?datagram=10", "a datagram holds whole events of 4 bytes"),
        ("udp://h:3333?datagram=12&timestamps=yes", "a datagram holds whole events of 8 bytes"),
        ("udp://h:3333?rate=0", "rate is a number of events a second above 0, not 0.0"),
        ("udp://h:3333?rate=nan", "rate is a number of events a second above 0, not nan"),
        ("udp://h:3333?timestamps=maybe", "timestamps is yes or no"),
        ("udp://h:3333?size=1x1", "no option 'size'; known: datagram, rate, timestamps"),
    ],
)
def test_what_is_wrong_is_said_at_the_call(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aevents.create(name)
