"""A socket of ZeroMQ: waited for, closed at any time, and secured."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import zmq

from aevents._zmq_link import Keys, Kind, Link
from aevents._zmq_socket import Port

PUBLIC, SECRET = zmq.curve_keypair()
ANY = "tcp://127.0.0.1:*"


def port(
    kind: Kind, endpoint: str = ANY, *, bind: bool = False, keys: Keys | None = None, queue: int = 8
) -> Port:
    bound = bind or endpoint == ANY
    return Port(Link(endpoint=endpoint, kind=kind, bind=bound, keys=keys or Keys(), queue=queue))


@pytest.fixture
def pair() -> Iterator[tuple[Port, Port]]:
    """One that sends, and one that receives."""
    sender = port("push")
    receiver = port("pull", sender.endpoint)
    yield sender, receiver
    receiver.close()
    sender.close()


def resources() -> tuple[int, int]:
    gc.collect()
    return len([*Path("/proc/self/fd").iterdir()]), len([*Path("/proc/self/task").iterdir()])


async def one_of(receiver: Port) -> list[bytes]:
    while (message := receiver.receive()) is None:
        await receiver.readable()
    return message


async def test_messages_come_whole_and_in_order(pair: tuple[Port, Port]) -> None:
    sender, receiver = pair
    sent = [[b"a" * size, b"", b"b"] for size in (0, 1, 100_000)]

    async def send() -> None:
        for message in sent * 30:
            await sender.send(message)

    sending = asyncio.ensure_future(send())
    assert [await one_of(receiver) for _ in range(90)] == sent * 30
    await sending


def test_a_wait_blocks_until_a_message_is_there(pair: tuple[Port, Port]) -> None:
    sender, receiver = pair
    anyio.run(sender.send, [b"one"])
    receiver.wait()
    assert receiver.receive() == [b"one"]


async def test_a_full_socket_is_waited_for(pair: tuple[Port, Port]) -> None:
    sender, receiver = pair
    big = [bytes(400_000)]
    sent = 0

    async def send() -> None:
        nonlocal sent
        while sent < 200:
            await sender.send(big)
            sent += 1

    sending = asyncio.ensure_future(send())
    await anyio.wait_all_tasks_blocked()
    assert sent < 150
    for _ in range(200):
        assert await one_of(receiver) == big
    await sending


@pytest.mark.parametrize("wait", ["read", "send"])
async def test_the_close_wakes_who_waits(wait: str) -> None:
    one = port("push" if wait == "send" else "pull")
    waiting = asyncio.ensure_future(one.send([b""]) if wait == "send" else one.readable())
    await anyio.wait_all_tasks_blocked()
    one.close()
    one.close()
    done, _ = await asyncio.wait([waiting], timeout=5)
    error = done.pop().exception()
    assert isinstance(error, anyio.ClosedResourceError) if wait == "send" else error is None
    with pytest.raises(anyio.ClosedResourceError):
        await one.send([b""])


async def test_a_close_in_order_lets_leave_what_was_sent() -> None:
    sender = port("push")
    receiver = port("pull", sender.endpoint)
    for number in range(8):
        await sender.send([bytes([number]) * 300_000])
    closing = asyncio.ensure_future(sender.aclose())
    assert [(await one_of(receiver))[0][0] for _ in range(8)] == list(range(8))
    await closing
    await sender.aclose()
    receiver.close()


async def test_a_close_in_order_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aevents._zmq_socket.LINGER_MS", 50)
    sender = port("push")
    receiver = port("pull", sender.endpoint)
    with anyio.move_on_after(0.5):
        while True:
            await sender.send([bytes(400_000)])
    with anyio.fail_after(5):
        await sender.aclose()
    receiver.close()


@pytest.mark.parametrize(
    "endpoint", [ANY, "ipc://{}/socket", "ipc://@aevents-{pid}", "tcp://[::1]:*"]
)
def test_closing_frees_everything_at_once(endpoint: str, tmp_path: Path) -> None:
    where = endpoint.format(tmp_path, pid=os.getpid())
    port("pull", where, bind=True).close()
    before = resources()
    for _ in range(20):
        one = port("pull", where, bind=True)
        where = one.endpoint  # the same port again
        one.close()
    assert resources() == before
    assert list(tmp_path.iterdir()) == []


def test_what_is_dropped_leaves_nothing() -> None:
    before = resources()
    one: list[object] = [port("pull")]
    one.append(one)  # so that it is for the collector to free
    del one
    with pytest.warns(ResourceWarning, match="a socket of ZeroMQ was not closed"):
        gc.collect()
    assert resources() == before


@pytest.mark.parametrize("endpoint", [ANY, "ipc://{}/socket"])
def test_an_address_that_is_taken_raises_at_once(endpoint: str, tmp_path: Path) -> None:
    first = port("pull", endpoint.format(tmp_path), bind=True)
    before = resources()
    for _ in range(3):
        with pytest.raises(OSError, match=f"zmq.{first.endpoint}: Address already in use$"):
            port("pub", first.endpoint, bind=True)
    assert resources() == before
    sender = port("push", first.endpoint)  # the first is still there
    anyio.run(sender.send, [b"one"])
    first.wait()
    sender.close()
    first.close()


def test_a_socket_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "socket"))
    port("pull", f"ipc://{tmp_path}/socket", bind=True).close()


def test_a_path_that_somebody_else_has_taken_is_left_to_him(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    one = port("pull", f"ipc://{path}", bind=True)
    path.unlink()
    path.write_text("mine")
    one.close()
    assert path.read_text() == "mine"


def test_a_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "recording.raw").write_text("dear")
    with pytest.raises(FileExistsError, match=r"zmq.ipc://.*/recording\.raw: File exists"):
        port("pub", f"ipc://{tmp_path}/recording.raw", bind=True)
    assert (tmp_path / "recording.raw").read_text() == "dear"


@pytest.mark.parametrize(
    "endpoint", ["tcp://203.0.113.1:5000", "ipc:///nowhere/at/all", "ipc:///" + "l" * 200]
)
def test_an_address_that_cannot_be_had_raises(endpoint: str) -> None:
    with pytest.raises(OSError, match=r"zmq.(tcp|ipc):"):
        port("pull", endpoint, bind=True)


@pytest.mark.parametrize("keys", [Keys(server=PUBLIC), Keys(zmq.curve_keypair()[1], PUBLIC)])
async def test_right_keys_pass(keys: Keys) -> None:
    sender = port("push", keys=Keys(secret=SECRET))
    receiver = port("pull", sender.endpoint, keys=keys)
    await sender.send([b"one"])
    assert await one_of(receiver) == [b"one"]
    receiver.close()
    sender.close()


@pytest.mark.parametrize("keys", [Keys(), Keys(server=zmq.curve_keypair()[0]), Keys(secret=SECRET)])
async def test_wrong_keys_get_nothing(keys: Keys) -> None:
    sender = port("push", keys=Keys(secret=SECRET))
    wrong = port("pull", sender.endpoint, keys=keys)
    with anyio.move_on_after(0.3) as scope:
        await sender.send([b"one"])
    assert scope.cancelled_caught
    right = port("pull", sender.endpoint, keys=Keys(server=PUBLIC))
    await sender.send([b"two"])
    assert await one_of(right) == [b"two"]
    assert wrong.receive() is None
    for one in (sender, wrong, right):
        one.close()


@pytest.mark.parametrize("given", [{"secret": b"\0" * 40}, {"server": b"\0" * 40}])
def test_what_is_no_key_is_not_shown(given: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"^zmq: a key is no key of CURVE$"):
        port("pull", keys=Keys(**given))


async def test_all_who_subscribe_are_told_of() -> None:
    publisher = port("xpub")
    subscribers = [port("sub", publisher.endpoint) for _ in range(2)]
    assert [await one_of(publisher) for _ in range(2)] == [[b"\1"], [b"\1"]]
    subscribers[0].close()
    assert await one_of(publisher) == [b"\0"]
    subscribers[1].close()
    publisher.close()
