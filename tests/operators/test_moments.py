"""What a model is to see, and when; and what stream_infer really does, where its truth is at hand.

Its schedules are looked for in `$AEVENTS_TRUTH`, else in `../shared/truth` beside the repository.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from aevents import Frame, History, Sensor, Span
from aevents.operators.moments import Moment, Moments, Schedule
from tests.truth import STREAM_INFER

RATES = {
    "v10.mp4": Fraction(10),
    "v25.mp4": Fraction(25),
    "v30.mp4": Fraction(30),
    "v2997.mp4": Fraction(30_000, 1001),
    "v60.mp4": Fraction(60),
}


def frame_at(start: int, number: int = 0) -> Frame:
    return Frame(np.array([[number]]), Span(start, start + 1), Sensor(1, 1))


def frames_at(times: Iterable[int]) -> list[Frame]:
    return [frame_at(time, number) for number, time in enumerate(times)]


def moments(times: Iterable[int], **options: Any) -> list[Moment[Frame]]:  # noqa: ANN401
    operator: Moments[Frame] = Moments({"a": Schedule(**options)})
    return [
        item
        for frame in frames_at(times)
        for item in operator.feed(frame)
        if isinstance(item, Moment)
    ]


def seen(times: Iterable[int], **options: Any) -> list[tuple[int, ...]]:  # noqa: ANN401
    """Return the numbers of the frames that are seen."""
    return [moment.numbers for moment in moments(times, **options)]


def test_without_every_us_each_frame_is_a_slot() -> None:
    assert seen([5, 7, 100]) == [(0,), (1,), (2,)]
    assert [one.index for one in moments([5, 7, 100])] == [0, 1, 2]
    assert [one.span.start for one in moments([5, 7, 100])] == [5, 7, 100]


def test_a_slot_is_due_at_the_first_frame_then_or_later() -> None:
    times = [1_000 + 100 * number for number in range(12)]
    assert seen(times, every_us=250) == [(0,), (3,), (5,), (8,), (10,)]
    assert seen(times, every_us=100) == [(number,) for number in range(12)]


def test_no_frame_is_shown_twice() -> None:
    assert seen([0, 100, 200], every_us=10) == [(0,), (1,), (2,)]


def test_after_a_gap_the_grid_is_where_it_was() -> None:
    assert seen([0, 100, 555, 600, 700], every_us=100) == [(0,), (1,), (2,), (3,), (4,)]
    assert seen([0, 555, 590, 600], every_us=100) == [(0,), (1,), (3,)]


def test_the_grid_may_begin_elsewhere() -> None:
    times = range(0, 100, 10)
    assert seen(times, every_us=30, origin_us=20) == [(2,), (5,), (8,)]
    assert seen(range(100, 200, 10), every_us=50, origin_us=-25) == [(0,), (3,), (8,)]


def test_when_time_goes_back_the_grid_begins_anew() -> None:
    operator: Moments[Frame] = Moments({"a": Schedule(every_us=100)})
    times = [0, 50, 100, 30, 60, 130]
    assert [len([*operator.feed(frame)]) for frame in frames_at(times)] == [1, 0, 1, 1, 0, 1]
    assert operator.counts == {"backward_jumps": 1}


def test_a_history_goes_back_in_steps_and_comes_oldest_first() -> None:
    assert seen(range(8), history=History(3, 2)) == [(0, 2, 4), (1, 3, 5), (2, 4, 6), (3, 5, 7)]
    [last] = moments(range(5), history=History(3, 2))
    assert [int(frame.array[0, 0]) for frame in last.frames] == [0, 2, 4]


def test_a_slot_without_enough_frames_is_none_unless_fewer_will_do() -> None:
    assert seen(range(0, 50, 10), history=History(3), every_us=20) == [(0, 1, 2), (2, 3, 4)]
    few = seen(range(4), history=History(3, 2, partial=True))
    assert few == [(0,), (1,), (0, 2), (1, 3)]


def test_several_models_are_asked_in_their_order_and_then_comes_the_frame() -> None:
    operator: Moments[Frame] = Moments(
        {"b": Schedule(), "a": Schedule(every_us=20)}, with_frames=True
    )
    found = [
        [item.model if isinstance(item, Moment) else "frame" for item in operator.feed(frame)]
        for frame in frames_at([0, 10, 20])
    ]
    assert found == [["b", "a", "frame"], ["b", "frame"], ["b", "a", "frame"]]


def test_who_is_late_is_shown_newer_frames() -> None:
    operator: Moments[Frame] = Moments({"a": Schedule(every_us=20)}, refresh=True)
    found = [item for frame in frames_at([0, 10, 20]) for item in operator.feed(frame)]
    assert [(one.index, one.due) for one in found if isinstance(one, Moment)] == [
        (0, True),
        (0, False),
        (1, True),
    ]


def test_only_what_is_needed_is_kept() -> None:
    operator: Moments[Frame] = Moments({"a": Schedule(History(2, 5)), "b": Schedule()})
    for frame in frames_at(range(1_000)):
        list(operator.feed(frame))
    assert len(operator._ring) == 6


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: History(0), "count is at least 1, not 0"),
        (lambda: History(1, -1), "step is at least 1, not -1"),
        (lambda: Schedule(every_us=0), "every_us is at least 1, not 0"),
        (lambda: Schedule(origin_us=5), "origin_us is where the grid"),
    ],
)
def test_impossible_numbers_are_refused(make: Any, told: str) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=told):
        make()


def test_what_has_no_span_is_refused() -> None:
    operator: Moments[object] = Moments({"a": Schedule()})
    with pytest.raises(TypeError, match="a str has no span"):
        list(operator.feed("frame"))


# -- what stream_infer 0.6.7 does --------------------------------------------------------------


def cases(name: str) -> list[Any]:
    """Return the cases of a file of truth; none where there is no truth."""
    path = STREAM_INFER / f"{name}_0.6.7.json"
    found: list[Any] = json.loads(path.read_text())["cases"] if path.exists() else []
    return found


def label(case: Any) -> str:  # noqa: ANN401
    given = case["input"]
    return f"{case['group']}-{given['source']}-{given['play_fps']}-{given['producer']}"


def legacy(case: Any, model: dict[str, Any]) -> list[list[int]]:  # noqa: ANN401
    """Return the frames of each run as stream_infer has it, in terms of ours.

    It counts played frames, from 1 at the beginning of the video, not time: a frame is a
    microsecond here, and slots are the multiples of what it calls an interval. A step of 0 is a
    history that may be partial; and it wants to have seen `count * step` frames.
    """
    given, played = case["input"], case["played_source_frames"]
    count, step = model["frame_count"], model["frame_step"]
    every = max(1, int(model["interval"] * given["play_fps"]))
    first = given["position"] * given["play_fps"] + 1
    runs = seen(
        range(first, first + len(played)),
        history=History(count, max(step, 1), partial=step == 0),
        every_us=every,
        origin_us=-(-first // every) * every,
    )
    return [[played[number] for number in run] for run in runs if run[-1] + 1 >= count * step]


@pytest.mark.parametrize("case", cases("offline"), ids=label)
def test_the_schedules_of_stream_infer_are_a_view_of_ours(case: Any) -> None:  # noqa: ANN401
    given = case["input"]
    for name, runs in case["runs"].items():
        model = next(one for one in given["algos"] if one["name"] == name)
        if model["frame_step"] < 0:  # they log an error at each slot, and go on
            with pytest.raises(ValueError, match="step is at least 1"):
                History(model["frame_count"], model["frame_step"])
            assert runs == []
            continue
        # a ring that is too small never serves a slot there; here it is as large as it has to be
        served = given["buffer"] >= model["frame_count"] * max(model["frame_step"], 1)
        expected = legacy(case, model) if served else []
        assert [run["frames"] for run in runs] == expected


@pytest.mark.parametrize("case", cases("offline"), ids=label)
def test_our_own_grid_is_exact(case: Any) -> None:  # noqa: ANN401
    """By fractions: a slot is due at the first frame at its time or later, the first at the first
    frame.
    """
    given, played = case["input"], case["played_source_frames"]
    if not played:
        return
    exact = [number / RATES[given["source"]] * 1_000_000 for number in played]
    for model in given["algos"]:
        count, step = model["frame_count"], max(model["frame_step"], 1)
        every = round(model["interval"] * 1_000_000)
        first = math.floor(exact[0])
        slots = [first + index * every for index in range(int((exact[-1] - first) // every) + 1)]
        due = sorted({min(n for n, time in enumerate(exact) if time >= slot) for slot in slots})
        expected = [
            tuple(range(number - (count - 1) * step, number + 1, step))
            for number in due
            if number >= (count - 1) * step
        ]
        times = map(math.floor, exact)
        assert seen(times, history=History(count, step), every_us=every) == expected


def test_get_frames_of_stream_infer_is_a_history() -> None:
    """Theirs wants `count * step` frames, more than it takes; a count of 0 is refused here."""
    for case in cases("get_frames_and_misc"):
        for held, count, step, expected in case.get("table", []):
            ring = list(range(held))[-10:]
            if count == 0:
                continue
            found = History(count, max(step, 1), partial=step == 0).of(ring)
            assert list(found if len(ring) >= count * step else ()) == expected


def test_the_same_frame_is_seen_as_often_as_somebody_asks() -> None:
    """What stream_infer calls its cache is none: three runs on a frame are three."""
    for case in cases("get_frames_and_misc"):
        if case["case"].startswith("same frame"):
            operator: Moments[Frame] = Moments(dict.fromkeys("abc", Schedule()))
            assert len([*operator.feed(frame_at(0))]) == case["runs"]
