"""What words say about time, and what follows a word."""

from __future__ import annotations

import numpy as np

from aevents import Sensor
from aevents.codecs.marks import (
    HIGH,
    PLAIN,
    RESERVED,
    TIMED,
    Marks,
    marked,
    off_sensor,
    seen_behind,
)

KINDS = np.full(16, PLAIN, np.int64)
KINDS[:2] = TIMED
KINDS[8] = HIGH
KINDS[9] = RESERVED


def words(*pairs: tuple[int, int]) -> Marks:
    """Return the marks of words of these types and values; an event's value is its low time."""
    raw = [type << 28 | (value << 22 if type < 2 else value) for type, value in pairs]
    return marked(np.array(raw, np.int64), KINDS, Sensor(640, 480))


def test_words_are_marked_by_their_type() -> None:
    marks = words((8, 5), (1, 63), (9, 0), (0xE, 0))
    assert marks.kind.tolist() == [HIGH, TIMED, RESERVED, PLAIN]
    assert marks.high[0] == 5
    assert marks.low[1] == 63
    assert marks.odd.tolist() == [False, False, True, False]


def test_events_off_the_sensor_are_marked() -> None:
    x, y = np.array([0, 640, 0]), np.array([479, 0, 480])
    assert off_sensor(x, y, Sensor(640, 480)).tolist() == [False, True, True]
    assert not off_sensor(x, y, Sensor()).any()


def test_what_follows_a_word_is_seen() -> None:
    marks = words((8, 5), (0, 10), (1, 40), (0, 30), (8, 6), (0, 3), (8, 7), (0, 1))
    seen = seen_behind(marks, 2, complete=True)
    assert seen is not None
    assert (seen.timed, seen.most_fall, seen.first_low, seen.last_low) == (3, 10, 10, 30)
    assert seen.highs == [(6, 3), (7, 1)]


def test_more_is_asked_for_until_enough_follows() -> None:
    marks = words((8, 5), (0, 10), (8, 6))
    assert seen_behind(marks, 1, complete=False) is None
    seen = seen_behind(marks, 1, complete=True)
    assert seen is not None
    assert seen.highs == [(6, 0)]


def test_what_comes_close_before_nonsense_says_nothing() -> None:
    marks = words((8, 5), *[(0, 1)] * 100, (8, 77), *[(9, 0)] * 20)
    seen = seen_behind(marks, 1, complete=False)
    assert seen is not None
    assert seen.highs == []
