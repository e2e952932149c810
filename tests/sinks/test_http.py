"""Results posted to a server, which is a real one here."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import pytest

import aevents
from aevents import DeliveryError, EncodeError, MissingExtraError, infer
from aevents.sinks import http
from aevents.sinks.http import HttpSink
from tests.junctions.streams import no_tasks_left
from tests.junctions.test_infer import film, number


class Server:
    """Takes what is posted, and answers as it is told: with these statuses, then 204 for ever."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.speech = b""
        self.posts: list[tuple[str, bytes]] = []
        self.content_types: set[str] = set()
        self.authorizations: set[str | None] = set()
        self.connections: set[Any] = set()
        self.silent = threading.Event()
        self.silent.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.silent.wait(10)
                outer.posts.append((self.path, body))
                outer.content_types.add(self.headers["content-type"])
                outer.authorizations.add(self.headers["authorization"])
                outer.connections.add(self.client_address)
                status = outer.answers.pop(0) if outer.answers else 200
                self.send_response(status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(outer.speech)))
                self.end_headers()
                self.wfile.write(outer.speech)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/results"

    @property
    def values(self) -> list[object]:
        return [json.loads(body)["value"] for _, body in self.posts]


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    thread = threading.Thread(target=one.server.serve_forever, args=(0.01,))
    thread.start()
    yield one
    one.silent.set()
    one.server.shutdown()
    one.server.server_close()
    thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, none of which is made."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr("aevents.sinks.http.anyio.sleep", sleep)
    return made


async def test_each_result_is_posted_as_json_over_one_connection(server: Server) -> None:
    async with infer(film(5), number) as results:
        await results.to(server.url)
    assert server.values == [0, 1, 2, 3, 4]
    assert {path for path, _ in server.posts} == {"/results"}
    assert json.loads(server.posts[3][1])["frames_used"] == [3]
    assert server.content_types == {"application/json"}
    assert len(server.connections) == 1
    assert no_tasks_left()


async def test_what_may_go_well_later_is_tried_again(server: Server, pauses: list[float]) -> None:
    server.answers = [503, 429, 500, 200]
    sink = HttpSink(server.url)
    await sink.write({"value": 7})
    await sink.aclose()
    assert server.values == [7] * 4
    assert pauses == [0.25, 0.5, 1.0]


async def test_the_server_says_how_long_to_wait(server: Server, pauses: list[float]) -> None:
    server.answers = [503, 503]
    server.headers = {"retry-after": "7"}
    sink = HttpSink(server.url)
    await sink.write({"value": 7})
    server.answers = [503]
    server.headers = {"retry-after": "3600"}
    await sink.write({"value": 8})
    await sink.aclose()
    assert pauses == [7.0, 7.0, 30.0]


async def test_after_so_many_tries_it_is_an_error(server: Server, pauses: list[float]) -> None:
    server.answers = [503] * 9
    sink = HttpSink(server.url, tries=3)
    with pytest.raises(DeliveryError, match="/results: 503 Service Unavailable") as told:
        await sink.write({"value": 7})
    await sink.aclose()
    assert told.value.status == 503
    assert len(server.posts) == 3


@pytest.mark.parametrize("status", [301, 400, 404])
async def test_a_final_answer_is_an_error_at_once(
    server: Server, pauses: list[float], status: int
) -> None:
    server.answers = [status]
    sink = HttpSink(server.url)
    with pytest.raises(DeliveryError) as told:
        await sink.write({"value": 7})
    await sink.aclose()
    assert told.value.status == status
    assert (len(server.posts), pauses) == (1, [])


async def test_a_server_that_is_not_there_is_tried_again(pauses: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sink = HttpSink(f"http://127.0.0.1:{taken.getsockname()[1]}/", tries=4)
        with pytest.raises(DeliveryError, match=r"POST http://127\.0\.0\.1") as told:
            await sink.write(1)
        await sink.aclose()
    assert told.value.status is None
    assert pauses == [0.25, 0.5, 1.0]


async def test_a_server_that_does_not_answer_meets_its_time_out(server: Server) -> None:
    server.silent.clear()
    sink = HttpSink(server.url, tries=1, timeout_us=50_000)
    with pytest.raises(DeliveryError, match=r"no answer within 0\.05 s"):
        await sink.write({"value": 1})
    await sink.aclose()


async def test_a_write_can_be_cancelled(server: Server) -> None:
    server.silent.clear()
    sink = HttpSink(server.url)
    with anyio.move_on_after(0.05) as scope:
        await sink.write({"value": 1})
    assert scope.cancelled_caught
    server.silent.set()
    await sink.write({"value": 2})
    await sink.aclose()
    assert server.values[-1] == 2
    assert no_tasks_left()


async def test_what_a_server_says_is_let_go(server: Server) -> None:
    server.speech = b"x" * 1_000_000
    sink = HttpSink(server.url)
    await sink.write({"value": 1})
    await sink.write({"value": 2})
    await sink.aclose()
    assert server.values == [1, 2]


async def test_after_the_close_nothing_is_posted(server: Server) -> None:
    sink = HttpSink(server.url)
    await sink.aclose()
    with pytest.raises(anyio.ClosedResourceError):
        await sink.write(1)
    assert server.posts == []


async def test_what_json_cannot_hold_is_refused(server: Server) -> None:
    sink = HttpSink(server.url)
    with pytest.raises(EncodeError, match="json: a object does not fit"):
        await sink.write(object())
    await sink.aclose()


async def test_a_url_has_options_of_ours_and_of_the_server(server: Server) -> None:
    sink = aevents.create(
        f"{server.url}?tries=2&key=a%20b&timeout_us=5000000", headers={"authorization": "Bearer x"}
    )
    await sink.write({"value": 1})
    await sink.aclose()
    assert [path for path, _ in server.posts] == ["/results?key=a+b"]
    assert server.authorizations == {"Bearer x"}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: aevents.create("http:nowhere"), "http:nowhere has no host"),
        (lambda: aevents.create("http://h/?tries=many"), "are whole numbers"),
        (lambda: HttpSink("http://h", tries=0), "are at least 1, not 0, 10000000"),
        (lambda: aevents.create("http://h/", headers=5), "headers are values by name, not 5"),
    ],
)
def test_impossible_options_are_refused_at_once(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


def test_without_httpx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[http\]'"):
        aevents.create("http://127.0.0.1/")
