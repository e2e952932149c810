"""A room keeps events in a row: those copied in, and those that decoders write in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from aevents._native import columns
from aevents._native import room as module
from aevents._native.room import Arrays, Room

from .kernels import packed

if TYPE_CHECKING:
    from types import ModuleType


def events(*times: int) -> Arrays:
    n = len(times)
    x, y = np.full(n, 7, np.uint16), np.full(n, 8, np.uint16)
    return np.array(times, np.int64), x, y, np.ones(n, np.bool_)


def test_what_is_added_stands_in_a_row() -> None:
    room = Room()
    room.add(events(1, 2))
    room.add(events(3))
    t, x, y, p = room.events()
    assert (t.tolist(), x.tolist(), y.tolist(), p.tolist()) == (
        [1, 2, 3],
        [7, 7, 7],
        [8, 8, 8],
        [True, True, True],
    )
    assert [column.dtype.name for column in (t, x, y, p)] == ["int64", "uint16", "uint16", "bool"]
    assert not any(column.flags.writeable for column in (t, x, y, p))


def test_events_stay_when_the_room_becomes_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 4)
    monkeypatch.setattr(module, "SMALL", 6)
    room = Room()
    for time in range(10):
        room.add(events(time))
    t, x, _y, _p = room.events()
    assert t.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert x.tolist() == [7] * 10


def test_the_number_expected_is_asked_for_once_and_room_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST", 4)
    asked = []

    def expected() -> int:
        asked.append(1)
        return 20

    room = Room(expected)
    before = room.free(1)[0]
    for time in range(20):
        room.add(events(time))
    assert np.shares_memory(before, room.free(0)[0].base)
    room.add(events(20))
    assert room.events()[0].tolist() == list(range(21))
    assert asked == [1]


def test_no_more_than_a_bounded_room_is_taken_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 4)
    monkeypatch.setattr(module, "MOST", 8)
    room = Room(lambda: 10**18)
    room.add(events(1, 2, 3))
    assert room.length == 3


@pytest.mark.parametrize("small", [0, 100])
def test_without_events_there_are_four_empty_columns(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SMALL", small)
    assert [len(column) for column in Room().events()] == [0, 0, 0, 0]


def test_a_decoder_writes_in_place(kernels: ModuleType) -> None:
    words = packed([0x80000001, 0x10000000 | 5 << 11 | 6, 0x01000000 | 3 << 11 | 4], 4)
    room, out, state = Room(), kernels.columns(), kernels.evt2_state()
    out.keep_in(room)
    for _ in range(3):
        assert kernels.evt2_decode(words, 0, state, out) == 12
        t, _x, _y, p = out.take()
        assert (t.tolist(), p.tolist()) == ([64, 68], [True, False])
        assert room.holds(t)
        assert not t.flags.writeable
    assert room.length == 6
    t, x, y, p = room.events()
    assert t.tolist() == [64, 68, 64, 68, 64, 68]
    assert x.tolist() == [5, 3, 5, 3, 5, 3]
    assert y.tolist() == [6, 4, 6, 4, 6, 4]
    assert p.tolist() == [True, False, True, False, True, False]


def test_what_was_decoded_before_the_room_became_too_small_stays(
    kernels: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST", 4)
    monkeypatch.setattr(columns, "IN_PLACE", 100)
    words = packed([0x80000001, *[0x10000000] * 80], 4)
    room, out, state = Room(), kernels.columns(), kernels.evt2_state()
    out.keep_in(room)
    for _ in range(40):
        at = 0
        while at < len(words):
            at = kernels.evt2_decode(words, at, state, out)
            out.take()
    t, _x, _y, p = room.events()
    assert t.tolist() == [64] * 3200
    assert p.tolist() == [True] * 3200


def test_other_arrays_are_not_taken_for_those_in_the_room() -> None:
    room = Room()
    room.free(2)
    t = room.take(2)[0]
    assert room.holds(t)
    assert not room.holds(t.copy())
    assert not room.holds(t)  # only once
