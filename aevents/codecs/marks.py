"""What the words of EVT formats say about time, whichever format it is; and what follows a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.types import Sensor

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PLAIN, TIMED, VECTOR, HIGH, RESERVED = range(5)
"""What words are to the clock, as in `clock.h`."""
CLUSTER = 128
FEW_ODD = 8
"""Where more of `CLUSTER` words mean nothing, none of them is a witness of anything."""


class Marks(msgspec.Struct, frozen=True):
    """For each word what it is to the clock, its value as TIME_HIGH, its low bits of time, whether
    it means nothing, and whether it lies off the sensor.
    """

    kind: Integers
    high: Integers
    low: Integers
    odd: Flags
    off: Flags


class Layout(msgspec.Struct, frozen=True):
    """How the words of a format tell time, `size` bytes each.

    TIME_HIGH has `high_bits`, to which an event adds `low_bits`; the clock rolls over when it falls
    by `fall` or more. `marks` reads words; `high_word` writes a TIME_HIGH.
    """

    size: int
    low_bits: int
    high_bits: int
    fall: int
    marks: Callable[[npt.NDArray[np.uint8], Any, Sensor], Marks]
    high_word: Callable[[int, Any], bytes]


class Seen(msgspec.Struct, frozen=True):
    """What follows a doubtful word: how many times before the next TIME_HIGH, how far the low bits
    fall from one to the next at most, the low bits of the first and the last (-1 if there is none),
    and TIME_HIGH words, each with the low bits after it.
    """

    timed: int
    most_fall: int
    first_low: int
    last_low: int
    highs: list[tuple[int, int]]


def seen_behind(marks: Marks, most: int, *, complete: bool) -> Seen | None:
    """Return what the words behind the first say, with `most` TIME_HIGH words or, if they are
    `complete`, those there are; else None. What comes close before nonsense says nothing.
    """
    end = _senseless_from(marks)
    complete = complete or end < len(marks.kind)
    kind, value, lows = marks.kind[1:end], marks.high[1:end], marks.low[1:end]
    high = np.flatnonzero(kind == HIGH)
    timed = np.flatnonzero((kind == TIMED) | (kind == VECTOR))
    if not complete and len(high) <= most:  # the last is followed by what says where it stands
        return None
    between = np.searchsorted(timed, np.append(high, len(kind)))
    now = lows[timed[: between[0]]]
    falls = int(np.max(now[:-1] - now[1:], initial=0))
    first, last = (int(now[0]), int(now[-1])) if len(now) else (-1, -1)
    highs: list[tuple[int, int]] = []
    running, before = last, -1
    for index, place in enumerate(high[:most].tolist()):
        under = lows[timed[between[index] : between[index + 1]]].tolist()
        low = under[0] if under else max(running, 0) if value[place] == before else 0
        highs.append((int(value[place]), low))
        running, before = under[-1] if under else low, value[place]
    return Seen(len(now), falls, first, last, highs)


def _senseless_from(marks: Marks) -> int:
    """Return the word from which on many mean nothing, less the words that led there."""
    odd = np.flatnonzero(marks.odd)
    close = np.flatnonzero(odd[FEW_ODD:] - odd[:-FEW_ODD] < CLUSTER)
    return max(1, int(odd[close[0]]) - CLUSTER) if len(close) else len(marks.kind)


def marked(words: Integers, kinds: Integers, sensor: Sensor) -> Marks:
    """Return the marks of words of 32 bits as EVT2 has them; `kinds` says what a type is."""
    kind = kinds[words >> 28]
    timed = (kind == TIMED) | (kind == VECTOR)
    off = timed & off_sensor(words >> 11 & 0x7FF, words & 0x7FF, sensor)
    return Marks(kind, words & 0xFFFFFFF, words >> 22 & 63, kind == RESERVED, off)


def off_sensor(x: Integers, y: Integers, sensor: Sensor) -> Flags:
    """Return which of these lie off the sensor, if its size is known."""
    width, height = (sensor.width, sensor.height) if sensor.sized else (1 << 16, 1 << 16)
    off: Flags = (x >= width) | (y >= height)
    return off
