"""The text header of RAW and DAT files."""

from __future__ import annotations

import pytest

from aevents import DecodeError, Sensor
from aevents.codecs.base import SNIFF_BYTES, Watch
from aevents.codecs.header import Header, parse_header, write_header

WATCH = Watch("raw", strict=False)


def parsed(data: bytes) -> Header:
    header = parse_header(data, WATCH, final=True)
    assert header is not None
    return header


def test_lines_are_keys_and_values_until_the_end() -> None:
    header = parsed(b"% Date 2020-01-01 10:00:00\n% evt 3.0\n% end\n\x00\x80")
    assert header.fields == {"date": "2020-01-01 10:00:00", "evt": "3.0"}
    assert header.length == 43


def test_without_an_end_the_first_other_line_is_data() -> None:
    assert parsed(b"% evt 2.0\n\x25\x80").length == 10
    assert parsed(b"\x00\x80").length == 0


def test_a_header_that_is_not_all_there_is_waited_for() -> None:
    for cut in range(len(b"% evt 2.0\n\x00")):
        assert parse_header(b"% evt 2.0\n\x00"[:cut], WATCH, final=False) is None


def test_a_header_that_does_not_end_is_refused() -> None:
    with pytest.raises(DecodeError, match="the header does not end at byte 0"):
        parsed(b"% evt 2.0")
    with pytest.raises(DecodeError, match="the header does not end"):
        parse_header(b"% " + b"x" * SNIFF_BYTES, WATCH, final=False)


@pytest.mark.parametrize(
    ("lines", "format"),
    [
        (b"% evt 3.0\n", "EVT3"),
        (b"% evt 2.1\n", "EVT21"),
        (b"% format EVT2;height=5;width=6\n", "EVT2"),
        (b"% format EVT3\n% evt 2.0\n", "EVT3"),
        (b"% Version 2\n", ""),
    ],
)
def test_the_format_is_named(lines: bytes, format: str) -> None:
    assert parsed(lines).format == format


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        (b"% format EVT3;height=720;width=1280\n", (1280, 720)),
        (b"% geometry 640x480\n", (640, 480)),
        (b"% Height 240\n% Width 304\n", (304, 240)),
        (b"% system_ID 22\n", (640, 480)),
        (b"% system_ID 49\n", (1280, 720)),
        (b"% plugin_name hal_plugin_gen41_evk3\n", (1280, 720)),
        (b"% plugin_name hal_plugin_genx320\n", (320, 320)),
        (b"% geometry 0x480\n", (0, 0)),
        (b"% geometry 99999x480\n", (0, 0)),
        (b"% evt 3.0\n", (0, 0)),
    ],
)
def test_the_size_of_the_sensor(lines: bytes, size: tuple[int, int]) -> None:
    assert parsed(lines).sensor() == Sensor(*size)


def test_names_and_serial_numbers() -> None:
    sensor = parsed(b"% geometry 4x3\n% serial_number 0042\n% sensor_name IMX636\n").sensor()
    assert sensor == Sensor(4, 3, "IMX636", "0042")


def test_a_time_to_add() -> None:
    assert parsed(b"% T0 500\n").t0 == 500
    assert parsed(b"% t0 never\n").t0 == 0


def test_what_is_written_is_read() -> None:
    data = write_header({"Version": "2", "Width": "4", "empty": ""})
    assert data == b"% Version 2\n% Width 4\n% empty\n% end\n"
    assert parsed(data).fields == {"version": "2", "width": "4", "empty": ""}
