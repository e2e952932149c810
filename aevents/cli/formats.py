"""`aevents formats`: what can be read and written here, and where it comes from."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint

from aevents import _pictures, registry
from aevents.cli.figures import console
from aevents.cli.kinds import name_of
from aevents.codecs.base import Codec
from aevents.sinks import coding

OURS = "built in"
HEADERS = ("format", "suffixes", "read", "written", "seekable", "extra", "about", "origin")


def formats(*, markdown: bool = False) -> None:
    """List the formats, sources and sinks that are known here, with those of plug-ins.

    Parameters
    ----------
    markdown
        Print the formats that are built in as a table for the documentation.
    """
    if markdown:
        sys.stdout.write(table())
        return
    _print(HEADERS, (_format_row(codec, origin) for codec, origin in _codecs()))
    ends = [
        *_ends("source", registry.SOURCES, "sources"),
        *_ends("sink", [*registry.SINKS, *_pictures.SINKS], "sinks"),
    ]
    _print(["end", "name", "extra", "origin"], ends)


def table() -> str:
    """Return the table of `docs/reference/support.md`: what is built in, and what of that nothing
    of other people's has confirmed.
    """
    rows = [
        ("format", "about", "suffixes", "read", "written", "seekable", "extra", "not verified"),
        ("---",) * 8,
        *(_markdown_row(codec) for codec in registry.CODECS),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _markdown_row(codec: Codec) -> tuple[str, ...]:
    return (
        f"`{codec.name}`",
        _about(codec),
        " ".join(f"`{suffix}`" for suffix in codec.suffixes),
        _read(codec),
        _written(codec),
        _yes(codec.seekable),
        f"`aevents[{codec.extra}]`" if codec.extra else "",
        codec.unverified,
    )


def _codecs() -> Iterator[tuple[Codec, str]]:
    plugged = {entry.load().name: _origin(entry) for entry in registry.plugins("codecs")}
    for codec in registry.codecs():
        yield codec, OURS if codec in registry.CODECS else plugged[codec.name]


def _format_row(codec: Codec, origin: str) -> tuple[str, ...]:
    return (
        codec.name,
        " ".join(codec.suffixes),
        _read(codec),
        _written(codec),
        _yes(codec.seekable),
        codec.extra,
        _about(codec),
        origin,
    )


def _about(codec: Codec) -> str:
    """Return what a format is, without the suffixes, which have a column of their own."""
    return codec.about.partition(" (.")[0]


def _read(codec: Codec) -> str:
    return ", ".join(map(name_of, codec.kinds))


def _written(codec: Codec) -> str:
    """Return what a file takes: one or the other of several rows."""
    rows = (", ".join(map(name_of, row)) for row in codec.limits.kinds)
    return "; or ".join(rows) if codec.writable else "no"


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def _ends(end: str, own: Iterable[str], group: str) -> Iterator[list[str]]:
    for name in ("paths", "-", *own):
        shown = name if name[0] == "." or name in ("paths", "-") else f"{name}:"
        yield [end, shown, "video" if name in coding.CODECS else "", OURS]
    for entry in registry.plugins(group):
        yield [end, f"{entry.name}:", "", _origin(entry)]


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "a plug-in"


def _print(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.table import Table

    table = Table(*headers, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
