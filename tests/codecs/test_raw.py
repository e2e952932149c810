"""What Prophesee's RAW formats share."""

from __future__ import annotations

import pytest

from aevents import DecodeError, Sensor
from aevents.codecs.base import SNIFF_BYTES, Watch
from aevents.codecs.header import Header, parse_header, write_header
from aevents.codecs.raw import begin_raw, matches_raw, raw_lines


@pytest.mark.parametrize(
    ("head", "matches"),
    [
        (b"% evt 3.0\n% end\n\x00", True),
        (b"% format EVT3;width=5\n", True),
        (b"% evt 2.0\n", False),
        (b"% Version 2\n", False),
        (b"evt 3.0\n", False),
        (b"", False),
        (b"% evt 3.0\n% " + b"x" * SNIFF_BYTES, True),
    ],
)
def test_a_format_is_matched_by_what_the_header_names(head: bytes, matches: bool) -> None:
    assert matches_raw("EVT3")(head) is matches


def test_a_header_of_another_format_is_refused() -> None:
    watch = Watch("evt3", strict=False)
    with pytest.raises(DecodeError, match="evt3: the header says EVT2"):
        begin_raw("EVT3", Header({"evt": "2.0"}, 0), watch)
    begin_raw("EVT3", Header({"evt": "3.0"}, 0), watch)
    begin_raw("EVT3", Header({}, 0), watch)
    assert watch.counts == {}


@pytest.mark.parametrize(
    "sensor", [Sensor(), Sensor(1280, 720), Sensor(640, 480, name="IMX636", serial="0042")]
)
def test_a_header_that_is_written_is_read_back(sensor: Sensor) -> None:
    data = write_header(raw_lines("EVT3", "3.0", sensor))
    header = parse_header(data, Watch("evt3", strict=False), final=True)
    assert header is not None
    assert (header.format, header.sensor(), header.length) == ("EVT3", sensor, len(data))
