"""Reading from the middle gives the very events that reading from the start gives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from anyio import to_thread

import aevents
from aevents.codecs.base import SNIFF_BYTES, Jump, ReadAt
from aevents.codecs.seek import MARGIN_US
from aevents.operators.select import TimeSlice
from aevents.registry import codecs
from aevents.sources import recording
from aevents.types import EventBatch, Sensor
from tests.conftest import RECORDINGS
from tests.recordings import CAER, DAVIS346, END, POLARITY, Integers, caer, camera_evt3

Columns = tuple[Integers, Integers, Integers, Integers]
Write = Callable[[Path, Columns], None]

COUNT = 150_000
SENSOR = Sensor(304, 240)
SLICES = 12
ROUND_24, ROUND_32, ROUND_34 = 1 << 24, 1 << 32, 1 << 34


def made_columns(stop: int, *, disorder: int = 0) -> Columns:
    """Return events up to `stop` µs, a tenth of them in bursts, that go back by `disorder` µs."""
    rng = np.random.default_rng(stop)
    t = np.sort(rng.integers(0, stop, COUNT))
    t[: COUNT // 10] = t[0]
    t[COUNT // 2 : COUNT // 2 + 3000] = t[COUNT // 2]
    t = np.sort(t) + rng.integers(0, disorder + 1, COUNT)
    x, y = rng.integers(0, SENSOR.width, COUNT), rng.integers(0, SENSOR.height, COUNT)
    x[COUNT // 3 : COUNT // 2] = np.arange(COUNT // 2 - COUNT // 3) % 300  # runs of neighbours
    y[COUNT // 3 : COUNT // 2] = 7
    return t, x, y, rng.integers(0, 2, COUNT)


def encoded(format: str, **options: object) -> Write:
    def write(path: Path, columns: Columns) -> None:
        stream = aevents.from_array(np.stack(columns, axis=1), SENSOR)
        asyncio.run(stream.to(aevents.create(path, format=format, **options)))

    return write


def with_t0(format: str) -> Write:
    def write(path: Path, columns: Columns) -> None:
        encoded(format)(path, columns)
        path.write_bytes(path.read_bytes().replace(b"% end\n", b"% t0 1000000\n% end\n", 1))

    return write


def camera(path: Path, columns: Columns) -> None:
    path.write_bytes(camera_evt3(*columns))


def one_row(path: Path, columns: Columns) -> None:
    t, x, y, p = columns
    encoded("evt3")(path, (t, x, y * 0 + 9, p))


def aedat1(path: Path, columns: Columns) -> None:
    t, x, y, p = columns
    records = np.zeros(len(t), [("address", ">u2"), ("t", ">u4")])
    records["address"], records["t"] = (x % 128) << 1 | (y % 128) << 8 | p, t % ROUND_32
    path.write_bytes(b"#!AER-DAT1.0\r\n" + END + records.tobytes())


def aedat2(path: Path, columns: Columns) -> None:
    t, x, y, p = columns
    records = np.zeros(len(t), [("address", ">u4"), ("t", ">u4")])
    records["address"], records["t"] = x << 12 | y << 22 | p << 11, t % ROUND_32
    path.write_bytes(DAVIS346 + END + records.tobytes())


def preferences(path: Path, columns: Columns) -> None:
    aedat2(path, columns)
    long = b"# preference: on\r\n" * 10_000  # as jAER writes them all
    path.write_bytes(path.read_bytes().replace(END, long + END, 1))


def aedat3(path: Path, columns: Columns) -> None:
    t, x, y, p = columns
    words = x << 17 | y << 2 | p << 1 | 1
    packets = [CAER]
    for at in range(0, len(t), 1000):
        for overflow in np.unique(t[at : at + 1000] >> 31).tolist():
            part = slice(at, at + 1000)
            here = t[part] >> 31 == overflow
            rows = zip(
                words[part][here].tolist(), (t[part][here] & 0x7FFFFFFF).tolist(), strict=True
            )
            packets += [
                caer(POLARITY, rows, overflow=overflow),
                caer(3, [(1, 5)], overflow=overflow, size=36),
            ]
    path.write_bytes(b"".join(packets))


def without_table(path: Path, columns: Columns) -> None:
    encoded("aedat4")(path, columns)
    data = path.read_bytes()
    table = int.from_bytes(data[54:62], "little")
    path.write_bytes(data[:54] + b"\xff" * 8 + data[62:table])


def damaged_table(path: Path, columns: Columns) -> None:
    encoded("aedat4")(path, columns)
    data = path.read_bytes()
    path.write_bytes(data[:-40])


def matrix(path: Path, columns: Columns) -> None:
    t, x, y, p = columns
    np.save(path, np.stack([t / 1e6, x, y, p], axis=1))


LONG = 40_000_000
MADE: dict[str, tuple[Write, int, int]] = {
    "evt2.raw": (encoded("evt2"), LONG, 0),
    "evt2-rolled.raw": (encoded("evt2"), 3 * ROUND_34, 0),
    "evt2-late.raw": (encoded("evt2"), LONG, MARGIN_US),
    "evt2-t0.raw": (with_t0("evt2"), LONG, 0),
    "evt21.raw": (encoded("evt21"), LONG, 0),
    "evt21-legacy.raw": (encoded("evt21", endianness="legacy"), 3 * ROUND_34, MARGIN_US),
    "evt3.raw": (encoded("evt3"), 7 * ROUND_24, 0),
    "evt3-late.raw": (encoded("evt3"), 16_000_000, MARGIN_US),
    "evt3-t0.raw": (with_t0("evt3"), LONG, 0),
    "evt3-one-row.raw": (one_row, LONG, 0),
    "evt3-camera.raw": (camera, 3 * ROUND_24, 0),
    "evt4.raw": (encoded("evt4"), 3 * ROUND_34, 0),
    "evt4-late.raw": (encoded("evt4"), LONG, MARGIN_US),
    "dat1.dat": (encoded("dat", version=1), 7 * ROUND_32, 0),
    "dat2.dat": (encoded("dat"), LONG, MARGIN_US),
    "dat-t0.dat": (with_t0("dat"), 3 * ROUND_32, 0),
    "one.aedat": (aedat1, 3 * ROUND_32, MARGIN_US),
    "two.aedat": (aedat2, 3 * ROUND_32, 0),
    "two-preferences.aedat": (preferences, LONG, 0),
    "three.aedat": (aedat3, 3 * ROUND_32, 0),
    "four.aedat4": (encoded("aedat4"), LONG, MARGIN_US),
    "four-zstd.aedat4": (encoded("aedat4", compression="zstd"), LONG, 0),
    "four-plain.aedat4": (encoded("aedat4", compression="none"), LONG, 0),
    "four-walked.aedat4": (without_table, LONG, MARGIN_US),
    "four-damaged.aedat4": (damaged_table, LONG, 0),
    "text.csv": (encoded("csv"), LONG, MARGIN_US),
    "seconds.txt": (encoded("csv", separator=" ", header=False, time_unit="s"), LONG, 0),
    "structures.npy": (encoded("npy"), LONG, MARGIN_US),
    "matrix.npy": (matrix, LONG, 0),
    "stream.es": (encoded("es"), LONG, 0),
}
"""How it is made, up to what time (µs), and how far time goes back in it (µs)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aevents-test")


@pytest.fixture
def made(folder: Path, request: pytest.FixtureRequest) -> Path:
    name: str = request.param
    path = folder / name
    if not path.exists():
        write, stop, disorder = MADE[name]
        write(path, made_columns(stop, disorder=disorder))
    return path


every_made = pytest.mark.parametrize("made", MADE, indirect=True)


def times_to_ask_for(t: Integers) -> list[tuple[int, int]]:
    """Return starts and stops: anywhere, at events, before the first and after the last."""
    rng = np.random.default_rng(len(t))
    first, last = int(t.min()), int(t.max())
    rounds = [k * r + d for r in (ROUND_24, ROUND_32, ROUND_34) for k in (1, 2) for d in (-1, 0)]
    starts = [
        *rng.integers(first - 10, last + 10, SLICES).tolist(),
        *rng.choice(t, SLICES // 2).tolist(),
        *(one for one in rounds if one <= last),
        first, last, last + 1, 1,
    ]  # fmt: skip
    return [(max(int(start), 1), int(start + rng.integers(1, last // 3))) for start in starts]


def joined(batches: list[EventBatch]) -> list[bytes]:
    return [
        np.concatenate([np.asarray(getattr(batch, name)) for batch in batches]).tobytes()
        if batches
        else b""
        for name in "txyp"
    ]


def sliced(batch: EventBatch, start: int, stop: int) -> list[bytes]:
    return joined(list(TimeSlice(start, stop).feed(batch)))


@every_made
def test_a_slice_is_the_same_from_the_middle(made: Path) -> None:
    whole = aevents.load(made)
    assert len(whole) == COUNT
    for start, stop in times_to_ask_for(whole.t):
        stream = aevents.open(made).time_slice(start, stop)
        assert joined(list(stream.blocking())) == sliced(whole, start, stop), (start, stop)


@every_made
async def test_a_slice_is_the_same_in_an_event_loop(made: Path) -> None:
    whole = await to_thread.run_sync(aevents.load, made)
    middle = int(np.median(whole.t))
    stream = aevents.open(made).time_slice(middle, middle + 100_000)
    assert joined(await stream.to_list()) == sliced(whole, middle, middle + 100_000)


@every_made
def test_a_slice_without_end_goes_to_the_end(made: Path) -> None:
    whole = aevents.load(made)
    start = int(np.quantile(whole.t, 0.9))
    stream = aevents.open(made).time_slice(start)
    expected = whole.where(whole.t >= start)
    assert joined(list(stream.blocking())) == joined([expected])


@every_made
def test_spans_are_the_same_from_the_middle(made: Path) -> None:
    whole = aevents.load(made)
    start, stop = (int(np.quantile(whole.t, part)) for part in (0.7, 0.8))
    (expected,) = TimeSlice(start, stop).feed(whole)
    batches = list(aevents.open(made).time_slice(start, stop).blocking())
    assert batches[0].span.start == expected.span.start == start
    assert batches[-1].span.stop == stop
    assert batches[0].sensor == whole.sensor


@every_made
def test_a_late_slice_begins_late_in_the_file(made: Path) -> None:
    whole = aevents.load(made)
    start = int(np.quantile(whole.t, 0.98))
    with_jump = aevents.open(made).time_slice(start).origin
    assert with_jump.blocking is not None
    items = with_jump.blocking()
    jump = next(items)
    items.close()
    assert isinstance(jump, Jump)
    assert jump.offset > 0.95 * made.stat().st_size - (1 << 18)
    assert jump.time < start


SEEKABLE = {one.name for one in codecs() if one.seekable}
TRUTH = json.loads((RECORDINGS / "truth.json").read_text()) if RECORDINGS.is_dir() else {}
ROWS = sorted(
    name
    for name, row in TRUTH.items()
    if row["format"] in SEEKABLE and (RECORDINGS / name).stat().st_size > SNIFF_BYTES
)


@pytest.mark.parametrize("name", ROWS)
def test_a_slice_of_a_real_recording_is_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.symlink_to(RECORDINGS / name)
    whole = aevents.load(path)
    for start, stop in times_to_ask_for(whole.t):
        stream = aevents.open(path).time_slice(start, stop)
        assert joined(list(stream.blocking())) == sliced(whole, start, stop), (start, stop)


@pytest.mark.parametrize("made", ["evt3.raw", "four-walked.aedat4"], indirect=True)
def test_random_damage_is_no_other_error(made: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    data = np.frombuffer(made.read_bytes(), np.uint8).copy()
    for _ in range(20):
        places = rng.integers(2000, len(data), 200)
        data[places] = rng.integers(0, 256, 200)
        path = tmp_path / made.name
        path.write_bytes(data.tobytes())
        with suppress(aevents.DecodeError):
            list(aevents.open(path).time_slice(int(rng.integers(1, LONG))).blocking())


def test_formats_that_say_so_are_seekable() -> None:
    options = {"sensor": SENSOR, "strict": False}
    for one in codecs():
        if one.reader is None:
            decoder = one.decoder(**options)
            assert one.seekable == hasattr(decoder, "locate") == hasattr(decoder, "resume"), (
                one.name
            )


class Counted:
    """What is read to find a time."""

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, read: ReadAt) -> ReadAt:
        def counted(*args: int) -> bytes:
            data = read(*args)
            self.bytes += len(data)
            return data

        return counted


@pytest.mark.parametrize("format", ["evt2", "evt21", "evt4", "dat", "aedat4", "npy", "csv"])
def test_little_is_read_to_find_a_time(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    t = np.arange(2_000_000) * 20
    zeros = t * 0
    path = tmp_path / f"long.{format}"
    encoded(format)(path, (t, zeros, zeros, zeros))
    counted = Counted()
    monkeypatch.setattr(recording, "_read_at", counted(recording._read_at))  # type: ignore[arg-type]
    stream = aevents.open(path).time_slice(30_000_000, 30_000_100)
    times = [t for batch in stream.blocking() for t in batch.t.tolist()]
    assert times == [*range(30_000_000, 30_000_100, 20)]
    assert 0 < counted.bytes < 0.15 * path.stat().st_size
