"""Room for datagrams: what is put in is there, and no more than there is room for."""

from __future__ import annotations

import pytest

from aevents._native.datagrams import MESSAGE_BYTES, Datagrams


def test_datagrams_are_put_one_behind_the_other() -> None:
    come = Datagrams(3)
    come.put(b"abc")
    come.put(b"")
    come.place()[:2] = b"de"
    come.add(2)
    assert (come.next, come.count) == (0, 3)
    assert come.length.tolist() == come.segment.tolist() == [3, 0, 2]
    assert come.data[0, :3].tobytes() + come.data[2, :2].tobytes() == b"abcde"


def test_a_full_room_takes_no_more() -> None:
    come = Datagrams(1)
    come.put(b"a")
    with pytest.raises(ValueError, match="no room for a datagram of 1 bytes"):
        come.put(b"b")
    come.clear()
    come.put(b"\x01" * MESSAGE_BYTES)
    assert come.count == 1


def test_a_datagram_may_be_too_long() -> None:
    with pytest.raises(ValueError, match="no room for a datagram of 65537 bytes"):
        Datagrams(1).put(bytes(MESSAGE_BYTES + 1))


def test_there_is_a_place_for_the_longest() -> None:
    assert len(Datagrams(1).place()) == MESSAGE_BYTES
