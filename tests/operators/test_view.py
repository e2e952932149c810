"""What is wanted of a picture."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from aevents.operators.view import View, frame_of, rate_of, slot
from aevents.types import Sensor, Span

PICTURE = np.arange(20 * 30).reshape(20, 30)


@pytest.mark.parametrize(
    ("crop", "left", "top"),
    [
        ("12x10", 9, 5),
        ("13x9", 8, 5),  # the middle, rounded down
        ("12x10+5+3", 5, 3),
        ("30x20", 0, 0),
        ("12x10+18+10", 18, 10),
    ],
)
def test_a_crop_is_of_the_middle_or_from_a_place_on(crop: str, left: int, top: int) -> None:
    part = View.parse("rgb", None, crop).cut(PICTURE)
    width, height = (int(side) for side in crop.split("+")[0].split("x"))
    assert part.tolist() == PICTURE[top : top + height, left : left + width].tolist()


@pytest.mark.parametrize("crop", ["31x20", "12x10+19+0", "12x10+0+11", "40x30"])
def test_a_crop_beyond_the_picture_is_refused(crop: str) -> None:
    with pytest.raises(ValueError, match="reaches beyond a picture of 30x20"):
        View.parse("rgb", None, crop).cut(PICTURE)


def test_without_a_crop_it_is_the_whole() -> None:
    view = View.parse("bgr", "640x480", None)
    assert view.cut(PICTURE) is PICTURE
    assert (view.size, view.mode) == ((640, 480), "bgr")


@pytest.mark.parametrize(
    ("colour", "size", "crop", "message"),
    [
        ("red", None, None, "one of gray, rgb, bgr, rgba, r, g, b, not 'red'"),
        ("r", "640", None, "WIDTHxHEIGHT, like 640x480, not '640'"),
        ("r", None, "640", "WIDTHxHEIGHT\\+LEFT\\+TOP or WIDTHxHEIGHT, not '640'"),
        ("r", None, "0x5", "not '0x5'"),
        ("r", None, "5x5+1", "not '5x5"),
    ],
)
def test_what_is_no_view_is_refused(
    colour: str, size: str | None, crop: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        View.parse(colour, size, crop)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("shape", "sensor"),
    [((4, 6), Sensor(6, 4)), ((4, 6, 3), Sensor(6, 4)), ((2, 4, 6), Sensor(6, 4))],
)
def test_a_frame_knows_its_size(shape: tuple[int, ...], sensor: Sensor) -> None:
    made = frame_of(np.zeros(shape)[..., ::-1], Span(3, 5), "bgr")
    assert (made.sensor, made.span, made.mode) == (sensor, Span(3, 5), "bgr")
    assert made.array.flags.c_contiguous
    assert not made.array.flags.writeable


def test_slots_at_a_rate_follow_on_from_each_other() -> None:
    rate = rate_of(Fraction(30_000, 1001))
    assert rate == Fraction(30_000, 1001)
    assert [slot(number, rate).start for number in (0, 1, 2, 30_000)] == [
        0, 33_366, 66_733, 1_001_000_000,
    ]  # fmt: skip
    assert slot(0, rate).stop == slot(1, rate).start
    assert rate_of(12.5) == Fraction(25, 2)


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan"), 1e-9])
def test_a_rate_is_above_0(rate: float) -> None:
    with pytest.raises(ValueError, match="frames a second greater than 0, not "):
        rate_of(rate)
