"""Which TIME_HIGH words of a recording cannot be what was written: a step of the clock that nothing
around it bears out.

The words are looked at where the clock moves. A step is usual where it is the smallest there is,
and so were the steps before; only among such steps is a time mended that is out of line, and only
where more events than a few would be moved, or time would be moved far. So recordings with pauses,
and those whose events come out of order, are read as they were written.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CONTEXT = 8
"""So many steps before a doubtful one must be usual; at the beginning, so many after it."""
FEW_WORDS = 64
"""A time that stands for no more words than these is not worth a doubt, unless it leaps far."""


class Clock(msgspec.Struct, frozen=True):
    """A clock of TIME_HIGH words of so many `bits`; a step of more than `far` units is a leap."""

    bits: int
    far: int

    @property
    def mask(self) -> int:
        """All bits."""
        return (1 << self.bits) - 1

    def steps(self, values: Integers) -> Integers:
        """Return the steps from value to value, as if the clock never went back."""
        return np.diff(values) & self.mask

    def leaps(self, steps: Integers) -> Flags:
        """Say which steps are leaps, forward or back."""
        half = 1 << self.bits - 1
        return np.abs((steps + half & self.mask) - half) > self.far


class Doubts(NamedTuple):
    """Stretches, by the index of the value that begins them, that are not what was written."""

    wrong: list[tuple[int, int]]
    """The value is not true; with the true one."""
    missed: list[int]
    """The clock has moved on by one within the stretch."""


def doubts(values: Integers, words: Integers, clock: Clock, *, first: bool, last: bool) -> Doubts:
    """Judge the values that a clock went through, one after another and each other than the one
    before; `words` is how many words each stands for. Those without context are not judged.

    `first`: the first value is the first of the recording; `last`: the last is its last.
    """
    steps = clock.steps(values)
    odd = steps != 1
    if len(steps) < 2 or not (last or odd.any()):
        return Doubts([], [])
    usual = _context(odd, first)
    orderly = _context(steps > clock.far // 16, first)
    leaps = clock.leaps(steps)
    around = values[2:] - values[:-2] & clock.mask  # past the value in doubt
    many = words[1:-1] > FEW_WORDS
    near = odd[:-1] & usual[:-1] & (around <= 2) & (many | leaps[:-1])
    far = leaps[:-1] & orderly[:-1] & (around <= clock.far // 8)
    wrong = [(index + 1, _true(values, index + 1, clock)) for index in np.flatnonzero(near | far)]
    missed = np.flatnonzero((steps == 2) & usual & (words[:-1] > FEW_WORDS)).tolist()
    ends = []
    if first and _one_bit(int(values[0] ^ values[1] - 1 & clock.mask)) and usual[0]:
        ends.append((0, int(values[1] - 1 & clock.mask)))
    if last and odd[-1] and usual[-1] and _one_bit(int(values[-1] ^ values[-2] + 1 & clock.mask)):
        ends.append((len(values) - 1, int(values[-2] + 1 & clock.mask)))
    if last and usual[-1] and not odd[-1]:
        missed.append(len(values) - 1)
    wrong += [(index, value) for index, value in ends if words[index] > FEW_WORDS]
    return Doubts(wrong, missed)


def _context(odd: Flags, first: bool) -> Flags:
    """Say before which steps there are only usual ones; at the beginning, behind which."""
    sums = np.concatenate(([0], np.cumsum(odd)))
    usual = np.zeros(len(odd), np.bool_)
    usual[CONTEXT:] = sums[CONTEXT:-1] == sums[: -CONTEXT - 1]
    for index in range(min(CONTEXT, len(odd)) if first else 0):
        behind = odd[index + 2 : CONTEXT + 2]
        usual[index] = not odd[:index].any() and not behind.any() and len(behind) > 0
    return usual


def _true(values: Integers, index: int, clock: Clock) -> int:
    """Return the value that stands between the two around one that is wrong."""
    before, wrong, after = (int(value) for value in values[index - 1 : index + 2])
    next = before + 1 & clock.mask
    moved = after - before & clock.mask
    return next if moved == 2 or (moved == 1 and _one_bit(wrong ^ next)) else before


def _one_bit(difference: int) -> bool:
    return difference.bit_count() == 1
