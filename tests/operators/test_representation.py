"""What is taken in piece by piece, and what needs a whole window."""

from __future__ import annotations

import pytest

from aevents.operators.base import Chain
from aevents.operators.representation import Piecewise, Whole, Windowed, cells_of
from aevents.operators.window import Window
from aevents.testing import check_operator
from aevents.types import EventBatch, Sensor, Span


class Count(Piecewise[tuple[int, Span]]):
    def __init__(self) -> None:
        self.counts = {"seen": 0}
        self._count = 0

    def add(self, batch: EventBatch, /) -> None:
        self._count += len(batch)
        self.counts["seen"] += len(batch)

    def read(self, span: Span) -> tuple[int, Span]:
        count, self._count = self._count, 0
        return count, span


class Length(Whole[tuple[int, Span]]):
    counts: dict[str, int] = {}  # noqa: RUF012 - nothing is counted

    def of(self, window: EventBatch, /) -> tuple[int, Span]:
        return len(window), window.span


EVENTS = EventBatch.from_columns(
    t=[0, 9, 1, 12], x=[0, 0, 0, 0], y=[0, 0, 0, 0], p=[1, 1, 1, 0], sensor=Sensor(2, 2)
)
EXPECTED = [(1, Span(0, 5)), (2, Span(5, 10)), (1, Span(10, 15))]


@pytest.mark.parametrize("kind", [Count, Length])
def test_each_window_gives_one_and_a_stream_without_windows_one_at_the_end(
    kind: type[Count | Length],
) -> None:
    chain: Chain[EventBatch, object] = Chain([Window(duration_us=5), kind()])
    assert [*chain.feed(EVENTS), *chain.flush()] == EXPECTED
    alone = kind()
    assert alone.feed(EVENTS[:2]) == alone.feed(EVENTS[2:]) == ()
    assert alone.flush()[0][0] == 4
    assert kind().flush() == ()


def test_a_whole_window_gives_one_at_once() -> None:
    window = EVENTS.as_window(Span(0, 20))
    assert Count().feed(window) == Length().feed(window) == ((4, Span(0, 20)),)


def test_windows_are_taken_piece_by_piece_where_they_can_be() -> None:
    both = Count().fuse(Window(duration_us=5))
    assert isinstance(both, Windowed)
    assert [*both.feed(EVENTS), *both.flush()] == EXPECTED
    assert both.counts == {"late_events": 1, "gaps": 0, "seen": 4}
    assert Count().fuse(object()) is None


@pytest.mark.parametrize("kind", [Count, Length])
def test_however_the_input_is_cut_the_results_are_the_same(kind: type[Count | Length]) -> None:
    check_operator(kind)
    assert len(check_operator(lambda: Chain([Window(duration_us=20_000), kind()]))) > 3


def test_a_table_has_a_cell_for_what_is_off_the_sensor() -> None:
    assert cells_of(Sensor(3, 2), 2) == 13
    with pytest.raises(ValueError, match="sensor size is not known"):
        cells_of(Sensor(), 1)
    with pytest.raises(ValueError, match="too large"):
        cells_of(Sensor(65_536, 65_536), 1)
