"""The header of AEDAT 1 to 3: where it ends, and what it says."""

from __future__ import annotations

import pytest

from aevents import DecodeError, Sensor, TruncatedError
from aevents.codecs.aedat import HEADER_BYTES, LINE_BYTES, AedatHeader
from aevents.codecs.base import Watch

LINES = b"#!AER-DAT2.0\r\n# AEChip: ch.x.DVS128\r\n"


def read(*chunks: bytes, final: bool = True, strict: bool = False) -> tuple[AedatHeader, bytes]:
    header = AedatHeader(Watch("aedat", strict=strict))
    rest = b""
    for chunk in chunks:
        rest += chunk if header.whole else header.feed(chunk) or b""
    if final and not header.whole:
        rest += header.feed(b"", final=True) or b""
    return header, rest


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (LINES + b"#End Of ASCII Header\r\n#data", 59),  # which may begin with the byte of #
        (LINES + b"#!END-HEADER\r\n#data", 51),
        (LINES + b"\x00data", 37),  # older files have no last line
        (LINES + b"#\x00\x00\x01\x00\x00\x00\x0adata", 37),  # no text: a word with a newline in it
        (LINES + b"#\x00" + bytes(2 * LINE_BYTES), 37),
        (LINES.replace(b"\r", b"") + b"data", 35),
        (LINES, 37),
        (b"data", 0),
        (b"", 0),
    ],
)
def test_where_the_header_ends(data: bytes, length: int) -> None:
    header, rest = read(data)
    assert (header.whole, header.length, rest) == (True, length, data[length:])
    single, rest = read(*(data[i : i + 1] for i in range(len(data))))
    assert (single.whole, single.length, rest) == (True, length, data[length:])
    assert single.fields == header.fields


def test_the_header_goes_on_while_nothing_else_has_come() -> None:
    header, rest = read(LINES, LINES[:5], final=False)
    assert (header.whole, rest) == (False, b"")


def test_what_the_header_says() -> None:
    header, _ = read(LINES + b"# Timestamps tick: 1 us\r\n# no colon\r\n#!AER-DAT9.9\r\n")
    assert header.version == "2.0"
    assert header.fields == {"aechip": "ch.x.DVS128", "timestamps tick": "1 us"}
    assert read(b"# no version\r\n")[0].version == "1.0"


def test_a_line_that_is_cut_off_is_counted() -> None:
    watch = Watch("aedat", strict=False)
    header = AedatHeader(watch)
    assert header.feed(LINES + b"# Host") is None
    assert header.feed(b"", final=True) == b""
    assert watch.counts == {"torn_bytes": 6}
    with pytest.raises(TruncatedError, match="the last 6 bytes are no whole record at byte 37"):
        read(LINES + b"# Host", strict=True)


@pytest.mark.parametrize("chunk", [1 << 30, 4099])
def test_a_header_without_end_is_refused(chunk: int) -> None:
    line = b"# " + b"a" * LINE_BYTES
    with pytest.raises(DecodeError, match="a line is longer than 65536 bytes at byte 37"):
        read(*cut(LINES + line + b"\n", chunk))
    short = b"# " + b"a" * 1000 + b"\n"
    with pytest.raises(DecodeError, match="the header is longer than 4194304 bytes"):
        read(*cut(LINES + short * (HEADER_BYTES // 1000), chunk))


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize(
    ("camera", "size"),
    [
        ("DVS128", (128, 128)),
        ("Davis346red", (346, 260)),
        ("DAVIS240C", (240, 180)),
        ("SBret10", (240, 180)),
        ("DYNAPSE", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_the_size_of_a_camera_by_its_name(camera: str, size: tuple[int, int]) -> None:
    assert read(b"")[0].sensor(camera) == Sensor(*size, camera)
