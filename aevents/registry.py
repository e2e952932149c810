"""From names to objects: `open`, `create` and `load`, the grammar of URLs, the table of formats,
plug-ins.

A name is a path, `-` (standard input or output), or a URL `scheme:rest?option=value`. Plug-ins
register under the entry-point groups `aevents.codecs`, `aevents.sources` and `aevents.sinks`; names
resolve when first used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, overload
from urllib.parse import parse_qsl

from aevents import _pictures
from aevents._contracts import Origin, Sink
from aevents._json import JsonLines
from aevents.codecs import (
    aedat2,
    aedat3,
    aedat4,
    aer,
    csv,
    dat,
    es,
    evt2,
    evt3,
    evt4,
    evt21,
    inr,
    nmnist,
    triggers,
)
from aevents.codecs.base import Codec
from aevents.codecs.sniff import Recognise, recognise
from aevents.containers import hdf5, mcap, npy, npz, ros2, rosbag
from aevents.errors import UnknownFormatError
from aevents.operators.gather import Gather
from aevents.sinks import http
from aevents.sinks import udp as udp_sink
from aevents.sinks import zmq as zmq_sink
from aevents.sinks.file import FileSink
from aevents.sources import synthetic
from aevents.sources import udp as udp_source
from aevents.sources import zmq as zmq_source
from aevents.sources.file import stdin_origin
from aevents.sources.recording import first_bytes, is_recording, recording_origin
from aevents.stream import Stream, resolve_names_with, stream_of
from aevents.types import EventBatch, Sensor

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


def _open_usb(rest: str, **options: object) -> Origin[object]:
    from aevents.sources import usb  # cffi takes 30 ms, and most programs need none

    return usb.open_url(rest, **options)  # type: ignore[arg-type]  # which looks at them


def _open_metavision(rest: str, **options: object) -> Origin[object]:
    from aevents.sources import metavision  # as above

    return metavision.open_url(rest, **options)  # type: ignore[arg-type]  # as above


def _create_view(rest: str, **options: object) -> object:
    from aevents.viewer import sink  # most programs show nothing

    return sink.create_url(rest, **options)


CODECS = (
    evt3.CODEC,
    evt2.CODEC,
    evt21.CODEC,
    evt4.CODEC,
    dat.CODEC,
    aedat4.CODEC,
    aedat3.CODEC,
    aedat2.CODEC,
    es.CODEC,
    npy.CODEC,
    npz.CODEC,
    hdf5.CODEC,
    rosbag.CODEC,
    mcap.CODEC,
    ros2.CODEC,
    inr.CODEC,
    nmnist.CODEC,
    aer.CODEC,
    csv.CODEC,
    triggers.CODEC,
)
"""The formats of the house, in the order in which they are asked whether some bytes are theirs:
text last.
"""
SOURCES: Mapping[str, Callable[..., object]] = {
    "metavision": _open_metavision,
    "synthetic": synthetic.open_url,
    "udp": udp_source.open_url,
    "usb": _open_usb,
    "zmq+tcp": partial(zmq_source.open_url, "tcp"),
    "zmq+ipc": partial(zmq_source.open_url, "ipc"),
}
OF_KINDS = {"metavision", "usb"}
"""Sources that let nothing come that is not asked for; others say themselves what they give."""
SINKS: Mapping[str, Callable[..., object]] = {
    "http": partial(http.create_url, "http"),
    "https": partial(http.create_url, "https"),
    "udp": udp_sink.create_url,
    "view": _create_view,
    "zmq+tcp": partial(zmq_sink.create_url, "tcp"),
    "zmq+ipc": partial(zmq_sink.create_url, "ipc"),
}
"""Sources and sinks of the house, by the scheme of their URLs."""
LINES = "jsonl"
"""The format of results, and its suffix: JSON, a line each."""


@overload
def open(  # the verb of the house
    name: str | os.PathLike[str], /, *, kind: type[EventBatch] = ..., sensor: Sensor | None = ...,
    strict: bool = ..., format: str | None = ..., index: bool = ..., **options: object,
) -> Stream[EventBatch]: ...  # fmt: skip


@overload
def open(
    name: str | os.PathLike[str], /, *, kind: type[T], sensor: Sensor | None = ...,
    strict: bool = ..., format: str | None = ..., index: bool = ..., **options: object,
) -> Stream[T]: ...  # fmt: skip


def open(
    name: str | os.PathLike[str],
    /,
    *,
    kind: type[object] = EventBatch,
    sensor: Sensor | None = None,
    strict: bool = False,
    format: str | None = None,
    index: bool = False,
    **options: object,
) -> Stream[object]:
    """Return the stream that a name stands for: a path, `-` for standard input, or a URL like
    `synthetic:bar`.

    A file's format is recognised by its first bytes, then by its suffix, unless `format` names it.
    `kind` asks for other things that a recording holds (`TriggerBatch`; `Frame`, also of videos and
    of arrays, with the options of `video` and `from_frames`; `object`: everything, in the order of
    the file). Videos and pictures give frames unasked. `sensor` overrides the size in the file, or
    gives it where the file has none. `strict` raises `DecodeError` for what would otherwise be
    counted in the `Report`. `index` keeps what `time_slice` had to find out by reading all of a
    file beside it, as `<name>.aeindex`, and uses that where it is still right; formats that need no
    such thing have none. Further options are the format's own (`columns=` for text) or the
    source's.

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
        make_source = _by_scheme(scheme, SOURCES, "source")
        if scheme in OF_KINDS:
            options["kind"] = kind
        origin = make_source(rest, sensor=sensor, **queried, **options)
        return stream_of(cast("Origin[object]", origin))
    frames = None if format else _pictures.source_of(Path(text), kind)
    if frames is not None:
        if sensor or strict or index:
            raise ValueError(f"{text}: sensor, strict and index are for recordings of events")
        return cast("Stream[object]", frames(Path(text), **options))
    if format is not None:
        codec(format)
    settings = {"sensor": sensor, "strict": strict, **options}
    make = partial(Recognise, each_codec, name=text, kind=kind, format=format, options=settings)
    if text == "-":
        return stream_of(stdin_origin()).through(make)
    origin = recording_origin(Path(text), make, each_codec, index=index, **settings)
    return stream_of(origin).through(make)


def create(
    name: str | os.PathLike[str], /, *, format: str | None = None, **options: object
) -> Sink[object]:
    """Return the sink that a name stands for: a path (its suffix says the format), `-` for standard
    output, or a URL.

    `format` names the format where the suffix or the URL does not. Options are the format's own,
    or the URL's; videos and pictures take theirs behind the name too, as in `"out.mp4?speed=0.1"`.
    The file is made, or made empty, when the first item is written, which raises
    `FileNotFoundError` and the like. Raises `UnknownFormatError` at once for a suffix or format
    that is not known.
    """
    text = os.fspath(name)
    scheme, rest, queried = split_url(text)
    if scheme:
        make_sink = _by_scheme(scheme, SINKS, "sink")
        if format is not None:
            options["format"] = format
        return cast("Sink[object]", make_sink(rest, **queried, **options))
    text, told = _pictures.told(text)
    options |= told
    path = None if text == "-" else Path(text)
    if path is not None and path.suffix.lower() in _pictures.SINKS and format is None:
        return cast("Sink[object]", _pictures.SINKS[path.suffix.lower()](path, **options))
    if LINES in (format, path.suffix.lower()[1:] if path and format is None else None):
        return cast("Sink[object]", FileSink(JsonLines(), path))
    one = writer_of(text, format)
    if path is not None and one.writer is not None:
        return cast("Sink[object]", one.writer(path, **options))
    if one.encoder is None:
        raise UnknownFormatError(f"{one.name} cannot go to standard output", _piped())
    return cast("Sink[object]", FileSink(one.encoder(**options), path))  # says what it cannot hold


def load(name: str | os.PathLike[str], /, **options: object) -> EventBatch:
    """Return all events of a recording in one batch, without an event loop. Options and errors are
    those of `open`.
    """
    read = cast("Callable[..., Stream[EventBatch]]", open)  # options pass through as they are
    stream = read(name, **options)
    if stream.endless:
        raise ValueError("a live stream has no end: read it with `async for`")
    return next(stream.through(partial(Gather, stream.origin.size)).blocking())


@cache
def codecs() -> Sequence[Codec]:
    """Return every codec: those of the house, then those of plug-ins."""
    return (*CODECS, *(entry.load() for entry in plugins("codecs")))


def each_codec() -> Iterator[Codec]:
    """Yield every codec; plug-ins last, which are looked for only if nothing before will do."""
    yield from CODECS
    yield from codecs()[len(CODECS) :]


def codec(name: str, /) -> Codec:
    """Return the codec of this name. Raises `UnknownFormatError`."""
    found = _first_codec(lambda one: one.name == name)
    if found is None:
        raise UnknownFormatError(f"no format is called {name!r}", (one.name for one in codecs()))
    return found


def codec_of(name: str, /) -> Codec | None:
    """Return the codec of a recording, by its first bytes, then by its suffix; None for what can
    not be looked into before it is read: a pipe, a URL, `-`. It blocks. Raises
    `UnknownFormatError`, and what opening a file raises.
    """
    path = Path(name)
    if name == "-" or split_url(name)[0] or not (path.is_file() or is_recording(path)):
        return None
    return recognise(first_bytes(path), each_codec, name)


def writer_of(name: str, format: str | None = None, /) -> Codec:
    """Return the codec that writes a file of this name, by its suffix unless `format` says it.

    Raises `UnknownFormatError`.
    """
    suffix = Path(name).suffix.lower()
    wanted = codec(format).name if format else None

    def writes(one: Codec) -> bool:
        named = one.name == wanted if wanted else suffix in one.suffixes
        return named and one.writable

    found = _first_codec(writes)
    if found is None:
        what = f"{format or suffix or name!r} is no format that can be written here"
        known = [*(one.name for one in codecs() if one.writable), *_pictures.SINKS]
        raise UnknownFormatError(what, known)
    return found


def plugins(what: str, /) -> Sequence[EntryPoint]:
    """Return what other packages offer as `"codecs"`, `"sources"` or `"sinks"`, not yet loaded."""
    from importlib.metadata import entry_points  # 25 ms of import, and most programs need none

    return tuple(entry_points(group=f"aevents.{what}"))


def split_url(name: str) -> tuple[str, str, dict[str, str]]:
    """Return scheme, rest and options of a URL; the scheme is empty for a path (a drive letter is
    no scheme).
    """
    match = re.match(r"([a-z][a-z0-9+]+):", name)
    if match is None:
        return "", name, {}
    rest, _, query = name[match.end() :].partition("?")
    return match[1], rest, dict(parse_qsl(query, keep_blank_values=True))


def _piped() -> list[str]:
    return [one.name for one in codecs() if one.encoder]


def _first_codec(wanted: Callable[[Codec], bool]) -> Codec | None:
    return next(filter(wanted, each_codec()), None)


def _by_scheme(
    scheme: str, own: Mapping[str, Callable[..., object]], end: str
) -> Callable[..., object]:
    if scheme in own:
        return own[scheme]
    plugged = {entry.name: entry for entry in plugins(f"{end}s")}
    if scheme not in plugged:
        raise UnknownFormatError(f"{scheme}: is no {end} known here", {*own, *plugged})
    return cast("Callable[..., object]", plugged[scheme].load())


resolve_names_with(create)
