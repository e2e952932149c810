"""How values show themselves in a notebook; what they show is told by `_display`, a higher room."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Html(Protocol):
    """Makes the HTML of a value."""

    def __call__(self, value: object, /) -> str | None:
        """Return it, or None where there is nothing to show but the text."""


class Png(Protocol):
    """Makes the picture of a value."""

    def __call__(self, value: object, /) -> bytes | None:
        """Return the PNG file, or None where there is no picture."""


class Display(NamedTuple):
    """What makes HTML and pictures."""

    html: Html
    png: Png


class Shown:
    """A value that a notebook shows as a picture and a few figures, of bounded size."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return None if _display is None else _display.html(self)

    def _repr_png_(self) -> bytes | None:
        return None if _display is None else _display.png(self)


def show_with(display: Display) -> None:
    """Tell values how they are shown; `_display` says so when it is imported."""
    global _display  # set once, on import
    _display = display


_display: Display | None = None
