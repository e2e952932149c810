"""What is fuzzed: small files of each format, of our own making, and how bytes are read as one."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import zstandard
from rosbags.rosbag2 import StoragePlugin

from aevents import DecodeError, EventBatch, ImuBatch, Sensor, TriggerBatch
from aevents._native.room import Room
from aevents.codecs import sniff
from aevents.codecs.aedat4_write import MAGIC as AEDAT4
from aevents.codecs.aedat4_write import Aedat4Encoder
from aevents.codecs.base import Buffer, Watch
from aevents.codecs.compression import lz4_packer
from aevents.codecs.ecf import EcfDecoder, encode_chunk
from aevents.codecs.seek import Index, Indexes
from aevents.codecs.spif import SpifDecoder, SpifEncoder
from aevents.containers.topics import Topics
from aevents.registry import codec
from aevents.testing import encode, example_events
from aevents.types import ColourBatch, ExposureBatch, Frame, GenericBatch, Span
from tests.containers import bags
from tests.containers.hdf5_files import apart, put, written
from tests.recordings import MADE

EVENTS = example_events(90)
LATER = example_events(60, start_us=40_000_000, seed=1)
FRAME = Frame(np.arange(60.0).reshape(6, 10), Span(0, 1), Sensor(10, 6), "intensity")
SMALL = example_events(60, sensor=Sensor(34, 34))
HEAD_BYTES = 200
"""So short is a head here, for small files to be sought in: usually those of 64 KiB are not."""
ODD = 0.15
"""How often a file is read in a less usual way."""

_t = np.arange(40, dtype=np.int64) * 700
_few = {"x": (_t % 300).astype(np.uint16), "y": (_t % 200).astype(np.uint16)}
_span = Span(0, int(_t[-1]) + 1)
TRIGGERS = TriggerBatch(_t, (_t % 2).astype(np.uint8), _t % 3 > 0, EVENTS.sensor, _span)
_axes = np.ones((40, 3), np.float32)
IMU = ImuBatch(_t, _axes[:, 0].copy(), _axes, _axes, _axes, EVENTS.sensor, _span)
EXPOSURES = ExposureBatch(t=_t, stop=_t % 2 > 0, sensor=EVENTS.sensor, span=_span, **_few)
_byte = (_t % 256).astype(np.uint8)
COLOURS = ColourBatch(t=_t, r=_byte, g=_byte, b=_byte, sensor=EVENTS.sensor, span=_span, **_few)
GENERIC = GenericBatch(_t, tuple(bytes(i * 7) for i in range(40)), _span)

Seeds = Callable[[], Sequence[bytes]]


class Target(NamedTuple):
    """Files to start from, and what reads bytes: that may raise `DecodeError` only, which it
    catches.
    """

    seeds: Seeds
    read: Callable[[bytes, Random], None]


def streamed(name: str, data: bytes, random: Random) -> None:
    """Read a stream of bytes, cut anywhere; sometimes strictly, in a room, or from the middle."""
    options: dict[str, object] = {"strict": True} if random.random() < ODD else {}
    one = codec(name)
    with contextlib.suppress(DecodeError):
        if one.seekable and random.random() < ODD:
            _from_the_middle(name, data, random, options)
            return
        decoder = one.decoder(**options)
        if hasattr(decoder, "want"):
            decoder.want(random.choice((*one.kinds, object)))
        if hasattr(decoder, "keep_in") and random.random() < ODD:
            decoder.keep_in(Room())
        for piece in _cut(data, random):
            _look(decoder.feed(piece))
        _look(decoder.flush())


def by_path(name: str, data: bytes, random: Random) -> None:
    """Read a file."""
    options = {"strict": True} if random.random() < ODD else {}
    start = random.choice((-1, 1_000, 30_000, 41_000_000)) if random.random() < ODD else None
    reader = codec(name).reader
    assert reader is not None
    with tempfile.NamedTemporaryFile(dir=_memory(), suffix=codec(name).suffixes[0]) as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(DecodeError):
            found = reader(Path(file.name), kind=object, start=start, **options)
            if found is not None:
                found.room = Room() if random.random() < ODD else None
                _look(found)


def _from_the_middle(name: str, data: bytes, random: Random, options: dict[str, object]) -> None:
    one = codec(name)
    kind = random.choice((*one.kinds, object))
    make = partial(
        sniff.Recognise, lambda: [one], name=name, kind=kind, format=name, options=options
    )
    start = random.choice((1, 2_000, 20_000, 41_000_000, 1 << 40))
    with mock.patch.object(sniff, "SNIFF_BYTES", HEAD_BYTES):
        jump = make().locate(lambda at, size: data[at : at + size], len(data), start, _Indexes())
        reading = make()
        if jump is not None:
            _look(reading.feed(jump))
        _look(reading.feed(data[jump.offset if jump else 0 :]))
        _look(reading.flush())


class _Indexes(Indexes):
    """No index is kept."""

    wanted = False

    def get(self, format: str) -> Index | None:
        return None

    def put(self, format: str, index: Index) -> Index:
        return index


def _look(items: Iterable[object]) -> None:
    for item in items:
        if isinstance(item, EventBatch):
            assert len(item.t) == len(item.x) == len(item.y) == len(item.p)
            assert item.span.start <= item.span.stop


def _cut(data: bytes, random: Random) -> Iterator[Buffer]:
    if random.random() < 0.5:
        yield data
        return
    cuts = sorted(random.randint(0, len(data)) for _ in range(random.randint(1, 12)))
    for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
        yield data[start:stop]


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def encoded(
    name: str, *ways: Mapping[str, Any], items: Sequence[object] = (EVENTS, LATER)
) -> Seeds:
    """Return what writes these items with each of these options."""

    def seeds() -> list[bytes]:
        encoder = codec(name).encoder
        assert encoder is not None
        return [encode(encoder(**way), items) for way in ways or ({},)]

    return seeds


def all_of(*seeds: Seeds) -> Seeds:
    return lambda: [data for some in seeds for data in some()]


def _raw(name: str, *ways: Mapping[str, Any]) -> Seeds:
    """RAW and DAT hold events or triggers, each file one kind."""
    return all_of(encoded(name, *ways), encoded(name, *ways, items=[TRIGGERS]))


def _aedat4_frame(width: int, height: int) -> bytes:
    """Return a packet of a gray frame."""
    vtable = struct.pack("<15H", 30, 28, *[0] * 5, 4, 6, 8, 0, 0, 12, 0, 0)
    pixels = struct.pack("<I", width * height) + bytes(range(width * height))
    table = struct.pack("<ibxhhxxIIxxxxxxxx", len(vtable), 0, width, height, 12, 4)
    body = struct.pack("<I4s", 8 + len(vtable), b"FRME") + vtable + table + pixels
    return struct.pack("<III", 9, 4 + len(body), len(body)) + body


def _aedat4(compression: str) -> bytes:
    made = encode(Aedat4Encoder(compression=compression), [EVENTS, TRIGGERS, IMU, LATER])  # type: ignore[arg-type]
    return made if compression != "none" else made + _aedat4_frame(4, 3)


def _aedat4_head(compression: int) -> bytes:
    names = ("none", "lz4", "lz4_high", "zstd", "zstd_high")
    made = encode(Aedat4Encoder(compression=names[compression]), [])  # type: ignore[arg-type]
    return made[:54] + b"\xff" * 8 + made[62 : _after_head(made)]


def _after_head(data: bytes) -> int:
    return len(AEDAT4) + 4 + int.from_bytes(data[len(AEDAT4) :][:4], "little")


def _bodies() -> list[bytes]:
    """Return what is in the packets of a file that is not packed."""
    data, bodies = _aedat4("none"), list[bytes]()
    at = _after_head(data)
    while at + 8 <= len(data) and struct.unpack_from("<i", data, at)[0] in (0, 1, 2, 9):
        size = struct.unpack_from("<i", data, at + 4)[0]
        bodies.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return [*bodies, _aedat4_frame(4, 3)[8:]]


def _aedat4_row() -> bytes:
    """Return packets of events that are LZ4 frames, one behind the other, as in long files."""
    row = _aedat4_head(1)
    for start in range(0, len(EVENTS), 15):
        made = encode(Aedat4Encoder(), [EVENTS[start : start + 15]])
        packet = made[_after_head(made) :]
        row += packet[: 8 + int.from_bytes(packet[4:8], "little")]
    return row


def aedat4_packed(data: bytes, random: Random) -> None:
    """Read a packet whose damage is below its compression."""
    way = random.choice((1, 3))
    packed = lz4_packer()(data) if way == 1 else zstandard.ZstdCompressor().compress(data)
    whole = (
        _aedat4_head(way) + struct.pack("<ii", random.choice((0, 1, 2, 9)), len(packed)) + packed
    )
    streamed("aedat4", whole + whole[len(_aedat4_head(way)) :], random)


def npz_packed(data: bytes, random: Random) -> None:
    """Read an archive whose arrays are damaged, and not it."""
    out = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    names = random.choice((("events",), ("t", "x", "y", "p"), ("t", "x", "y", "p", "width")))
    with zipfile.ZipFile(out, "w", method) as archive:
        for name in names:
            archive.writestr(f"{name}.npy", data)
    read = random.choice((streamed, by_path))
    read("npz", out.getvalue(), random)


def _saved(array: object) -> bytes:
    out = io.BytesIO()
    np.save(out, array)  # type: ignore[arg-type]  # a number is an array, too
    return out.getvalue()


def _matrices() -> list[bytes]:
    """Return matrices in Fortran order."""
    columns: list[Any] = [EVENTS.t / 1e6, EVENTS.x, EVENTS.y, EVENTS.p]
    matrix = np.stack(columns, axis=1)
    return [_saved(np.asfortranarray(matrix.astype(type))) for type in ("f8", ">i4")]


def _arrays() -> list[bytes]:
    others = [np.ascontiguousarray(EVENTS.t / 1e6), EVENTS.t, EVENTS.x, np.uint16(320)]
    return [*_matrices(), *map(_saved, others), *encoded("npy")()]


def _es() -> list[bytes]:
    ways: list[tuple[dict[str, Any], object]] = [
        ({}, EVENTS), ({"atis": True}, EXPOSURES), ({}, COLOURS), ({}, GENERIC),
    ]  # fmt: skip
    return [bytes(data) for way, item in ways for data in encoded("es", way, items=[item])()]


def _aedat1() -> bytes:
    address = (127 - EVENTS.y % 128) << 8 | (127 - EVENTS.x % 128) << 1 | EVENTS.p
    records = np.zeros(len(EVENTS), [("address", ">u2"), ("t", ">u4")])
    records["address"], records["t"] = address, EVENTS.t
    return b"#!AER-DAT1.0\r\n" + records.tobytes()


def spif(data: bytes, random: Random) -> None:
    """Read datagrams: the bytes cut anywhere."""
    decoder = SpifDecoder(random.choice((None, EVENTS.sensor)))
    for number, piece in enumerate(_cut(data, random)):
        _look(decoder.feed(piece[:65_536], arrival_us=1_000 * number))


def ecf(data: bytes, random: Random) -> None:
    """Read chunks of ECF as a file of HDF5 has them."""
    decoder = EcfDecoder(Watch("ecf", strict=False))
    for _ in range(2):
        with contextlib.suppress(DecodeError):
            _look(decoder.feed(data, random.choice((1, 60, 90, 65_535))))
    _look(decoder.flush())


TYPES = (
    "dvs_msgs/EventArray", "event_camera_msgs/EventPacket", "sensor_msgs/Imu", "sensor_msgs/Image",
)  # fmt: skip


def ros(data: bytes, random: Random) -> None:
    """Read a message as each of the types, and twice, as some go on from one to the next."""
    for cdr in (False, True):
        for number, type in enumerate(TYPES):
            topics = Topics("ros", sensor=None, strict=random.random() < ODD, topic=None)
            topics.add(number, "/camera", type, cdr=cdr)
            with contextlib.suppress(DecodeError):
                _look(topics.read(number, memoryview(data), 0))
                _look(topics.read(number, memoryview(data), 0))
                _look(topics.flush())


def _packets() -> list[bags.Message]:
    evt3 = encoded("evt3")()[0].partition(b"% end\n")[2]
    evt2 = encoded("evt2")()[0].partition(b"% end\n")[2]
    caer = struct.pack("<Ii", 1 | 1 << 1 | 8 << 2 | 7 << 17, 2) * 30
    trigger = struct.pack("<Q", 2_500 | 7 << 48 | 1 << 63) * 9
    words = {
        "evt3": evt3, "evt2": evt2, "mono": bags.mono(EVENTS), "libcaer": caer,
        "libcaer_cmp": evt3, "trigger": trigger,
    }  # fmt: skip
    return [
        bags.packet_message(data, encoding, base_ns=10**9) for encoding, data in words.items()
    ] + bags.arrays(EVENTS, 50)


def _image() -> bags.Message:
    pixels = {"step": 12, "data": np.arange(36, dtype=np.uint8), "encoding": "rgb8"}
    fields = {"height": 3, "width": 4, "is_bigendian": 0, **pixels}
    return bags.Message("/camera", "sensor_msgs/msg/Image", fields)


def _messages() -> list[bytes]:
    every = [*_packets(), _image()]
    imu = struct.pack("<III3sx", 0, 7, 0, b"dvs") + bytes(37 * 8)
    return [bags.serialised(one, cdr=cdr) for one in every for cdr in (False, True)] + [imu]


def _rosbags() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        ways = [
            bags.write_ros1(Path(folder, packed), bags.arrays(EVENTS, 20), compression=packed)
            for packed in ("none", "lz4", "bz2")
        ]
        packets = bags.write_ros1(Path(folder, "p"), [*_packets()[:1], _image()], chunk=500)
        return [MADE["rosbag"], *(path.read_bytes() for path in (*ways, packets))]


def _mcaps() -> list[bytes]:
    arrays, packets = bags.arrays(EVENTS, 20), [*_packets()[:1], _image()]
    ways = [bags.mcap_of(arrays, compression=packed, chunk=900) for packed in ("none", "zstd")]
    return [MADE["mcap"], *ways, bags.mcap_of(packets, chunked=False)]


def _db3() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        messages = bags.arrays(EVENTS, 40)
        sqlite = bags.write_ros2(Path(folder, "a"), messages)
        packed = bags.write_ros2(
            Path(folder, "b"), messages, storage=StoragePlugin.MCAP, packed="file"
        )
        return [
            path.read_bytes()
            for one in (sqlite, packed)
            for path in one.iterdir()
            if path.suffix != ".yaml"
        ]


def _hdf5() -> list[bytes]:
    """Return files without Blosc, which does not survive damage itself (c-blosc 1.21)."""
    ways: list[dict[str, str]] = [
        {}, {"compression": "ecf"}, {"layout": "dsec", "compression": "gzip"},
        {"layout": "tumvie"},
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [written(folder / f"{i}.h5", EVENTS, **way) for i, way in enumerate(ways)]
        paths.append(put(folder / "apart.h5", {**apart(EVENTS), "t_offset": 5}, geometry="320x240"))
        return [path.read_bytes() for path in paths]


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


SECONDS = {"separator": " ", "header": False, "time_unit": "s"}
CSV = all_of(
    encoded("csv", {}, SECONDS, {"separator": "\t", "columns": "xytp", "header": False}),
    lambda: [
        _lines("# a comment", "x;y;pol;timestamp", *("1;2;-1;3e2", "4;5;1;+600")),
        _lines("346 260", *(f"{i}.{i:09} {i} {i} {i % 2}" for i in range(20))),
    ],
)

TARGETS: Mapping[str, Target] = {
    "es": Target(_es, partial(streamed, "es")),
    "aedat2": Target(lambda: [MADE["aedat2"], _aedat1()], partial(streamed, "aedat2")),
    "aedat3": Target(lambda: [MADE["aedat3"]], partial(streamed, "aedat3")),
    "aedat4": Target(
        lambda: [*map(_aedat4, ("none", "none", "lz4", "zstd")), _aedat4_row()],
        partial(streamed, "aedat4"),
    ),
    "aedat4-packed": Target(_bodies, aedat4_packed),
    "csv": Target(CSV, partial(streamed, "csv")),
    "inr": Target(
        encoded("inr", {}, {"order": "zyxv"}, {"header_bytes": 255}, items=[FRAME, FRAME]),
        partial(streamed, "inr"),
    ),
    "triggers": Target(encoded("triggers", items=[TRIGGERS]), partial(streamed, "triggers")),
    "npy": Target(_arrays, partial(streamed, "npy")),
    "npy-path": Target(_matrices, partial(by_path, "npy")),
    "npz": Target(encoded("npz", {}, {"compressed": True}), partial(streamed, "npz")),
    "npz-path": Target(encoded("npz", {}, {"compressed": True}), partial(by_path, "npz")),
    "npz-packed": Target(_arrays, npz_packed),
    "aer": Target(lambda: [MADE["aer"]], partial(streamed, "aer")),
    "nmnist": Target(encoded("nmnist", items=[SMALL]), partial(streamed, "nmnist")),
    "spif": Target(
        lambda: [SpifEncoder(timestamps=on).encode(EVENTS) for on in (False, True)], spif
    ),
    "ecf": Target(lambda: [encode_chunk(EVENTS), encode_chunk(SMALL)], ecf),
    "ros": Target(_messages, ros),
    "rosbag": Target(_rosbags, partial(streamed, "rosbag")),
    "mcap": Target(_mcaps, partial(streamed, "mcap")),
    "ros2": Target(_db3, partial(by_path, "ros2")),
    "hdf5": Target(_hdf5, partial(by_path, "hdf5")),
    "dat": Target(_raw("dat", {}, {"version": 1}), partial(streamed, "dat")),
    "evt2": Target(_raw("evt2"), partial(streamed, "evt2")),
    "evt21": Target(_raw("evt21", {}, {"endianness": "legacy"}), partial(streamed, "evt21")),
    "evt3": Target(_raw("evt3"), partial(streamed, "evt3")),
    "evt4": Target(_raw("evt4"), partial(streamed, "evt4")),
}
"""By the name of a format, perhaps with what is special about the way."""
