"""Find a time in EVT3, whose clock rolls over every 16.8 s and whose words have a memory.

A camera repeats TIME_HIGH every 16 µs, whether there are events or not. So it cannot get through
those 16.8 s in less than 2 MiB, and samples that are closer than that tell the time without doubt.
Each sample shows whether the words are such a camera's. Where they are not, as after a conversion,
all of them are skipped through: that makes an index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aevents._native import kernels
from aevents.codecs.base import ReadAt
from aevents.codecs.seek import (
    FOREVER,
    MARGIN_US,
    NEAR_BYTES,
    Index,
    IndexNeededError,
    Mark,
    unwrapped,
)

if TYPE_CHECKING:
    from aevents._native.twins import Evt3State  # not loaded where there is C

CLOCK_RANGE = 1 << 24
HIGH_US = 1 << 12
"""A TIME_HIGH word stands for so many µs."""
PACE_US = 21
"""TIME_HIGH words that are further apart than this, on average, are no camera's."""
SPACING = 3 << 19
"""Between samples: in so many bytes of such words no more than 16.5 s go by."""
MOST_STEP = CLOCK_RANGE // 4
FINE_SPACING = 1 << 19
"""In so many bytes no more than 5.5 s go by, a third of the clock's range."""
LOOKS = (4096, 32_768)
"""Bytes of a sample, and of a second try: a busy camera gets through 300 MB/s."""
LEAST_HIGHS = 2
UNKNOWN = -1
MARK_BYTES = 1 << 18
"""From mark to mark of an index, and read at once: what stays in the cache."""
NEVER = -(1 << 63)


class Sample(NamedTuple):
    """The time after some words; how long they and those sampled before them took, in µs and in
    TIME_HIGH words; and how many µs a byte of these words takes.
    """

    time: int
    went: int
    highs: int
    slowness: float


def locate(read: ReadAt, size: int, body: int, start: int) -> Mark | None:
    """Return where to begin for the events from `start` on, as a mark; None: at the start.

    Raises `IndexNeededError` where samples cannot tell.
    """
    goal = start - MARGIN_US - HIGH_US
    low, place = _sample(read, body), body
    if low.time >= goal:
        return None
    ahead = body
    while (ahead := ahead + SPACING) + LOOKS[-1] < size:
        sample = _follow(read, place, low, ahead)
        if sample.time >= goal:
            break
        place, low = ahead, sample
    if low.went > PACE_US * low.highs:
        raise IndexNeededError
    while ahead - place > NEAR_BYTES:
        middle = place + (ahead - place) // 4 * 2
        if middle + LOOKS[-1] >= size:
            ahead = middle
            continue
        sample = _follow(read, place, low, middle)
        if sample.time < goal:
            place, low = middle, sample
        else:
            ahead = middle
    return _settle(read, place, low.time, start) if place > body else None


def index(read: ReadAt, size: int, body: int, until: int, begun: Index | None) -> Index:
    """Return marks through the words up to the time `until`, by skipping through those that have
    none in the index that is `begun`.
    """
    marks = list(begun.marks) if begun else []
    state, latest = kernels.evt3_state(), NEVER
    if marks:
        latest, body = marks[-1].latest, marks[-1].offset
        state = stand(*marks.pop().state)
    while body < size and latest < until:
        if state.started:
            marks.append(Mark(latest, body, _fields(state, state.loop)))
        _, latest = kernels.evt3_skip(read(body, MARK_BYTES), state, latest)
        body += MARK_BYTES
    return Index(tuple(marks), latest if body < size else FOREVER)


def stand(loop: int, high: int, low: int, y: int, base_x: int, more: int) -> Evt3State:
    """Return the state of a reader that stands where a mark says."""
    state = kernels.evt3_state()
    state.started = 1
    state.loop, state.high, state.low = loop, high, low
    state.y, state.base_x, state.base_p, state.foreign = y, base_x, more & 1, more >> 1
    return state


def _fields(state: Evt3State, loop: int) -> tuple[int, ...]:
    """Return what `stand` takes, with `loop` µs of roll-overs."""
    more = state.base_p | state.foreign << 1
    return (loop, state.high, state.low, state.y, state.base_x, more)


def _sample(read: ReadAt, place: int) -> Sample:
    """Return how the time goes in some words from `place` on."""
    for look in LOOKS:
        words = memoryview(read(place, look))
        state = _unknown()
        kernels.evt3_skip(words[: look // 4], state)
        if not state.started or state.low == UNKNOWN:
            continue
        before = _clock(state)
        highs, _ = kernels.evt3_skip(words[look // 4 :], state)
        time = _clock(state)
        if highs >= LEAST_HIGHS and time - before <= PACE_US * (highs + 1):
            went = time - before
            return Sample(time, went, highs, went / (look - look // 4))
    raise IndexNeededError


def _follow(read: ReadAt, place: int, low: Sample, ahead: int) -> Sample:
    """Return the sample at `ahead`, with its time unwrapped, and with all that the samples went.

    A long step may be a hole in the recording, or a step back: it is taken by halves. So is one
    that should be long, as a hole could make it seem short.
    """
    sample = _sample(read, ahead)
    step, gap = _step(low.time, sample.time), ahead - place
    expected = gap * max(low.slowness, sample.slowness)
    if step <= MOST_STEP and (expected <= MOST_STEP or gap <= FINE_SPACING):
        went, highs = low.went + sample.went, low.highs + sample.highs
        return Sample(low.time + step, went, highs, sample.slowness)
    if gap < 2 * LOOKS[-1]:
        raise IndexNeededError
    middle = place + gap // 4 * 2
    return _follow(read, middle, _follow(read, place, low, middle), ahead)


def _settle(read: ReadAt, place: int, time: int, start: int) -> Mark:
    """Return a mark behind `place`, where all that a reader must know has been seen."""
    for look in LOOKS:
        state = _unknown()
        _, latest = kernels.evt3_skip(read(place, look), state)
        end = time + _step(time, _clock(state))
        turned = end - _clock(state)
        if state.y != UNKNOWN and state.low != UNKNOWN and latest + turned < start - MARGIN_US:
            if state.base_p == UNKNOWN:  # a vector has a base of its own
                state.base_x = state.base_p = 0
            return Mark(latest + turned, place + look, _fields(state, state.loop + turned))
    raise IndexNeededError


def _unknown() -> Evt3State:
    state = kernels.evt3_state()
    state.low = state.y = state.base_p = UNKNOWN
    return state


def _clock(state: Evt3State) -> int:
    return state.loop + state.high * HIGH_US + state.low


def _step(before: int, after: int) -> int:
    return unwrapped(after - before, CLOCK_RANGE)
