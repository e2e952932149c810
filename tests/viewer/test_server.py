"""The server is a guest: it leaves signals and logging alone, and ends clean within 2 s."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from aevents.viewer.server import NEXT_PORTS, PORT, Place
from tests.viewer.pages import page_at, served, until
from tests.viewer.test_app import bar


def state_of_the_host() -> tuple[object, ...]:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error")]
    return (*handlers, *((one.level, [*one.handlers], one.propagate) for one in loggers))


async def test_signals_logging_and_tasks_of_the_host_are_left_alone() -> None:
    before, tasks = state_of_the_host(), asyncio.all_tasks()
    async with served(bar()) as (_, url), page_at(url) as page:
        await page.told("hello")
        assert state_of_the_host() == before
    assert state_of_the_host() == before
    assert asyncio.all_tasks() == tasks


async def test_it_ends_within_two_seconds_whoever_does_not_read() -> None:
    async with anyio.create_task_group() as tasks:
        silent = []
        async with served(bar()) as (server, url):
            for _ in range(3):
                one = socket.create_connection(("127.0.0.1", server.port))
                one.setblocking(False)
                silent.append(one)
            looking = page_at(url)  # kept: it would close the page
            page = await looking.__aenter__()
            await page.credit(count=4)
            page.socket.transport.pause_reading()
            await until(lambda: server.viewer.pages)
            await anyio.sleep(0.2)
            began = anyio.current_time()
        assert anyio.current_time() - began < 2
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))
        for one in silent:
            one.close()
        page.socket.transport.abort()
        tasks.cancel_scope.cancel()


async def test_a_cancellation_ends_it_as_clean() -> None:
    tasks = asyncio.all_tasks()
    began = 0.0
    with anyio.CancelScope() as scope:
        async with served(bar()) as (server, url), page_at(url) as page:
            await page.told("hello")
            began = anyio.current_time()
            scope.cancel()
            await anyio.sleep_forever()
    assert anyio.current_time() - began < 2
    assert asyncio.all_tasks() == tasks
    async with served(bar(), place=Place(port=server.port)):
        pass  # the port is free


async def test_a_page_is_told_that_the_server_ends_and_finds_the_next_one() -> None:
    async with served(bar()) as (server, url):
        async with page_at(url) as page:
            first = await page.told("hello")
            port = server.port
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(page.credit)
            await page.drawn()
    with pytest.raises(ConnectionClosed):
        await page.hear()
    async with served(bar(), place=Place(port=port)) as (_, url), page_at(url) as page:
        second = await page.told("hello")
        await page.credit()
        assert (await page.drawn()).flags == 1
    assert first["server"] != second["server"]


async def test_who_looks_when_it_ends_gets_1012() -> None:
    async with served(bar()) as (_, url):
        looking = page_at(url)  # kept: it would close the page
        page = await looking.__aenter__()
        await page.told("hello")
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await page.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_the_next_free_port_is_taken_unless_one_was_asked_for() -> None:
    with Place().listen() as first, Place().listen() as second:
        ports = [one.getsockname()[1] for one in (first, second)]
        assert PORT <= ports[0] < ports[1] < PORT + NEXT_PORTS
        assert {one.getsockname()[0] for one in (first, second)} == {"127.0.0.1"}
        with pytest.raises(OSError, match="in use"):
            Place(port=ports[0]).listen()


async def test_a_port_that_is_taken_is_told_as_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError, match="in use"):
            async with served(bar(), place=Place(port=taken.getsockname()[1])):
                pass


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"host": "0.0.0.0"}, "can be reached by others"),
        ({"host": "192.168.1.5"}, "can be reached by others"),
        ({"host": "example.org"}, "can be reached by others"),
        ({"port": 65_536}, "a port is"),
        ({"certificate": "c.pem"}, "give both"),
    ],
)
def test_what_is_not_safe_is_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Place(**options)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_loopback_needs_nothing(host: str) -> None:
    assert not Place(host).open


async def test_with_a_certificate_it_speaks_tls(tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    make = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1",
    ]  # fmt: skip
    await anyio.run_process(make)
    place = Place("0.0.0.0", 0, certificate, key)
    trusting = ssl.create_default_context()
    await anyio.to_thread.run_sync(trusting.load_verify_locations, certificate)
    async with served(bar(), place=place) as (server, url):
        assert url == f"https://127.0.0.1:{server.port}/?token={server.token}"
        own = f"https://127.0.0.1:{server.port}"
        async with page_at(url, ssl=trusting, origin=own) as page:
            await page.told("hello")
        with pytest.raises(InvalidStatus, match="403"):
            await page_at(url, ssl=trusting, origin=own.replace("https", "http")).__aenter__()


def test_addresses() -> None:
    assert Place("::1").url(80, None) == "http://[::1]:80"
    assert Place("0.0.0.0", insecure=True).url(80, "t") == "http://127.0.0.1:80/?token=t"
    assert Place("10.1.1.1", None, "c", "k").url(443, "t") == "https://10.1.1.1:443/?token=t"
