"""Find a time in a long file without reading what comes before: by bisection, or by an index.

Recordings may go back in time a little. What is found here begins early enough for steps back of at
most `MARGIN_US`; an index that was made by reading the whole file begins early enough for any.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple, Protocol

import msgspec

from aevents.codecs.base import Jump, ReadAt

FOREVER = (1 << 63) - 1
MARGIN_US = 10_000
"""How far a recording may go back in time: cameras' rows and buffers make some ms of it."""
SAMPLES = 64
"""Places that are looked at before bisecting, where the clock rolls over."""
MOST_STEP = 16
"""Between two samples the clock may go by a 16th of its range: else there are more samples."""
MOST_SPLITS = 4096
"""So often at most, before a clock that leaps about is given up."""
MOST_TIMELESS = 1024
"""So many records without a time are passed over in search of one."""
NEAR_BYTES = 1 << 17
"""Bisection ends so near to the goal: decoding as much takes less than 1 ms."""


class Tick(NamedTuple):
    """A place in a file (a byte, a row, a packet), and the time on the file's clock there."""

    place: int
    time: int


Probe = Callable[[int], Tick | None]
"""Finds the first tick at a place or after it."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A place of an index: no event before byte `offset` is later than `latest`; `state` is the
    decoder's there.
    """

    latest: int
    offset: int
    state: tuple[int, ...] = ()

    def jump(self, t0: int) -> Jump:
        """Return the jump to this place, in a file whose clock begins at `t0`."""
        return Jump(self.offset, self.latest + t0, self.state)


class IndexNeededError(Exception):
    """The time can only be found by reading what comes before it."""


class Index(msgspec.Struct, frozen=True, array_like=True):
    """Marks in the order of the file, in the time of the file itself; for starts up to `reach` they
    are as dense as they ever get.
    """

    marks: tuple[Mark, ...] = ()
    reach: int = FOREVER

    def before(self, start: int) -> Mark | None:
        """Return the last mark behind which all events from `start` on come; None: the beginning
        of the file.
        """
        at = bisect_left(self.marks, start, key=attrgetter("latest"))
        return self.marks[at - 1] if at else None


class Seeker(Protocol):
    """A decoder of a format that can be read from the middle."""

    def locate(self, read: ReadAt, size: int, start: int, /) -> Jump | None:
        """Return the jump behind which all events from `start` µs on come, for a decoder fed the
        first bytes of a file of `size` bytes; None: there is none, or not there yet.

        Raises `IndexNeededError` where this takes an index.
        """

    def resume(self, jump: Jump, /) -> None:
        """Forget what has been made of the first bytes; go on with those from `jump.offset` on."""


class Indexer(Protocol):
    """A decoder of a format that may need an index; the file's clock begins at `t0`."""

    t0: int

    def index(self, read: ReadAt, size: int, until: int, begun: Index | None, /) -> Index:
        """Return an index of the file up to the time `until` of its clock, made by reading what is
        not in the one that is `begun`.
        """


class Indexes(Protocol):
    """Where the indexes of one file are kept, by format; `wanted` asks for whole ones."""

    wanted: bool

    def get(self, format: str) -> Index | None:
        """Return the index of the file as it is now, if there is one."""

    def put(self, format: str, index: Index) -> Index:
        """Keep an index; return it."""


class Search:
    """Looks for the last tick before a time, on a clock that rolls over after `wraps` (0: never).

    A fall of more than half the range is a roll-over. With `rises`, a rise of as much is a step
    back before one. Between two of the `samples` no whole round of the clock is looked for.
    """

    def __init__(
        self,
        probe: Probe,
        *,
        near: int = NEAR_BYTES,
        wraps: int = 0,
        rises: bool = False,
        samples: int = SAMPLES,
    ) -> None:
        self._probe = probe
        self._samples = samples if wraps else 1
        self._splits = MOST_SPLITS
        self._near = near
        self._wraps = wraps
        self._rises = rises

    def find(self, first: int, last: int, goal: int) -> Tick | None:
        """Return a tick between these places whose time, unwrapped, is before `goal`, and near to
        it; None if that is the first, or if the clock makes no sense.
        """
        start = low = self._probe(first)
        if low is None or low.time >= goal:
            return None
        self._splits = MOST_SPLITS
        for number in range(1, self._samples):
            high = self._probe(first + (last - first) * number // self._samples)
            if high is None or high.place <= low.place:
                continue
            low, right = self._follow(low, high, goal)
            if right is not None:
                last = right
                break
        if self._splits < 0:
            return None
        low = self._close_in(low, last, goal)
        return None if low == start else low

    def _follow(self, low: Tick, high: Tick, goal: int) -> tuple[Tick, int | None]:
        """Go on from `low` to `high`; return the last tick before the goal, and the place of the
        next that is not, if that has been reached.
        """
        ahead = [high]
        while ahead and self._splits >= 0:
            step = self._step(low, ahead[-1])
            if self._wraps and step > self._wraps // MOST_STEP:
                middle = self._split(low, ahead[-1])
                if middle is not None:
                    self._splits -= 1
                    ahead.append(middle)
                    continue
                step = self._next_step(low, ahead[-1])
            if low.time + step >= goal:
                return low, ahead[-1].place
            low = Tick(ahead.pop().place, low.time + step)
        return low, None

    def _close_in(self, low: Tick, right: int, goal: int) -> Tick:
        """Bisect between a tick before the goal and a place behind it."""
        while right - low.place > self._near:
            middle = (low.place + right) // 2
            tick = self._probe(middle)
            if tick is None or tick.place >= right:
                right = middle
                continue
            time = low.time + self._step(low, tick)
            if time < goal:
                low = Tick(tick.place, time)
            else:
                right = middle
        return low

    def _split(self, low: Tick, high: Tick) -> Tick | None:
        """Return a tick between two; None if they follow on each other."""
        right = high.place
        while right > low.place:
            middle = (low.place + right) // 2
            tick = self._probe(middle)
            if tick is not None and low.place < tick.place < high.place:
                return tick
            right = middle
        return None

    def _step(self, low: Tick, high: Tick) -> int:
        """Return the time between two ticks, if it is less than the range."""
        step = high.time - low.time
        return unwrapped(step, self._wraps) if self._wraps else step

    def _next_step(self, low: Tick, high: Tick) -> int:
        """Return the time between two ticks without another between them."""
        step = high.time - low.time % self._wraps
        if step < -self._wraps // 2:
            return step + self._wraps
        return step - self._wraps if self._rises and step > self._wraps // 2 else step


def unwrapped(step: int, wraps: int) -> int:
    """Return a step between two times of a clock that rolls over after `wraps`: forward, or back by
    `MARGIN_US` at most.
    """
    return (step + MARGIN_US) % wraps - MARGIN_US


def record_probe(read: ReadAt, body: int, width: int, time: Callable[[bytes], int | None]) -> Probe:
    """Return the probe of a file whose records, from byte `body` on, are all `width` bytes long and
    tell their `time`, if they have one.
    """

    def probe(place: int) -> Tick | None:
        first = body - (body - place) // width * width
        for at in range(first, first + MOST_TIMELESS * width, width):
            record = read(at, width)
            if len(record) < width:
                return None
            found = time(record)
            if found is not None:
                return Tick(at, found)
        return None

    return probe


def jump_to(tick: Tick | None, *state: int, t0: int = 0) -> Jump | None:
    """Return the jump to a tick, if there is one; the file's clock begins at `t0`."""
    return tick and Jump(tick.place, tick.time + t0, state)
