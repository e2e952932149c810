"""Files as they were published."""

from __future__ import annotations

import msgspec


class Published(msgspec.Struct, frozen=True):
    """A file as it was published: its name, its size in bytes, and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str
