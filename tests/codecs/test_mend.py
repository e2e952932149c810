"""Where words go on, behind bytes that were lost: with words of one byte or two that say what they
are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aevents._native import kernels
from aevents._native.twins import Ahead
from aevents.codecs.dat import DatMender
from aevents.codecs.evt3 import Evt3Mender
from aevents.codecs.mend import LEAST_BYTES, Marks, Mender, Turn

Told = list[tuple[str, int, int, int]]


def told() -> tuple[Told, Callable[..., None]]:
    """Return what a mender says, and the function by which it does."""
    found: Told = []

    def damaged(what: str, offset: int, *, bytes: int = 0, count: int = 1) -> None:
        found.append((what, offset, bytes, count))

    return found, damaged


def run(mender: Mender, data: bytes, size: int = 1 << 30) -> tuple[bytes, list[Turn]]:
    """Return the words that come out, and the turns among them."""
    words: list[bytes] = []
    turns: list[Turn] = []
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    for index, piece in enumerate([*pieces, b""]):
        for one in mender.feed(piece, final=index == len(pieces)):
            if isinstance(one, Turn):
                turns.append(one)
            else:
                words.append(handed(mender, one))
    return b"".join(words), turns


def handed(mender: Mender, run: memoryview | Ahead) -> bytes:
    """Return words that a mender hands on; those ahead that are borne out are decoded."""
    if isinstance(run, memoryview):
        return bytes(run)
    seen, out, held = kernels.inspection_state(), kernels.columns(), mender.held
    if isinstance(mender, DatMender):
        while kernels.dat_follow(run, kernels.dat_state(), seen, out):
            pass
    else:
        while kernels.evt3_follow(run, kernels.evt3_state(), seen, out):
            pass
    return held[: mender.size * run.decoded]


def records(count: int, step: int = 100) -> bytes:
    """Return records of DAT, version 2."""
    words = np.zeros((count, 2), "<u4")
    words[:, 0] = 1000 + np.arange(count) * step
    words[:, 1] = np.arange(count) * 7919 % (1 << 28)
    return words.tobytes()


def dat(damaged: Callable[..., None], offset: int = 0) -> DatMender:
    return DatMender(damaged, offset, 0xE0000000)


def test_marks_are_known_before_a_place() -> None:
    marks = Marks(np.array([1, 5]), np.array([7, 8]), np.array([2, 6]))
    before = marks.before(5)
    assert (before.places.tolist(), before.values.tolist()) == ([1], [7])
    assert before.strange.tolist() == [2, 6]


def test_healthy_words_come_late_and_whole_however_they_are_cut() -> None:
    data = records(3000)
    for size in (1, 7, 4096, 10_000, 1 << 30):
        said, damaged = told()
        assert run(dat(damaged), data, size) == (data, [])
        assert said == []
    mender = dat(damaged)
    assert list(mender.feed(bytes(LEAST_BYTES - 1))) == []


def test_what_is_left_of_a_word_is_held() -> None:
    _, damaged = told()
    mender = dat(damaged, 50)
    data = records(10) + b"torn"
    assert run(mender, data) == (data[:-4], [])
    assert (mender.held, mender.offset) == (b"torn", 50 + 80)


def test_words_begin_elsewhere_behind_lost_bytes() -> None:
    data = records(6000)
    for size in (3000, 1 << 30):
        said, damaged = told()
        words, turns = run(dat(damaged, 100), data[:20_001] + data[20_006:], size)
        assert turns == [Turn(lost=True)]
        ((what, offset, bytes, count),) = said
        assert (what, bytes, count) == ("skipped_bytes", count, count)
        assert abs(offset - 100 - 20_001) < 64
        assert count % 8 == 3
        assert words.startswith(data[:19_000])
        assert words.endswith(data[24_000:])


def test_words_that_came_from_nowhere_are_left_out() -> None:
    data, noise = records(6000), np.random.default_rng(0).bytes(1001)
    said, damaged = told()
    words, turns = run(dat(damaged), data[:20_000] + noise + data[20_000:])
    assert words.startswith(data[:19_000])
    assert words.endswith(data[21_000:])
    assert Turn(lost=True) in turns
    assert sum(count for _, _, _, count in said) > 900


def test_strange_words_here_and_there_are_let_be() -> None:
    data = bytearray(records(6000))
    for index in range(0, 6000, 300):
        data[8 * index + 7] |= 0x80
    said, damaged = told()
    assert run(dat(damaged), bytes(data)) == (bytes(data), [])
    assert said == []


def test_where_all_words_are_strange_all_are_left_out() -> None:
    noise = np.random.default_rng(1).bytes(200_000)
    said, damaged = told()
    words, _ = run(dat(damaged), noise)
    assert len(words) < 40_000
    assert 200_000 - len(words) - sum(count for _, _, _, count in said) < 8  # a torn word


def test_every_hole_is_passed() -> None:
    data = records(12_000)
    said, damaged = told()
    words, turns = run(dat(damaged), data[:20_001] + data[20_006:60_001] + data[60_006:])
    assert turns == [Turn(lost=True)] * 2
    assert [abs(said[0][1] - 20_001) < 64, abs(said[1][1] - 59_996) < 64] == [True, True]
    assert len(words) > len(data) - 200


def test_a_record_that_leaps_is_left_out() -> None:
    data = bytearray(records(3000))
    data[8 * 1500 + 3] ^= 0x40
    said, damaged = told()
    words, turns = run(dat(damaged), bytes(data))
    assert turns == [Turn(instead=True)]
    assert words == bytes(data[: 8 * 1500] + data[8 * 1501 :])
    assert said == [("mended_times", 8 * 1500, 8, 1)]


def test_the_state_of_marking_is_that_of_the_kernels() -> None:
    _, damaged = told()
    state = dat(damaged).state()
    assert (state.last, state.reserved) == (-1, 0xE0000000)
    assert type(state) is type(kernels.marks_state())
    assert Evt3Mender(damaged, 0).state().mask == 0xFFF
