"""What went wrong, in words for a person at a page."""

from __future__ import annotations

from aevents.errors import AeventsError


def line_of(error: Exception, /) -> str:
    """Return what went wrong in one line, without paths of this program's own."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if not isinstance(error, AeventsError | ValueError | OSError):
        text = f"{type(error).__name__}: {text}"
    return " ".join(text.split())
