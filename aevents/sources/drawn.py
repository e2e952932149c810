"""Frames that are drawn as they are asked for: of any number, from any time on.

What a frame shows depends on its number alone, and random numbers are keyed by the block of frames
that they are for: so all reads, of any length and from any time on, see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import prod
from typing import Generic, TypedDict, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents._contracts import Origin
from aevents.stream import Stream, stream_of
from aevents.types import Frame, Sensor, Span, Times

BLOCK_BYTES = 1 << 18
"""So many frames are drawn at once: they stay in the cache of a core, and who keeps one of them
keeps no more than this.
"""
SECOND_US = 1_000_000
RATE_HZ = 1000.0
MOST_PIXELS = 65_536

Picture = npt.NDArray[np.generic]
Draw = Callable[[int, int], Sequence[Picture] | Picture]
"""Draws frames: the number of the first, a multiple of the block, and how many."""
F = TypeVar("F", bound=Frame)
U = TypeVar("U", np.uint16, np.uint32)


class Timing(TypedDict, total=False):
    """When frames are shown: `rate_hz` of them a second (1000), for `duration_us` (one second; 0:
    without end).
    """

    rate_hz: float
    duration_us: int


class Drawn(msgspec.Struct, Generic[F], frozen=True):
    """Frames with all that they depend on; `make` makes one of its number, a picture and a span.

    Raises `ValueError` for a rate that is not above 0 or beyond one frame a µs, and for a negative
    duration.
    """

    name: str
    draw: Draw
    make: Callable[[int, Picture, Span], F]
    block: int
    rate_hz: float = RATE_HZ
    duration_us: int = SECOND_US

    def __post_init__(self) -> None:
        if not 0 < self.rate_hz <= SECOND_US:
            raise ValueError(
                f"rate_hz is above 0 and no more than a frame a µs, not {self.rate_hz!r}"
            )
        if self.duration_us < 0:
            raise ValueError(f"duration_us is 0 (no end) or more, not {self.duration_us!r}")

    def stream(self) -> Stream[F]:
        """Return the stream of these frames. Without an end, it can still wait and be rewound."""
        return replace(stream_of(self._origin(0)), endless=self.duration_us == 0)

    def frames(self, number: int = 0) -> Generator[F, None, None]:
        """Yield the frames from this number on."""
        end = self._frame_at(self.duration_us)
        while end == 0 or number < end:
            first = number - number % self.block
            count = self.block if end == 0 else min(self.block, end - first)
            pictures = self.draw(first, self.block)
            times = begins(first, count + 1, self.rate_hz).tolist()
            for at in range(number - first, count):
                yield self.make(first + at, pictures[at], Span(times[at], times[at + 1]))
            number = first + count

    def _origin(self, first: int) -> Origin[F]:
        return Origin(
            self.name,
            blocking=lambda: self.frames(first),
            within=lambda start: self._origin(max(0, self._frame_at(start + 1) - 1)),
        )

    def _frame_at(self, time: int) -> int:
        """Return the first frame that does not begin before a time."""
        near = max(0, int(time * self.rate_hz / SECOND_US) - 1)
        return near + int(np.searchsorted(begins(near, 4, self.rate_hz), time))


def begins(first: int, count: int, rate_hz: float) -> Times:
    """Return when frames begin (µs)."""
    return np.rint(np.arange(first, first + count) * SECOND_US / rate_hz).astype(np.int64)


def timing(shown: Timing) -> Timing:
    """Return what of these options says when frames are shown."""
    duration_us = shown.get("duration_us", SECOND_US)
    return {"rate_hz": shown.get("rate_hz", RATE_HZ), "duration_us": duration_us}


def block_of(sensor: Sensor, itemsize: int = 4) -> int:
    """Return how many frames of this size are drawn at once. Raises `ValueError` for none."""
    width, height = sensor.width, sensor.height
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise ValueError(f"frames need a sensor size up to {MOST_PIXELS}, not {width}x{height}")
    return max(1, BLOCK_BYTES // (width * height * itemsize))


def frame_of(sensor: Sensor, mode: str = "intensity") -> Callable[[int, Picture, Span], Frame]:
    """Return what makes plain frames of a sensor."""

    def make(_number: int, picture: Picture, span: Span) -> Frame:
        return Frame(picture, span, sensor, mode)

    return make


def check_seed(seed: int) -> None:
    """Raise `ValueError` for a seed that is none."""
    if seed < 0:
        raise ValueError(f"seed is a whole number from 0 on, not {seed!r}")


def dice(seed: int, first: int, shape: tuple[int, ...], bits: type[U]) -> npt.NDArray[U]:
    """Return random numbers of all these bits for the block that begins with frame `first`."""
    size = prod(shape) * np.dtype(bits).itemsize
    words = np.random.SFC64((seed, first)).random_raw(-(-size // 8))
    return np.frombuffer(words, bits, prod(shape)).reshape(shape)
