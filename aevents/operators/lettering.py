"""Letters on pixels: a small font of our own, of 5 by 7 points, sharp at every whole size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from aevents.operators.colour import Pixels, Rgb

WIDTH, HEIGHT = 5, 7
ADVANCE = WIDTH + 1
"""From the left of a letter to that of the next, in points."""
LIGHT, DARK = (245, 245, 240), (17, 19, 24)
"""Letters are light on a dark outline where the picture is dark, and dark on a light one where it
is light.
"""
ROWS = {
    " ": "00000000000000", "!": "04040404000004", '"': "0a0a0000000000", "#": "0a0a1f0a1f0a0a",
    "$": "040f140e051e04", "%": "18190204081303", "&": "0c120c0a15120d", "'": "04040800000000",
    "(": "02040808080402", ")": "08040202020408", "*": "00150e1f0e1500", "+": "0004041f040400",
    ",": "000000000c0408", "-": "0000001f000000", ".": "00000000000c0c", "/": "00010204081000",
    "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e",
    "4": "02060a121f0202", "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808",
    "8": "0e11110e11110e", "9": "0e11110f01020c", ":": "000c0c000c0c00", ";": "000c0c000c0408",
    "<": "02040810080402", "=": "00001f001f0000", ">": "08040201020408", "?": "0e110102040004",
    "@": "0e11171517100e", "A": "0e11111f111111", "B": "1e11111e11111e", "C": "0e11101010110e",
    "D": "1c12111111121c", "E": "1f10101e10101f", "F": "1f10101e101010", "G": "0e11101711110f",
    "H": "1111111f111111", "I": "0e04040404040e", "J": "0702020202120c", "K": "11121418141211",
    "L": "1010101010101f", "M": "111b1515111111", "N": "11111915131111", "O": "0e11111111110e",
    "P": "1e11111e101010", "Q": "0e11111115120d", "R": "1e11111e141211", "S": "0f10100e01011e",
    "T": "1f040404040404", "U": "1111111111110e", "V": "11111111110a04", "W": "1111111515150a",
    "X": "11110a040a1111", "Y": "1111110a040404", "Z": "1f01020408101f", "[": "0e08080808080e",
    "\\": "00100804020100", "]": "0e02020202020e", "^": "040a1100000000", "_": "0000000000001f",
    "`": "08040200000000", "a": "00000e010f110f", "b": "1010161911111e", "c": "00000e1010110e",
    "d": "01010d1311110f", "e": "00000e111f100e", "f": "0609081c080808", "g": "000f11110f010e",
    "h": "10101619111111", "i": "04000c0404040e", "j": "0200060202120c", "k": "10101214181412",
    "l": "0c04040404040e", "m": "00001a15151111", "n": "00001619111111", "o": "00000e1111110e",
    "p": "00001e111e1010", "q": "00000d130f0101", "r": "00001619101010", "s": "00000e100e011e",
    "t": "08081c08080906", "u": "0000111111130d", "v": "00001111110a04", "w": "0000111115150a",
    "x": "0000110a040a11", "y": "000011110f010e", "z": "00001f0204081f", "{": "02040408040402",
    "|": "04040404040404", "}": "08040402040408", "~": "00000815020000", "\u00d7": "00110a040a1100",
    "µ": "001111111a1410", "°": "0c12120c000000",
}  # fmt: skip
"""The rows of each letter, from the top, as numbers of two digits: their bits, left the highest."""
BOX = "1f11111111111f"
"""What stands for a letter that is not there."""

Mask = npt.NDArray[np.bool_]


def write(pixels: Pixels, lines: Sequence[str], /, *, left: int, top: int, size: int = 1) -> None:
    """Write lines of text on RGB pixels `(height, width, 3)`, in place, each point as a square of
    `size` pixels, with an outline that keeps it legible on whatever is there.

    What lies beyond the picture is cut off; a `top` or `left` below 0 counts from the other side,
    where -1 leaves a margin as large as a point.
    """
    for number, line in enumerate(lines):
        letters = _mask(line).repeat(size, axis=0).repeat(size, axis=1)
        height, width = letters.shape
        x = left if left >= 0 else pixels.shape[1] - width + (left + 1) * size
        below = (len(lines) - 1 - number) * line_height(size)
        y = top + number * line_height(size)
        if top < 0:
            y = pixels.shape[0] - height - below + (top + 1) * size
        _stamp(pixels[max(y, 0) :, max(x, 0) :], letters[max(-y, 0) :, max(-x, 0) :], size)


def line_height(size: int) -> int:
    """Return how far the next line stands below, in pixels."""
    return (HEIGHT + 3) * size


def _stamp(place: Pixels, letters: Mask, size: int) -> None:
    """Set the pixels of the letters, and around them the outline, as far as they go."""
    height, width = min(letters.shape[0], place.shape[0]), min(letters.shape[1], place.shape[1])
    if not (height and width):
        return
    place, letters = place[:height, :width], letters[:height, :width]
    ink, outline = _inks(place)
    place[_grown(letters, size) & ~letters] = outline
    place[letters] = ink


def _inks(place: Pixels) -> tuple[Rgb, Rgb]:
    return (DARK, LIGHT) if place.mean() > 127 else (LIGHT, DARK)


def _grown(letters: Mask, by: int) -> Mask:
    """Return the mask with all that is so near to it."""
    grown = np.zeros_like(letters)
    padded = np.pad(letters, by)
    height, width = letters.shape
    for y in (0, by, 2 * by):
        for x in (0, by, 2 * by):
            grown |= padded[y : y + height, x : x + width]
    return grown


def _mask(line: str) -> Mask:
    """Return which points of a line are set, with a margin of one around it."""
    points = np.zeros((HEIGHT + 2, ADVANCE * len(line) + 1), np.bool_)
    for number, letter in enumerate(line):
        left = 1 + ADVANCE * number
        points[1:-1, left : left + WIDTH] = _letter(letter)
    return points


@cache
def _letter(letter: str) -> Mask:
    rows = np.frombuffer(bytes.fromhex(ROWS.get(letter, BOX)), np.uint8)
    bits = np.unpackbits(rows[:, None], axis=1)[:, 8 - WIDTH :]
    return bits.astype(np.bool_)
