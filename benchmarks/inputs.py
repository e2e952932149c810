"""Files to measure on: real recordings, repeated with their clock moved on, or made-up events."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import aevents
from aevents import EventBatch, Sensor
from aevents.codecs.base import Watch
from aevents.codecs.header import parse_header
from aevents.registry import codec
from aevents.testing import encode, example_events
from benchmarks.measure import Options

RECORDINGS = {
    "evt2": "expelliarmus_evt2_sample.raw",
    "evt3": "expelliarmus_evt3_sample.raw",
}
SENSOR = Sensor(1280, 720)
PIECE = 100_000


class Words(NamedTuple):
    """A RAW file taken apart."""

    name: str
    header: bytes
    body: bytes


def words(format: str, options: Options) -> Words:
    """Return a recording of this format, or made-up events where there is none."""
    name = RECORDINGS.get(format, "")
    path = options.recordings / name
    real = bool(name) and path.is_file()
    data = path.read_bytes() if real else _encoded(format, example_events(200_000, sensor=SENSOR))
    header = parse_header(data, Watch(format, strict=False), final=True)
    assert header is not None
    skip = header.length + (2 if format == "dat" else 0)  # DAT: type and size of a record
    return Words(name if real else f"made-up {format}", data[:skip], data[skip:])


def repeated(format: str, size: int, options: Options) -> Path:
    """Return a file of about `size` bytes: a recording again and again, its clock moving on."""
    source = words(format, options)
    path = options.folder / f"{format}_{size}.raw"
    times = max(1, round(size / len(source.body)))
    with path.open("wb") as file:
        file.write(source.header)
        for part in _moved_on(format, source.body, times):
            file.write(part)
    return path


def write(path: Path, format: str, events: EventBatch, **encoding: object) -> Path:
    """Write events by our own encoder, and return the path."""
    path.write_bytes(_encoded(format, events, **encoding))
    return path


def load(format: str, size: int, options: Options) -> EventBatch:
    """Return the events of `repeated`."""
    return aevents.load(repeated(format, size, options))


def _encoded(format: str, events: EventBatch, **encoding: object) -> bytes:
    encoder = codec(format).encoder
    assert encoder is not None
    pieces = (events[start : start + PIECE] for start in range(0, len(events), PIECE))
    return encode(encoder(**encoding), pieces)


def _moved_on(format: str, body: bytes, times: int) -> Iterable[bytes]:
    """Yield the words, each time with all TIME_HIGH raised by the span of the recording."""
    dtype, shift = {"evt2": ("<u4", 28), "evt3": ("<u2", 12)}[format]
    array = np.frombuffer(body[: len(body) // 4 * 4], dtype)
    mask = (1 << shift) - 1
    clock = array >> shift == 8
    highs = (array[clock] & mask).astype(np.int64)
    step = int(highs.max() - highs.min()) + 1
    for turn in range(times):
        moved = array.copy()
        moved[clock] = (8 << shift) | ((highs + turn * step) & mask)
        yield moved.tobytes()
