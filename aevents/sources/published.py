"""Files as they were published, and where downloads of them are kept."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Published(msgspec.Struct, frozen=True):
    """A file as it was published: its name, its size in bytes, and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


def cache_folder() -> Path:
    """Return where downloads are kept: `$XDG_CACHE_HOME/aevents`, or `~/.cache/aevents`."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "aevents"
