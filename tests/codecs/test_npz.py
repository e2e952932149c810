"""NPZ files: columns, structures and matrices in a zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import DecodeError, EncodeError, Event, EventBatch, Sensor
from aevents.codecs.npz import CODEC, NpzDecoder, NpzEncoder
from aevents.testing import check_codec, decode, encode, example_events
from aevents.types import Frame, Span

BATCH = EventBatch.from_columns(t=[5, 7], x=[6, 8], y=[7, 9], p=[1, 0], sensor=Sensor(1280, 720))
EVENTS = [Event(5, 6, 7, True), Event(7, 8, 9, False)]
COLUMNS: dict[str, npt.ArrayLike] = {"t": [5, 7], "x": [6, 8], "y": [7, 9], "p": [1, 0]}
PLAIN = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
ROWS = np.array([(5, 6, 7, 1), (7, 8, 9, 0)], PLAIN)
MATRIX = np.array([(5, 6, 7, 1), (7, 8, 9, 0)])


Arrays = Mapping[str, npt.ArrayLike]


def saved(arrays: Arrays, *, compressed: bool = False) -> bytes:
    out = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    named: dict[str, Any] = {name: np.asarray(values) for name, values in arrays.items()}
    save(out, **named)
    return out.getvalue()


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def array(values: npt.ArrayLike) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def read(data: bytes, **options: object) -> tuple[list[Event], dict[str, int], Sensor]:
    decoder = CODEC.decoder(**options)
    items = [*decoder.feed(data), *decoder.flush()]
    batches = [item for item in items if isinstance(item, EventBatch)]
    events = [event for batch in batches for event in batch]
    return events, dict(decoder.counts), batches[0].sensor


ARCHIVES: dict[str, Arrays] = {
    "columns": COLUMNS,
    "columns under other names": {"ts": [5, 7], "xs": [6, 8], "ys": [7, 9], "ps": [1, -1]},
    "columns under long names": {
        "timestamp": np.array([5e-6, 7e-6]),
        "x": np.array([6, 8], ">u2"),
        "y": np.array([7.0, 9.0]),
        "polarity": [True, False],
    },
    "structures": {"events": ROWS},
    "structures under any name": {"recording": ROWS},
    "structures among others": {"events": ROWS, "frames": np.zeros((3, 2, 2))},
    "a matrix": {"event_data": MATRIX},
    "a matrix in Fortran order": {"event_data": np.asfortranarray(MATRIX)},
    "a matrix without name": {"arr_0": MATRIX},
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ARCHIVES)
def test_events_are_read_whatever_their_arrays(name: str, compressed: bool) -> None:
    data = saved(ARCHIVES[name], compressed=compressed)
    assert read(data) == (EVENTS, {}, Sensor())


def test_a_matrix_is_read_in_the_order_and_the_unit_that_are_given() -> None:
    data = saved({"event_data": [(6.0, 7.0, 1.0, 5.0), (8.0, 9.0, 0.0, 7.0)]})
    assert read(data, columns="xypt", time_unit="us")[0] == EVENTS


SIZES: dict[str, tuple[dict[str, npt.ArrayLike], Sensor]] = {
    "width and height": ({"width": 640, "height": np.uint16(480)}, Sensor(640, 480)),
    "sensor_size": ({"sensor_size": [640, 480]}, Sensor(640, 480)),
    "sensor_size with polarities": ({"sensor_size": [640, 480, 2]}, Sensor(640, 480)),
    "width alone": ({"width": 640}, Sensor()),
    "no number": ({"width": "wide", "height": 480}, Sensor()),
    "none": ({"width": 0, "height": 0}, Sensor()),
    "too large": ({"width": 10**9, "height": 10**9}, Sensor()),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_sensor_comes_from_the_archive(name: str) -> None:
    arrays, sensor = SIZES[name]
    assert read(saved(COLUMNS | arrays))[2] == sensor


def test_the_sensor_that_is_given_goes_first() -> None:
    data = saved(COLUMNS | {"width": 640, "height": 480})
    assert read(data, sensor=Sensor(64, 48))[2] == Sensor(64, 48)


def test_large_columns_come_in_batches_of_32768() -> None:
    zeros = np.zeros(70_000, np.uint8)
    items = decode(CODEC, [saved({"t": np.arange(70_000), "x": zeros, "y": zeros, "p": zeros})])
    assert [len(item) for item in items if isinstance(item, EventBatch)] == [32768, 32768, 4464]


def test_without_events_there_is_an_empty_batch() -> None:
    none = np.empty(0, np.uint8)
    data = saved({"t": none, "x": none, "y": none, "p": none, "width": 640, "height": 480})
    assert read(data) == ([], {}, Sensor(640, 480))


PARTS = {name: array(np.asarray(values)) for name, values in COLUMNS.items()}
ANOMALIES = {
    "a row that is no event": (saved(COLUMNS | {"x": [-1, 8]}), EVENTS[1:], {"bad_rows": 1}),
    "rows that are no events": (saved(COLUMNS | {"x": [-1, -1]}), [], {"bad_rows": 2}),
    "a column cut short": (
        zipped({f"{name}.npy": data for name, data in (PARTS | {"y": PARTS["y"][:-1]}).items()}),
        EVENTS[:1],
        {"missing_rows": 1},
    ),
    "structures cut short": (
        zipped({"events.npy": array(ROWS)[:-1]}),
        EVENTS[:1],
        {"missing_rows": 1, "torn_bytes": 12},
    ),
}


@pytest.mark.parametrize("name", ANOMALIES)
def test_anomalies_are_counted_by_name_or_raised_when_strict(name: str) -> None:
    data, events, counts = ANOMALIES[name]
    assert read(data)[:2] == (events, counts)
    with pytest.raises(DecodeError):
        read(data, strict=True)


GOOD = saved(COLUMNS)
REFUSED = {
    "no zip": (b"PK\x03\x04 and then nothing", "the archive cannot be read"),
    "a zip cut off": (GOOD[:-30], "the archive cannot be read"),
    "nothing": (b"", "the archive cannot be read"),
    "no arrays": (zipped({"a.txt": b"5,6,7,1"}), "in this archive of nothing"),
    "arrays of something else": (saved({"a": [1], "b": [2]}), "in this archive of a, b"),
    "one array of something else": (saved({"a": [1]}), "is no list of events"),
    "columns of unequal length": (
        saved(COLUMNS | {"x": [1, 2, 3]}),
        r"shapes \[\(2,\), \(3,\), \(2,\), \(2,\)\]",
    ),
    "columns of two dimensions": (
        saved({"t": [[1]], "x": [[1]], "y": [[1]], "p": [[1]]}),
        "have shapes",
    ),
    "columns of text": (saved(COLUMNS | {"p": ["on", "off"]}), "the columns t, x, y, p are"),
    "pickled objects": (
        saved(COLUMNS | {"p": np.array([None, 1], object)}),
        "pickled objects are not read",
    ),
    "an entry of a few bytes": (
        zipped({f"{name}.npy": data for name, data in (PARTS | {"p": b"\x93NUMPY"}).items()}),
        "p.npy ends before its header does",
    ),
    "damaged bytes": (
        GOOD.replace(array(COLUMNS["t"])[-16:], b"damaged by water"),
        "t.npy cannot be unpacked: Bad CRC-32",
    ),
    "another way of packing": (
        zipped({"events.npy": array(ROWS)}, zipfile.ZIP_BZIP2),
        "events.npy is packed in way 12, not deflated",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_that_cannot_be_read_is_refused(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(DecodeError, match=message):
        read(data)


def test_an_array_that_unpacks_to_far_more_than_it_says_is_cut_there() -> None:
    bomb = array(ROWS) + bytes(50_000_000)
    data = zipped({"events.npy": bomb}, zipfile.ZIP_DEFLATED)
    events, counts, _ = read(data)
    assert (events, counts) == (EVENTS, {"extra_bytes": 50_000_000})


@pytest.mark.parametrize("compressed", [False, True])
def test_events_are_written_as_columns_that_numpy_loads(compressed: bool) -> None:
    data = encode(NpzEncoder(compressed=compressed), [BATCH, BATCH])
    with np.load(io.BytesIO(data)) as arrays:
        assert {name: arrays[name].tolist() for name in arrays} == {
            "t": [5, 7, 5, 7],
            "x": [6, 8, 6, 8],
            "y": [7, 9, 7, 9],
            "p": [True, False, True, False],
            "width": 1280,
            "height": 720,
        }
    assert read(data)[0] == EVENTS * 2


def test_deflated_files_are_smaller() -> None:
    batch = example_events(5_000)
    assert (
        len(encode(NpzEncoder(compressed=True), [batch])) < len(encode(NpzEncoder(), [batch])) / 2
    )


def test_a_size_that_is_not_known_is_not_written() -> None:
    data = encode(NpzEncoder(), [EventBatch.from_columns(t=[5], x=[6], y=[7], p=[1])])
    with np.load(io.BytesIO(data)) as arrays:
        assert sorted(arrays) == ["p", "t", "x", "y"]


def test_without_batches_the_columns_are_empty() -> None:
    assert read(encode(NpzEncoder(), [])) == ([], {}, Sensor())


def test_only_events_can_be_written() -> None:
    frame = Frame(np.zeros((2, 3)), Span(0, 1), Sensor(3, 2))
    with pytest.raises(EncodeError, match="the columns hold events, not a Frame"):
        NpzEncoder().feed(frame)  # type: ignore[arg-type]  # the point


def test_npz_is_claimed_by_its_first_entry() -> None:
    assert CODEC.matches is not None
    assert CODEC.matches(GOOD)
    assert CODEC.matches(saved({"events": ROWS}, compressed=True))
    assert not CODEC.matches(zipped({"a.txt": b"5,6,7,1"}))
    assert not CODEC.matches(b"\x93NUMPY")


def test_nothing_comes_before_the_end() -> None:
    decoder = NpzDecoder()
    assert all(decoder.feed(GOOD[i : i + 1]) == () for i in range(len(GOOD)))
    assert [event for batch in decoder.flush() for event in batch] == EVENTS


EVENT = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.booleans(),
)


@given(st.lists(EVENT, max_size=30), st.booleans())
def test_whatever_is_written_is_read_back(
    events: list[tuple[int, int, int, bool]], compressed: bool
) -> None:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    batch = EventBatch.from_columns(t=np.array(t, np.int64), x=x, y=y, p=np.array(p, np.bool_))
    data = encode(NpzEncoder(compressed=compressed), [batch])
    assert read(data)[0] == [Event(*event) for event in events]


def test_the_laws() -> None:
    check_codec(CODEC, batch=example_events(60), mutations=2_000)
