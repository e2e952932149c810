"""Which TIME_HIGH words of a recording cannot be what was written: a step of the clock that nothing
around it bears out.

Values are looked at where the clock moves. A step of 1 is usual; only among such steps is a time
mended that is out of line, and only where more events than a few would be moved, or time would be
moved far. So recordings with pauses, and those whose events come out of order, are read as they
were written.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CONTEXT = 8
"""So many steps before a doubtful one must be usual; at the beginning, so many around it."""
LEAST_CONTEXT = 2
FEW_WORDS = 64
"""A time that stands for no more words than these is not worth a doubt, unless it leaps far."""


class Clock(msgspec.Struct, frozen=True):
    """A clock of `bits` bits. Nobody's events are late by more than `leap`; a step of more than
    `far` happens only where somebody has paused.
    """

    bits: int
    leap: int
    far: int

    @property
    def mask(self) -> int:
        """All bits."""
        return (1 << self.bits) - 1

    def steps(self, values: Integers) -> Integers:
        """Return the steps from value to value, as if the clock never went back."""
        return np.diff(values) & self.mask

    def beyond(self, steps: Integers, most: int) -> Flags:
        """Say which steps are longer than this, forward or back."""
        half = 1 << self.bits - 1
        beyond: Flags = np.abs((steps + half & self.mask) - half) > most
        return beyond


class Stretches(NamedTuple):
    """The times that a clock says, each other than the one before; the number of the word that says
    it, and how many words it stands for.
    """

    values: Integers
    places: Integers
    words: Integers


class Doubts(NamedTuple):
    """Times by their index, for which what follows does not bear out that they stand for all words
    up to the next.
    """

    wrong: dict[int, int]
    """Not true; with the true ones."""
    late: list[int]
    """Before the next is said, the clock has moved on by one."""


def doubts(found: Stretches, goes_on: Flags, clock: Clock, *, first: bool) -> Doubts:
    """Judge times. Those without context are not judged.

    `goes_on` says where the lower bits of time do not begin again, `first` that the first time is
    the first of the recording.
    """
    values = found.values
    steps = clock.steps(values)
    odd = steps != 1
    if len(steps) < LEAST_CONTEXT or not (odd.any() or goes_on.any()):
        return Doubts({}, [])
    usual = usual_around(odd, first=first)
    orderly = usual_around(steps > clock.leap // 16, first=first)
    leaps = clock.beyond(steps, clock.leap)
    around = values[2:] - values[:-2] & clock.mask  # past the value in doubt
    stayed, moved = (_fits(values, goes_on, clock, by) for by in (0, 1))
    many = found.words[1:-1] > FEW_WORDS
    near = odd[:-1] & usual[:-1] & ((many & (stayed | moved)) | (leaps[:-1] & (around <= 2)))
    far = leaps[:-1] & orderly[:-1] & (around <= clock.leap // 8)
    ahead = (steps[:-1] == 1) & (steps[1:] == clock.mask) & usual[:-1]
    ahead[:-1] &= steps[2:] == 1
    ahead &= goes_on[1:-1] & goes_on[2:]
    near[1:] &= ~ahead[:-1]
    wrong = (np.flatnonzero(near | far | ahead) + 1).tolist()
    usual = usual_around(odd, first=first, least=0)
    late = (steps == 2) | ((steps == 1) & goes_on[1:])
    late[:-1] &= ~ahead
    late[1:] &= ~ahead
    late = np.flatnonzero(late & usual).tolist()
    return Doubts({index: _true(values, index, clock, stayed[index - 1]) for index in wrong}, late)


def usual_around(odd: Flags, *, first: bool, least: int = LEAST_CONTEXT) -> Flags:
    """Say before which steps there are no odd ones; at the beginning, around which."""
    sums = np.concatenate(([0], np.cumsum(odd)))
    usual = np.zeros(len(odd), np.bool_)
    usual[CONTEXT:] = sums[CONTEXT:-1] == sums[: -CONTEXT - 1]
    for index in range(min(CONTEXT, len(odd)) if first else 0):
        around = np.concatenate((odd[:index], odd[index + 2 : CONTEXT + 2]))
        usual[index] = not around.any() and len(around) >= least
    return usual


def one_bit(difference: int) -> bool:
    """Say whether one flipped bit makes this difference."""
    return difference.bit_count() == 1


def _fits(values: Integers, goes_on: Flags, clock: Clock, moved: int) -> Flags:
    """Say which times have one other bit than if the clock had moved by this, and whether the lower
    bits of time begin again there and at the next as if it had.
    """
    left = (values[2:] - values[:-2] & clock.mask) - moved
    flipped = values[1:-1] ^ (values[:-2] + moved & clock.mask)
    again, next_again = ~goes_on[1:-1], ~goes_on[2:]
    fits: Flags = (flipped & flipped - 1 == 0) & (again == moved) & (next_again == left)
    return fits


def _true(values: Integers, index: int, clock: Clock, stayed: bool) -> int:
    """Return the value that stands between the two around one that is wrong."""
    before, wrong, after = (int(value) for value in values[index - 1 : index + 2])
    next = before + 1 & clock.mask
    moved = after - before & clock.mask
    if moved == 1 and not stayed:
        moved += one_bit(wrong ^ next)
    return next if moved == 2 else before
