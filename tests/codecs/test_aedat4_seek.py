"""The table of AEDAT4, and the way without."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import Sensor, TriggerBatch
from aevents.codecs.aedat4 import Aedat4Decoder
from aevents.codecs.aedat4_write import TABLE_PLACE, Aedat4Encoder
from aevents.codecs.base import Jump, Patch
from aevents.codecs.flatbuffer import tables
from aevents.types import EventBatch, Span

COUNT = 200_000


def recording() -> bytes:
    """Return 20 packets of events, 10 µs apart, and a late packet of triggers after the first."""
    encoder = Aedat4Encoder(compression="none")
    t = np.arange(COUNT) * 10
    batch = EventBatch.from_columns(t=t, x=t % 9, y=t % 9, p=t % 2, sensor=Sensor(9, 9))
    edge = np.array([1 << 40]), np.array([0], np.uint8), np.array([True])
    triggers = TriggerBatch(*edge, Sensor(9, 9), Span(1 << 40, 1 << 40))
    data = bytearray()
    for items in (batch[:10_000], triggers, batch[10_000:], None):
        for part in encoder.feed(items) if items is not None else encoder.flush():
            if isinstance(part, Patch):
                data[part.offset : part.offset + len(part.data)] = part.data
            else:
                data += part
    return bytes(data)


DATA = recording()
TABLE = int.from_bytes(DATA[TABLE_PLACE : TABLE_PLACE + 8], "little")


class Read:
    """A file in memory; counts how often it is read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def __call__(self, offset: int, size: int) -> bytes:
        self.count += 1
        return self.data[offset : offset + size]


def located(data: bytes, start: int, **options: object) -> tuple[Jump | None, int]:
    decoder = Aedat4Decoder(**options)  # type: ignore[arg-type]  # its options
    list(decoder.feed(data[:65_536]))
    read = Read(data)
    return decoder.locate(read, len(data), start), read.count


def first_time(jump: Jump | None) -> int:
    assert jump is not None
    t: int = struct.unpack_from("<q", DATA, jump.offset + 8 + 32)[0]
    return t


@pytest.mark.parametrize("start", [100_000, 150_000, 1_000_000, 1_999_990, 1 << 50])
def test_the_table_tells_the_packet(start: int) -> None:
    jump, count = located(DATA, start)
    assert first_time(jump) == min(start // 100_000, 19) * 100_000
    assert jump is not None
    assert jump.time == first_time(jump) - 10
    assert count == 5


def test_the_first_packet_needs_no_jump() -> None:
    assert located(DATA, 1)[0] is None
    assert located(DATA, 99_990)[0] is None


def test_between_two_packets_the_second_is_the_place() -> None:
    assert first_time(located(DATA, 199_990)[0]) == 100_000
    assert first_time(located(DATA, 199_991)[0]) == 200_000


def rows() -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Return the table as it was written."""
    from aevents.codecs.aedat4_write import DEFINITION

    found = np.zeros(21, DEFINITION)
    at, end = first_packet(), TABLE
    for row in found:
        row["id"], row["size"] = struct.unpack_from("<ii", DATA, at)
        row["place"] = at + 8
        at += 8 + int(row["size"])
        content = DATA[row["place"] : at]
        row["count"] = 1 if row["id"] else 10_000
        times = [1 << 40] if row["id"] else struct.unpack_from("<q", content, 32)
        row["start"], row["stop"] = times[0], times[0] + (0 if row["id"] else 99_990)
    assert at == end
    return found


def first_packet() -> int:
    return 14 + 4 + int.from_bytes(DATA[14:18], "little")


def with_table(found: np.ndarray[tuple[int], np.dtype[np.void]]) -> bytes:
    return DATA[:TABLE] + tables("FTAB", (12, 4, 20, 28, 36), found)


def test_this_test_writes_the_same_table() -> None:
    assert with_table(rows()) == DATA


def walked(data: bytes, start: int = 1_000_000) -> Jump | None:
    jump, count = located(data, start)
    assert count > 20
    return jump


def test_without_a_table_packets_are_walked() -> None:
    data = DATA[:TABLE_PLACE] + struct.pack("<q", -1) + DATA[TABLE_PLACE + 8 : TABLE]
    for start in (150_000, 1_000_000, 1_555_555, 1 << 50):
        assert first_time(walked(data, start)) == min((start - 10_001) // 100_000, 19) * 100_000
    assert walked(data, 5000) is None


@pytest.mark.parametrize("cut", [1, 40, 600])
def test_a_table_that_is_cut_off_is_not_believed(cut: int) -> None:
    assert first_time(walked(DATA[:-cut])) == 900_000


def test_a_file_that_is_cut_off_before_the_table_is_walked() -> None:
    assert first_time(walked(DATA[: TABLE - 90_000])) == 900_000


@pytest.mark.parametrize("name", ["place", "size", "id", "start", "stop"])
def test_a_table_that_is_wrong_is_not_believed(name: str) -> None:
    found = rows()
    found[name] += {"id": 0, "start": 200_000, "stop": -1_000_000}.get(name, 1)
    if name == "id":
        found["id"] = 1
    assert first_time(walked(with_table(found))) == 900_000


def test_a_table_that_leaves_packets_out_is_not_believed() -> None:
    for kept in (rows()[1:], rows()[:-1], np.delete(rows(), 7), rows()[:0]):
        assert first_time(walked(with_table(kept))) == 900_000


def test_another_buffer_is_no_table() -> None:
    data = DATA[:TABLE] + DATA[TABLE:].replace(b"FTAB", b"EVTS")
    assert first_time(walked(data)) == 900_000


def test_what_is_damaged_on_the_way_ends_it() -> None:
    at = int(rows()["place"][8]) - 4
    data = DATA[:at] + struct.pack("<i", -5) + DATA[at + 4 : TABLE]
    jump, _ = located(data[:TABLE_PLACE] + struct.pack("<q", -1) + data[TABLE_PLACE + 8 :], 1 << 50)
    assert first_time(jump) == 600_000


def test_a_packet_that_cannot_be_read_is_passed_over() -> None:
    at = int(rows()["place"][11]) + 4
    data = DATA[:at] + b"\xff" * 4 + DATA[at + 4 :]
    assert first_time(located(data, 1_000_000)[0]) == 900_000


def test_another_stream_may_be_asked_for() -> None:
    assert first_time(located(DATA, 1_000_000, stream="events")[0]) == 1_000_000
    assert located(DATA, 1_000_000, stream="triggers")[0] is None
