"""Arrays in a row as a stream of frames: once, again and again, at a rate or at given times."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction
from functools import partial
from math import inf
from typing import Protocol

import msgspec
import numpy as np
from msgspec.structs import replace

from aevents._contracts import Origin
from aevents.operators.view import Array, frame_of, rate_of, slot
from aevents.stream import Stream, stream_of
from aevents.types import Frame, Span, Times

SECOND_US = 1_000_000


class Rows(Protocol):
    """Arrays by number. `spans`, of shape (n, 2), are their times in µs, where those are known."""

    @property
    def spans(self) -> Times | None: ...

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Array: ...

    def close(self) -> None:
        """Release everything."""


class Timing(msgspec.Struct, frozen=True):
    """`rate` frames a second from `start_us` on, `rounds` times."""

    rate: Fraction
    rounds: float = 1
    start_us: int = 0

    @classmethod
    def of(cls, rate_hz: float | Fraction, repeat: int | bool, start_us: int = 0) -> Timing:
        """Return the timing. Raises `ValueError` for a rate that is not above 0 and for `repeat`
        below 1.
        """
        if repeat < 1:
            raise ValueError(f"repeat is how often it is shown, or True for ever, not {repeat!r}")
        return cls(rate_of(rate_hz), inf if repeat is True else repeat, start_us)

    def span(self, number: int) -> Span:
        """Return the span of the frame of this number."""
        start, stop = slot(number, self.rate)
        return Span(start + self.start_us, stop + self.start_us)

    def at(self, time: int) -> int:
        """Return the number of the frame that is shown at this time, or of the first."""
        return max(0, int((time - self.start_us) * self.rate / SECOND_US))


def sequence_stream(
    name: str, open_rows: Callable[[], Rows], timing: Timing, *, mode: str = "intensity"
) -> Stream[Frame]:
    """Return the frames of these arrays, which are opened when the stream is read, in a worker."""
    stream = stream_of(_origin(name, open_rows, timing, mode))
    return replace(stream, endless=timing.rounds == inf)


def _origin(name: str, open_rows: Callable[[], Rows], timing: Timing, mode: str) -> Origin[Frame]:
    def within(start: int | None) -> Origin[Frame]:
        return Origin(name, blocking=partial(_frames, open_rows, timing, mode, start))

    return replace(within(None), within=within)


def _frames(
    open_rows: Callable[[], Rows], timing: Timing, mode: str, start: int | None
) -> Generator[Frame, None, None]:
    with closing(open_rows()) as rows:
        count, spans = len(rows), rows.spans
        if spans is not None:
            yield from _given(rows, spans, timing.rounds, mode, start)
            return
        number = 0 if start is None else timing.at(start)
        while number < count * timing.rounds:
            yield frame_of(rows[number % count], timing.span(number), mode)
            number += 1


def _given(
    rows: Rows, spans: Times, rounds: float, mode: str, start: int | None
) -> Generator[Frame, None, None]:
    """Yield frames with times of their own; in later rounds, times go on where they ended."""
    count = len(rows)
    length = int(spans[-1, 1] - spans[0, 0]) if count else 0
    number = 0
    if start is not None and rounds == 1:
        number = int(np.searchsorted(spans[:, 1], start, side="right"))
    while number < count * rounds:
        shift = number // count * length
        first, stop = spans[number % count].tolist()
        yield frame_of(rows[number % count], Span(first + shift, stop + shift), mode)
        number += 1
