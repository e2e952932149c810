"""Letters: each is there, stands where it is put, and can be read on anything."""

from __future__ import annotations

import string

import numpy as np
import pytest

from aevents.operators import lettering
from aevents.operators.colour import Pixels
from aevents.operators.lettering import ADVANCE, BOX, DARK, HEIGHT, LIGHT, ROWS, line_height, write


def ground(height: int = 30, width: int = 60, light: int = 0) -> Pixels:
    return np.full((height, width, 3), light, np.uint8)


def drawing(pixels: Pixels, ink: tuple[int, int, int] = LIGHT) -> list[str]:
    """Return the picture as text: # where there is ink."""
    inked = (pixels == ink).all(axis=2)
    return ["".join("#" if one else "." for one in row) for row in inked]


def test_there_are_all_letters_of_ascii_and_they_differ() -> None:
    wanted = set(string.printable) - set(string.whitespace) | {" ", "\u00d7", "µ", "°"}
    assert wanted == set(ROWS)
    assert len(set(ROWS.values())) == len(ROWS)
    assert BOX not in ROWS.values()
    for letter in ROWS:
        rows = bytes.fromhex(ROWS[letter])
        assert (len(rows), max(rows) < 32) == (HEIGHT, True)


def test_letters_stand_where_they_are_put() -> None:
    pixels = ground(10, 14)
    write(pixels, ["1L"], left=0, top=0)
    assert drawing(pixels) == [
        "..............",
        "...#...#......",
        "..##...#......",
        "...#...#......",
        "...#...#......",
        "...#...#......",
        "...#...#......",
        "..###..#####..",
        "..............",
        "..............",
    ]


def test_larger_letters_are_of_squares() -> None:
    small, large = ground(10, 14), ground(20, 28)
    write(small, ["1L"], left=0, top=0)
    write(large, ["1L"], left=0, top=0, size=2)
    twice = [[one for letter in row for one in letter * 2] for row in drawing(small)]
    assert drawing(large) == ["".join(row) for row in twice for _ in range(2)]


def test_from_the_other_side_there_is_a_margin() -> None:
    pixels = ground(20, 30)
    write(pixels, ["I"], left=-1, top=-1)
    rows = drawing(pixels)
    assert rows[18].index("#") == 30 - 1 - ADVANCE + 2  # an I is narrow
    assert "#" not in rows[19]


def test_lines_stand_below_each_other() -> None:
    for top in (0, -1):
        pixels = ground(40, 20)
        write(pixels, ["_", "_"], left=0, top=top)
        first, second = [number for number, row in enumerate(drawing(pixels)) if "#" in row]
        assert second - first == line_height(1)


@pytest.mark.parametrize(("light", "ink", "outline"), [(0, LIGHT, DARK), (255, DARK, LIGHT)])
def test_there_is_an_outline_that_differs_from_the_letters(
    light: int, ink: tuple[int, int, int], outline: tuple[int, int, int]
) -> None:
    pixels = ground(light=light)
    write(pixels, ["Tim"], left=0, top=0)
    inked = (pixels == ink).all(axis=2)
    for y, x in np.argwhere(inked):
        near = pixels[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).tolist()
        assert all(tuple(one) in (ink, outline) for one in near)


@pytest.mark.parametrize(("height", "width"), [(3, 3), (1, 40), (40, 1), (12, 500)])
def test_what_goes_beyond_the_picture_is_cut_off(height: int, width: int) -> None:
    pixels = ground(height, width)
    write(pixels, ["MMMMMMMMMM", "M"], left=0, top=0)
    write(pixels, ["MMMMMMMMMM", "M"], left=-1, top=-1)
    write(pixels, ["M"], left=width, top=height)
    assert pixels.shape == (height, width, 3)


def test_a_letter_that_is_not_there_is_a_box() -> None:
    one, other = ground(), ground()
    write(one, ["\u4e2d"], left=0, top=0)
    write(other, ["["], left=0, top=0)
    assert drawing(one)[1] == ".#####" + 54 * "."
    assert lettering._letter("\u4e2d")[0].all()


def test_nothing_is_written_of_nothing() -> None:
    pixels = ground()
    write(pixels, [], left=0, top=0)
    assert (pixels == 0).all()
