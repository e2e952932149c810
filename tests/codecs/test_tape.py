"""Words in pieces."""

from __future__ import annotations

import numpy as np

from aevents.codecs.tape import MOST_COPIED, MOST_PIECES, Tape


def tape(*pieces: bytes, size: int = 2) -> Tape:
    made = Tape(size)
    for piece in pieces:
        made.add(piece)
    return made


def cut(one: Tape) -> list[bytes]:
    return [bytes(piece) for piece in one.pieces]


def test_only_words_that_pieces_cut_are_copied() -> None:
    one = tape(b"aabbc", b"cddeef")
    assert cut(one) == [b"aabb", b"cc", b"ddee"]
    assert (one.words, len(one), one.rest()) == (5, 11, b"aabbccddeef")
    assert cut(tape(b"a", b"b", b"", b"c", size=4)) == []
    assert cut(tape(b"a", b"b", b"", b"c", b"de", size=4)) == [b"abcd"]


def test_many_pieces_are_put_together() -> None:
    assert len(tape(*[b"aa"] * (MOST_PIECES + 1)).pieces) == 1


def test_a_tape_is_read_across_its_seams() -> None:
    one = tape(b"aabbc", b"cddeef")
    assert [bytes(run) for run in one.runs(1, 4)] == [b"bb", b"cc", b"dd"]
    assert list(one.runs(2, 2)) == []
    assert bytes(one.part(1, 9)) == b"bbccddee"
    assert bytes(one.part(3, 5)) == b"ddee"
    found = one.words_at(np.array([-1, 0, 2, 4, 5]))
    assert found.astype("<u2").tobytes() == b"\0\0aacceef\0"[:8] + b"\0\0"
    one.drop(2)
    assert one.rest() == b"ccddeef"
    one.drop(2)
    one.skip(1)
    assert one.rest() == b"ef"
    assert cut(one) == [b"ef"]


def test_what_is_split_off_is_put_back() -> None:
    one = tape(b"aabbc", b"cddeef")
    later = one.split(3)
    assert (one.rest(), [bytes(piece) for piece in later]) == (b"aabbcc", [b"ddee", b"f"])
    one.skip(1)
    for piece in later:
        one.add(piece)
    assert one.rest() == b"abbccddeef"
    assert one.words == 5
    assert one.split(5) == []


def test_a_short_rest_does_not_hold_what_it_is_of() -> None:
    data = bytes(MOST_COPIED + 10)
    one = tape(data)
    one.drop(4)
    assert one.pieces[0].obj is data
    one.drop(2)
    assert one.pieces[0].obj is not data
