"""What to do at a word that a kernel doubts: take it, mend it, or leave bytes out.

Kernels stop at words of a reserved type and at times that neither what came before nor what follows
bears out. What to do is decided by the bytes that follow and by nothing else, so that it does not
matter how the input was cut:

* Do they make more sense if words begin elsewhere? Bytes were lost or inserted: go on there. Where
  they make no sense at all, a stretch is left out.
* Is the time of a TIME_HIGH, or of a record, true? `judge` says so, or what it must have been.
* An event is earlier than the one before it, and the next TIME_HIGH shows that the clock has moved
  on meanwhile: a TIME_HIGH is missing, and is put in.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Protocol

import msgspec
import numpy as np
from msgspec.structs import replace

from aevents.codecs.judge import (
    LEAP_US,
    VOTERS,
    aligned,
    bent,
    judged,
    judged_first,
    judged_last,
)
from aevents.codecs.marks import HIGH, RESERVED, TIMED, VECTOR, Layout, Marks, Seen, seen_behind
from aevents.types import Sensor

LOOK_BYTES = 1 << 19
"""Nothing further away is looked at, or waited for."""
WITNESSES = 3
"""So many later times say whether a time is true."""
DENSE = 64
"""So many times under one TIME_HIGH are a dense stream, in which it follows on the one before."""
FEW = 8
"""Fewer events without a time are no reason to think that the word before them held it."""
ASK_AGAIN = VOTERS // 2
"""So many words further on they are asked again where they begin."""
LEAPING = 3
"""After so many leaps that were true, leaps are nothing to wonder at."""
PATIENCE = 64
"""So many words of reserved types, or falls of time, are looked at; then they are just believed."""


class Verdict(msgspec.Struct, frozen=True):
    """Decode `patch` without doubt, skip so many bytes of the input, and count `what`, if anything:
    each of the `bytes` that were left out, or once.
    """

    patch: bytes
    skip: int
    what: str = ""
    bytes: int = 0
    events: int = 0


class Mender(Protocol):
    """Decides at a doubtful word, with which `data` begins; None asks for more unless `final`."""

    def settle(self, data: memoryview, offset: int, *, final: bool) -> Verdict | None:
        """Return what to do; `offset` is where `data` lies in the input."""


class WordMender:
    """Decides for words of EVT formats; `state` is the kernel's, which it reads and writes."""

    def __init__(self, layout: Layout, state: Any, sensor: Sensor) -> None:  # noqa: ANN401  # one of several
        self._layout = layout
        self._state = state
        self._sensor = sensor
        self._half = 1 << layout.low_bits - 1
        self._reserved = 0
        self._falls = 0
        self._asked = -ASK_AGAIN * layout.size  # where the words last said that they begin there
        self._leaps = 0
        self._adrift = False  # bytes were skipped: the low bits before may have made no sense

    def settle(self, data: memoryview, offset: int, *, final: bool) -> Verdict | None:
        """Return what to do; `offset` is where `data` lies in the input."""
        size = self._layout.size
        if len(data) < (VOTERS + 1) * size and not final:
            return None
        if offset >= self._asked + ASK_AGAIN * size:
            shift = self._shift(data)
            if shift != 0:
                return self._realigned(data, shift, final)
            self._asked = offset
        word = bytes(data[:size])
        first = self._marks(word)
        kind = int(first.kind[0])
        if not self._state.started and kind != HIGH:
            return self._begin(word, int(first.high[0]), data, final)
        if kind == RESERVED:
            self._reserved += 1
            self._state.lenient = int(self._reserved >= PATIENCE)
            return Verdict(b"", size, "unknown_words", bytes=size)
        seen = self._witnesses(data, final, WITNESSES if kind == HIGH else 1)
        if seen is None:
            return None
        if kind == HIGH:
            verdict = self._high(word, int(first.high[0]), seen)
        else:
            verdict = self._fallen(word, int(first.low[0]), seen)
        self._adrift = False
        return verdict

    def _realigned(self, data: memoryview, shift: int | None, final: bool) -> Verdict | None:
        size, state = self._layout.size, self._state
        verdict = skipped(data, shift, size)
        patch = b"" if shift is None else self._caught_up(data[verdict.skip - size :], final)
        if patch is None:
            return None
        self._reserved = self._falls = 0
        self._adrift = True
        state.lenient = state.unsorted = 0
        if hasattr(state, "foreign"):
            state.foreign = 1  # the row is not known until the next ADDR_Y
        return replace(verdict, patch=patch)

    def _high(self, word: bytes, value: int, seen: Seen) -> Verdict:
        state, layout = self._state, self._layout
        now, low = int(state.high), int(state.low)

        def before(one: int) -> int:
            first = seen.first_low if seen.first_low >= 0 else low if one == now else 0
            return self._step(now, low, one, first)

        def after(one: int) -> list[int]:
            last = seen.last_low if seen.last_low >= 0 else low if one == now else 0
            return [self._step(one, last, *witness) for witness in seen.highs]

        flipped = bent(value, layout.high_bits)
        dense = seen.timed >= DENSE and seen.most_fall < self._half
        true: int | None
        leaping = self._leaps >= LEAPING and min([before(value), *after(value)[:1]]) >= -self._half
        if leaping or self._rolls_over(now, value, seen):
            true = value
        elif not state.started:
            true = judged_first(value, flipped, after, -self._half, dense=dense)
        elif not seen.highs:
            true = judged_last(value, flipped, before, -self._half, dense=dense)
        else:
            true = judged(value, flipped, before, after, after(now), -self._half)
        if true is None:
            return Verdict(b"", layout.size, "bad_times")
        if true == value:
            self._leaps += before(value) > LEAP_US
            return Verdict(word, layout.size)
        return Verdict(layout.high_word(true, state), layout.size, "mended_times")

    def _caught_up(self, data: memoryview, final: bool) -> bytes | None:
        """Return a TIME_HIGH, if one has been lost before the second word; None: more bytes are
        needed.
        """
        if not self._state.started:
            return b""
        seen = self._witnesses(data, final, 1)
        if seen is None:
            return None
        following = int(self._state.high) + 1 & (1 << self._layout.high_bits) - 1
        lost = seen.highs and seen.last_low >= 0 and self._missing(following, 0, seen)
        return self._layout.high_word(following, self._state) if lost else b""

    def _begin(self, word: bytes, value: int, data: memoryview, final: bool) -> Verdict | None:
        """Decide about the first word of all, which is no TIME_HIGH: was it one?"""
        seen = self._witnesses(data, final, 1)
        if seen is None:
            return None
        self._state.unsorted = 1  # until the first TIME_HIGH: the events have no time
        high = self._layout.high_word(value, self._state)
        type = int.from_bytes(word, "little") ^ int.from_bytes(high, "little")
        close = bool(seen.highs) and seen.highs[0][0] - value in (0, 1)
        if close and seen.timed >= FEW and type.bit_count() == 1:
            return Verdict(high, self._layout.size, "mended_times")
        return Verdict(word, self._layout.size)

    def _rolls_over(self, now: int, value: int, seen: Seen) -> bool:
        """Return whether TIME_HIGH goes by way of the top and 0 here, as writers make it do to get
        past a long gap.
        """
        top = (1 << self._layout.high_bits) - 1
        row = [now, value, *(high for high, _ in seen.highs[:2])]
        return (top, 0) in pairwise(row)

    def _fallen(self, word: bytes, low: int, seen: Seen) -> Verdict:
        state, layout = self._state, self._layout
        following = int(state.high) + 1 & (1 << layout.high_bits) - 1
        if self._missing(following, low, seen):
            return Verdict(layout.high_word(following, state) + word, layout.size, "mended_times")
        self._falls += 1
        state.unsorted = int(self._falls >= PATIENCE)
        return Verdict(word, layout.size)

    def _missing(self, following: int, low: int, seen: Seen) -> bool:
        """Return whether a TIME_HIGH `following` is missing before an event with this `low`."""
        if not seen.highs:
            return not self._adrift and int(self._state.low) - low > 3 * self._half // 2
        last = seen.last_low if seen.last_low >= 0 else low
        as_is = self._step(int(self._state.high), last, *seen.highs[0])
        moved = self._step(following, last, *seen.highs[0])
        return abs(moved) <= self._half < abs(as_is)

    def _step(self, high: int, low: int, next_high: int, next_low: int) -> int:
        step = next_high - high
        if step <= -self._layout.fall:
            step += 1 << self._layout.high_bits
        return (step << self._layout.low_bits) + next_low - low

    def _shift(self, data: memoryview) -> int | None:
        size = self._layout.size
        words = min(VOTERS, (len(data) - size + 1) // size)
        if words < 2:
            return 0
        return aligned([self._senseless(data[at : at + words * size]) for at in range(size)], words)

    def _senseless(self, data: memoryview) -> tuple[int, int]:
        """Return how many of the words make no sense, and how many lie off the sensor."""
        marks = self._marks(data)
        state, half = self._state, self._half
        now = [state.high] if state.started else []
        steps = np.diff(np.append(np.array(now, np.int64), marks.high[marks.kind == HIGH]))
        rolled = steps <= -self._layout.fall
        steps = steps + (rolled << self._layout.high_bits)
        clock = np.cumsum(marks.kind == HIGH)
        timed = np.isin(marks.kind, (TIMED, VECTOR))
        low, period = marks.low[timed], clock[timed]
        fallen = (low[:-1] - low[1:] >= half) & (period[:-1] == period[1:])
        back = int((steps < -1).sum())
        return int(back + fallen.sum() + marks.odd.sum()), int(marks.off.sum())

    def _marks(self, data: bytes | memoryview) -> Marks:
        return self._layout.marks(np.frombuffer(data, np.uint8), self._state, self._sensor)

    def _witnesses(self, data: memoryview, final: bool, most: int) -> Seen | None:
        """Return the next TIME_HIGH words behind the first word, None if more bytes are needed."""
        size = self._layout.size
        look = (VOTERS + 1) * size
        while len(data) >= look or final:
            stretch = data[: min(look, len(data) // size * size)]
            complete = look >= LOOK_BYTES or (final and len(stretch) > len(data) - size)
            seen = seen_behind(self._marks(stretch), most, complete=complete)
            if seen is not None:
                return seen
            look = min(4 * look, LOOK_BYTES)
        return None


def skipped(data: memoryview, shift: int | None, size: int) -> Verdict:
    """Skip so many bytes, and the word after them, of which a part may belong to another; or all
    that made no sense.
    """
    skip = min(VOTERS * size if shift is None else shift + size, len(data))
    return Verdict(b"", skip, "skipped_bytes", bytes=skip)
