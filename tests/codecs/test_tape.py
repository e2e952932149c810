"""Words in pieces."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.codecs import tape as module
from aevents.codecs.tape import MOST_COPIED, Tape


def test_what_is_held_is_copied_only_where_it_is_short() -> None:
    short = Tape(b"aabbc", memoryview(b"cddeef"), 2)
    assert [bytes(piece) for piece in short.pieces] == [b"aabbcc", b"ddeef"]
    long = Tape(bytes(MOST_COPIED) + b"c", memoryview(b"cddeef"), 2)
    assert [len(piece) for piece in long.pieces] == [MOST_COPIED, 2, 5]


def test_a_tape_is_read_across_its_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COPIED", 0)
    tape = Tape(b"aabbc", memoryview(b"cddeef"), 2)
    assert [bytes(piece) for piece in tape.pieces] == [b"aabb", b"cc", b"ddeef"]
    assert tape.words == 5
    assert [bytes(one) for one in tape.runs(1, 4)] == [b"bb", b"cc", b"dd"]
    assert list(tape.runs(2, 2)) == []
    assert bytes(tape.part(1, 9)) == b"bbccddee"
    assert bytes(tape.part(3, 5)) == b"ddee"
    found = tape.words_at(np.array([-1, 0, 2, 4, 5]))
    assert found.astype("<u2").tobytes() == b"\0\0aacceef\0"[:8] + b"\0\0"
    tape.drop(2)
    assert tape.rest() == b"ccddeef"
    tape.drop(2)
    tape.skip(1)
    assert tape.rest() == b"ef"
