"""Captions: time, speed and title, and what models say, on a copy of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.caption import Caption, size_on, tell, timecode
from aevents.operators.colour import Paint, Pixels
from aevents.operators.lettering import write
from aevents.operators.results import Annotate, Result
from aevents.types import Frame, Sensor, Span

SPAN = Span(61_000_250, 61_002_250)


def night() -> Pixels:
    pixels = np.zeros((120, 300, 3), np.uint8)
    pixels.flags.writeable = False
    return pixels


def lettered(*lines: str, top: int = 1) -> Pixels:
    pixels = night().copy()
    write(pixels, lines, left=1, top=top)
    return pixels


@pytest.mark.parametrize(
    ("caption", "line"),
    [
        (Caption(timecode=True), "00:01:01.000250"),
        (Caption(timecode=True, speed=1), "00:01:01.000250  \u00d71"),
        (Caption(timecode=True, speed=0.05), "00:01:01.000250  \u00d70.05"),
        (Caption(speed=20), "\u00d720"),
    ],
)
def test_time_and_speed_stand_below(caption: Caption, line: str) -> None:
    assert np.array_equal(caption.on(night(), SPAN), lettered(line, top=-2))


def test_the_title_stands_above() -> None:
    assert np.array_equal(Caption("A disk").on(night(), SPAN), lettered("A disk"))


@pytest.mark.parametrize("caption", [Caption(), Caption(speed=1), Caption(speed=1.0)])
def test_an_empty_caption_leaves_the_picture_as_it_is(caption: Caption) -> None:
    pixels = night()
    assert caption.on(pixels, SPAN) is pixels


@pytest.mark.parametrize(("height", "size"), [(24, 1), (240, 1), (480, 2), (720, 3), (1080, 4)])
def test_letters_grow_with_the_picture(height: int, size: int) -> None:
    assert size_on(np.zeros((height, 4, 3), np.uint8)) == size


@pytest.mark.parametrize(
    ("t", "text"),
    [
        (0, "00:00:00.000000"),
        (3_723_000_001, "01:02:03.000001"),
        (-1, "-00:00:00.000001"),
        (360_000_000_000, "100:00:00.000000"),
    ],
)
def test_times_are_told_to_the_microsecond(t: int, text: str) -> None:
    assert timecode(t) == text


def result(model: str, value: object = None, error: Exception | None = None) -> Result[object]:
    return Result(model, 0, SPAN, (0,), 0, 0.0, 0, 0, value, error)


def test_what_models_say_stands_on_the_frame() -> None:
    array = np.zeros((120, 300), np.float32)
    frame = Frame(array, SPAN, Sensor(300, 120, "left"), "signed")
    results = [
        result("a", 0.123456), result("b", 7), result("c", np.float32(2)), result("d", "cat"),
        result("e", error=KeyError("x")),
    ]  # fmt: skip
    operator = Annotate(tell)
    for one in results:
        assert [*operator.feed(one)] == []
    [told] = operator.feed(frame)
    expected = Paint(scale=4)(frame).copy()
    write(expected, ["a: 0.1235", "b: 7", "c: 2", "d: cat", "e: KeyError"], left=1, top=1)
    assert np.array_equal(told.array, expected)
    assert (told.mode, told.span, told.sensor) == ("intensity", SPAN, Sensor(300, 120, "left"))
    light = tell(frame, {}, colours="light", zoom=2)
    assert light.array.shape == (240, 600, 3)
    assert (light.array == 255).all()
