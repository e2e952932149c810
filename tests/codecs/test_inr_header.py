"""The header of INR: what it says, where it ends, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.codecs.inr_header import (
    BLOCK,
    MAGIC,
    SHORT,
    Layout,
    Order,
    axes,
    check_order,
    read_header,
    write_header,
)
from aevents.errors import DecodeError, TruncatedError

SIZES = {"v": 5, "x": 3, "y": 4, "z": 1}
ONES = np.ones(60).tobytes()


def header(*lines: str, size: int = BLOCK) -> bytes:
    return (MAGIC + "\n".join(lines).encode()).ljust(size - 4, b"\n") + b"##}\n"


def layout(data: bytes, order: Order | None = None, *, ended: bool = True) -> Layout:
    found = read_header(data, order, ended=ended)
    assert found is not None
    return found


def test_a_header_is_written_as_convis_writes_it() -> None:
    data = write_header(SIZES, "vxyz", BLOCK)
    assert len(data) == 256
    assert data.startswith(
        b"#INRIMAGE-4#{\nCPU=decm\nPIXSIZE=64 bits\nTYPE=float\nVDIM=5\nXDIM=3\nYDIM=4\nZDIM=1\n\n"
    )
    assert data.endswith(b"\n\n##}\n")
    assert write_header(SIZES, "vxyz", SHORT) == data[:252] + b"##}"


def test_a_header_of_the_standard_has_the_size_of_a_pixel() -> None:
    assert b"VDIM=5\nVX=1.0\nVY=1.0\nVZ=1.0\nXDIM=3\n" in write_header(SIZES, "zyxv", BLOCK)


@pytest.mark.parametrize(
    ("data", "body", "order"),
    [
        (write_header(SIZES, "vxyz", BLOCK) + ONES, 256, "vxyz"),
        (write_header(SIZES, "zyxv", BLOCK) + ONES, 256, "zyxv"),
        (write_header(SIZES, "vxyz", SHORT) + ONES, 255, "vxyz"),
        (write_header({**SIZES, "v": 1, "z": 5}, "vxyz", SHORT) + ONES, 255, "zxyv"),
        (write_header({**SIZES, "v": 1, "z": 5}, "vxyz", BLOCK) + ONES, 256, "vxyz"),
    ],
)
def test_body_and_order_are_told_from_the_header(data: bytes, body: int, order: str) -> None:
    found = layout(data)
    assert (found.body, found.order) == (body, order)
    assert layout(data, "zyxv").order == "zyxv"


def test_a_layout_knows_its_pictures() -> None:
    found = layout(write_header(SIZES, "vxyz", BLOCK) + ONES)
    assert (found.pictures, found.shape, found.picture_bytes) == (5, (3, 4, 1), 96)
    other = layout(write_header(SIZES, "vxyz", BLOCK) + ONES, "zyxv")
    assert (other.pictures, other.shape, other.picture_bytes) == (1, (4, 3, 5), 480)


@pytest.mark.parametrize(("order", "found"), [("vxyz", (2, 0, 1)), ("zyxv", (2, 0, 1))])
def test_planes_rows_and_columns_are_found(order: str, found: tuple[int, int, int]) -> None:
    assert axes(order) == found


@pytest.mark.parametrize(
    ("lines", "dtype"),
    [
        (("TYPE=float", "PIXSIZE=32 bits", "CPU=sun"), ">f4"),
        (("TYPE=unsigned fixed", "PIXSIZE=8 bits", "CPU=pc"), "u1"),
        (("TYPE=signed fixed", "PIXSIZE=16", "CPU=sgi", "# a comment", "SCALE=2**0"), ">i2"),
        (("TYPE=unsigned fixed", "PIXSIZE=64 bits"), "<u8"),
    ],
)
def test_numbers_of_all_types_are_known(lines: tuple[str, ...], dtype: str) -> None:
    found = layout(header(*lines, "XDIM=2", "YDIM=2"), ended=False)
    assert found.dtype == np.dtype(dtype)
    assert found.sizes == {"v": 1, "x": 2, "y": 2, "z": 1}


def test_a_header_may_have_several_blocks() -> None:
    data = header("TYPE=float", "PIXSIZE=32 bits", f"NOTE={'a' * 400}", "XDIM=2", size=512)
    assert read_header(data[:511], None, ended=False) is None
    assert layout(data, ended=False).body == 512


def test_numbers_that_begin_with_a_newline_are_told_from_a_header_that_ends_with_one() -> None:
    """The byte behind a short header may be that newline, if it is one of a number."""
    numbers = np.random.default_rng(0).random(60) * 200
    numbers.view(np.uint8)[0] = ord("\n")
    for size in (SHORT, BLOCK):
        data = write_header(SIZES, "vxyz", size) + numbers.tobytes()
        assert data[255:256] == b"\n"
        assert layout(data).body == size
        assert layout(data, ended=False).body == size
        assert layout(data[: size + 12]).body == size


@pytest.mark.parametrize("numbers", [np.zeros(60), np.full(60, np.nan), np.ones(0)])
def test_numbers_that_tell_nothing_begin_behind_the_newline(
    numbers: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    assert layout(write_header(SIZES, "vxyz", BLOCK) + numbers.tobytes()).body == BLOCK


@pytest.mark.parametrize("size", [0, 1, 13, 14, 100, 254, 255])
def test_more_is_asked_for_until_the_header_is_there(size: int) -> None:
    data = write_header(SIZES, "vxyz", BLOCK)
    assert read_header(data[:size], None, ended=False) is None


def test_more_is_asked_for_until_it_is_known_where_the_numbers_begin() -> None:
    data = write_header(SIZES, "vxyz", BLOCK) + ONES
    assert read_header(data[: 256 + 95], None, ended=False) is None
    assert layout(data[: 256 + 96], ended=False).body == BLOCK


def test_a_short_header_alone_is_a_file() -> None:
    assert layout(write_header(SIZES, "vxyz", SHORT)).body == SHORT


FLOAT = ("TYPE=float", "PIXSIZE=32 bits")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"#INRIMAGE-5#{\n", "no INR header"),
        (b"", "no INR header"),
        (b"#INR", "no INR header"),
        (header("TYPE=complex", "PIXSIZE=64 bits"), "numbers of .*complex.* are not known"),
        (header("TYPE=float", "PIXSIZE=16 bits"), "are not known"),
        (header(*FLOAT, "CPU=vax"), "are not known"),
        (header("TYPE=float"), "PIXSIZE is a whole number, not ''"),
        (header(*FLOAT, "XDIM=3.5"), "x is a whole number, not '3.5'"),
        (header(*FLOAT, "XDIM=-3"), "x is a whole number, not '-3'"),
        (header(*FLOAT, f"YDIM={'9' * 99}"), "y is a whole number, not '9999999999999999'"),
        (header(*FLOAT, "XDIM=0"), "a picture of 0 bytes is none"),
        (header(*FLOAT, "XDIM=65536", "YDIM=65536"), "a picture of 17179869184 bytes is none"),
        (MAGIC + b"a" * 70_000, "the header does not end within 65536 bytes"),
    ],
)
def test_what_is_no_header_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        read_header(data, None, ended=True)


def test_a_header_that_is_cut_is_truncated() -> None:
    with pytest.raises(TruncatedError, match="the header is cut at byte 100"):
        read_header(write_header(SIZES, "vxyz", BLOCK)[:100], None, ended=True)


def test_an_order_is_one_of_three() -> None:
    check_order(None)
    check_order("vxyz")
    with pytest.raises(ValueError, match="order is one of vxyz, zyxv, zxyv, not 'xyzv'"):
        check_order("xyzv")
