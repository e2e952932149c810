"""What the writers in NumPy share: where one stands, and the way of a clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .words import Flags, Integers

# More roll-overs than this between two events are refused: two words each would be written.
MOST_LOOPS = 4096


@dataclass(slots=True)
class EncoderState:
    """Where a writer stands; fields as `ae_encoder` in kernels.h."""

    next: int = 0
    refused: int = 0
    started: int = 0
    time: int = 0
    y: int = -1
    width: int = 0
    version: int = 2
    legacy: int = 0


def encoder_state(*, width: int = 0, version: int = 2, legacy: bool = False) -> EncoderState:
    """Return the state of a writer that has written nothing.

    `width` of the sensor lets EVT3 write vectors; `version` is DAT's, 1 or 2; `legacy` is an order
    of bytes of EVT2.1.
    """
    return EncoderState(width=width, version=version, legacy=int(legacy))


def next_high(now: int, goal: int, bits: int, fall: int) -> int:
    """Return the next TIME_HIGH, roll-overs above its `bits`, on the way from `now` to `goal`.

    -1 if no words lead there. A reader counts a roll-over when TIME_HIGH falls by `fall` or more,
    so a leap past a roll-over goes by way of the top and 0.
    """
    top = (1 << bits) - 1
    loops = (goal >> bits) - (now >> bits)
    drop = (now & top) - (goal & top)
    if loops == 0:
        return goal if drop < fall else -1
    if loops < 0 or loops > MOST_LOOPS:
        return -1
    if loops == 1 and drop >= fall:
        return goal
    return now | top if now & top < fall else ((now >> bits) + 1) << bits


def way(now: int, goal: int, bits: int, fall: int) -> list[int]:
    """Return every TIME_HIGH from `now` to `goal`, at least one; empty if no words lead there."""
    steps = [next_high(now, goal, bits, fall)]
    while steps[-1] not in (goal, -1):
        steps.append(next_high(steps[-1], goal, bits, fall))
    return steps if steps[-1] == goal else []


def high_words(
    t: Integers, state: EncoderState, shift: int, bits: int, fall: int
) -> tuple[Integers, Integers, int]:
    """Return the TIME_HIGH words of events `t`, the event each comes before, and how many events.

    Fewer events than `t` has are those before the first that no words lead to.
    """
    high = t >> shift
    before = np.concatenate(([state.time >> shift if state.started else -1], high[:-1]))
    events: list[int] = []
    words: list[int] = []
    good = len(t)
    for k in np.flatnonzero(high != before).tolist():
        steps = way(max(int(before[k]), 0), int(high[k]), bits, fall)
        if not steps:
            good = k
            break
        events += [k] * len(steps)
        words += steps
    mask = (1 << bits) - 1
    return np.array(words, np.int64) & mask, np.array(events, np.int64), good


def first_bad(good: Flags) -> int:
    """Return the index of the first event that is not good, or their number."""
    return len(good) if good.all() else int(np.argmin(good))


def finish(state: EncoderState, t: Integers, written: int) -> None:
    """Note that the first `written` events of `t` are written, and whether another is refused."""
    state.next = written
    state.refused = int(written < len(t))
    if written:
        state.started = 1
        state.time = int(t[written - 1])
