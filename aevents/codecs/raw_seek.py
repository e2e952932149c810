"""Find a time in EVT2, EVT2.1 and EVT4: bisection on their TIME_HIGH words.

A TIME_HIGH word is all of a decoder's state, so reading may begin at any. Between two samples of
the 34-bit clock no whole round of it (4 h 46 min) is looked for: a camera, which repeats TIME_HIGH,
writes gigabytes in that time.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Jump, ReadAt
from aevents.codecs.seek import MARGIN_US, Search, Tick, jump_to

CLOCK_RANGE = 1 << 34
LOW_US = 1 << 6
"""A TIME_HIGH word stands for so many µs."""
LOOK_BYTES = 4096
MOST_LOOK = 1 << 20
"""Where there is no TIME_HIGH word in so many bytes, none is looked for."""

Words = npt.NDArray[np.uint32]
Highs = Callable[[Words], npt.NDArray[np.bool_]]
"""Says which words are TIME_HIGH, by their halves that hold the type. The word before is there."""


class HighWords(msgspec.Struct, frozen=True):
    """Where words begin (`body`), how many halves of 32 bits they have, which of these holds the
    type, and how TIME_HIGH words are known.
    """

    body: int
    halves: int
    typed: int
    highs: Highs


def locate_high(read: ReadAt, size: int, start: int, t0: int, words: HighWords) -> Jump | None:
    """Return the jump to a TIME_HIGH word behind which all from `start` on comes; None if that is
    the beginning. The clock begins at `t0`.

    The state is the roll-overs so far in µs, and the word's value.
    """
    body, width = words.body, 4 * words.halves

    def probe(place: int) -> Tick | None:
        at = body - (body - place) // width * width
        first, look = max(at - width, body), LOOK_BYTES
        while look <= MOST_LOOK and at < size:
            data = read(first, look)
            halves = np.frombuffer(data, "<u4", len(data) // width * words.halves)
            typed = halves[words.typed :: words.halves]
            found = np.flatnonzero(words.highs(typed))
            found = found[found * width >= at - first]
            if len(found):
                number = int(found[0])
                return Tick(first + number * width, int(typed[number] & 0xFFFFFFF) * LOW_US)
            look = 4 * look if len(data) == look else MOST_LOOK + 1
        return None

    tick = Search(probe, wraps=CLOCK_RANGE).find(body, size, start - t0 - MARGIN_US - LOW_US)
    if tick is None:
        return None
    clock = tick.time % CLOCK_RANGE
    return jump_to(tick, tick.time - clock, clock // LOW_US, t0=t0)
