"""What an AEDAT4 file says of its streams, and what their packets hold.

The description is XML. A stream is a node with an attribute `typeIdentifier`; its name is the
number that its packets bear:

    <dv version="2.0">
      <node name="outInfo" path="/outInfo/">
        <node name="0" path="/outInfo/0/">
          <attr key="originalOutputName" type="string">events</attr>
          <attr key="typeIdentifier" type="string">EVTS</attr>
          <node name="info" path="/outInfo/0/info/">
            <attr key="sizeX" type="int">640</attr> … sizeY, source

A packet is a size-prefixed FlatBuffer:

    EVTS   vector of structs of 16 bytes: i64 t, i16 x, i16 y, u8 on, 3 unused
    TRIG   vector of tables: i64 t, i8 source
    IMUS   vector of tables: i64 t, f32 temperature, and x, y, z of accelerometer, gyroscope,
           magnetometer
    FRME   table: i64 t, i64 start and end of the frame, i64 start and end of the exposure, i8
           format, i16 width, i16 height, i16 x, i16 y, pixels (u8)
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import msgspec
import numpy as np
from msgspec.structs import replace

from aevents.codecs.flatbuffer import BODY, PREFIX, Table, before_vector, root, unprefixed
from aevents.codecs.rescue import Numbers
from aevents.types import Frame, ImuBatch, Sensor, Span, Times, TriggerBatch, span_of

EVENTS, TRIGGERS, IMU, FRAMES = "EVTS", "TRIG", "IMUS", "FRME"

EVENT = np.dtype(
    {
        "names": ["t", "x", "y", "on"],
        "formats": ["<i8", "<u2", "<u2", "u1"],  # a negative column is off the sensor, as 65535 is
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)
BEFORE_EVENTS = before_vector(EVENTS)
SOURCES: dict[int, tuple[int, bool]] = {
    0: (5, True),  # timestamps were reset
    1: (0, True),  # external signal
    2: (0, False),
    3: (1, True),  # external pulse
    4: (2, True),  # generator
    5: (2, False),
    6: (3, True),  # beginning and end of a frame
    7: (3, False),
    8: (4, True),  # of an exposure
    9: (4, False),
}
"""Input and edge of a trigger, by what AEDAT4 calls its source."""
CHANNELS = {0: 1, 16: 3, 24: 4}
"""Bytes a pixel, by the format of a frame (as OpenCV numbers them): gray, BGR, BGRA."""
MOST_PIXELS = 65_536
MOST_BYTES = 16 << 20
"""The largest packet that is accepted, as it stands and unpacked: a million events."""


class StreamInfo(msgspec.Struct, frozen=True):
    """What the description says of one stream."""

    id: int
    kind: str = ""
    name: str = ""
    sensor: Sensor = Sensor()


def describe(text: str) -> dict[int, StreamInfo]:
    """Return the streams that a description names. Raises `ValueError` if it cannot be read."""
    if "<!DOCTYPE" in text:  # which may declare entities, and these stand for gigabytes
        raise ValueError("the description declares a type, which none needs")
    try:
        nodes = list(ElementTree.fromstring(text.rstrip("\0 \n")).iter("node"))
    except ElementTree.ParseError as error:
        raise ValueError(f"the description is no XML: {error}") from None
    found = {}
    for node in nodes:
        attributes = _attributes(node)
        id = node.get("name", "")
        if id.isdecimal() and "typeIdentifier" in attributes:
            kind, name = attributes["typeIdentifier"], attributes.get("originalOutputName", "")
            found[int(id)] = StreamInfo(int(id), kind, name, _sensor(attributes))
    return _sized(found)


def description(streams: dict[int, StreamInfo], compression: str) -> str:
    """Return the description of these streams."""
    root = ElementTree.Element("dv", version="2.0")
    outer = ElementTree.SubElement(root, "node", name="outInfo", path="/outInfo/")
    for id, stream in streams.items():
        node = ElementTree.SubElement(outer, "node", name=str(id), path=f"/outInfo/{id}/")
        _attribute(node, "compression", compression)
        _attribute(node, "originalModuleName", "aevents")
        _attribute(node, "originalOutputName", stream.name)
        _attribute(node, "typeDescription", f"{stream.name.capitalize()}.")
        _attribute(node, "typeIdentifier", stream.kind)
        info = ElementTree.SubElement(node, "node", name="info", path=f"/outInfo/{id}/info/")
        if stream.sensor.sized:
            _attribute(info, "sizeX", str(stream.sensor.width), "int")
            _attribute(info, "sizeY", str(stream.sensor.height), "int")
        source = "".join(letter for letter in stream.sensor.name if letter.isprintable())
        _attribute(info, "source", source or "aevents")
    return ElementTree.tostring(root, encoding="unicode")


def event_structs(data: memoryview) -> memoryview:
    """Return the events of a packet, one struct behind the other.

    Most files have them where dv-processing puts them, at the end of the packet.
    """
    if data[PREFIX : BODY - 4] == BEFORE_EVENTS:
        start, count = BODY, int.from_bytes(data[BODY - 4 : BODY], "little")
        if not 0 <= len(data) - start - count * EVENT.itemsize < EVENT.itemsize:
            raise ValueError(f"{count} events in {len(data)} bytes")
    else:
        body = unprefixed(data)
        start, count = root(body).vector(0, EVENT.itemsize)
        start += PREFIX
    return data[start : start + count * EVENT.itemsize]


def event_columns(structs: memoryview) -> tuple[Times, Numbers, Numbers]:
    """Return t, x and y of events, one struct behind the other."""
    records = np.frombuffer(structs, EVENT)
    return records["t"].astype(np.int64), records["x"], records["y"]


def triggers(table: Table, sensor: Sensor) -> Iterator[TriggerBatch]:
    """Yield the triggers of a packet."""
    for t, source in table.tables(0, ("<i8", "i1")):
        unknown = set(np.unique(source).tolist()) - set(SOURCES)
        if unknown:
            raise ValueError(f"triggers of source {min(unknown)} are not known")
        known = np.array([SOURCES[number] for number in sorted(SOURCES)])[source]
        id, value = known[:, 0].astype(np.uint8), known[:, 1] != 0
        times = t.astype(np.int64)
        span = span_of(times)
        yield TriggerBatch(times, id, value, sensor, Span(span.start, span.stop - 1))


def imu(table: Table, sensor: Sensor) -> Iterator[ImuBatch]:
    """Yield the inertial measurements of a packet."""
    for t, temperature, *axes in table.tables(0, ("<i8", *["<f4"] * 10)):
        three = np.stack(axes, axis=1).astype(np.float32)
        times, degrees = t.astype(np.int64), temperature.astype(np.float32)
        columns = (times, degrees, three[:, :3], three[:, 3:6], three[:, 6:])
        for column in columns:
            column.flags.writeable = False
        yield ImuBatch(*columns, sensor, span_of(times))


def frame(table: Table, sensor: Sensor) -> Frame:
    """Return the frame of a packet: gray, or red, green and blue."""
    format, width, height = table.number(5, "b"), table.number(6, "h"), table.number(7, "h")
    channels = CHANNELS.get(format)
    if channels is None:
        raise ValueError(f"frames of format {format} are not known")
    pixels = np.frombuffer(table.bytes(10), np.uint8)
    if width < 1 or height < 1 or len(pixels) != width * height * channels:
        raise ValueError(f"a frame of {width}x{height} with {len(pixels)} bytes of pixels")
    array = pixels.reshape(height, width, channels)
    array = array[:, :, 0] if channels == 1 else np.ascontiguousarray(array[:, :, 2::-1])
    array.flags.writeable = False
    return Frame(array, _span(table), sensor, "intensity")


def _span(table: Table) -> Span:
    """Return the time of the exposure if the frame tells it, else of the frame."""
    t, start, end, exposed, covered = (table.number(field, "q") for field in range(5))
    for first, last in ((exposed, covered), (start, end)):
        if 0 <= first <= last and last > 0:
            return Span(first, last)
    return Span(t, t)


def _attributes(node: ElementTree.Element) -> dict[str, str]:
    """Return the attributes of a node and of the node `info` in it."""
    found = node.findall("attr") + node.findall("node[@name='info']/attr")
    return {attribute.get("key", ""): attribute.text or "" for attribute in found}


def _attribute(node: ElementTree.Element, key: str, value: str, type: str = "string") -> None:
    ElementTree.SubElement(node, "attr", key=key, type=type).text = value


def _sensor(attributes: dict[str, str]) -> Sensor:
    name = attributes.get("source", "")
    width, height = (_length(attributes.get(key, "")) for key in ("sizeX", "sizeY"))
    return Sensor(width, height, name) if width and height else Sensor(name=name)


def _length(text: str) -> int:
    length = int(text) if text.isdecimal() and len(text) <= 5 else 0
    return length if length <= MOST_PIXELS else 0


def _sized(streams: dict[int, StreamInfo]) -> dict[int, StreamInfo]:
    """Give streams without a size that of the first of the same camera that has one."""
    sized: dict[str, Sensor] = {}
    for one in streams.values():
        if one.sensor.sized:
            sized.setdefault(one.sensor.name, one.sensor)
    return {
        id: one if one.sensor.sized else replace(one, sensor=sized.get(one.sensor.name, one.sensor))
        for id, one in streams.items()
    }
