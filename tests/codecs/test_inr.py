"""INR: pictures in all orders, read as they are cut, and those that convis wrote."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aevents
from aevents.codecs.base import Jump, Patch
from aevents.codecs.inr import CODEC, InrDecoder, InrEncoder
from aevents.codecs.inr_header import Order, write_header
from aevents.errors import DecodeError, EncodeError, TruncatedError
from aevents.testing import decode, encode
from aevents.types import EventBatch, Frame, Sensor, Span
from tests.convis import arrays
from tests.truth import CONVIS, needs_convis

PICTURES = np.random.default_rng(1).integers(0, 255, (5, 3, 4)).astype(np.float64)
ORDERS: list[Order] = ["vxyz", "zyxv", "zxyv"]


def frames(pictures: npt.ArrayLike = PICTURES) -> list[Frame]:
    return [
        Frame(picture, Span(1000 * at, 1000 * at + 1000), Sensor(4, 3), "intensity")
        for at, picture in enumerate(np.asarray(pictures))
    ]


def read(data: bytes, **options: object) -> list[Frame]:
    return cast("list[Frame]", decode(CODEC, [data], **options))


def pictures_of(items: list[Frame]) -> npt.NDArray[np.generic]:
    return np.stack([frame.array for frame in items])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("header_bytes", [255, 256])
@pytest.mark.parametrize("shape", [(5, 3, 4), (5, 2, 3, 4)])
def test_what_is_written_is_read(order: Order, header_bytes: int, shape: tuple[int, ...]) -> None:
    pictures = np.arange(np.prod(shape)).reshape(shape) / 7
    data = encode(InrEncoder(order=order, header_bytes=header_bytes), frames(pictures))
    assert len(data) == header_bytes + pictures.nbytes
    found = read(data, strict=True, order=order)
    assert (pictures_of(found) == pictures).all()
    assert [frame.span for frame in found] == [frame.span for frame in frames(pictures)]
    assert {(frame.sensor, frame.mode) for frame in found} == {(Sensor(4, 3), "intensity")}


def test_the_numbers_stand_in_the_order_that_it_says() -> None:
    pictures = np.arange(48).reshape(2, 2, 3, 4)  # n, planes, rows, columns
    stored: dict[Order, tuple[int, ...]] = {"vxyz": (0, 2, 3, 1), "zyxv": (0, 2, 3, 1)}
    for order, axes in stored.items():
        data = encode(InrEncoder(order=order), frames(pictures))
        assert np.frombuffer(data, "<f8", offset=256).tolist() == (
            pictures.transpose(axes).ravel().tolist()
        )


def test_the_standard_counts_rows_in_y_and_convis_in_x() -> None:
    assert b"XDIM=3\nYDIM=4\n" in encode(InrEncoder(), frames())
    assert b"XDIM=4\nYDIM=3\nZDIM=5\n" in encode(InrEncoder(order="zyxv"), frames())


@given(st.lists(st.integers(1, 1200), max_size=8))
def test_it_reads_the_same_however_it_is_cut(places: list[int]) -> None:
    data = encode(InrEncoder(), frames()) + b"behind"
    cuts = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    chunks = [data[start:stop] for start, stop in pairwise(cuts)]
    decoder = InrDecoder()
    found = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    found += decoder.flush()
    assert (pictures_of(found) == PICTURES).all()
    assert decoder.counts == {"skipped_bytes": 6}
    assert [(one.offset, one.bytes) for one in decoder.damage] == [(256 + PICTURES.nbytes, 6)]


def test_it_reads_byte_by_byte() -> None:
    data = encode(InrEncoder(), frames())
    whole = decode(CODEC, [data[at : at + 1] for at in range(len(data))], strict=True)
    assert (pictures_of(cast("list[Frame]", whole)) == PICTURES).all()


@pytest.mark.parametrize("cut", [1, 8, 95, 96, 97, 480])
def test_what_is_missing_is_counted(cut: int) -> None:
    data = encode(InrEncoder(), frames())[:-cut]
    decoder = InrDecoder()
    found = [*decoder.feed(data), *decoder.flush()]
    missing = -(-cut // 96)
    assert len(found) == 5 - missing
    torn = (-cut) % 96
    assert decoder.counts == {"missing_frames": missing} | ({"torn_bytes": torn} if torn else {})
    with pytest.raises(TruncatedError):
        decode(CODEC, [data], strict=True)


def test_bytes_behind_the_last_picture_are_an_error_when_strict() -> None:
    with pytest.raises(DecodeError, match="skipped bytes"):
        decode(CODEC, [encode(InrEncoder(), frames()) + b"x"], strict=True)


def test_a_file_that_was_not_finished_is_read_to_its_end() -> None:
    encoder = InrEncoder()
    pieces = [piece for frame in frames() for piece in encoder.feed(frame)]
    found = read(b"".join(pieces)[:-1])
    assert (pictures_of(found) == PICTURES[:4]).all()


def test_a_file_without_pictures_is_a_header() -> None:
    data = encode(InrEncoder(), [])
    assert len(data) == 256
    assert read(data, strict=True) == []


def test_other_numbers_than_float64_are_given_as_they_are() -> None:
    lines = b"XDIM=4\nYDIM=3\nZDIM=1\nVDIM=3\nVX=1\nTYPE=unsigned fixed\nPIXSIZE=8 bits\nCPU=decm\n"
    data = (b"#INRIMAGE-4#{\n" + lines).ljust(252, b"\n") + b"##}\n" + bytes(range(36))
    (frame,) = read(data, strict=True)
    assert frame.array.dtype == np.uint8
    assert frame.shape == (3, 3, 4)
    assert frame.array[:, 0, 1].tolist() == [3, 4, 5]  # the values of the second pixel


def test_numbers_of_other_computers_are_given_as_ours() -> None:
    lines = b"XDIM=4\nYDIM=3\nTYPE=float\nPIXSIZE=32 bits\nCPU=sun\nVX=1\n"
    numbers = PICTURES[0].astype(">f4").tobytes()
    data = (b"#INRIMAGE-4#{\n" + lines).ljust(252, b"\n") + b"##}\n" + numbers
    (frame,) = read(data, strict=True)
    assert frame.array.dtype == np.float32
    assert frame.array.dtype.isnative
    assert (frame.array == PICTURES[0]).all()


def test_a_rate_gives_the_times_and_a_sensor_the_name() -> None:
    found = read(encode(InrEncoder(), frames()), rate_hz=30, sensor=Sensor(4, 3, "retina"))
    assert [frame.span.start for frame in found] == [0, 33333, 66667, 100000, 133333]
    assert found[0].sensor.name == "retina"


def test_frames_of_other_axes_and_of_rgb_are_written_as_planes() -> None:
    turned = [Frame(one.array.T, one.span, one.sensor, "intensity", "xy") for one in frames()]
    assert encode(InrEncoder(), turned) == encode(InrEncoder(), frames())
    rgb = np.arange(36, dtype=np.uint8).reshape(1, 3, 4, 3)
    (found,) = read(encode(InrEncoder(), frames(rgb)), strict=True)
    assert (found.array == rgb[0].transpose(2, 0, 1)).all()


def test_planes_of_red_come_first_whatever_the_mode() -> None:
    bgr = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    (found,) = read(encode(InrEncoder(), [Frame(bgr, Span(0, 1000), Sensor(4, 3), "bgr")]))
    assert (found.array == bgr[..., ::-1].transpose(2, 0, 1)).all()


def test_the_count_is_put_in_at_the_end() -> None:
    encoder = InrEncoder()
    (head, _) = encoder.feed(frames()[0])
    assert b"VDIM=0\n" in head
    (patch,) = encoder.flush()
    assert isinstance(patch, Patch)
    assert patch.offset == 0
    assert b"VDIM=1\n" in patch.data


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (EventBatch.empty(), "a file holds frames, not a EventBatch"),
        (frames(np.zeros((1, 7)))[0], "a picture has a height, a width"),
        (frames(np.zeros((1, 3, 4), np.complex128))[0], "a picture has a height, a width"),
        (frames(np.zeros((1, 4, 4)))[0], r"a frame of \(1, 4, 4\) is not of \(1, 3, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused(item: Frame, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        encode(InrEncoder(), [*frames(), item])


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="order is one of"):
        InrDecoder(order=cast("Order", "xyzv"))
    with pytest.raises(ValueError, match="order is one of"):
        InrEncoder(order=cast("Order", "xyzv"))
    with pytest.raises(ValueError, match="header_bytes is 256 or 255, not 512"):
        InrEncoder(header_bytes=512)
    with pytest.raises(ValueError, match="rate_hz is above 0"):
        InrDecoder(rate_hz=0)


@given(st.binary(max_size=600))
def test_any_bytes_give_frames_or_a_decode_error(tail: bytes) -> None:
    sizes = {"v": 2, "x": 3, "y": 2, "z": 1}
    for data in (tail, write_header(sizes, "vxyz", 256)[:252] + tail):
        decoder = InrDecoder()
        with suppress(DecodeError):
            assert all(isinstance(one, Frame) for one in [*decoder.feed(data), *decoder.flush()])


def test_a_jump_leads_to_the_picture_of_a_time() -> None:
    decoder = InrDecoder(rate_hz=1000)
    assert decoder.locate(lambda _at, _size: b"", 0, 3000) is None  # nothing has been read
    assert len(list(decoder.feed(encode(InrEncoder(), frames())))) == 5
    jump = decoder.locate(lambda _at, _size: b"", 736, 3_500)
    assert jump == Jump(256 + 2 * 96, 2000, (2,))
    assert decoder.locate(lambda _at, _size: b"", 736, 9_000) is None  # there is nothing
    late = decoder.locate(lambda _at, _size: b"", 9999, 9_000)  # there is, behind the last picture
    assert late == Jump(736, 5000, (5,))
    decoder.resume(jump)
    assert [frame.span.start for frame in decoder.feed(PICTURES[2:].tobytes())] == [
        2000,
        3000,
        4000,
    ]
    assert not list(decoder.flush())
    assert decoder.counts == {}


def test_files_are_opened_and_created(tmp_path: Path) -> None:
    path = tmp_path / "seen.inr"
    many = np.random.default_rng(2).random((300, 20, 30))
    aevents.run(lambda: write(path, many))
    stream = aevents.open(path, rate_hz=100)
    found = cast("list[Frame]", list(stream.blocking()))
    assert (pictures_of(found) == many).all()
    assert found[-1].span == Span(2_990_000, 3_000_000)
    within = stream.origin.within
    assert within is not None
    late: aevents.Stream[Frame] = aevents.Stream(within(2_500_000), stream.operators)
    first = next(late.blocking())
    assert first.span.start == 2_490_000  # and not much of what comes before was read
    assert (first.array == many[249]).all()
    with pytest.raises(ValueError, match="only events can be put together, not a Frame"):
        aevents.load(path)


async def write(path: Path, pictures: npt.NDArray[np.float64]) -> None:
    stream = aevents.from_array([(0, 0, 0, 1)]).through(lambda: Frames(pictures))
    await stream.to(aevents.create(path))


class Frames:
    """An operator that gives pictures as frames, whatever comes."""

    def __init__(self, pictures: npt.NDArray[np.float64]) -> None:
        self._pictures = pictures

    def feed(self, _batch: EventBatch, /) -> list[Frame]:
        return frames(self._pictures)

    def flush(self) -> tuple[()]:
        return ()


# -- convis, whose reader takes only float64, and whose writer's files it cannot read --------------

TRUTH = arrays("inr") if CONVIS.is_dir() else {}


def in_file(name: str, **options: object) -> list[Frame]:
    return read((CONVIS / "inr" / f"{name}.inr").read_bytes(), **{"strict": True, **options})


@needs_convis
@pytest.mark.parametrize("name", ["good_z1", "writer_vdim", "writer_zdim"])
def test_files_of_convis_are_read_and_written_byte_for_byte(name: str) -> None:
    found = in_file(name)
    assert (pictures_of(found) == TRUTH["frames"]).all()
    order: Order = "zxyv" if name == "writer_zdim" else "vxyz"
    size = 256 if name == "good_z1" else 255
    written = encode(InrEncoder(order=order, header_bytes=size), found)
    assert written == (CONVIS / "inr" / f"{name}.inr").read_bytes()


@needs_convis
def test_pictures_of_two_planes_as_in_convis() -> None:
    found = in_file("good_z2")
    pictures = pictures_of(found)
    assert pictures.shape == (4, 2, 3, 4)
    assert (np.moveaxis(pictures, 1, 3) == TRUTH["z2_3d"]).all()
    assert (np.moveaxis(pictures, 1, 3) == TRUTH["frames4"]).all()
    assert (np.moveaxis(pictures, 1, 3).reshape(4, 3, 8) == TRUTH["z2_flat"]).all()
    assert (pictures[:2, 0] == TRUTH["z2_get2"]).all()
    written = encode(InrEncoder(), found)
    assert written == (CONVIS / "inr" / "good_z2.inr").read_bytes()


@needs_convis
def test_reading_as_in_convis() -> None:
    """Its `get`, `read`, iteration, and `slice_at(1, 4, 2)`."""
    found = pictures_of(in_file("good_z1"))
    assert (found[:3] == TRUTH["get3"]).all()
    assert (found[0] == TRUTH["read0"]).all()
    assert (found[4] == TRUTH["read4"]).all()
    assert (found == TRUTH["iter_z1"]).all()
    assert (found[1:4:2] == TRUTH["slice_1_4_2"]).all()


@needs_convis
def test_a_file_after_another_as_in_convis() -> None:
    """Its `InrImageFileStreamer`: parts in the order of their numbers."""
    parts = [*in_file("part_1"), *in_file("part_2"), *in_file("part_10")]
    assert (pictures_of(parts) == TRUTH["files_iter"]).all()
    assert (parts[3].array == TRUTH["files_item3"]).all()


@needs_convis
def test_an_empty_file_is_an_error() -> None:
    with pytest.raises(DecodeError, match="no INR header"):
        in_file("x")
