"""Frames at another rate."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from aevents.operators.resample import Resample
from aevents.sources.frames import from_frames
from aevents.types import Frame
from tests.pictures import Array, frame, spans, truth
from tests.truth import needs_convis

NTSC = Fraction(30_000, 1001)


def fed(resample: Resample, frames: Iterable[Frame]) -> list[Frame]:
    given = [one for item in frames for one in resample.feed(item)]
    return given + list(resample.flush())


def shown(rate_hz: float | Fraction, *times: tuple[int, int]) -> list[int]:
    """Return which of the frames, at these times, is shown in each slot."""
    frames = [frame(np.full((1, 1), number), *span) for number, span in enumerate(times)]
    return [int(one.array[0, 0]) for one in fed(Resample(rate_hz), frames)]


def at(rate: Fraction, count: int, first: int = 0) -> list[tuple[int, int]]:
    starts = [int(number * 1_000_000 / rate) for number in range(first, first + count + 1)]
    return list(pairwise(starts))


@pytest.mark.parametrize(
    ("source", "rate", "expected"),
    [
        (Fraction(30), 30, [0, 1, 2, 3, 4, 5]),
        (Fraction(30), 60, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        (Fraction(30), 10, [0, 3]),
        (Fraction(25), 30, [0, 0, 1, 2, 3, 4, 5, 5]),
        (NTSC, NTSC, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_slot_has_the_frame_that_is_shown_when_it_begins(
    source: Fraction, rate: float | Fraction, expected: list[int]
) -> None:
    found = shown(rate, *at(source, 6))
    assert found[: len(expected)] == expected[: len(found)]
    assert abs(len(found) - len(expected)) <= (source == 25)


def test_times_in_whole_milliseconds_lose_no_frame() -> None:
    starts = [round(number * 1000 / 30) * 1000 for number in range(301)]
    found = shown(30, *pairwise(starts))
    assert found == list(range(300))


def test_ntsc_keeps_time_for_an_hour() -> None:
    starts = [start for start, _ in at(NTSC, 107_893)]  # 29.97 * 3600
    assert starts[-1] == 3_599_996_400
    film = (frame(np.zeros((1, 1)), *span) for span in pairwise(starts))
    found = fed(Resample(30), film)
    assert len(found) == 108_000
    assert found[-1].span == (3_599_966_666, 3_600_000_000)


def test_slots_are_those_of_the_clock_wherever_it_begins() -> None:
    frames = [
        frame(np.zeros((1, 1)), *span) for span in ((1_010_000, 1_100_000), (1_100_000, 1_250_000))
    ]
    assert spans(fed(Resample(10), frames)) == [(1_100_000, 1_200_000), (1_200_000, 1_300_000)]


def test_a_gap_is_not_filled_and_no_slot_comes_twice() -> None:
    assert shown(10, (0, 200_000), (700_000, 800_000), (720_000, 900_000)) == [0, 0, 1, 2]


def test_values_between_two_frames_are_mixed() -> None:
    frames = [
        frame(np.array([[value]], np.uint8), *span)
        for value, span in ((10, (0, 100_000)), (30, (100_000, 200_000)))
    ]
    found = fed(Resample(40, interpolate=True), frames)
    assert [float(one.array[0, 0]) for one in found] == [10, 15, 20, 25, 30, 35, 40, 45]
    assert {one.array.dtype for one in found} == {np.dtype(np.float32)}
    assert not found[0].array.flags.writeable


def test_before_a_gap_values_go_on_as_before_and_behind_it_begin_anew() -> None:
    values = ((0, (0, 10)), (10, (10, 20)), (5, (50, 60)))
    frames = [
        frame(np.array([[float(value)]]), start * 1000, stop * 1000)
        for value, (start, stop) in values
    ]
    found = fed(Resample(200, interpolate=True), frames)
    assert [(one.span.start // 1000, float(one.array[0, 0])) for one in found] == [
        (0, 0), (5, 5), (10, 10), (15, 15), (50, 5), (55, 5),
    ]  # fmt: skip
    assert found[0].array.dtype == np.float64


def test_one_frame_alone_stays_as_it_is() -> None:
    found = fed(Resample(20, interpolate=True), [frame(np.ones((1, 1)), 0, 100_000)])
    assert [float(one.array[0, 0]) for one in found] == [1, 1]
    assert fed(Resample(20, interpolate=True), []) == []


def test_frames_of_two_shapes_cannot_be_mixed() -> None:
    resample = Resample(20, interpolate=True)
    with pytest.raises(ValueError, match=r"frames of \(1, 1\) and \(1, 2\) cannot be mixed"):
        fed(resample, [frame(np.ones((1, 1)), 0, 10), frame(np.ones((1, 2)), 10, 20)])


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Resample(0)


@needs_convis
def test_it_resamples_as_convis_does_where_that_looked_at_both_neighbours() -> None:
    kept = truth("timed_resample")
    stream = from_frames(kept["x"], rate_hz=10).through(lambda: Resample(40, interpolate=True))
    found = [*stream.blocking()]
    assert len(found) == 40
    compared = 0
    for number, stop in enumerate((0.3, 0.5, 0.61, 1.2)):
        last = min(round((stop + 0.05) / 0.1), 10) - 1  # frame in its window, of twice its step
        times = np.rint(kept[f"ts{number}"] * 1e6).astype(int)
        for time, expected in zip(times, kept[f"get{number}"], strict=True):
            if time <= last * 100_000 or (last == 9 and time < 1_000_000):
                one = found[time // 25_000]
                assert one.span.start == time
                np.testing.assert_allclose(one.array, expected, rtol=1e-12)
                compared += 1
    assert compared == 9 + 12 + 11 + 12  # of 55: behind 1 s there is nothing, else it guesses


@needs_convis
def test_it_resamples_to_a_lower_rate_as_convis_does() -> None:
    kept = truth("timed_resample")
    stream = from_frames(kept["x"], rate_hz=100).through(lambda: Resample(25, interpolate=True))
    found: dict[int, Array] = {one.span.start: one.array for one in stream.blocking()}
    for time, expected in zip(kept["down_ts"], kept["down"], strict=True):
        np.testing.assert_allclose(found[round(float(time) * 1e6)], expected, rtol=1e-12)
