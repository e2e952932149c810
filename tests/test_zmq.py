"""Addresses, options and keys of ZeroMQ."""

from __future__ import annotations

import re
import sys

import pytest

import aevents
from aevents import MissingExtraError
from aevents._zmq import Options, link_of, opened, options_of
from aevents._zmq_link import Kind


@pytest.mark.parametrize(
    ("transport", "rest", "kind", "bind", "endpoint", "bound"),
    [
        ("tcp", "//127.0.0.1:5", "sub", None, "tcp://127.0.0.1:5", False),
        ("tcp", "//here.lan:5", "pull", None, "tcp://here.lan:5", False),
        ("tcp", "//[::1]:65535", "sub", True, "tcp://[::1]:65535", True),
        ("tcp", "//*:5", "sub", None, "tcp://*:5", True),
        ("tcp", "//127.0.0.1:*", "pull", None, "tcp://127.0.0.1:*", True),
        ("tcp", "//127.0.0.1:5", "pub", None, "tcp://127.0.0.1:5", True),
        ("tcp", "//127.0.0.1:5", "push", False, "tcp://127.0.0.1:5", False),
        ("ipc", "///tmp/a", "xpub", None, "ipc:///tmp/a", True),
        ("ipc", "//a*", "sub", None, "ipc://a*", False),
    ],
)
def test_who_binds(
    transport: str, rest: str, kind: Kind, bind: bool | None, endpoint: str, bound: bool
) -> None:
    link = link_of((transport, rest), kind, Options(bind=bind))
    assert (link.endpoint, link.bind, link.kind) == (endpoint, bound, kind)


@pytest.mark.parametrize(
    ("transport", "rest"),
    [
        ("tcp", ""), ("tcp", "//"), ("tcp", "//here"), ("tcp", "//:5"), ("tcp", "here:5"),
        ("tcp", "//here:port"), ("tcp", "//me@here:5"), ("tcp", "//here:5/x"), ("tcp", "//::1:5"),
        ("ipc", ""), ("ipc", "//"), ("ipc", "/tmp/a"),
    ],
)  # fmt: skip
def test_what_is_no_address(transport: str, rest: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"not zmq+{transport}:{rest}")):
        link_of((transport, rest), "sub", Options())


def test_nobody_connects_to_a_star() -> None:
    with pytest.raises(ValueError, match="can only be bound"):
        link_of(("tcp", "//*:5"), "sub", Options(bind=False))


def test_options_may_be_text() -> None:
    found = options_of(Options, {"bind": "yes", "queue": "7", "key": b"k"})
    assert (found.bind, found.queue, found.key) == (True, 7, b"k")
    assert options_of(Options, {"bind": "no", "queue": 7}).bind is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sise": "1x1"}, "unknown field `sise`; known: bind, queue, key, server"),
        ({"queue": "many"}, r"Expected `int`, got `str` - at `\$.queue`"),
        ({"queue": "0"}, "queue is a number of messages, not 0"),
        ({"bind": "perhaps"}, "at `\\$.bind`"),
    ],
)
def test_what_is_no_option(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"zmq: .*{message}"):
        options_of(Options, options)


def test_without_pyzmq_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aevents._zmq_socket", raising=False)
    monkeypatch.setitem(sys.modules, "zmq", None)
    stream = aevents.open("zmq+tcp://127.0.0.1:5")
    with pytest.raises(MissingExtraError, match="pyzmq is not installed: pip install pyzmq"):
        stream.open()
    link = link_of(("tcp", "//127.0.0.1:5"), "sub", Options())
    with pytest.raises(MissingExtraError):
        opened(link)
