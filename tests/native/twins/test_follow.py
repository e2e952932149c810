"""Decoding as far as what follows bears it out: the same words in every implementation."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from aevents._native import twins
from aevents._native.checks import MOST_PIECES
from tests.native.kernels import packed
from tests.native.twins.test_marks import CLOCK3, TYPES, ticking

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

AHEAD = 320
SIZES = {"evt2": 4, "evt21": 8, "evt3": 2, "evt4": 4, "dat": 8}
MARKS: dict[str, dict[str, int]] = {
    "evt2": TYPES["evt2"],
    "evt21": {**TYPES["evt2"], "stride": 8, "typed": 4},
    "evt3": CLOCK3,
    "evt4": TYPES["evt4"],
    "dat": {"last": -1, "reserved": 0xE0000000},
}


class Followed(NamedTuple):
    """What has been decoded, and what is known then."""

    events: list[tuple[int, int, int, int]]
    decoded: list[int]
    doubts: int
    past: list[int]
    last: list[int]
    seen: tuple[int, ...]


def follow(
    kernels: ModuleType, kind: str, feeds: Sequence[Sequence[bytes]], past: Sequence[int] = ()
) -> Followed:
    """Decode feeds in pieces, each in front of what was not decoded before."""
    made = {"evt2": "evt2", "evt3": "evt3", "evt4": "evt4", "dat": "dat", "evt21": "evt21"}[kind]
    state = getattr(kernels, f"{made}_state")()
    marks = kernels.marks_state(**MARKS[kind])
    ahead, out = kernels.Ahead(marks, past), kernels.columns(4000)
    seen, totals = kernels.inspection_state(640, 480), np.zeros(3, np.int64)
    events: list[tuple[int, int, int, int]] = []
    decoded: list[int] = []
    last: list[int] = []
    rest: list[memoryview] = []
    for pieces in feeds:
        rest += map(memoryview, pieces)
        ahead.put(rest, SIZES[kind])
        more = True
        while more:
            more = getattr(kernels, f"{kind}_follow")(ahead, state, seen, out)
            columns = (out.t[: out.n], out.x[: out.n], out.y[: out.n], out.p[: out.n])
            events += zip(*(column.tolist() for column in columns), strict=True)
            totals += (seen.backward, seen.late, seen.off_sensor)
        decoded.append(ahead.decoded)
        last.append(ahead.last)
        left = memoryview(b"".join(rest))[ahead.decoded * SIZES[kind] :]
        rest = [left[: len(left) // 2 // SIZES[kind] * SIZES[kind]]]
        rest.append(left[len(rest[0]) :])
        rest = [piece for piece in rest if len(piece)]
    return Followed(
        events, decoded, int(marks.doubts > 0), ahead.past(10), last, tuple(totals.tolist())
    )


def words_of(kind: str, times: Iterable[int]) -> bytes:
    """Return words that say these times, with a hundred events behind each."""
    if kind == "dat":
        found = [100 * time + 1 | (index % 700 | index % 500 << 14) << 32
                 for index, time in enumerate(np.repeat(list(times), 100).tolist())]  # fmt: skip
        return packed(found, 8)
    if kind == "evt3":
        rows = [(0x6000 | 40 * row, row % 300, 0x2000 | 7 * row % 700) for row in range(100)]
        return packed(
            [w for time in times for w in (0x8000 | time, *(w for row in rows for w in row))], 2
        )
    words = [word | (row % 100 * 7 << 11 | row % 50 * 10) * (word >> 28 < 8)
             for row, word in enumerate(ticking(times))]  # fmt: skip
    if kind == "evt4":
        words = [word + (6 << 28 if word >> 28 == 8 else 10 << 28) for word in words]
    return packed([word << 32 | 1 for word in words] if kind == "evt21" else words, SIZES[kind])


@pytest.mark.parametrize("kind", SIZES)
def test_words_are_decoded_that_others_bear_out(kernels: ModuleType, kind: str) -> None:
    data = words_of(kind, range(100))
    size = SIZES[kind]
    words = len(data) // size
    done = follow(kernels, kind, [[data]])
    assert not done.doubts
    assert words - AHEAD - 400 < done.decoded[0] <= words - AHEAD
    assert done == follow(twins, kind, [[data]])
    half = words // 200  # of a time's words: far from those that say one
    cuts = [0, *(size * at for at in (1, 2, 39 * half, 39 * half + 1, 141 * half)), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(cuts)]
    assert follow(kernels, kind, [pieces]).events == done.events
    later = follow(kernels, kind, [[piece] for piece in pieces])
    assert later.events == done.events
    assert later == follow(twins, kind, [[piece] for piece in pieces])
    assert done.past == ([] if kind == "dat" else list(range(100))[: len(done.events) // 100][-10:])


def test_nothing_is_decoded_behind_a_doubt(kernels: ModuleType) -> None:
    data = packed([*ticking(range(50)), 0x20000000, *ticking(range(50, 100))], 4)
    done = follow(kernels, "evt2", [[data]])
    assert done.doubts
    assert done.decoded[0] < 50 * 101 - AHEAD
    assert done == follow(twins, "evt2", [[data]])


def test_times_that_were_said_before_are_of_the_past(kernels: ModuleType) -> None:
    data = packed(ticking(range(20, 60)), 4)
    done = follow(kernels, "evt2", [[data]], past=range(8, 20))
    assert done.past == list(range(60))[: 20 + len(done.events) // 100][-10:]
    few = follow(kernels, "evt2", [[packed(ticking([20]), 4)]], past=[18, 19])
    assert (few.past, few.decoded, few.last) == ([18, 19], [0], [0])
    assert follow(kernels, "evt2", [[packed(ticking([20])[1:], 4)]], past=[19]).last == [-1]
    assert done.last == [39 * 101]


def test_events_are_inspected(kernels: ModuleType) -> None:
    words = ticking(range(60))
    words[150] |= 700 << 11
    words[160], words[161] = words[161] | 9 << 22, words[160]
    done = follow(kernels, "evt2", [[packed(words, 4)]])
    assert done.seen[2] == 1
    assert done.seen[0] > 0
    assert done == follow(twins, "evt2", [[packed(words, 4)]])


def test_more_times_than_are_kept_are_passed(kernels: ModuleType) -> None:
    data = packed([0x80000000 | time for time in range(5000)], 4)
    done = follow(kernels, "evt2", [[data]])
    assert done.decoded == [5000 - AHEAD]
    assert done.past == list(range(5000 - AHEAD - 10, 5000 - AHEAD))


def test_pieces_are_not_too_many(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match=f"{MOST_PIECES + 1} pieces are more than"):
        kernels.Ahead(kernels.marks_state()).put([memoryview(b"")] * (MOST_PIECES + 1), 4)
