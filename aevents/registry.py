"""From names to objects: `open`, `create` and `load`, the grammar of URLs, the table of formats,
plug-ins.

A name is a path, `-` (standard input or output), or a URL `scheme:rest?option=value`. Plug-ins
register under the entry-point groups `aevents.codecs`, `aevents.sources` and `aevents.sinks`; names
resolve when first used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Never, TypeVar, cast, overload
from urllib.parse import parse_qsl

from aevents._contracts import Origin, Sink
from aevents.codecs.base import Codec, Encoder
from aevents.codecs.sniff import Recognise
from aevents.errors import UnknownFormatError
from aevents.operators.gather import Gather
from aevents.sinks.file import FileSink
from aevents.sources.file import file_origin, stdin_origin
from aevents.stream import Stream, resolve_names_with, stream_of
from aevents.types import EventBatch, Sensor

T = TypeVar("T")

CODECS = ("evt3", "evt2", "dat", "npy", "npz", "csv")
"""The formats of the house, in the order in which they are asked whether some bytes are theirs:
text last.
"""
SOURCES = {"synthetic": "aevents.sources.synthetic:open_url"}
SINKS: dict[str, str] = {}
PICTURES = {
    ".png": "aevents.sinks.images:create",
    ".mp4": "aevents.sinks.video:create",
    ".mkv": "aevents.sinks.video:create",
    ".avi": "aevents.sinks.video:create",
    ".webm": "aevents.sinks.video:create",
}
"""Sinks that take frames, by suffix."""


@overload
def open(  # the verb of the house
    name: str | os.PathLike[str], /, *, kind: type[EventBatch] = ..., sensor: Sensor | None = ...,
    strict: bool = ..., format: str | None = ..., **options: object,
) -> Stream[EventBatch]: ...  # fmt: skip


@overload
def open(
    name: str | os.PathLike[str], /, *, kind: type[T], sensor: Sensor | None = ...,
    strict: bool = ..., format: str | None = ..., **options: object,
) -> Stream[T]: ...  # fmt: skip


def open(
    name: str | os.PathLike[str],
    /,
    *,
    kind: type[object] = EventBatch,
    sensor: Sensor | None = None,
    strict: bool = False,
    format: str | None = None,
    **options: object,
) -> Stream[object]:
    """Return the stream that a name stands for: a path, `-` for standard input, or a URL like
    `synthetic:bar`.

    A file's format is recognised by its first bytes, then by its suffix, unless `format` names it.
    `kind` asks for other things that a recording holds (`TriggerBatch`). `sensor` overrides the
    size in the file, or gives it where the file has none. `strict` raises `DecodeError` for what
    would otherwise be counted in the `Report`. Further options are the format's own (`columns=` for
    text) or the source's.

    Nothing is opened before the stream is read; reading raises `FileNotFoundError` and the like,
    `UnknownFormatError`, and `DecodeError`. Raises `UnknownFormatError` at once for an unknown
    scheme or format.

    >>> import aevents
    >>> len(aevents.load("synthetic:bar?duration_us=10000"))
    10000
    """
    text = os.fspath(name)
    scheme, rest, queried = split_url(text)
    if scheme:
        known = _sources()
        if scheme not in known:
            raise UnknownFormatError(f"{scheme}: is no source known here", known)
        origin = _load(known[scheme])(rest, sensor=sensor, **queried, **options)
        return stream_of(cast("Origin[object]", origin))
    if format is not None:
        codec(format)
    settings = {"sensor": sensor, "strict": strict, **options}
    make = partial(Recognise, codecs, name=text, kind=kind, format=format, options=settings)
    return stream_of(stdin_origin() if text == "-" else file_origin(Path(text))).through(make)


def create(
    name: str | os.PathLike[str], /, *, format: str | None = None, **options: object
) -> Sink[object]:
    """Return the sink that a name stands for: a path (its suffix says the format), `-` for standard
    output, or a URL.

    `format` names the format where the suffix does not. Options are the format's own. The file is
    made, or made empty, when the first item is written, which raises `FileNotFoundError` and the
    like. Raises `UnknownFormatError` at once for a suffix or format that is not known.
    """
    text = os.fspath(name)
    scheme, rest, queried = split_url(text)
    if scheme:
        known = _sinks()
        if scheme not in known:
            raise UnknownFormatError(f"{scheme}: is no sink known here", known)
        return cast("Sink[object]", _load(known[scheme])(rest, **queried, **options))
    path = None if text == "-" else Path(text)
    if path is not None and path.suffix.lower() in PICTURES and format is None:
        return cast("Sink[object]", _load(PICTURES[path.suffix.lower()])(path, **options))
    encoder = _encoder_of(text, format)
    return cast("Sink[object]", FileSink(encoder(**options), path))  # it says what it cannot hold


def load(name: str | os.PathLike[str], /, **options: object) -> EventBatch:
    """Return all events of a recording in one batch, without an event loop. Options and errors are
    those of `open`.
    """
    read = cast("Callable[..., Stream[EventBatch]]", open)  # options pass through as they are
    stream = read(name, **options)
    if stream.endless:
        raise ValueError("a live stream has no end: read it with `async for`")
    return next(stream.through(Gather).blocking())


@cache
def codecs() -> Sequence[Codec]:
    """Return every codec: those of the house, then those of plug-ins."""
    own = [import_module(f"aevents.codecs.{name}").CODEC for name in CODECS]
    return [*own, *(entry.load() for entry in entry_points(group="aevents.codecs"))]


def codec(name: str, /) -> Codec:
    """Return the codec of this name. Raises `UnknownFormatError`."""
    for one in codecs():
        if one.name == name:
            return one
    raise UnknownFormatError(f"no format is called {name!r}", (one.name for one in codecs()))


def split_url(name: str) -> tuple[str, str, dict[str, str]]:
    """Return scheme, rest and options of a URL; the scheme is empty for a path (a drive letter is
    no scheme).
    """
    match = re.match(r"([a-z][a-z0-9+]+):", name)
    if match is None:
        return "", name, {}
    rest, _, query = name[match.end() :].partition("?")
    return match[1], rest, dict(parse_qsl(query, keep_blank_values=True))


def _encoder_of(name: str, format: str | None) -> Callable[..., Encoder[Never]]:
    suffix = Path(name).suffix.lower()
    found = [codec(format)] if format else [one for one in codecs() if suffix in one.suffixes]
    for one in found:
        if one.encoder is not None:
            return one.encoder
    what = f"{format or suffix or name!r} is no format that can be written here"
    raise UnknownFormatError(what, [one.name for one in codecs() if one.encoder] + [*PICTURES])


def _sources() -> Mapping[str, str]:
    return _with_plugins(SOURCES, "aevents.sources")


def _sinks() -> Mapping[str, str]:
    return _with_plugins(SINKS, "aevents.sinks")


def _with_plugins(own: Mapping[str, str], group: str) -> Mapping[str, str]:
    return {entry.name: entry.value for entry in entry_points(group=group)} | dict(own)


def _load(target: str) -> Callable[..., object]:
    module, _, name = target.partition(":")
    return cast("Callable[..., object]", getattr(import_module(module), name))


resolve_names_with(create)
