"""Less of a stream."""

from __future__ import annotations

import pytest

from aevents import EventBatch, Sampled, Span


def windows(count: int) -> list[EventBatch]:
    return [EventBatch.empty(None, Span(10 * i, 10 * i + 10)) for i in range(count)]


def starts(sampled: Sampled[EventBatch], count: int) -> list[int]:
    got = [batch for one in windows(count) for batch in sampled.feed(one)]
    assert sampled.flush() == ()
    return [batch.span.start for batch in got]


def test_items_in_the_gap_are_left_out() -> None:
    assert starts(Sampled(gap_us=0), 4) == [0, 10, 20, 30]
    assert starts(Sampled(gap_us=10), 6) == [0, 20, 40]
    assert starts(Sampled(gap_us=15), 6) == [0, 30]


def test_a_function_says_each_gap() -> None:
    gaps = iter([10, -3, 0, 25, 0])
    assert starts(Sampled(gap_us=lambda: next(gaps)), 9) == [0, 20, 30, 40, 80]


def test_a_share_of_the_items_is_left() -> None:
    for coverage, expected in ((0.5, 50), (0.3, 30), (0.9, 90), (1, 100), (0.01, 1)):
        sampled = Sampled[int](coverage=coverage)
        assert sum(len(sampled.feed(item)) for item in range(100)) == expected


def test_items_without_a_span_have_no_gap_behind_them() -> None:
    with pytest.raises(TypeError, match="a int has no span"):
        Sampled[int](gap_us=5).feed(5)


def test_it_becomes_one_only_with_what_can_be_sampled() -> None:
    assert Sampled[int](coverage=0.5).fuse(object()) is None


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="takes gap_us or coverage"):
        Sampled()
    with pytest.raises(ValueError, match="takes gap_us or coverage"):
        Sampled(gap_us=5, coverage=0.5)
    with pytest.raises(ValueError, match="gap_us is at least 0, not -1"):
        Sampled(gap_us=-1)
    for coverage in (0, 1.5):
        with pytest.raises(ValueError, match="coverage is above 0 and at most 1"):
            Sampled(coverage=coverage)
