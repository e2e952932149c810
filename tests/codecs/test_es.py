"""Event Stream: headers, kinds of files, and what is written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents import (
    ColourBatch,
    DecodeError,
    EncodeError,
    Event,
    EventBatch,
    ExposureBatch,
    Frame,
    GenericBatch,
    Sensor,
    Span,
    TruncatedError,
)
from aevents.codecs.es import CODEC, EsDecoder, EsEncoder
from aevents.testing import check_codec, decode, encode, example_events

SENSOR = Sensor(300, 260)
START = b"Event Stream\x02\x00\x00"
DVS, ATIS, COLOUR = (START + bytes([kind, 0x2C, 1, 4, 1]) for kind in (1, 2, 4))
OFF_SENSOR = bytes.fromhex("02 2c01 0000")


def events(data: bytes, **options: object) -> list[Event]:
    items = decode(CODEC, [data], **options)
    return [event for item in items if isinstance(item, EventBatch) for event in item]


def exposures(t: list[int], stop: list[bool]) -> ExposureBatch:
    xy = np.arange(len(t), dtype=np.uint16)
    span = Span(t[0], t[-1])
    return ExposureBatch(np.array(t), xy, xy, np.array(stop), SENSOR, span)


def colours(t: list[int]) -> ColourBatch:
    xy, level = np.arange(len(t), dtype=np.uint16), np.arange(len(t), dtype=np.uint8)
    return ColourBatch(np.array(t), xy, xy, level, level + 1, level + 2, SENSOR, Span(t[0], t[-1]))


def test_events_are_read_upright() -> None:
    data = DVS + bytes.fromhex("06 0100 0000 ff 03 2b01 0301")
    assert events(data) == [Event(3, 1, 259, False), Event(131, 299, 0, True)]
    (batch,) = decode(CODEC, [data])
    assert isinstance(batch, EventBatch)
    assert batch.sensor == SENSOR


def test_the_stream_begins_at_a_time_of_your_own() -> None:
    data = DVS + bytes.fromhex("06 0100 0000")
    assert events(data, t0_us=1_000) == [Event(1_003, 1, 259, False)]
    batch = EventBatch.from_columns(t=[1_003], x=[1], y=[259], p=[0], sensor=SENSOR)
    assert encode(EsEncoder(t0_us=1_000), [batch]) == data


def test_exposures_of_atis_are_their_own_kind() -> None:
    data = ATIS + bytes.fromhex("04 0100 0000 06 0200 0000 05 0300 0000 07 0400 0000")
    exposed, changed = decode(CODEC, [data])
    assert isinstance(exposed, ExposureBatch)
    assert (exposed.t.tolist(), exposed.x.tolist()) == ([3, 4], [3, 4])
    assert (exposed.y.tolist(), exposed.stop.tolist()) == ([259, 259], [False, True])
    assert (exposed.span, exposed.sensor) == (Span(3, 4), SENSOR)
    assert isinstance(changed, EventBatch)
    assert list(changed) == [Event(1, 1, 259, False), Event(2, 2, 259, True)]


def test_atis_without_exposures_and_of_exposures_only() -> None:
    assert events(ATIS + bytes.fromhex("06 0200 0000")) == [Event(1, 2, 259, True)]
    exposed, empty = decode(CODEC, [ATIS + bytes.fromhex("05 0300 0000")])
    assert isinstance(exposed, ExposureBatch)
    assert isinstance(empty, EventBatch)
    assert (len(exposed), len(empty)) == (1, 0)


def test_colours_are_their_own_kind() -> None:
    colour, empty = decode(CODEC, [COLOUR + bytes.fromhex("02 0100 0200 0a0b0c")])
    assert isinstance(colour, ColourBatch)
    found = [column.tolist() for column in (colour.t, colour.x, colour.y)]
    assert found == [[2], [1], [257]]
    assert [colour.r.tolist(), colour.g.tolist(), colour.b.tolist()] == [[10], [11], [12]]
    assert isinstance(empty, EventBatch)


def test_generic_bytes_are_their_own_kind() -> None:
    generic, empty = decode(CODEC, [START + b"\x00" + bytes.fromhex("02 06 616263")])
    assert isinstance(generic, GenericBatch)
    assert (generic.t.tolist(), generic.data, len(generic)) == ([2], (b"abc",), 1)
    assert isinstance(empty, EventBatch)


@pytest.mark.parametrize("head", [DVS, ATIS, COLOUR])
def test_what_is_off_the_sensor_is_counted(head: bytes) -> None:
    decoder = EsDecoder()
    data = head + OFF_SENSOR + bytes(3 if head == COLOUR else 0)
    assert sum(len(item) for item in decoder.feed(data)) == 1
    assert decoder.counts == {"off_sensor": 1}
    with pytest.raises(DecodeError, match="events outside 300x260"):
        decode(CODEC, [data], strict=True)


def test_an_exposure_off_the_sensor_is_counted() -> None:
    decoder = EsDecoder()
    (exposed,) = decoder.feed(ATIS + bytes.fromhex("05 0000 0401"))
    assert isinstance(exposed, ExposureBatch)
    assert decoder.counts == {"off_sensor": 1}


def test_a_torn_record_is_counted() -> None:
    decoder = EsDecoder()
    list(decoder.feed(DVS + bytes.fromhex("02 0000 0000 02 00")))
    list(decoder.flush())
    assert decoder.counts == {"torn_bytes": 2}
    with pytest.raises(TruncatedError, match="the last 2 bytes are no whole record at byte 25"):
        decode(CODEC, [DVS + bytes.fromhex("02 0000 0000 02 00")], strict=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the input is empty"),
        (START, "the header is not whole"),
        (DVS[:-1], "the header is not whole"),
        (b"Event Dreams\x02\x00\x00\x01", "the first bytes are not 'Event Stream' at byte 0"),
        (b"Event Stream\x01\x02\x03\x01", "version 1.2.3 is not known at byte 12"),
        (START + b"\x03", "streams of type 3 are not known at byte 15"),
        (START + b"\x05", "streams of type 5 are not known"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode(CODEC, [data])


def test_a_later_version_2_is_read() -> None:
    assert events(DVS.replace(b"\x02\x00\x00", b"\x02\x01\x09", 1)) == []


def test_the_size_can_be_given_where_the_file_has_none() -> None:
    data = START + bytes(1).replace(b"\0", b"\x01") + bytes(4) + bytes.fromhex("02 0000 0000")
    assert events(data) == [Event(1, 0, 0, False)]
    assert events(data, sensor=SENSOR) == [Event(1, 0, 259, False)]


def test_an_empty_file_says_nothing_of_the_size() -> None:
    assert encode(EsEncoder(), []) == START + bytes([1, 0, 0, 0, 0])
    assert encode(EsEncoder(), [EventBatch.empty()]) == START + bytes([1, 0, 0, 0, 0])
    assert encode(EsEncoder(atis=True), []) == START + bytes([2, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("sensor", "size"), [(Sensor(), "of no known size"), (Sensor(65536, 1), "65536x1")]
)
def test_the_size_of_the_sensor_is_needed(sensor: Sensor, size: str) -> None:
    batch = EventBatch.from_columns(t=[1], x=[1], y=[0], p=[1], sensor=sensor)
    with pytest.raises(EncodeError, match=f"this one is {size}"):
        encode(EsEncoder(), [batch])


@pytest.mark.parametrize(
    ("t", "x", "y"), [(4, 0, 0), (5, 300, 0), (5, 0, 260), (6 + (1 << 34), 0, 0)]
)
def test_what_does_not_fit_is_refused(t: int, x: int, y: int) -> None:
    batch = EventBatch.from_columns(t=[5, t], x=[0, x], y=[0, y], p=[0, 0], sensor=SENSOR)
    with pytest.raises(EncodeError, match=f"t={t}, x={x}, y={y} does not fit behind t=5"):
        encode(EsEncoder(), [batch])


def test_exposures_are_written_in_order_with_the_events_after_them() -> None:
    changed = EventBatch.from_columns(t=[2, 9], x=[1, 2], y=[0, 0], p=[1, 0], sensor=SENSOR)
    data = encode(EsEncoder(), [exposures([1, 5], [False, True]), changed])
    exposed, again = decode(CODEC, [data])
    assert isinstance(exposed, ExposureBatch)
    assert isinstance(again, EventBatch)
    assert (exposed.t.tolist(), exposed.stop.tolist()) == ([1, 5], [False, True])
    assert list(again) == list(changed)
    assert encode(EsEncoder(), [exposed, again]) == data


def test_exposures_alone_and_events_first() -> None:
    changed = EventBatch.from_columns(t=[2], x=[1], y=[0], p=[1], sensor=SENSOR)
    one, other = exposures([3], [True]), exposures([4, 7], [False, True])
    items = decode(CODEC, [encode(EsEncoder(atis=True), [changed, one, other])])
    assert [item.t.tolist() for item in items if isinstance(item, ExposureBatch)] == [[3, 4, 7]]
    with pytest.raises(EncodeError, match="can take EventBatch, not ExposureBatch"):
        encode(EsEncoder(), [changed, one])


def test_exposures_out_of_order_are_refused() -> None:
    changed = EventBatch.from_columns(t=[2], x=[1], y=[0], p=[1], sensor=SENSOR)
    with pytest.raises(EncodeError, match="t=4"):
        encode(EsEncoder(), [exposures([7, 4], [False, True]), changed])


def test_colours_and_generic_bytes_are_written_and_read_back() -> None:
    colour, _ = decode(CODEC, [encode(EsEncoder(), [colours([1, 300]), colours([301])])])
    assert isinstance(colour, ColourBatch)
    assert colour.t.tolist() == [1, 300, 301]
    assert colour.y.tolist() == [0, 1, 0]
    assert (colour.r.tolist(), colour.b.tolist()) == ([0, 1, 0], [2, 3, 2])
    batch = GenericBatch(np.array([3, 900]), (b"abc", b""), Span(3, 900))
    generic, _ = decode(CODEC, [encode(EsEncoder(), [batch])])
    assert isinstance(generic, GenericBatch)
    assert (generic.t.tolist(), generic.data) == ([3, 900], (b"abc", b""))


def test_other_items_are_refused() -> None:
    frame = Frame(np.zeros((1, 1)), Span(0, 1), SENSOR)
    with pytest.raises(EncodeError, match="can take EventBatch or ExposureBatch or ColourBatch"):
        encode(EsEncoder(), [frame])


@pytest.mark.parametrize("size", [1, 3, 5, 8, 13])
@pytest.mark.parametrize("kind", ["atis", "colour", "generic"])
def test_how_the_bytes_are_cut_makes_no_difference(kind: str, size: int) -> None:
    data = {
        "atis": encode(EsEncoder(), [exposures([1, 500, 501], [True] * 3), example_on(90)]),
        "colour": encode(EsEncoder(), [colours([1, 700, 701, 2000])]),
        "generic": encode(EsEncoder(), [GenericBatch(np.array([1]), (b"x" * 300,), Span(1, 1))]),
    }[kind]
    whole = decode(CODEC, [data])
    cut = decode(CODEC, [data[at : at + size] for at in range(0, len(data), size)])
    assert joined(cut) == joined(whole)


def example_on(count: int) -> EventBatch:
    return example_events(count, sensor=SENSOR)


def joined(items: list[object]) -> dict[str, list[object]]:
    """Return every column of each kind of item, joined."""
    columns: dict[str, list[object]] = {}
    for item in items:
        for name in ("t", "x", "y", "p", "stop", "r", "g", "b", "data"):
            if hasattr(item, name):
                column = columns.setdefault(f"{type(item).__name__}.{name}", [])
                column.extend(getattr(item, name))
    return columns


def test_the_laws() -> None:
    check_codec(CODEC, mutations=200)


class Recording:
    """A recording of other kinds, and the SHA-256 of its columns, rows as in the file."""

    def __init__(self, folder: Path, name: str) -> None:
        told = json.loads((folder / "truth_other_kinds.json").read_text())[name]
        self.path, self.count, self.sha256 = folder / name, told["count"], told["sha256"]

    def assert_column(self, name: str, dtype: str, column: object) -> None:
        data = np.ascontiguousarray(column, dtype).tobytes()
        assert hashlib.sha256(data).hexdigest() == self.sha256[name], name


def test_a_recording_of_colours_is_read_right(recordings: Path) -> None:
    told = Recording(recordings, "faery_color.es")
    batches = list(aevents.open(told.path, kind=ColourBatch).blocking())
    assert sum(map(len, batches)) == told.count
    height = batches[0].sensor.height
    columns = {
        name: np.concatenate([getattr(batch, name) for batch in batches]) for name in "txyrgb"
    }
    columns["y"] = height - 1 - columns["y"]
    for name, dtype in zip("txyrgb", ("<i8", "<u2", "<u2", "u1", "u1", "u1"), strict=True):
        told.assert_column(name, dtype, columns[name])
    again = encode(EsEncoder(), batches)
    assert decoded_colours(again) == decoded_colours(told.path.read_bytes())


def decoded_colours(data: bytes) -> dict[str, list[object]]:
    return joined([item for item in decode(CODEC, [data]) if isinstance(item, ColourBatch)])


def test_a_recording_of_atis_is_read_right(recordings: Path) -> None:
    told = Recording(recordings, "event_stream_atis.es")
    exposed, changed = decode(CODEC, [told.path.read_bytes()])
    assert isinstance(exposed, ExposureBatch)
    assert isinstance(changed, EventBatch)
    assert (len(exposed), len(changed)) == (1667, 3333)
    halves = {
        "t": np.concatenate([exposed.t, changed.t]),
        "x": np.concatenate([exposed.x, changed.x]),
        "y": exposed.sensor.height - 1 - np.concatenate([exposed.y, changed.y]),
        "p": np.concatenate([exposed.stop, changed.p]),
        "e": np.arange(5000) < 1667,
    }
    order = order_in_file(told.path.read_bytes()[20:])
    dtypes = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "u1", "e": "u1"}
    for name, column in halves.items():
        told.assert_column(name, dtypes[name], column[order])


def order_in_file(body: bytes) -> list[int]:
    """Return which of the exposures, then the events, each record of the body is."""
    at, order, exposure, change = 0, [], 0, 1667
    while at < len(body):
        if body[at] >= 0xFC:
            at += 1
            continue
        order.append(exposure if body[at] & 1 else change)
        exposure, change = exposure + (body[at] & 1), change + (~body[at] & 1)
        at += 5
    return order


def test_a_recording_of_generic_bytes_is_read_right(recordings: Path) -> None:
    told = Recording(recordings, "faery_generic.es")
    (batch,) = aevents.open(told.path, kind=GenericBatch).blocking()
    assert len(batch) == told.count
    assert batch.data[:3] == (b"Lorem", b"ipsum", b"dolor")
    told.assert_column("t", "<i8", batch.t)
    assert hashlib.sha256(b"".join(batch.data)).hexdigest() == told.sha256["bytes"]
    assert encode(EsEncoder(), [batch]) == told.path.read_bytes()


@pytest.mark.parametrize("name", ["faery_dvs.es", "event_stream_empty.es"])
def test_a_recording_is_written_as_it_was(recordings: Path, name: str) -> None:
    batch = aevents.load(recordings / name)
    data = (recordings / name).read_bytes()
    if len(batch):
        assert encode(EsEncoder(), [batch]) == data
    else:
        assert batch.sensor == Sensor(1280, 720)
