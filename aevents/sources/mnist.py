"""MNIST: handwritten digits as frames, one after the other, as spikes, or moved by saccades.

The digits are shown in the order of convis: the k-th of them, from 0 on, is number
`(init + (k + 1) · advance) mod n`, each for `rep` frames. As `advance` has no divisor in common
with the 10,000 digits of the test set, all come before one comes again.
"""

from __future__ import annotations

from typing import Literal, TypeVar, Unpack, get_args

import numpy as np
import numpy.typing as npt

from aevents.sources.digits import MIRRORS, Digits, download, load
from aevents.sources.drawn import Draw, Drawn, Picture, Timing, block_of, check_seed, dice, timing
from aevents.stream import Stream
from aevents.types import Frame, Sensor, Span, Times

__all__ = [
    "MIRRORS",
    "DigitFrame",
    "Digits",
    "download",
    "frames",
    "load",
    "saccades",
    "spikes",
]

ADVANCE = 179_425_529
"""A prime: steps of it come to every digit of a set of nearly any size before they come back."""
REP = 10
LEVELS = np.arange(256) / 255
"""Brightness by the value of a pixel."""
MARGIN_PX = 3
"""So far a saccade goes from the middle: N-MNIST has 34x34 pixels for the 28x28 of a digit."""
SACCADE_REP = 300
"""A frame each ms for three saccades of 100 ms, as in N-MNIST."""
CONVIS_SHIFTS_PX = 7, -14
"""convis moves its window so that the digit goes from one of these places to the other."""
Motion = Literal["smooth", "convis"]
Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
V = TypeVar("V", np.float32, np.uint32)


class DigitFrame(Frame, frozen=True, eq=False, weakref=True, kw_only=True):
    """A frame that shows a digit: number `index` of its set, a `label`."""

    label: int
    index: int


class Walk(Timing, total=False):
    """Which digits are shown, and when: beginning behind digit `init` (0), every `advance`-th
    (179425529), each for `rep` frames (10, of saccades 300); `rate_hz` frames a second (1000) for
    `duration_us` (one second; 0: without end).
    """

    init: int
    advance: int
    rep: int


def frames(
    digits: Digits, /, *, max_value: float = 255.0, **walk: Unpack[Walk]
) -> Stream[DigitFrame]:
    """Return the digits one after the other: float32 brightness from 0 to `max_value`.

    Raises `ValueError` for a number that is out of its range.
    """
    shown = _Shown(digits, walk)
    values = LEVELS.astype(np.float32) * np.float32(max_value)

    def draw(first: int, count: int) -> list[Picture]:
        number, which = shown.digits_of(first, count)
        pictures = shown.pictures(number, values)
        pictures.flags.writeable = False
        each = list(pictures)
        return [each[digit] for digit in which.tolist()]

    return shown.stream("MNIST", draw, shown.sensor())


def spikes(
    digits: Digits, /, *, peak_hz: float = 50.0, seed: int = 0, **walk: Unpack[Walk]
) -> Stream[DigitFrame]:
    """Return the digits as spikes of rates in proportion to their brightness: bool frames of mode
    `"binary"`, in which a pixel of full brightness spikes `peak_hz` times a second on average.

    Each frame is drawn anew. Raises `ValueError` for a number that is out of its range, and for
    more spikes than there are frames.
    """
    shown = _Shown(digits, walk)
    chance = peak_hz / shown.rate_hz
    if not 0 <= chance <= 1:
        raise ValueError(f"peak_hz is from 0 to the rate of frames, {shown.rate_hz}: {peak_hz!r}")
    check_seed(seed)
    limits = np.minimum(chance * LEVELS * 2**32, 2**32 - 1).astype(np.uint32)

    def draw(first: int, count: int) -> npt.NDArray[np.bool_]:
        number, which = shown.digits_of(first, count)
        below = shown.pictures(number, limits)
        spiking = dice(seed, first, (count, *below.shape[1:]), np.uint32) < below[which]
        spiking.flags.writeable = False
        return spiking

    return shown.stream("MNIST spikes", draw, shown.sensor(), mode="binary")


def saccades(
    digits: Digits, /, *, motion: Motion = "smooth", max_value: float = 255.0, **walk: Unpack[Walk]
) -> Stream[DigitFrame]:
    """Return the digits, each moved by three saccades: float32 brightness from 0 to `max_value`, in
    frames that have 3 px more on each side than the digits.

    `"smooth"` moves them along a triangle, as they were moved before the camera to make N-MNIST
    (Orchard et al. 2015): down to the right, up to the right, back to the left. It starts and ends
    each saccade at rest, by parts of a pixel (linear interpolation), and never leaves the frame.
    `"convis"` moves them as convis does: from one corner towards the other, back, and from one edge
    to the corner, by whole pixels, with a leap before the last, and partly out of the frame.

    Raises `ValueError` for a `rep` that three saccades cannot share, and for a number that is out
    of its range.
    """
    walk.setdefault("rep", SACCADE_REP)
    shown = _Shown(digits, walk)
    if motion not in get_args(Motion):
        raise ValueError(f"motion is one of {', '.join(get_args(Motion))}, not {motion!r}")
    if shown.rep % 3 or shown.rep < 6:
        raise ValueError(f"rep is 3 times the frames of a saccade, 2 or more, not {shown.rep!r}")
    way = _smooth_way if motion == "smooth" else _convis_way
    values = LEVELS.astype(np.float32) * np.float32(max_value)
    height, width = digits.images.shape[1:]
    x, y = (
        _shifts(place, size) for place, size in zip(way(shown.rep), (width, height), strict=True)
    )

    def draw(first: int, count: int) -> Picture:
        number, which = shown.digits_of(first, count)
        step = np.arange(first, first + count) % shown.rep
        pictures = shown.pictures(number, values)[which]
        moved = y[step] @ pictures @ x[step].transpose(0, 2, 1)
        moved.flags.writeable = False
        return moved

    return shown.stream("MNIST saccades", draw, shown.sensor(2 * MARGIN_PX))


class _Shown:
    """Digits in the order of their walk."""

    def __init__(self, digits: Digits, walk: Walk) -> None:
        self.rep = walk.get("rep", REP)
        self.timing = timing(walk)
        self.rate_hz = self.timing["rate_hz"]
        self._digits = digits
        self._labels = digits.labels.tolist()  # of which one is taken faster than of an array
        self._init = walk.get("init", 0)
        self._advance = walk.get("advance", ADVANCE)
        if self.rep < 1:
            raise ValueError(f"rep is a number of frames from 1 on, not {self.rep!r}")

    def sensor(self, more: int = 0) -> Sensor:
        height, width = self._digits.images.shape[1:]
        return Sensor(width + more, height + more, "MNIST")

    def index(self, number: int) -> int:
        """Return the digit that is shown as this one, in the order of the walk."""
        return (self._init + (number + 1) * self._advance) % len(self._digits)

    def digits_of(self, first: int, count: int) -> tuple[range, Times]:
        """Return the numbers of the digits that are shown in these frames, and which of them in
        each frame.
        """
        begun, ended = first // self.rep, (first + count - 1) // self.rep
        return range(begun, ended + 1), np.arange(first, first + count) // self.rep - begun

    def pictures(self, numbers: range, values: npt.NDArray[V]) -> npt.NDArray[V]:
        """Return the pictures of these digits, with the values that stand for 0 to 255."""
        return values[self._digits.images[[self.index(number) for number in numbers]]]

    def stream(
        self,
        name: str,
        draw: Draw,
        sensor: Sensor,
        mode: str = "intensity",
    ) -> Stream[DigitFrame]:
        def make(number: int, picture: Picture, span: Span) -> DigitFrame:
            index = self.index(number // self.rep)
            label = self._labels[index]
            return DigitFrame(picture, span, sensor, mode, label=label, index=index)

        return Drawn(name, draw, make, block_of(sensor), **self.timing).stream()


def _smooth_way(rep: int) -> tuple[Numbers, Numbers]:
    """Return the places, x and y, where the corner of a digit is in each frame."""
    u = (1 - np.cos(np.pi * np.linspace(0, 1, rep // 3))) / 2
    x = np.concatenate((u, 1 + u, 2 - 2 * u)) - 1
    y = np.concatenate((2 * u, 2 - 2 * u, 0 * u)) - 1
    return MARGIN_PX * (1 + x), MARGIN_PX * (1 + y)


def _convis_way(rep: int) -> tuple[Numbers, Numbers]:
    u = np.linspace(0, 1, rep // 3)
    start, stop = CONVIS_SHIFTS_PX
    rows = np.concatenate((u, 1 - u, 0 * u))
    columns = np.concatenate((u, 1 - u, 1 - u))
    x, y = (start - np.trunc((start - stop) * along) for along in (columns, rows))
    return x, y


def _shifts(places: Numbers, size: int) -> Floats:
    """Return for each place the matrix, `(size + 6, size)`, that moves a row of pixels there."""
    pixel = np.arange(size + 2 * MARGIN_PX)[:, None] - np.arange(size)
    weights: Numbers = np.maximum(0, 1 - np.abs(pixel - places[:, None, None]))
    return weights.astype(np.float32)
