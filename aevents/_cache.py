"""The folder in which aevents keeps what can be had again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return that folder: `$XDG_CACHE_HOME/aevents`, or `~/.cache/aevents`."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "aevents"
