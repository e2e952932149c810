"""What an AEDAT4 file says of its streams, and what packets hold."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from aevents import Sensor, Span
from aevents.codecs.aedat4_streams import (
    StreamInfo,
    describe,
    description,
    event_structs,
    frame,
    imu,
    triggers,
)
from aevents.codecs.flatbuffer import Table, root, tables, unprefixed, vector_head

SENSOR = Sensor(4, 3)


def structs(letters: str, elements: npt.NDArray[np.void]) -> bytes:
    return vector_head(letters, len(elements), elements.nbytes) + elements.tobytes()


DAVIS = """<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">
<node name="0" path="/mainloop/Recorder/outInfo/0/">
    <attr key="compression" type="string">LZ4</attr>
    <attr key="originalOutputName" type="string">events</attr>
    <attr key="typeIdentifier" type="string">EVTS</attr>
    <node name="info" path="/mainloop/Recorder/outInfo/0/info/">
        <attr key="sizeX" type="int">346</attr><attr key="sizeY" type="int">260</attr>
        <attr key="source" type="string">DAVIS346_1</attr>
        <attr key="tsOffset" type="long">1605507430438338</attr>
    </node>
</node>
<node name="2" path="/mainloop/Recorder/outInfo/2/">
    <attr key="originalOutputName" type="string">imu</attr>
    <attr key="typeIdentifier" type="string">IMUS</attr>
    <node name="info" path="x"><attr key="source" type="string">DAVIS346_1</attr></node>
</node>
<node name="3" path="/mainloop/Recorder/outInfo/3/">
    <attr key="typeIdentifier" type="string">EVTS</attr>
    <node name="info" path="x">
        <attr key="sizeX" type="int">70000</attr><attr key="sizeY" type="int">x</attr>
        <attr key="source" type="string">other</attr>
    </node>
</node>
<node name="four"><attr key="typeIdentifier" type="string">EVTS</attr></node>
<node name="5"/>
</node></dv>
   \0"""


def test_a_description_names_streams_and_their_sensors() -> None:
    davis = Sensor(346, 260, "DAVIS346_1")
    assert describe(DAVIS) == {
        0: StreamInfo(0, "EVTS", "events", davis),
        2: StreamInfo(2, "IMUS", "imu", davis),
        3: StreamInfo(3, "EVTS", "", Sensor(name="other")),
    }


def test_sizes_may_stand_in_the_stream_itself() -> None:
    text = (
        '<node name="info"><node name="0"><attr key="typeIdentifier">EVTS</attr>'
        '<attr key="sizeX">1280</attr><attr key="sizeY">720</attr></node></node>'
    )
    assert describe(text) == {0: StreamInfo(0, "EVTS", "", Sensor(1280, 720))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<dv>", "the description is no XML"),
        ("", "the description is no XML"),
        ('<!DOCTYPE dv [<!ENTITY a "b">]><dv/>', "the description declares a type"),
    ],
)
def test_descriptions_that_cannot_be_read_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        describe(text)


def test_a_deep_description_is_read() -> None:
    assert describe("<a>" * 100_000 + "</a>" * 100_000) == {}


@pytest.mark.parametrize("sensor", [Sensor(346, 260, 'A&B <"1">'), Sensor(name="A")])
def test_a_description_is_written_and_read_back(sensor: Sensor) -> None:
    streams = {0: StreamInfo(0, "EVTS", "events", sensor), 1: StreamInfo(1, "TRIG", "t", sensor)}
    assert describe(description(streams, "LZ4")) == streams


def test_a_name_that_xml_cannot_hold_is_written_without_those_letters() -> None:
    streams = {0: StreamInfo(0, "EVTS", "events", Sensor(1, 1, "a\0b"))}
    assert describe(description(streams, "LZ4"))[0].sensor == Sensor(1, 1, "ab")


def test_events_are_structs_of_16_bytes() -> None:
    record = struct.pack("<qhhB3x", 1_605_537_493_718_345, 154, 204, 1)
    elements = np.frombuffer(record + struct.pack("<qhhB3x", -1, -1, 3, 0), "V16")
    data = structs("EVTS", elements)
    assert event_structs(memoryview(data)) == elements.tobytes()
    assert len(event_structs(memoryview(structs("EVTS", elements[:0])))) == 0


def test_events_are_found_wherever_their_table_is() -> None:
    vtable = struct.pack("<3H2x", 6, 8, 4)
    body = struct.pack("<I4s", 16, b"EVTS") + vtable + struct.pack("<iI", 8, 4)
    body += struct.pack("<I", 1) + bytes(range(16))
    data = memoryview(struct.pack("<I", len(body)) + body)
    assert event_structs(data) == bytes(range(16))


def test_a_count_that_is_not_that_of_the_bytes_is_no_vector() -> None:
    elements = np.frombuffer(bytes(64), "V16")
    data = bytearray(structs("EVTS", elements))
    data[28] = 2
    with pytest.raises(ValueError, match="2 events in 96 bytes"):
        event_structs(memoryview(data))


TRIGGER = np.dtype([("back", "<i4"), ("t", "<i8"), ("source", "i1"), ("unused", "V3")])


def of_sources(sources: Sequence[int]) -> Table:
    rows = np.zeros(len(sources), TRIGGER)
    rows["t"], rows["source"] = 100 + np.arange(len(sources)), sources
    return root(unprefixed(tables("TRIG", (4, 12), rows)))


def test_triggers_have_inputs_by_what_they_come_from() -> None:
    (batch,) = triggers(of_sources(range(10)), SENSOR)
    assert batch.t.tolist() == [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]
    assert batch.id.tolist() == [5, 0, 0, 1, 2, 2, 3, 3, 4, 4]
    assert batch.value.tolist() == [True, True, False, True, True, False, True, False, True, False]
    assert (batch.sensor, batch.span) == (SENSOR, Span(100, 109))


@pytest.mark.parametrize("source", [10, -1])
def test_triggers_of_an_unknown_source_are_refused(source: int) -> None:
    with pytest.raises(ValueError, match=f"triggers of source {source} are not known"):
        list(triggers(of_sources([1, source]), SENSOR))


def test_inertial_measurements_are_columns() -> None:
    names = ["back", "t", "degrees", *"abcdefghi"]
    row = np.dtype([(name, "<i8" if name == "t" else "<f4") for name in names])
    rows = np.zeros(2, np.dtype([("back", "<i4"), *row.descr[1:], ("unused", "V4")]))
    rows["t"], rows["degrees"] = [1_000, 2_000], 38.5
    for number, name in enumerate("abcdefghi"):
        rows[name] = number + 1
    places = (4, *range(12, 52, 4))
    (batch,) = imu(root(unprefixed(tables("IMUS", places, rows))), SENSOR)
    assert (len(batch), batch.sensor, batch.span) == (2, SENSOR, Span(1_000, 2_001))
    assert batch.t.tolist() == [1_000, 2_000]
    assert batch.temperature.tolist() == [38.5, 38.5]
    assert batch.accelerometer.tolist() == [[1, 2, 3]] * 2
    assert batch.gyroscope.tolist() == [[4, 5, 6]] * 2
    assert batch.magnetometer.tolist() == [[7, 8, 9]] * 2
    assert {str(axes.dtype) for axes in (batch.temperature, batch.gyroscope)} == {"float32"}
    assert not batch.gyroscope.flags.writeable


def of_frame(format: int, width: int, height: int, pixels: bytes, *, times: Sequence[int]) -> Table:
    """A frame at time 50; `times` are those of frame and exposure."""
    places = (4, 12, 20, 28, 36, 44, 46, 48, 0, 0, 52)
    vtable = struct.pack("<13H", 26, 56, *places)
    vtable += bytes(36 - 8 - len(vtable))
    table = struct.pack("<i5q", 28, 50, *times) + struct.pack("<bxhhxxI", format, width, height, 4)
    data = struct.pack("<I4s", 36, b"FRME") + vtable + table + struct.pack("<I", len(pixels))
    return root(memoryview(data + pixels))


NO_TIMES = (0, 0, -1, -1)


def test_a_gray_frame_is_a_picture() -> None:
    found = frame(of_frame(0, 3, 2, bytes(range(6)), times=NO_TIMES), SENSOR)
    assert found.array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (found.span, found.sensor, found.mode) == (Span(50, 50), SENSOR, "intensity")
    assert not found.array.flags.writeable


@pytest.mark.parametrize(("format", "pixel"), [(16, b"\1\2\3"), (24, b"\1\2\3\xff")])
def test_a_colour_frame_is_red_green_and_blue(format: int, pixel: bytes) -> None:
    found = frame(of_frame(format, 1, 2, 2 * pixel, times=NO_TIMES), SENSOR)
    assert found.array.tolist() == [[[3, 2, 1]], [[3, 2, 1]]]


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ((40, 60, 45, 55), Span(45, 55)),
        ((40, 60, -1, -1), Span(40, 60)),
        ((40, 60, 45, 0), Span(40, 60)),
        ((0, 0, 0, 7), Span(0, 7)),
        (NO_TIMES, Span(50, 50)),
    ],
)
def test_a_frame_lasts_as_long_as_its_exposure(times: Sequence[int], span: Span) -> None:
    assert frame(of_frame(0, 1, 1, b"a", times=times), SENSOR).span == span


@pytest.mark.parametrize(
    ("format", "width", "height", "message"),
    [
        (2, 2, 1, "frames of format 2 are not known"),
        (0, 3, 1, "a frame of 3x1 with 2 bytes of pixels"),
        (0, -2, -1, "a frame of -2x-1 with 2 bytes"),
        (16, 2, 1, "a frame of 2x1 with 2 bytes"),
    ],
)
def test_other_frames_are_refused(format: int, width: int, height: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame(of_frame(format, width, height, b"ab", times=NO_TIMES), SENSOR)


def test_columns_of_packets_have_their_types() -> None:
    (batch,) = triggers(of_sources([1]), SENSOR)
    columns: list[npt.NDArray[np.generic]] = [batch.t, batch.id, batch.value]
    assert [str(column.dtype) for column in columns] == ["int64", "uint8", "bool"]
