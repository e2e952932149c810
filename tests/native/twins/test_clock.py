"""What a reader doubts, word by word: the twins and C must doubt the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.native.kernels import FORMATS, packed

if TYPE_CHECKING:
    from types import ModuleType

SURE, DOUBTFUL, NEEDS_MORE = range(3)
HIGH, EVENT = 0x8 << 28, 0x0
VECTOR, MASK = 0xC << 28, 0x3


def low(bits: int) -> int:
    return bits << 22


# What it shows, format, words, word stopped at, the doubt.
CASES = [
    ("times that join on", "evt2", [HIGH | 5, low(60), HIGH | 6, low(1), low(9)], 5, SURE),
    ("the first needs a second", "evt2", [HIGH | 5, low(60)], 0, NEEDS_MORE),
    ("the first, and a gap", "evt2", [HIGH | 5, low(60), HIGH | 99, low(1)], 0, DOUBTFUL),
    ("no time at all", "evt2", [low(3), HIGH | 5], 0, DOUBTFUL),
    ("a pause that is borne out", "evt2",
     [HIGH | 5, low(60), HIGH | 6, low(1), HIGH | 99, low(1), HIGH | 120, low(1)], 6, NEEDS_MORE),
    ("a leap", "evt2", [HIGH | 5, low(60), HIGH | 6, low(1), HIGH | 99_999, low(1)], 4, DOUBTFUL),
    ("a step back behind it", "evt2",
     [HIGH | 5, low(60), HIGH | 6, low(1), HIGH | 99, low(1), HIGH | 7, low(1)], 4, DOUBTFUL),
    ("a reserved type behind it", "evt2",
     [HIGH | 5, low(60), HIGH | 6, low(1), HIGH | 99, 0x9 << 28, HIGH | 100, low(1)], 4, DOUBTFUL),
    ("a reserved type", "evt2", [HIGH | 5, low(60), HIGH | 6, low(1), 0x9 << 28], 4, DOUBTFUL),
    ("an event that falls far", "evt2",
     [HIGH | 5, low(60), HIGH | 6, low(1), low(40), low(8)], 5, DOUBTFUL),
    ("an event that falls a little", "evt2",
     [HIGH | 5, low(60), HIGH | 6, low(1), low(40), low(9)], 6, SURE),
    ("vectors", "evt4",
     [0xE << 28 | 5, VECTOR | low(60), MASK, 0xE << 28 | 6, VECTOR | low(2), MASK], 6, SURE),
    ("a vector that falls far", "evt4",
     [0xE << 28 | 5, VECTOR | low(60), MASK, 0xE << 28 | 6, 0xA << 28 | low(20),
      0xA << 28 | low(50), VECTOR | low(2)], 6, DOUBTFUL),
    ("a mask is never in doubt", "evt4",
     [0xE << 28 | 5, VECTOR | low(60), MASK, 0xE << 28 | 6, VECTOR | low(2), 0x1], 6, SURE),
    ("words of 64 bits", "evt21",
     [(HIGH | 5) << 32, low(60) << 32 | 1, (HIGH | 6) << 32, low(9) << 32 | 1, low(50) << 32 | 1,
      low(2) << 32 | 1], 5, DOUBTFUL),
    ("TIME_LOW that falls far", "evt3",
     [0x8005, 0x6FF0, 0x8006, 0x6001, 0x2001, 0x6801, 0x6001], 6, DOUBTFUL),
    ("TIME_LOW that falls a little", "evt3",
     [0x8005, 0x6FF0, 0x8006, 0x6001, 0x2001, 0x6800, 0x6001], 7, SURE),
    ("TIME_HIGH said again", "evt3", [0x8005, 0x6FF0, 0x8006, 0x6001, 0x2001, 0x8006], 6, SURE),
    ("a row says nothing of time", "evt3", [0x8005, 0x6FF0, 0x8006, 0x0001], 0, NEEDS_MORE),
    ("a reserved type in EVT3", "evt3", [0x8005, 0x6FF0, 0x8006, 0x6001, 0x9000], 4, DOUBTFUL),
    ("records that join on", "dat", [1000, 1001, 900, 4900], 4, SURE),
    ("a record that leaps", "dat", [1000, 1001, 2_000_000, 2_000_001], 2, DOUBTFUL),
    ("a pause between records", "dat", [1000, 1001, 900_000, 900_001], 4, SURE),
    ("a pause that is not borne out", "dat", [1000, 1001, 900_000, 1002], 2, DOUBTFUL),
    ("a pause at the end", "dat", [1000, 1001, 900_000], 2, NEEDS_MORE),
    ("a record that goes back", "dat", [9000, 9001, 4000, 4001], 2, DOUBTFUL),
    ("the first record and a leap", "dat", [1000, 5_000_000], 0, DOUBTFUL),
    ("one record alone", "dat", [1000], 0, NEEDS_MORE),
    ("bits that mean nothing", "dat", [1000, 1001, 0xE0000000 << 32 | 1002], 2, DOUBTFUL),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_reader_stops_where_there_is_doubt(
    kernels: ModuleType, case: tuple[str, str, list[int], int, int]
) -> None:
    _, kind, words, stop, doubt = case
    state, out = getattr(kernels, f"{kind}_state")(), kernels.columns()
    at = getattr(kernels, f"{kind}_decode")(packed(words, FORMATS[kind]), 0, state, out)
    assert (at // FORMATS[kind], state.doubt) == (stop, doubt)


@pytest.mark.parametrize("flag", ["trusted", "lenient", "unsorted"])
def test_a_reader_can_be_told_not_to_doubt(kernels: ModuleType, flag: str) -> None:
    words = {
        "trusted": [low(5), 0x9 << 28, HIGH | 9, low(60), low(1), HIGH | 3],
        "lenient": [HIGH | 5, low(60), HIGH | 6, 0x9 << 28, low(1)],
        "unsorted": [low(7), HIGH | 5, low(60), HIGH | 6, low(1)],
    }[flag]
    state, out = kernels.evt2_state(), kernels.columns()
    setattr(state, flag, 1)
    assert kernels.evt2_decode(packed(words, 4), 0, state, out) == 4 * len(words)
    assert (state.doubt, state.unsorted) == (SURE, 0)


def test_bits_that_mean_nothing_can_be_believed(kernels: ModuleType) -> None:
    words = [1000, 0xE0000000 << 32 | 1001, 1002]
    state, out = kernels.dat_state(), kernels.columns()
    state.lenient = 1
    assert kernels.dat_decode(packed(words, 8), 0, state, out) == 24
    odd = [(5 << 26 | 0x10) << 32 | 1000, 1001]
    state = kernels.dat_state(triggers=True)
    state.lenient = 1
    assert kernels.dat_decode(packed(odd, 8), 0, state, out) == 16
