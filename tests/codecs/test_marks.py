"""What words say about time."""

from __future__ import annotations

import numpy as np

from aevents import Sensor
from aevents.codecs.marks import (
    CLUSTER,
    HIGH,
    PLAIN,
    RESERVED,
    TIMED,
    VECTOR,
    Marks,
    Seen,
    marked,
    off_sensor,
    seen_behind,
)

KINDS = np.array([TIMED, TIMED, RESERVED, VECTOR, *[RESERVED] * 4, HIGH, *[PLAIN] * 7])


def marks(*words: tuple[int, int]) -> Marks:
    """Return the marks of words: what each is, and its value as TIME_HIGH or its low bits."""
    kind, value = (np.array(column, np.int64) for column in zip(*words, strict=True))
    none = np.zeros(len(kind), np.bool_)
    return Marks(kind, value, value, kind == RESERVED, none)


def test_words_are_marked_by_type() -> None:
    words = np.array([0x10808805, 0x80000007, 0x20000000, 0x0FC00000 | 700 << 11, 0xA0000000])
    found = marked(words, KINDS, Sensor(640, 480))
    assert found.kind.tolist() == [TIMED, HIGH, RESERVED, TIMED, PLAIN]
    assert found.high[1] == 7
    assert found.low[[0, 3]].tolist() == [2, 63]
    assert found.odd.tolist() == [False, False, True, False, False]
    assert found.off.tolist() == [False, False, False, True, False]


def test_nothing_is_off_a_sensor_of_unknown_size() -> None:
    x, y = np.array([0, 640]), np.array([480, 0])
    assert off_sensor(x, y, Sensor(640, 480)).tolist() == [True, True]
    assert off_sensor(x, y, Sensor()).tolist() == [False, False]


def test_what_follows_a_word_is_seen() -> None:
    row = [(HIGH, 5), (TIMED, 3), (TIMED, 60), (TIMED, 10), (HIGH, 6), (TIMED, 1), (HIGH, 6)]
    row += [(HIGH, 7), (TIMED, 2), (HIGH, 8)]
    seen = seen_behind(marks(*row), 3, complete=False)
    assert seen == Seen(3, 50, 3, 10, [(6, 1), (6, 1), (7, 2)])


def test_more_is_asked_for_until_enough_is_there() -> None:
    row = [(HIGH, 5), (TIMED, 3), (HIGH, 6), (TIMED, 1)]
    assert seen_behind(marks(*row), 1, complete=False) is None
    assert seen_behind(marks(*row), 1, complete=True) == Seen(1, 0, 3, 3, [(6, 1)])
    assert seen_behind(marks((HIGH, 5)), 1, complete=True) == Seen(0, 0, -1, -1, [])


def test_what_lies_close_before_nonsense_is_no_witness() -> None:
    row = [(HIGH, 5), (TIMED, 3), (HIGH, 6), *[(TIMED, 1)] * CLUSTER, (HIGH, 7)]
    row += [(RESERVED, 0)] * 20 + [(HIGH, 8)] * 9
    assert seen_behind(marks(*row), 3, complete=False) == Seen(1, 0, 3, 3, [(6, 1)])
