"""Damage in the clock of EVT3 and EVT2, word by word."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.codecs.evt2 import CODEC as EVT2
from aevents.codecs.evt3 import Evt3Mender
from aevents.codecs.mend import Mender, Turn
from tests.codecs.test_mend import Told, handed, run, told

WORDS = 401  # of a time: it, and rows with a TIME_LOW each


def recording(times: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Return words of EVT3: each time, and 200 rows of an event behind it."""
    found = []
    for time in times:
        found += [0x8000 | time]
        for row in range(200):
            found += [0x6000 | row * 4096 // 200, 0x2000 | row]
    return np.array(found, "<u2")


def mended(words: np.ndarray[tuple[int], np.dtype[np.uint16]]) -> tuple[list[Turn], Told]:
    said, damaged = told()
    whole, turns = run(Evt3Mender(damaged, 0), words.tobytes())
    left_out = sum(turn.instead for turn in turns)
    assert len(whole) == words.nbytes - 2 * left_out
    return turns, said


def at(time: int) -> int:
    return time * WORDS


TIMES = list(range(30))


def test_healthy_words_are_not_mended() -> None:
    for times in (TIMES, [*TIMES, 700, 701], [4090 + time & 0xFFF for time in TIMES], [5], []):
        assert mended(recording(times)) == ([], [])


@pytest.mark.parametrize("time", [0, 1, 2, 15, 28, 29])
@pytest.mark.parametrize("bit", [3, 9, 12, 13, 14, 15])
def test_a_time_with_a_flipped_bit_is_put_right(time: int, bit: int) -> None:
    words = recording(TIMES)
    words[at(time)] ^= 1 << bit
    turns, said = mended(words)
    assert turns == [Turn(time, instead=True)]
    assert said == [("mended_times", 2 * at(time), 2, 1)]


def test_a_time_that_is_missing_is_put_in_where_lower_bits_begin_again() -> None:
    words = np.delete(recording(TIMES), at(15))
    turns, said = mended(words)
    assert turns == [Turn(15)]
    ((what, offset, size, _),) = said
    assert (what, size) == ("mended_times", 0)
    assert 0 <= offset - 2 * at(15) <= 4


def test_a_time_that_is_said_again_is_put_right() -> None:
    words = np.insert(recording(TIMES), at(15) + 200, [0x8000 | 15])
    assert mended(words) == ([], [])
    for wrong, true in ((15 ^ 16, 15), (15 ^ 1, 15)):
        words[at(15) + 200] = 0x8000 | wrong
        assert mended(words)[0] == [Turn(true, instead=True)]
    words = np.insert(recording(TIMES), at(14) + 200, [0x8000 | 15])  # 14, with a flipped bit
    assert mended(words)[0] == [Turn(14, instead=True)]


def test_late_rows_are_not_mended() -> None:
    words = recording(TIMES)
    late = np.array(
        [0x8000 | 14, *(0x6000 | 3000 + 4 * row for row in range(100)), 0x8000 | 15], "<u2"
    )
    assert mended(np.insert(words, at(15) + 100, late)) == ([], [])


def test_a_gap_is_not_filled() -> None:
    assert mended(recording([*range(15), *range(16, 30)])) == ([], [])


def test_a_leap_that_nothing_bears_out_is_taken_back() -> None:
    words = np.insert(recording(TIMES), at(15) + 200, [0x8000 | 2000])
    assert mended(words)[0] == [Turn(15, instead=True)]


def test_words_begin_elsewhere_behind_lost_bytes() -> None:
    words = np.tile(recording(list(range(40))), 1)
    data = words.tobytes()
    said, damaged = told()
    whole, turns = run(Evt3Mender(damaged, 0), data[:12_001] + data[12_004:])
    assert Turn(lost=True) in turns
    ((_, offset, _, count),) = [one for one in said if one[0] == "skipped_bytes"]
    assert count % 2 == 1
    assert abs(offset - 12_001) < 2_000
    assert whole.endswith(data[16_000:])


def test_where_the_clock_stands_still_words_are_not_held_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aevents.codecs.mend.MOST_HELD", 20_000)
    _, damaged = told()
    mender: Mender = Evt3Mender(damaged, 0)
    data = recording([5]).tobytes()[:4] + np.full(30_000, 0x2001, "<u2").tobytes()
    count = 0
    for start in range(0, len(data), 5_000):
        for one in mender.feed(data[start : start + 5_000]):
            count += 0 if isinstance(one, Turn) else len(handed(mender, one))
    assert count > 30_000
    assert len(mender.held) < 25_000


def test_the_first_word_may_have_been_a_time() -> None:
    header = b"% format EVT2;width=640;height=480\n% end\n"
    events = [low << 22 | low for low in range(63)]
    words = np.array([w for time in range(20, 40) for w in (0x80000000 | time, *events * 2)], "<u4")
    words[0] ^= 1 << 31
    decoder = EVT2.decoder()
    items = [*decoder.feed(header + words.tobytes()), *decoder.flush()]
    assert dict(decoder.counts)["mended_times"] >= 1
    assert sum(len(one) for one in items) == 20 * 126  # type: ignore[misc, arg-type]  # batches
