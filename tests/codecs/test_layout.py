"""First lines, and what they say of the rest."""

from __future__ import annotations

import pytest

from aevents import DecodeError, Sensor
from aevents.codecs.base import Watch
from aevents.codecs.fields import TimeUnit
from aevents.codecs.layout import LOOK_LINES, Layout, Opening

NOWHERE = Sensor()


def layout_of(
    text: str, *, columns: str | None = None, time_unit: TimeUnit | None = None
) -> Layout:
    opening = Opening(Watch("csv", strict=False), columns=columns, time_unit=time_unit)
    for line in text.encode("latin-1").split(b"\n"):
        opening.take(line)
    return opening.layout()


LAYOUTS = {
    "commas": ("5,6,7,1", Layout("txyp", ",", False, NOWHERE)),
    "semicolons": ("5;6;7;1", Layout("txyp", ";", False, NOWHERE)),
    "blanks": ("5 6 7 1", Layout("txyp", " ", False, NOWHERE)),
    "tabs": ("5\t6\t7\t1", Layout("txyp", " ", False, NOWHERE)),
    "commas and blanks": ("5, 6, 7, 1", Layout("txyp", ",", False, NOWHERE)),
    "seconds": ("0 6 7 1\n0.000005 6 7 1", Layout("txyp", " ", True, NOWHERE)),
    "columns more": ("5,6,7,1,99", Layout("txyp-", ",", False, NOWHERE)),
    "a comma at the end": ("5,6,7,1,", Layout("txyp-", ",", False, NOWHERE)),
    "a torn first line": ("6,7,1\n5,6,7,1", Layout("txyp", ",", False, NOWHERE)),
    "a header": ("t,x,y,p\n5,6,7,1", Layout("txyp", ",", False, NOWHERE)),
    "a header in another order": ("x;y;pol;ts\n6;7;1;5", Layout("xypt", ";", False, NOWHERE)),
    "a header with columns more": (
        "id,time,x,y,polarity\n1,5,6,7,1",
        Layout("-txyp", ",", False, NOWHERE),
    ),
    "a header in quotes": (
        '"Timestamp","X","Y","On"\n5,6,7,1',
        Layout("txyp", ",", False, NOWHERE),
    ),
    "a header in a comment": ("# x y t p\n6 7 5 1", Layout("xytp", " ", False, NOWHERE)),
    "a header with the size": (
        "t,x@1280,y@720,on\n5,6,7,1",
        Layout("txyp", ",", False, Sensor(1280, 720)),
    ),
    "a header alone": ("x,y,p,t", Layout("xypt", ",", False, NOWHERE)),
    "the size in OpenEB's comment": (
        "%geometry:1280,720\n6,7,1,500",
        Layout("xypt", ",", False, Sensor(1280, 720)),
    ),
    "the size in a comment": ("# 640x480\n5 6 7 1", Layout("txyp", " ", False, Sensor(640, 480))),
    "the size in words": (
        "# events of a sensor: 640 x 480\n5 6 7 1",
        Layout("txyp", " ", False, Sensor(640, 480)),
    ),
    "the size in the first line": (
        "240 180\n0.003811000 96 133 0",
        Layout("txyp", " ", True, Sensor(240, 180)),
    ),
    "no size": ("# 0x480\nt,x@,y@0,p\n5,6,7,1", Layout("txyp", ",", False, NOWHERE)),
    "comments and empty lines": (
        "\n# by hand\n\n5,6,7,1\n# later\n\n6,6,7,1",
        Layout("txyp", ",", False, NOWHERE),
    ),
    "OpenEB's order": ("6,7,1,5\n6,7,0,9", Layout("xypt", ",", False, NOWHERE)),
    "times that go forward": (
        "".join(f"{5 * i % 8} {i % 2} {i} 1\n" for i in range(8)),
        Layout("xytp", " ", False, NOWHERE),
    ),
    "too few times to tell": ("6 7 5 1\n4 3 8 0", Layout("txyp", " ", False, NOWHERE)),
    "a point, which only times have": (
        "6;7;0.000005;1\n9;10;0.000008;0",
        Layout("xytp", ";", True, NOWHERE),
    ),
    "either order": ("6,7,1,0\n7,7,1,1", Layout("txyp", ",", False, NOWHERE)),
    "polarity of minus one": ("5,6,7,-1", Layout("txyp", ",", False, NOWHERE)),
    "polarity in words": ("5,6,7,True\n5,6,7,false", Layout("txyp", ",", False, NOWHERE)),
    "numbers with exponents": (
        "1.5e-5 6.0e+00 7.0 1.0e+00",
        Layout("txyp", " ", True, NOWHERE),
    ),
    "nothing": ("", Layout("txyp", ",", False, NOWHERE)),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_a_layout_is_found_out(case: str) -> None:
    text, expected = LAYOUTS[case]
    assert layout_of(text) == expected


def test_what_is_given_goes_before_what_is_found_out() -> None:
    assert layout_of("a,b,c,d\n6,7,1,0", columns="xypt").columns == "xypt"
    assert layout_of("t,x,y,p\n6,7,1,0", columns="xypt").columns == "xypt"
    assert layout_of("9,5,6,7,1", columns="-txyp").columns == "-txyp"
    assert layout_of("5.5 6 7 1", time_unit="us").seconds is False
    assert layout_of("5 6 7 1", time_unit="s").seconds is True


REFUSED = {
    "words": ("so much\ndepends\nupon", "none of the first 3 lines is an event, as 'so much'"),
    "three numbers": ("1,2,3\n4,5,6", "none of the first 2 lines is an event, as '1,2,3'"),
    "triggers": ("p,id,t\n1,0,5", "none of the first 2 lines is an event"),
    "poses": ("0.5 0.1 0.2 0.3 0.4 0.5 0.6 0.7", "none of the first 1 lines is an event"),
    "columns that we do not know": ("t,u,v,p\n5,6,7,1", "the header names t, u, v, p"),
    "x beyond 16 bits": ("5,65536,7,1", "none of the first 1 lines is an event"),
    "x without end": ("5,1e999,7,1", "none of the first 1 lines is an event"),
    "65 fields": ("5,6,7,1" + ",0" * 61, "rows of 65 fields are too long"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_text_of_something_else_is_refused(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(DecodeError, match=message):
        layout_of(text)


def test_64_lines_of_data_are_enough() -> None:
    opening = Opening(Watch("csv", strict=False))
    assert not opening.take(b"t,x,y,p\n")
    for _ in range(LOOK_LINES):
        assert not opening.ready
        assert opening.take(b"5,6,7,1\n")
    assert opening.ready


def test_an_opening_tells_something_once_there_is_a_header_or_data() -> None:
    for line, telling in ((b"# 640x480", False), (b"t,x,y,p", True), (b"5,6,7,1", True)):
        opening = Opening(Watch("csv", strict=False))
        opening.take(line)
        assert opening.telling is telling


def test_an_unknown_unit_of_time_is_refused() -> None:
    with pytest.raises(ValueError, match="'us' or 's', not 'ms'"):
        Opening(Watch("csv", strict=False), time_unit="ms")  # type: ignore[arg-type]  # the point
