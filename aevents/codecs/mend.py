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

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
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
from aevents.types import Sensor

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PLAIN, TIMED, VECTOR, HIGH, RESERVED = range(5)
"""What words are to the clock, as in `clock.h`."""
LOOK_BYTES = 1 << 19
"""Nothing further away is looked at, or waited for."""
FIRST_LOOK_BYTES = 1 << 12
FEW_ODD = 8
"""More odd words among `VOTERS` make no sense."""
WITNESSES = 3
"""So many later times say whether a time is true."""
DENSE = 64
"""So many times under one TIME_HIGH are a dense stream, in which it follows on the one before."""
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

    def settle(self, data: memoryview, *, final: bool) -> Verdict | None:
        """Return what to do."""


class Marks(msgspec.Struct, frozen=True):
    """For each word what it is to the clock, its value as TIME_HIGH, its low bits of time, and
    whether it lies off the sensor.
    """

    kind: Integers
    high: Integers
    low: Integers
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


class WordMender:
    """Decides for words of EVT formats; `state` is the kernel's, which it reads and writes."""

    def __init__(self, layout: Layout, state: Any, sensor: Sensor) -> None:  # noqa: ANN401  # one of several
        self._layout = layout
        self._state = state
        self._sensor = sensor
        self._half = 1 << layout.low_bits - 1
        self._reserved = 0
        self._falls = 0
        self._adrift = False  # bytes were skipped: the low bits before may have made no sense

    def settle(self, data: memoryview, *, final: bool) -> Verdict | None:
        """Return what to do."""
        size = self._layout.size
        if len(data) < (VOTERS + 1) * size and not final:
            return None
        shift = self._shift(data)
        if shift != 0:
            verdict = _skipped(data, shift, size)
            patch = b"" if shift is None else self._caught_up(data[verdict.skip - size :], final)
            if patch is None:
                return None
            self._reserved = self._falls = 0
            self._state.lenient = self._state.unsorted = 0
            if hasattr(self._state, "foreign"):
                self._state.foreign = 1  # the row is not known until the next ADDR_Y
            self._adrift = True
            return replace(verdict, patch=patch)
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

    def _high(self, word: bytes, value: int, seen: _Seen) -> Verdict:
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
        if not state.started:
            true = judged_first(value, flipped, after, -self._half, dense=dense)
        elif not seen.highs:
            true = judged_last(value, flipped, before, -self._half, dense=dense)
        else:
            true = judged(value, flipped, before, after, after(now), -self._half)
        if true is None:
            return Verdict(b"", layout.size, "bad_times")
        if true == value:
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
        if close and seen.timed >= DENSE and type.bit_count() == 1:
            return Verdict(high, self._layout.size, "mended_times")
        return Verdict(word, self._layout.size)

    def _fallen(self, word: bytes, low: int, seen: _Seen) -> Verdict:
        state, layout = self._state, self._layout
        following = int(state.high) + 1 & (1 << layout.high_bits) - 1
        if self._missing(following, low, seen):
            return Verdict(layout.high_word(following, state) + word, layout.size, "mended_times")
        self._falls += 1
        state.unsorted = int(self._falls >= PATIENCE)
        return Verdict(word, layout.size)

    def _missing(self, following: int, low: int, seen: _Seen) -> bool:
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
        scores = [self._senseless(data[at : at + words * size]) for at in range(size)]
        return aligned(scores, words)

    def _senseless(self, data: memoryview) -> int:
        """Return how many of the words make no sense."""
        marks = self._marks(data)
        state, half = self._state, self._half
        steps = np.diff(
            _from(state.high if state.started else None, marks.high[marks.kind == HIGH])
        )
        rolled = steps <= -self._layout.fall
        steps = steps + (rolled << self._layout.high_bits)
        wild = (steps < -1) | (steps > LEAP_US >> self._layout.low_bits)
        clock = np.cumsum(marks.kind == HIGH)
        timed = np.isin(marks.kind, (TIMED, VECTOR))
        low, period = marks.low[timed], clock[timed]
        fallen = (low[:-1] - low[1:] >= half) & (period[:-1] == period[1:])
        reserved = marks.kind == RESERVED
        return int(wild.sum() + fallen.sum() + (reserved | marks.off).sum())

    def _marks(self, data: bytes | memoryview) -> Marks:
        return self._layout.marks(np.frombuffer(data, np.uint8), self._state, self._sensor)

    def _witnesses(self, data: memoryview, final: bool, most: int) -> _Seen | None:
        """Return the next TIME_HIGH words behind the first word, None if more bytes are needed."""
        size, look = self._layout.size, FIRST_LOOK_BYTES
        while True:
            stretch = data[: min(look, len(data) // size * size)]
            complete = look >= LOOK_BYTES or (final and len(stretch) > len(data) - size)
            marks = self._marks(stretch)
            end = _senseless_from(marks, self._state)
            seen = _seen(marks, end, most, complete or end < len(marks.kind))
            if seen is not None:
                return seen
            if len(stretch) < look:
                return None
            look *= 4


class _Seen(msgspec.Struct, frozen=True):
    """What follows a doubtful word: how many times before the next TIME_HIGH, how far the low bits
    fall from one to the next at most, the low bits of the first and the last (-1 if there is none),
    and TIME_HIGH words, each with the low bits after it.
    """

    timed: int
    most_fall: int
    first_low: int
    last_low: int
    highs: list[tuple[int, int]]


def _senseless_from(marks: Marks, state: Any) -> int:  # noqa: ANN401  # one of several
    """Return the word from which on many mean nothing: those are no witnesses."""
    odd = np.flatnonzero(marks.off if state.lenient else marks.off | (marks.kind == RESERVED))
    close = np.flatnonzero(odd[FEW_ODD:] - odd[:-FEW_ODD] < VOTERS)
    return max(1, int(odd[close[0]]) - VOTERS) if len(close) else len(marks.kind)


def _seen(marks: Marks, end: int, most: int, complete: bool) -> _Seen | None:
    """Return `most` of them or, of a stretch that is `complete` at `end`, all there are; else
    None.
    """
    kind = marks.kind[1:end]
    high = np.flatnonzero(kind == HIGH)
    timed = np.flatnonzero((kind == TIMED) | (kind == VECTOR))
    if not complete and len(high) <= most:  # the last is followed by what says where it stands
        return None
    lows = marks.low[1:]
    ends = np.append(high, len(kind))
    between = np.searchsorted(timed, ends)
    first = int(lows[timed[0]]) if between[0] else -1
    last = int(lows[timed[between[0] - 1]]) if between[0] else -1
    highs: list[tuple[int, int]] = []
    running, before = last, -1
    for index, place in enumerate(high[:most].tolist()):
        value = int(marks.high[1:][place])
        some = between[index + 1] > between[index]
        low = int(lows[timed[between[index]]]) if some else running if value == before else 0
        highs.append((value, max(low, 0)))
        running = int(lows[timed[between[index + 1] - 1]]) if some else max(low, 0)
        before = value
    falls = -np.diff(lows[timed[: between[0]]], prepend=0)
    return _Seen(int(between[0]), int(falls.max(initial=0)), first, last, highs)


DAT_NEAR_US = 1 << 12
"""A step back by more is none that a recording makes."""


class RecordMender:
    """Decides for the records of DAT, each with its time in 32 bits; `state` is the kernel's."""

    size = 8

    def __init__(self, state: Any, sensor: Sensor) -> None:  # noqa: ANN401  # a twin's, or in C
        self._state = state
        self._sensor = sensor
        self._taken = 0

    def settle(self, data: memoryview, *, final: bool) -> Verdict | None:
        """Return what to do."""
        if len(data) < (VOTERS + 1) * self.size and not final:
            return None
        words = min(VOTERS, (len(data) - self.size + 1) // self.size)
        scores = [self._senseless(data[at:], words) for at in range(self.size)]
        shift = aligned(scores, words) if words > 1 else 0
        if shift != 0:
            return _skipped(data, shift, self.size)
        return self._record(data)

    def _record(self, data: memoryview) -> Verdict:
        word = bytes(data[: self.size])
        now, started = int(self._state.last), bool(self._state.started)
        times = np.frombuffer(data[: len(data) // 8 * 8], "<u4")[: 2 * WITNESSES + 2 : 2].tolist()
        value, witnesses = times[0], times[1:]
        flipped = bent(value, 32)

        def before(one: int) -> int:
            return _dat_step(now, one)

        def after(one: int) -> list[int]:
            return [_dat_step(one, witness) for witness in witnesses]

        true: int | None
        if not started:
            true = judged_first(value, flipped, after, -DAT_NEAR_US, dense=False)
        elif not witnesses:
            true = judged_last(value, flipped, before, -DAT_NEAR_US, dense=False)
        else:
            true = judged(value, flipped, before, after, after(now), -DAT_NEAR_US)
        if true is None:
            return Verdict(b"", self.size, "bad_times", bytes=self.size, events=1)
        if true == value:
            self._taken += 1
            self._state.lenient = int(self._taken >= PATIENCE)
            return Verdict(word, self.size)
        return Verdict(true.to_bytes(4, "little") + word[4:], self.size, "mended_times", events=1)

    def _senseless(self, data: memoryview, words: int) -> int:
        records = np.frombuffer(data[: words * self.size], "<u4").astype(np.int64)
        times, word = records[::2], records[1::2]
        steps = np.diff(_from(self._state.last if self._state.started else None, times))
        steps = (steps + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
        wild = (steps < -DAT_NEAR_US) | (steps > LEAP_US)
        if self._state.triggers:
            return int(wild.sum() + ((word >> 4 & (1 << 22) - 1) != 0).sum())
        if self._state.version == 1:
            x, y, odd = word & 0x1FF, word >> 9 & 0xFF, word >> 18 != 0
        else:
            x, y, odd = word & 0x3FFF, word >> 14 & 0x3FFF, word >> 29 != 0
        return int(wild.sum() + (odd | _off(x, y, self._sensor)).sum())


def _skipped(data: memoryview, shift: int | None, size: int) -> Verdict:
    """Skip so many bytes, and the word after them, of which a part may belong to another; or all
    that made no sense.
    """
    skip = min(VOTERS * size if shift is None else shift + size, len(data))
    return Verdict(b"", skip, "skipped_bytes", bytes=skip)


def _from(now: int | None, values: Integers) -> Integers:
    return values if now is None else np.concatenate(([now], values))


def _dat_step(time: int, following: int) -> int:
    step = following - time
    return step + (1 << 32) if step < -(1 << 31) else step


def _off(x: Integers, y: Integers, sensor: Sensor) -> Flags:
    """Return which of these lie off the sensor, if its size is known."""
    width, height = (sensor.width, sensor.height) if sensor.sized else (1 << 16, 1 << 16)
    off: Flags = (x >= width) | (y >= height)
    return off


def marked(words: Integers, kinds: Integers, sensor: Sensor) -> Marks:
    """Return the marks of words of 32 bits as EVT2 has them; `kinds` says what a type is."""
    kind = kinds[words >> 28]
    timed = (kind == TIMED) | (kind == VECTOR)
    off = timed & _off(words >> 11 & 0x7FF, words & 0x7FF, sensor)
    return Marks(kind, words & 0xFFFFFFF, words >> 22 & 63, off)
