"""Who may come in over a real socket, and what becomes of those who may not."""

from __future__ import annotations

import socket
import sys
from http import HTTPStatus
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import aevents
from aevents.errors import MissingExtraError
from aevents.viewer.app import app_of
from aevents.viewer.live import LiveShow
from aevents.viewer.messages import MOST_BYTES
from aevents.viewer.server import MOST_CONNECTIONS, Place
from aevents.viewer.viewer import MOST_PAGES, Viewer
from tests.viewer.pages import page_at, served, until


def bar() -> LiveShow:
    stream = aevents.open("synthetic:bar?rate=1e5&duration_us=0&size=64x48").paced()
    return LiveShow(0, "bar", "synthetic:bar", lambda: stream)


async def answer(url: str, head: str) -> tuple[int, dict[str, str], str]:
    """Return what a server says to these lines: status, headers, body."""
    host, port = url.removeprefix("http://").partition("/")[0].rsplit(":", 1)
    async with await anyio.connect_tcp(host, int(port)) as stream:
        await stream.send(head.replace("\n", "\r\n").encode() + b"Connection: close\r\n\r\n")
        got = b""
        with anyio.fail_after(5):
            while True:
                try:
                    got += await stream.receive()
                except anyio.EndOfStream:
                    break
    lines, _, body = got.decode().partition("\r\n\r\n")
    first, *rest = lines.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in rest)
    return int(first.split()[1]), headers, body


async def test_the_page_comes_with_headers_that_keep_others_out() -> None:
    async with served(bar()) as (_, url):
        status, headers, body = await answer(url, "GET / HTTP/1.1\nHost: 127.0.0.1\n")
        assert status == HTTPStatus.OK
        assert "<!doctype html>" in body.lower()
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


@pytest.mark.parametrize(
    ("path", "host", "more", "status"),
    [
        ("/", "localhost", "", 200),
        ("/", "localhost:9999", "", 200),  # a tunnel to here
        ("/", "[::1]:8000", "", 200),
        ("/", "evil.example", "", 421),
        ("/", "127.0.0.1.evil.example", "", 421),
        ("/", "10.0.0.1", "", 421),
        ("/", "", "", 421),
        ("/", "localhost", "Host: localhost\n", 400),
        ("/", "localhost:8000", "Origin: http://localhost:8000\n", 200),
        ("/", "localhost:8000", "Origin: http://evil.example\n", 403),
        ("/", "localhost:8000", "Origin: http://localhost:8001\n", 403),
        ("/", "localhost:8000", "Origin: null\n", 403),
        ("/ws", "localhost:8000", "Origin: http://evil.example\n", 403),
        ("/../viewer.py", "localhost", "", 404),
        ("/%2e%2e/viewer.py", "localhost", "", 404),
        ("/..%2fviewer.py", "localhost", "", 404),
        ("//etc/passwd", "localhost", "", 404),
        ("/nothing", "localhost", "", 404),
    ],
)
async def test_only_this_page_of_this_server(path: str, host: str, more: str, status: int) -> None:
    async with served(bar()) as (_, url):
        head = f"GET {path} HTTP/1.1\nHost: {host}\n{more}"
        assert (await answer(url, head))[0] == status


@pytest.mark.parametrize("package", ["isal", "starlette.applications", "websockets"])
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[web\]'"):
        app_of(Viewer(), host="127.0.0.1")


async def test_nothing_is_posted() -> None:
    async with served(bar()) as (_, url):
        head = "POST / HTTP/1.1\nHost: localhost\nContent-Length: 0\n"
        assert (await answer(url, head))[0] == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
async def test_a_foreign_page_gets_no_socket(headers: dict[str, str], status: int) -> None:
    async with served(bar()) as (server, url):
        address = url.replace("http", "ws") + "/ws"
        origin = headers.get("Origin")
        with pytest.raises(InvalidStatus) as refused:
            if origin is None:
                sock = socket.create_connection(("127.0.0.1", server.port))
                await connect("ws://evil.example/ws", sock=sock, proxy=None)
            else:
                await connect(address, origin=origin, proxy=None)  # type: ignore[arg-type]
        assert refused.value.response.status_code == status
        assert not server.viewer.pages
        async with page_at(url, origin=url) as page:  # its own may come
            await page.told("hello")


async def test_the_token_is_asked_for_and_becomes_a_cookie() -> None:
    place = Place("0.0.0.0", 0, insecure=True)
    async with served(bar(), place=place) as (server, url):
        token = server.token
        assert token is not None
        assert len(token) > 40
        assert url.endswith(f"/?token={token}")
        host = "Host: 127.0.0.1\n"
        for wrong in ("", "?token=", "?token=wrong", f"?token={token}x", f"?token={token[:-1]}"):
            assert (await answer(url, f"GET /{wrong} HTTP/1.1\n{host}"))[0] == 401
            with pytest.raises(InvalidStatus, match="401"):
                await connect(url.partition("/?")[0].replace("http", "ws") + f"/ws{wrong}")
        status, headers, _ = await answer(url, f"GET /?token={token} HTTP/1.1\n{host}")
        assert (status, headers["location"]) == (303, "/")
        assert "httponly; path=/; samesite=strict" in headers["set-cookie"]
        name = f"aevents-{token[:6]}"
        good = f"Cookie: other=1; {name}={token}\n"
        assert (await answer(url, f"GET / HTTP/1.1\n{host}{good}"))[0] == 200
        bad = f"Cookie: {name}=no\n"
        assert (await answer(url, f"GET / HTTP/1.1\n{host}{bad}"))[0] == 401
        async with page_at(url) as page:
            await page.told("hello")
        with pytest.raises(InvalidStatus, match="401"):
            await connect(url.partition("/?")[0].replace("http", "ws") + "/ws")
        lan = "Host: 192.168.1.7:8000\n"
        assert (await answer(url, f"GET / HTTP/1.1\n{lan}{good}"))[0] == 200
        rebound = "Host: evil.example\n"
        assert (await answer(url, f"GET / HTTP/1.1\n{rebound}{good}"))[0] == 421


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nothing", 1007),
        ('{"type":"explode"}', 1007),
        ('{"type":"play","show":0,"more":1}', 1007),
        (b"binary", 1003),
        ('{"type":"open","name":"' + "x" * MOST_BYTES + '"}', 1009),
    ],
)
async def test_who_says_what_no_page_says_is_left(message: str | bytes, code: int) -> None:
    async with served(bar()) as (server, url):
        async with page_at(url) as page, page_at(url) as other:
            await page.socket.send(message)
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await page.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code
            await other.credit()
            await other.drawn()  # the others do not notice
            assert len(server.viewer.pages) == 1


async def test_so_many_pages_and_no_more() -> None:
    async with served(bar()) as (server, url):
        async with anyio.create_task_group() as tasks:
            ready = anyio.Semaphore(0)
            done = anyio.Event()

            async def look() -> None:
                async with page_at(url) as page:
                    await page.told("hello")
                    ready.release()
                    await done.wait()

            for _ in range(MOST_PAGES):
                tasks.start_soon(look)
            for _ in range(MOST_PAGES):
                await ready.acquire()
            with pytest.raises(InvalidStatus) as refused:
                await connect(url.replace("http", "ws") + "/ws", proxy=None)
            assert refused.value.response.status_code == 503
            done.set()
        await until(lambda: not (server.viewer.pages))
        async with page_at(url) as page:
            await page.told("hello")


async def test_a_thousand_connections_do_not_disturb_a_page() -> None:
    def besiege(port: int) -> set[bytes]:
        said = set()
        for _ in range(4):
            crowd = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(250)]
            said |= {one.recv(12) for one in crowd[MOST_CONNECTIONS:]}
            for one in crowd:
                one.close()
        return said

    async with served(bar()) as (server, url), page_at(url) as page:
        await page.credit()
        await page.drawn()
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while True:
                    await page.drawn()

            tasks.start_soon(watch)
            said = await anyio.to_thread.run_sync(besiege, server.port)
            tasks.cancel_scope.cancel()
        assert said == {b"HTTP/1.1 503"}
        assert len(page.pieces) > 2
        await page.drawn()
        with anyio.fail_after(5):
            while (await answer(url, "GET / HTTP/1.1\nHost: localhost\n"))[0] != 200:
                pass


async def test_what_is_not_shown_or_not_in_the_folder_is_refused(tmp_path: Path) -> None:
    async with served(bar()) as (_, url), page_at(url) as page:
        await page.say("play", show=9)
        assert "not shown" in (await page.told("problem"))["text"]
        await page.say("seek", show=0, time_us=5)
        assert "live" in (await page.told("problem"))["text"]
        await page.say("open", name="../secret.raw")
        assert "folder" in (await page.told("problem"))["text"]
        await page.say("credit", show=77)
        assert "not shown" in (await page.told("problem"))["text"]
