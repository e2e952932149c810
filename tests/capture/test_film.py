"""Shots become frames with the times for which they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from aevents._capture.film import Capture, Film
from aevents._contracts import Origin
from aevents._driver import BlockingRun
from aevents.errors import DecodeError
from aevents.operators.resample import Resample
from aevents.operators.view import View
from aevents.stream import stream_of
from aevents.types import Frame
from tests.pictures import Scripted, spans

Script = Sequence[int | Exception | None]


def film(
    *scripts: Script, start: int = 0, resample: Resample | None = None
) -> tuple[list[Scripted], BlockingRun[Frame]]:
    """Return what is opened one after the other, and the film that does so."""
    captures = [Scripted(script) for script in scripts]
    waiting = iter(captures)
    made = Film(lambda: cast("Capture", next(waiting)), View(), start, resample)
    return captures, stream_of(Origin("film", blocking=lambda: made)).blocking()


def numbers(frames: Sequence[Frame]) -> list[int]:
    return [int(one.array[0, 0]) for one in frames]


def test_a_frame_is_shown_until_the_next_one() -> None:
    (capture,), run = film((0, 100_000, 250_000))
    frames = [*run]
    assert spans(frames) == [(0, 100_000), (100_000, 250_000), (250_000, 350_000)]
    assert numbers(frames) == [0, 1, 2]
    assert capture.closed == 1


def test_the_first_frame_is_the_one_that_is_shown_at_the_start() -> None:
    (capture,), run = film((0, 100_000, 200_000, 300_000), start=150_000)
    assert numbers([*run]) == [1, 2, 3]
    assert capture.sought == [150_000]


def test_a_start_behind_the_end_gives_the_last_frame() -> None:
    _, run = film((0, 100_000), start=900_000)
    assert numbers([*run]) == [1]


def test_sought_too_far_it_begins_again() -> None:
    captures, run = film((200_000, 300_000), (0, 100_000, 200_000), start=150_000)
    assert numbers([*run]) == [1, 2]
    assert [one.closed for one in captures] == [1, 1]
    assert captures[1].sought == [0]


def test_a_time_that_does_not_go_on_is_counted() -> None:
    _, run = film((0, 100_000, 100_000, 50_000, None, 500_000))
    assert spans([*run]) == [
        (0, 100_000),
        (100_000, 200_000),
        (200_000, 300_000),
        (300_000, 400_000),
        (400_000, 500_000),
        (500_000, 600_000),
    ]
    assert run.report.anomalies == {"backward_jumps": 2, "bad_packets": 1}


def test_without_a_clock_the_rate_tells_the_times() -> None:
    _, run = film((None, None, None))
    assert spans([*run]) == [(0, 100_000), (100_000, 200_000), (200_000, 300_000)]


def test_an_empty_film_has_no_frames() -> None:
    (capture,), run = film(())
    assert [*run] == []
    assert capture.closed == 1


def test_it_can_be_resampled() -> None:
    (capture,), run = film((0, 100_000), resample=Resample(20))
    assert numbers([*run]) == [0, 0, 1, 1]
    assert capture.closed == 1


@pytest.mark.parametrize("resample", [None, Resample(10)])
def test_leaving_it_closes_the_file(resample: Resample | None) -> None:
    (capture,), run = film((0, 100_000, 200_000), resample=resample)
    next(run)
    run.close()
    assert capture.closed == 1
    assert [*run] == []


def test_frames_before_an_error_are_given() -> None:
    (capture,), run = film((0, 100_000, 200_000, DecodeError("video", "torn")))
    assert numbers([next(run), next(run)]) == [0, 1]
    with pytest.raises(DecodeError, match="torn"):
        next(run)
    assert capture.closed == 1
