"""`aevents formats`: what can be read and written here, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint

from aevents import registry
from aevents.cli.figures import console
from aevents.codecs.base import Codec

OURS = "built in"


def formats() -> None:
    """List the formats, sources and sinks that are known here, with those of plug-ins."""
    _print(
        ["format", "suffixes", "read", "write", "holds", "about", "origin"],
        (_format_row(codec, origin) for codec, origin in _codecs()),
    )
    ends = [
        *_ends("source", registry.SOURCES, "sources"),
        *_ends("sink", [*registry.SINKS, *registry.PICTURES], "sinks"),
    ]
    _print(["end", "name", "origin"], ends)


def _codecs() -> Iterator[tuple[Codec, str]]:
    plugged = {entry.load().name: _origin(entry) for entry in registry.plugins("codecs")}
    for codec in registry.codecs():
        yield codec, OURS if codec in registry.CODECS else plugged[codec.name]


def _format_row(codec: Codec, origin: str) -> list[str]:
    held = " ".join(kind.__name__ for kind in codec.kinds)
    write = "yes" if codec.writable else "no"
    return [codec.name, " ".join(codec.suffixes), "yes", write, held, codec.about, origin]


def _ends(end: str, own: Iterable[str], group: str) -> Iterator[list[str]]:
    for name in ("paths", "-", *own):
        yield [end, name if name[0] == "." or name in ("paths", "-") else f"{name}:", OURS]
    for entry in registry.plugins(group):
        yield [end, f"{entry.name}:", _origin(entry)]


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "a plug-in"


def _print(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.table import Table

    table = Table(*headers, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
