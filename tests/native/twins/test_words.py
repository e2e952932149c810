"""What the readers in NumPy share."""

from __future__ import annotations

import numpy as np
import pytest

from aevents._native.columns import SLACK, TRIGGER_CAPACITY, Columns
from aevents._native.twins.words import (
    carried,
    rollovers,
    taken,
    whole_words,
    write_events,
    write_triggers,
)


def flags(text: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([one == "x" for one in text])


def test_whole_words_leave_a_torn_one_and_what_is_before_the_start() -> None:
    assert whole_words(b"\x01\x00\x02\x00\x03", 0, "<u2").tolist() == [1, 2]
    assert whole_words(b"\x01\x00\x02\x00\x03", 2, "<u2").tolist() == [2]
    assert whole_words(b"\x01\x00", 2, "<u2").tolist() == []
    with pytest.raises(ValueError, match="start 3 is outside the 2 bytes of data"):
        whole_words(b"\x01\x00", 3, "<u2")
    with pytest.raises(ValueError, match="start -1 is outside"):
        whole_words(b"\x01\x00", -1, "<u2")


def test_a_value_is_carried_until_the_next() -> None:
    values = np.array([1, 2, 3, 4, 5])
    assert carried(flags("..x.x"), values, 9).tolist() == [9, 9, 3, 3, 5]
    assert carried(flags("....."), values, 9).tolist() == [9] * 5


def test_only_a_large_fall_is_a_roll_over() -> None:
    clock = np.array([7, 0, 5, 4, 0])
    assert rollovers(flags("xxxxx"), clock, 0, 5).tolist() == [0, 1, 1, 1, 1]
    assert rollovers(flags("xxxxx"), clock, 0, 4).tolist() == [0, 1, 1, 1, 2]
    assert rollovers(flags(".x..."), clock, 6, 5).tolist() == [0, 1, 1, 1, 1]


def test_words_are_read_while_there_is_room() -> None:
    out = Columns(SLACK + 10)
    none = np.zeros(6, np.bool_)
    assert taken(np.array([4, 4, 4, 4, 4, 4]), none, out) == 3  # the third begins within the room
    assert taken(np.array([1, 1, 1, 1, 1, 1]), none, out) == 6
    many = np.ones(TRIGGER_CAPACITY + 5, np.bool_)
    assert taken(np.zeros(len(many), np.int64), many, out) == TRIGGER_CAPACITY


def test_events_and_triggers_are_put_into_the_columns() -> None:
    out = Columns(SLACK + 10)
    one, two = np.array([1, 2]), np.array([3, 4])
    write_events(out, one, two, one, np.array([0, 1]))
    write_triggers(out, two, one, np.array([1, 0]))
    assert (out.n, out.triggers) == (2, 2)
    assert [column[:2].tolist() for column in (out.t, out.x, out.y, out.p)] == [
        [1, 2],
        [3, 4],
        [1, 2],
        [0, 1],
    ]
    assert out.trigger_t[:2].tolist() == [3, 4]
    assert out.trigger_id[:2].tolist() == [1, 2]
    assert out.trigger_value[:2].tolist() == [1, 0]
