"""The rate in one line: as high as it is, and no wider than a terminal."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from aevents.cli.sparkline import COLUMNS, drawable, sparkline
from aevents.operators.curve import Curve
from aevents.types import Span


class Terminal(io.TextIOWrapper):
    """Standard output that says whether it is a terminal."""

    def __init__(self, encoding: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_each_column_is_as_high_as_its_rate() -> None:
    off, on = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8]
    curve = Curve(np.array([off, on]), 0, 8, Span(0, 88))
    assert sparkline(curve) == " ▁▂▃▄▅▆▇█▄█  peak 1.0 Mev/s"


def test_few_events_beside_many_are_not_none() -> None:
    curve = Curve(np.array([[1, 0, 10_000], [0, 0, 0]]), 0, 1_000_000, Span(0, 3_000_000))
    assert sparkline(curve) == "▁ █  peak 0.010 Mev/s"


def test_a_long_recording_has_no_more_columns() -> None:
    counts = np.ones((2, 1000), np.int64)
    line = sparkline(Curve(counts, 0, 8, Span(0, 8_000)))
    assert COLUMNS // 2 < len(line.split("  ")[0]) <= COLUMNS


@pytest.mark.parametrize(
    ("encoding", "terminal", "can"),
    [("utf-8", True, True), ("utf-8", False, False), ("ascii", True, False)],
)
def test_it_is_for_terminals_that_know_the_characters(
    encoding: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, can: bool
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal(encoding, terminal=terminal))
    assert drawable() is can
