"""Arrays in a row as frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from aevents._sequence import Timing, sequence_stream
from aevents.testing import check_source
from aevents.types import Span, Times
from tests.pictures import Array, spans


class Kept:
    """Three pictures; says when it was closed, and which were asked for."""

    def __init__(self, times: Times | None = None, count: int = 3) -> None:
        self.spans = times
        self.asked: list[int] = []
        self.closed = 0
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int, /) -> Array:
        self.asked.append(number)
        return np.full((2, 3), number, np.uint8)

    def close(self) -> None:
        self.closed += 1


async def test_it_obeys_the_laws_of_sources() -> None:
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    stream = sequence_stream("kept", make, Timing.of(10, 2))
    found = await check_source(stream.origin)
    assert len(found) == 6
    assert all(rows.closed == 1 for rows in made if rows.asked)


def test_frames_come_at_a_rate_from_a_time_on() -> None:
    stream = sequence_stream("kept", Kept, Timing.of(Fraction(30_000, 1001), 1, 1_000))
    frames = [*stream.blocking()]
    assert spans(frames) == [(1_000, 34_366), (34_366, 67_733), (67_733, 101_100)]
    assert {one.mode for one in frames} == {"intensity"}


def test_a_slice_reads_nothing_from_before() -> None:
    rows = Kept()
    stream = sequence_stream("kept", lambda: rows, Timing.of(10, 4)).time_slice(450_000, 700_000)
    assert spans(stream.blocking()) == [(500_000, 600_000), (600_000, 700_000)]
    assert rows.asked == [1, 2, 0, 1]  # that shown at the beginning, and that at the end


def test_for_ever_has_no_end() -> None:
    stream = sequence_stream("kept", Kept, Timing.of(10, True))
    with pytest.raises(ValueError, match=r"put \.take\(n\) before"):
        stream._refuse_endless("stack")
    found = [int(one.array[0, 0]) for one in stream.take(7).blocking()]
    assert found == [0, 1, 2, 0, 1, 2, 0]


def test_times_of_their_own_go_on_in_later_rounds() -> None:
    times = np.array([(10, 20), (20, 50), (60, 70)])
    stream = sequence_stream("kept", lambda: Kept(times), Timing.of(10, 2))
    assert spans(stream.blocking()) == [
        (10, 20), (20, 50), (60, 70), (70, 80), (80, 110), (120, 130),
    ]  # fmt: skip
    assert [one.span for one in stream.time_slice(75).blocking()] == [
        Span(80, 110),
        Span(120, 130),
    ]


def test_a_slice_of_times_of_their_own_reads_nothing_from_before() -> None:
    rows = Kept(np.array([(10, 20), (20, 50), (60, 70)]))
    stream = sequence_stream("kept", lambda: rows, Timing.of(10, 1)).time_slice(20)
    assert spans(stream.blocking()) == [(20, 50), (60, 70)]
    assert rows.asked == [1, 2]


@pytest.mark.parametrize("times", [None, np.empty((0, 2), np.int64)])
def test_no_pictures_are_no_frames(times: Times | None) -> None:
    stream = sequence_stream("kept", lambda: Kept(times, 0), Timing.of(10, True))
    assert [*stream.blocking()] == []


@pytest.mark.parametrize("repeat", [0, -1, False])
def test_repeat_is_once_or_more(repeat: int) -> None:
    with pytest.raises(ValueError, match="how often it is shown, or True for ever, not"):
        Timing.of(10, repeat)
