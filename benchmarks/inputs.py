"""Files to measure on: real recordings, repeated with their clock moved on, or made-up events."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

import aevents
from aevents import EventBatch, Sensor
from aevents.codecs.base import Encoder, Patch, Watch
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
BYTES = {"evt2": 4, "evt3": 3}
"""About so many an event takes in those recordings."""


class File(NamedTuple):
    """How a format is called in tables, the suffix of its files, and options of its encoder.

    `size` is what it takes to be read by all: another sensor's than that of the recording, or none.
    """

    title: str
    suffix: str
    options: Mapping[str, str | bool] = {}
    size: tuple[int, int] = (SENSOR.width, SENSOR.height)


DAVIS346, NMNIST, UNKNOWN = (346, 260), (34, 34), (0, 0)
SECONDS: Mapping[str, str | bool] = {"separator": " ", "header": False, "time_unit": "s"}

FILES = {
    "evt2": File("EVT2", ".raw"),
    "evt21": File("EVT2.1", ".raw"),
    "evt21-legacy": File("EVT2.1, legacy", ".raw", {"endianness": "legacy"}),
    "evt3": File("EVT3", ".raw"),
    "evt4": File("EVT4", ".raw"),
    "dat": File("DAT", ".dat"),
    "es": File("ES", ".es"),
    "aedat4-none": File("AEDAT4, not packed", ".aedat4", {"compression": "none"}),
    "aedat4-lz4": File("AEDAT4, LZ4", ".aedat4", {"compression": "lz4"}),
    "aedat4-zstd": File("AEDAT4, Zstd", ".aedat4", {"compression": "zstd"}),
    "aedat2": File("AEDAT2, DAVIS346", ".aedat", size=DAVIS346),
    "aedat3": File("AEDAT3.1, DAVIS346", ".aedat", size=DAVIS346),
    "csv": File("CSV", ".csv", size=UNKNOWN),
    "csv-seconds": File("text, seconds", ".txt", SECONDS),
    "npy": File("NPY", ".npy"),
    "npz": File("NPZ", ".npz"),
    "hdf5": File("HDF5, Prophesee", ".hdf5"),
    "hdf5-ecf": File("HDF5, Prophesee, ECF", ".hdf5", {"compression": "ecf"}),
    "hdf5-plain": File("HDF5, DSEC", ".h5", {"layout": "dsec"}),
    "hdf5-blosc": File("HDF5, DSEC, Blosc", ".h5", {"layout": "dsec", "compression": "blosc"}),
    "hdf5-gzip": File("HDF5, TUM-VIE, gzip", ".h5", {"layout": "tumvie", "compression": "gzip"}),
    "nmnist": File("N-MNIST", ".bin", size=NMNIST),
}
"""Formats, with an option behind a dash."""


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
    """Write events by our own encoder or sink, and return the path."""
    if codec(format).encoder is not None:
        path.write_bytes(_encoded(format, events, **encoding))
    else:
        aevents.run(lambda: _put_in(path, format, events, encoding))
    return path


async def _put_in(
    path: Path, format: str, events: EventBatch, encoding: Mapping[str, object]
) -> None:
    sink = aevents.create(path, format=format, **encoding)
    for piece in _pieces(events):
        await sink.write(piece)
    await sink.aclose()


def load(format: str, size: int, options: Options) -> EventBatch:
    """Return the events of `repeated`."""
    return aevents.load(repeated(format, size, options))


@cache
def scene(options: Options) -> EventBatch:
    """Return the events to measure on: a real recording again and again."""
    events = load("evt2", BYTES["evt2"] * options.events, options)
    return _seen_by((SENSOR.width, SENSOR.height), events)


def file_of(format: str, options: Options) -> tuple[Path, EventBatch]:
    """Return a file of this format, and the events in it.

    EVT2 and EVT3 are two recordings as their cameras wrote them; all else holds the events of the
    first, the picture made larger or smaller for the sensor.
    """
    file = FILES[format]
    if format in BYTES:
        path = repeated(format, BYTES[format] * options.events, options)
        return path, aevents.load(path)
    events = _seen_by(file.size, scene(options))
    path = options.folder / f"{format}{file.suffix}"
    if format in MADE:
        path.write_bytes(MADE[format](events))
    else:
        write(path, format.partition("-")[0], events, **file.options)
    return path, events


def long(format: str, size: int, options: Options) -> Path:
    """Return a file of this format of about `size` bytes, and times in order."""
    if format in BYTES:
        return repeated(format, size, options)
    events = load("evt2", 1, options)  # the recording, once
    duration = int(events.t[-1] - events.t[0]) + 1
    path = options.folder / f"{format}_{size}{FILES[format].suffix}"
    make = codec(format.partition("-")[0]).encoder
    assert make is not None
    encoder = cast("Encoder[EventBatch]", make(**FILES[format].options))
    with path.open("wb") as file:
        while file.tell() < size:
            _put(file, encoder.feed(events))
            x, y, p = events.x, events.y, events.p
            events = EventBatch.from_columns(
                t=events.t + duration, x=x, y=y, p=p, sensor=events.sensor
            )
        _put(file, encoder.flush())
    return path


def _put(file: BinaryIO, pieces: Iterable[bytes | Patch]) -> None:
    for piece in pieces:
        if isinstance(piece, Patch):
            file.seek(piece.offset)
        file.write(piece.data if isinstance(piece, Patch) else piece)
        file.seek(0, 2)


def _seen_by(size: tuple[int, int], events: EventBatch) -> EventBatch:
    """Return the same picture on a sensor of this size."""
    sensor, columns = Sensor(*size), {"x": events.x, "y": events.y}
    if sensor.sized and size != (events.sensor.width, events.sensor.height):
        was = events.sensor
        columns = {
            "x": events.x.astype(np.int64) * sensor.width // was.width,
            "y": events.y.astype(np.int64) * sensor.height // was.height,
        }
    return EventBatch.from_columns(t=events.t, p=events.p, sensor=sensor, **columns)


def _aedat2(events: EventBatch) -> bytes:
    """Return jAER's records of a DAVIS, which counts columns from the right and rows from below."""
    header = b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n"
    records = np.empty(len(events), [("address", ">u4"), ("t", ">u4")])
    width, height = DAVIS346
    column, row = width - 1 - events.x.astype(np.uint32), height - 1 - events.y.astype(np.uint32)
    records["address"] = row << 22 | column << 12 | events.p.astype(np.uint32) << 11
    records["t"] = events.t
    return header + records.tobytes()


def _aedat3(events: EventBatch) -> bytes:
    """Return cAER's packets."""
    records = np.empty(len(events), [("data", "<u4"), ("t", "<i4")])
    x, y, p = (column.astype(np.uint32) for column in (events.x, events.y, events.p))
    records["data"] = x << 17 | y << 2 | p << 1 | 1
    records["t"] = events.t
    data = [b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n"]
    for start in range(0, len(records), AEDAT3_PACKET):
        part = records[start : start + AEDAT3_PACKET]
        data += [struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, *[len(part)] * 3), part.tobytes()]
    return b"".join(data)


AEDAT3_PACKET = 4_096
MADE: Mapping[str, Callable[[EventBatch], bytes]] = {"aedat2": _aedat2, "aedat3": _aedat3}
"""What we do not write ourselves."""


def _encoded(format: str, events: EventBatch, **encoding: object) -> bytes:
    encoder = codec(format).encoder
    assert encoder is not None
    return encode(encoder(**encoding), _pieces(events))


def _pieces(events: EventBatch) -> Iterator[EventBatch]:
    return (events[start : start + PIECE] for start in range(0, len(events), PIECE))


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
