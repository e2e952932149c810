"""What both ends of ZeroMQ share: the address in a URL, options, and how the socket is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from aevents._zmq_link import MAX_MESSAGE, Keys, Kind, Link
from aevents.errors import MissingExtraError

if TYPE_CHECKING:
    from aevents._zmq_socket import Port

QUEUE = 256
"""Messages that wait at an end, for or from each peer, unless said otherwise."""

TCP = re.compile(r"//(?P<host>\*|\[[^\[\]/@]+\]|[^:/@\[\]*]+):(?P<port>\*|\d{1,5})")
IPC = re.compile(r"//.+")
GRAMMAR = {
    "tcp": (TCP, "zmq+tcp://HOST:PORT, like zmq+tcp://127.0.0.1:40001 or zmq+tcp://*:40001"),
    "ipc": (IPC, "zmq+ipc://PATH, like zmq+ipc:///tmp/events"),
}


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be said of either end."""

    bind: bool | None = None
    queue: int = QUEUE
    key: object = None
    server: object = None


T = TypeVar("T", bound=Options)


def options_of(kind: type[T], options: Mapping[str, object], /) -> T:
    """Return options, which may be text, as a struct of this kind. Raises `ValueError`."""
    words = {"yes": True, "no": False}
    given = {name: words.get(str(value), value) for name, value in options.items()}
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise ValueError(f"zmq: {error}; known: {known}") from None
    if found.queue <= 0:
        raise ValueError(f"zmq: queue is a number of messages, not {found.queue}")
    return found


def link_of(
    address: tuple[str, str], kind: Kind, options: Options, /, *, max_message: int = MAX_MESSAGE
) -> Link:
    """Return the link that a transport, what follows it in a URL, and options describe.

    A sink is bound and a source connected, unless `bind` says otherwise; a `*` is always bound.
    Raises `ValueError`, and `OSError` for files of keys.
    """
    transport, rest = address
    pattern, form = GRAMMAR[transport]
    parts = pattern.fullmatch(rest)
    if parts is None:
        raise ValueError(f"an address is {form}, not zmq+{transport}:{rest}")
    wild = "*" in parts.groupdict().values()
    if wild and options.bind is False:
        raise ValueError(f"zmq+{transport}:{rest} can only be bound, not connected to")
    usual = kind not in ("sub", "pull")
    return Link(
        endpoint=transport + ":" + rest,
        kind=kind,
        bind=wild or (usual if options.bind is None else options.bind),
        keys=Keys(options.key, options.server),
        queue=options.queue,
        max_message=max_message,
    )


def opened(link: Link, /) -> Port:
    """Return the socket of a link, bound or connecting.

    Raises `OSError` where the address is taken or cannot be had, `ValueError` for keys that are
    none, and `MissingExtraError` without pyzmq.
    """
    try:
        from aevents._zmq_socket import Port
    except ImportError as error:
        raise MissingExtraError("pyzmq", "pip install pyzmq") from error
    return Port(link)
