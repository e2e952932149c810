"""Which socket of ZeroMQ is joined to what, with which keys."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Literal

import msgspec

MAX_MESSAGE = 1 << 19
"""Bytes in a part of a message, unless said otherwise: all that aevents sends fit."""
KEY = re.compile(rb'(public|secret)-key\s*=\s*"([!-~]{40})"')
"""As `zmq.auth.create_certificates` writes keys into files: in Z85."""

Kind = Literal["sub", "pull", "pub", "xpub", "push"]


class Keys:
    """Keys of CURVE: `secret`, our own, and `server`, the public one of the server; who has none of
    those is the server. They are shown nowhere.

    Each is given as 40 bytes of Z85 or as the name of a file that holds it, which is read at once:
    that may raise `OSError`. Raises `ValueError` where there is no such key.
    """

    __slots__ = ("secret", "server")

    def __init__(self, secret: object = None, server: object = None) -> None:
        self.secret: bytes = _key("secret", secret)
        self.server: bytes = _key("public", server)

    def __repr__(self) -> str:
        return "Keys(...)"

    def __bool__(self) -> bool:
        return bool(self.secret or self.server)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of socket, and the address to which it is bound or connected.

    `queue` messages wait for or from each peer; a part of a message that comes has up to
    `max_message` bytes.
    """

    endpoint: str
    kind: Kind
    bind: bool
    keys: Keys
    queue: int
    max_message: int = MAX_MESSAGE


def _key(which: str, given: object) -> bytes:
    if given is None:
        return b""
    if isinstance(given, bytes) and len(given) == 40:
        return given
    if not isinstance(given, str | Path):
        raise ValueError(f"zmq: a {which} key is 40 bytes of Z85, or a file that holds one")
    try:
        found = dict(KEY.findall(Path(given).read_bytes()))
    except (OSError, ValueError) as error:  # whose text has what was given: perhaps the key itself
        number = getattr(error, "errno", None) or errno.EINVAL
        what = f"zmq: the file of the {which} key cannot be read: {os.strerror(number)}"
        raise OSError(number, what) from None
    if which.encode() not in found:
        raise ValueError(f"zmq: there is no {which} key in {given}")
    return bytes(found[which.encode()])
