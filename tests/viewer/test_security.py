"""Which hosts are one's own; how that is answered, test_app.py shows."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import pytest

from aevents.viewer.security import Guard, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "localhost.evil.example", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


async def status_of(guard: Guard, headers: Mapping[str, str], query: str = "") -> int:
    said: list[int] = []

    async def send(message: Mapping[str, object]) -> None:
        if message["type"] == "http.response.start":
            said.append(int(str(message["status"])))

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": query.encode(),
        "scheme": "http", "server": ("127.0.0.1", 8000),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip
    await guard(scope, receive, send)
    return said[0]


async def inside(scope: object, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]


@pytest.mark.parametrize(
    ("listens", "host", "status"),
    [
        ("127.0.0.1", "LOCALHOST.:8000", 200),
        ("127.0.0.1", "[::1]", 200),
        ("127.0.0.1", "192.168.0.7", 421),
        ("127.0.0.1", "[::1", 421),
        ("127.0.0.1", "", 421),
        ("127.0.0.1", "a@localhost:8000:8000", 421),
        ("0.0.0.0", "192.168.0.7:8000", 200),
        ("0.0.0.0", socket.gethostname(), 200),
        ("0.0.0.0", "evil.example", 421),
        ("viewer.example", "viewer.example", 200),
        ("viewer.example", "evil.example", 421),
    ],
)
async def test_hosts(listens: str, host: str, status: int) -> None:
    assert await status_of(Guard(inside, host=listens), {"host": host}) == status


@pytest.mark.parametrize(
    ("query", "cookie", "status"),
    [
        ("", "", 401),
        ("token=secret", "", 303),
        ("token=no&token=secret", "", 303),
        ("token=%FF", "", 401),
        ("token=secrets", "", 401),
        ("", "aevents-secret=secret", 200),
        ("", "aevents-secret=secret2", 401),
        ("", "aevents-secret=s\xe9cret", 401),
        ("", "broken cookie; [=", 401),
        ("", "a=1; aevents-secret=secret; b=2", 200),
    ],
)
async def test_tokens(query: str, cookie: str, status: int) -> None:
    guard = Guard(inside, host="0.0.0.0", token="secret")
    headers = {"host": "10.0.0.1"} | ({"cookie": cookie} if cookie else {})
    assert await status_of(guard, headers, query) == status
