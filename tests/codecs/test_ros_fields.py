"""Fields of ROS messages, packed and aligned."""

from __future__ import annotations

import struct

import pytest

from aevents.codecs.ros_fields import Fields

LITTLE = b"\0\1\0\0"


def fields(data: bytes, *, cdr: bool = False) -> Fields:
    return Fields(memoryview(data), cdr=cdr)


def test_packed_fields_follow_on_each_other() -> None:
    one = fields(struct.pack("<BIdH", 1, 2, 3.5, 4))
    assert (one.number("B"), one.number("I"), one.numbers("d", 1), one.number("H")) == (
        1,
        2,
        (3.5,),
        4,
    )


def test_cdr_aligns_each_to_its_size_behind_the_first_four_bytes() -> None:
    one = fields(LITTLE + struct.pack("<B3xI", 1, 2) + struct.pack("<dB", 3.5, 4), cdr=True)
    assert (one.number("B"), one.number("I"), one.numbers("d", 1), one.number("B")) == (
        1,
        2,
        (3.5,),
        4,
    )


@pytest.mark.parametrize("head", [b"\0\0\0\0", b"\0\3\0\0", b"\1\1\0\0", b"\0\1"])
def test_other_encodings_are_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match=r"little-endian CDR|ends at byte"):
        fields(head, cdr=True)


def test_headers_tell_the_time() -> None:
    text = struct.pack("<I", 3) + b"cam"
    assert fields(struct.pack("<III", 9, 2**32 - 1, 7_999) + text).header() == (
        (2**32 - 1) * 1_000_000 + 7
    )
    ended = struct.pack("<I", 4) + b"cam\0"
    one = fields(LITTLE + struct.pack("<iI", -2, 999_999_999) + ended + b"\5", cdr=True)
    assert one.header() == -1_000_001
    assert one.number("B") == 5


def test_texts_end_at_a_zero() -> None:
    assert fields(struct.pack("<I", 5) + b"evt3\0").text() == "evt3"
    assert fields(struct.pack("<I", 2) + b"\xff\xfe").text() == "\ufffd\ufffd"


@pytest.mark.parametrize(
    "data", [b"", struct.pack("<I", 5) + b"four", struct.pack("<I", 2**32 - 1), bytes(3)]
)
def test_what_is_not_there_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"ends at byte|name of 4294967295 bytes"):
        fields(data).text()


def test_no_count_takes_memory() -> None:
    with pytest.raises(ValueError, match="ends at byte 8 of 34359738360"):
        fields(bytes(8)).numbers("d", 2**32 - 1)
