"""Windows: where they are cut, what they hold, what their spans say."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.window import SlidingWindow, Window
from aevents.testing import check_operator, example_events
from aevents.types import EventBatch, Sensor, Span

SENSOR = Sensor(4, 4)


def at(*times: int, span: Span | None = None) -> EventBatch:
    """Events at these times (µs), all at the same pixel."""
    zeros = np.zeros(len(times), np.uint16)
    return EventBatch.from_columns(t=times, x=zeros, y=zeros, p=zeros, sensor=SENSOR, span=span)


def windows(operator: Window | SlidingWindow, *batches: EventBatch) -> list[tuple[Span, list[int]]]:
    found = [window for batch in batches for window in operator.feed(batch)]
    found += operator.flush()
    assert all(window.window and window.sensor == SENSOR for window in found)
    return [(window.span, window.t.tolist()) for window in found]


CASES = {
    "by time, from the first event on": (
        {"duration_us": 10},
        (3, 5, 12, 13, 30),
        [((3, 13), [3, 5, 12]), ((13, 23), [13]), ((23, 33), [30])],
    ),
    "by time, empty windows included": (
        {"duration_us": 10},
        (0, 35),
        [((0, 10), [0]), ((10, 20), []), ((20, 30), []), ((30, 40), [35])],
    ),
    "by time, on a grid through an origin": (
        {"duration_us": 10, "origin_us": 0},
        (13, 19, 20),
        [((10, 20), [13, 19]), ((20, 30), [20])],
    ),
    "by time, without the incomplete last": (
        {"duration_us": 10, "partial": False},
        (0, 5, 10, 12),
        [((0, 10), [0, 5])],
    ),
    "by time, not across a long silence": (
        {"duration_us": 10, "max_gap_us": 50},
        (0, 61, 62, 75),
        [((0, 10), [0]), ((61, 71), [61, 62]), ((71, 81), [75])],
    ),
    "by time, a late event counts at the running time": (
        {"duration_us": 10},
        (0, 12, 8, 21),
        [((0, 10), [0]), ((10, 20), [12, 8]), ((20, 30), [21])],
    ),
    "by count": (
        {"count": 2},
        (1, 4, 4, 9, 11),
        [((1, 5), [1, 4]), ((4, 10), [4, 9]), ((11, 12), [11])],
    ),
    "by count, without the incomplete last": (
        {"count": 2, "partial": False},
        (1, 4, 4),
        [((1, 5), [1, 4])],
    ),
    "by both, whichever comes first": (
        {"duration_us": 10, "count": 2},
        (0, 1, 2, 15, 16),
        [((0, 2), [0, 1]), ((2, 12), [2]), ((12, 17), [15, 16])],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_windows_are_cut(case: str) -> None:
    options, times, expected = CASES[case]
    found = windows(Window(**options), at(*times))  # type: ignore[arg-type]  # a table of options
    assert found == [(Span(*span), inside) for span, inside in expected]


SLIDING = {
    "that overlap": (
        {"duration_us": 10, "hop_us": 5},
        (0, 4, 7, 12, 15),
        [
            ((0, 10), [0, 4, 7]),
            ((5, 15), [7, 12]),
            ((10, 20), [12, 15]),
            ((15, 25), [15]),
        ],
    ),
    "with gaps between them": (
        {"duration_us": 5, "hop_us": 10},
        (0, 4, 7, 12, 15, 21),
        [((0, 5), [0, 4]), ((10, 15), [12]), ((20, 25), [21])],
    ),
    "without incomplete ones": (
        {"duration_us": 10, "hop_us": 5, "partial": False},
        (0, 4, 7, 12, 15),
        [((0, 10), [0, 4, 7]), ((5, 15), [7, 12])],
    ),
    "on a grid through an origin": (
        {"duration_us": 10, "hop_us": 10, "origin_us": 5},
        (13, 19, 20),
        [((5, 15), [13]), ((15, 25), [19, 20])],
    ),
    "not across a long silence": (
        {"duration_us": 10, "hop_us": 10, "max_gap_us": 50},
        (0, 90, 95),
        [((0, 10), [0]), ((90, 100), [90, 95])],
    ),
}


@pytest.mark.parametrize("case", SLIDING)
def test_sliding_windows_are_cut(case: str) -> None:
    options, times, expected = SLIDING[case]
    found = windows(SlidingWindow(**options), at(*times))  # type: ignore[arg-type]  # likewise
    assert found == [(Span(*span), inside) for span, inside in expected]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Window(duration_us=4_000),
        lambda: Window(count=37),
        lambda: Window(duration_us=4_000, count=37),
        lambda: Window(duration_us=900, partial=False, origin_us=-77),
        lambda: Window(duration_us=50, max_gap_us=3_000),
        lambda: SlidingWindow(duration_us=9_000, hop_us=2_500),
        lambda: SlidingWindow(duration_us=1_000, hop_us=2_500),
    ],
)
def test_however_the_input_is_cut_the_windows_are_the_same(make: type[Window]) -> None:
    disorder = example_events(400)
    times = disorder.t.copy()
    times[50:60] -= 6_000  # late events do not change that
    late = EventBatch.from_columns(
        t=times, x=disorder.x, y=disorder.y, p=disorder.p, sensor=disorder.sensor
    )
    assert len(check_operator(make, batch=late)) > 3


def test_a_promise_of_time_closes_windows_without_events() -> None:
    window = Window(duration_us=10)
    assert list(window.feed(at(0, 3, span=Span(0, 3)))) == []
    closed = list(window.feed(at(span=Span(3, 25))))
    assert [(one.span, len(one)) for one in closed] == [((0, 10), 2), ((10, 20), 0)]


def test_late_events_and_gaps_are_counted() -> None:
    window = Window(duration_us=10, max_gap_us=100)
    windows(window, at(0, 12, 8, 7, 500))
    assert window.counts == {"late_events": 2, "gaps": 1}


def test_an_empty_stream_has_no_windows() -> None:
    assert windows(Window(duration_us=10)) == []
    assert windows(SlidingWindow(duration_us=10, hop_us=5)) == []
    assert windows(Window(count=10), at()) == []


@pytest.mark.parametrize(
    "options", [{}, {"duration_us": 0}, {"count": -1}, {"duration_us": -5, "count": 3}]
)
def test_impossible_windows_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [(0, 5), (5, 0), (-1, 5)])
def test_impossible_sliding_windows_are_refused(options: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="greater than zero"):
        SlidingWindow(duration_us=options[0], hop_us=options[1])
