"""Many datagrams in one call of the system: recvmmsg and sendmmsg, on Linux with the C kernels."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from . import name

if TYPE_CHECKING:
    from .datagrams import Datagrams

available = sys.platform == "linux" and name != "numpy"
"""Whether the two functions can be called here."""


def receive(file: int, into: Datagrams, most: int) -> None:
    """Take what has come to a socket, without waiting: messages until `most` bytes are passed.

    `into` must be empty, and stays so if nothing has come. Raises `OSError`.
    """
    from ._kernels import lib

    into.count = _checked(lib.ae_datagrams_receive(file, into.c, most))


def send(file: int, data: memoryview, segment: int) -> int:
    """Send `data` as datagrams of `segment` bytes, the last one perhaps shorter, without waiting.

    Returns how many bytes have gone. Raises `OSError`; `BlockingIOError` if there is no room.
    """
    from ._kernels import ffi, lib

    source = ffi.from_buffer("uint8_t[]", data)
    count = _checked(lib.ae_datagrams_send(file, source, len(data), segment))
    return min(count * segment, len(data))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
