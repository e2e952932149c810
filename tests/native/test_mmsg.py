"""recvmmsg and sendmmsg: what is sent is what comes, in one call of the system each."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from aevents._native import kernels, mmsg
from aevents._native.datagrams import Datagrams

UDP_GRO, UDP_SEGMENT = 104, 103

pytestmark = pytest.mark.skipif(not mmsg.available, reason="not on Linux, or without C")
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A socket that sends to another."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        to.bind(("127.0.0.1", 0))
        sender.connect(to.getsockname())
        yield sender, to


def received(to: socket.socket, most: int = 1 << 20, capacity: int = 256) -> Datagrams:
    come = kernels.datagrams(capacity)
    mmsg.receive(to.fileno(), come, most)
    return come


def test_nothing_has_come(pair: Pair) -> None:
    assert received(pair[1]).count == 0


def test_many_datagrams_go_and_come_in_one_call_each(pair: Pair) -> None:
    sender, to = pair
    data = bytes(range(250))
    assert mmsg.send(sender.fileno(), memoryview(data), 100) == 250
    come = received(to)
    assert come.length[: come.count].tolist() == [100, 100, 50]
    assert b"".join(come.data[k, : come.length[k]].tobytes() for k in range(3)) == data


def test_a_call_sends_64_at_most(pair: Pair) -> None:
    assert mmsg.send(pair[0].fileno(), memoryview(bytes(1000)), 10) == 640


def test_a_call_takes_what_there_is_room_for(pair: Pair) -> None:
    sender, to = pair
    for number in range(40):
        sender.send(bytes([number]))
    for capacity, count in [(3, 3), (17, 17), (256, 20)]:
        assert received(to, capacity=capacity).count == count


def test_a_call_stops_when_it_has_enough(pair: Pair) -> None:
    sender, to = pair
    for _ in range(60):
        sender.send(bytes(100))
    assert received(to, most=1).count == 16  # one round
    assert received(to, most=1700).count == 32


def test_the_longest_datagram_comes_whole(pair: Pair) -> None:
    sender, to = pair
    sender.send(b"\x05" * 65507)
    come = received(to)
    assert come.length[0] == 65507
    assert come.data[0, 65506] == 5


def test_messages_put_together_tell_the_size_of_their_datagrams(pair: Pair) -> None:
    sender, to = pair
    try:
        to.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
    except OSError:
        pytest.skip("this kernel does not put datagrams together")
    sender.send(bytes(350))
    come = received(to)
    assert [come.count, come.length[0], come.segment[0]] == [1, 350, 100]


def test_errors_are_told(pair: Pair) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        mmsg.receive(-1, kernels.datagrams(), 1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        mmsg.send(-1, memoryview(b"a"), 1)


def test_a_full_socket_says_so(pair: Pair) -> None:
    sender, _ = pair
    sender.shutdown(socket.SHUT_WR)
    with pytest.raises(BrokenPipeError):
        mmsg.send(sender.fileno(), memoryview(b"a"), 1)
