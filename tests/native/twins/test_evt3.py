"""EVT 3.0, word by word: the twins and C must both read and write these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.native.kernels import decode, encode, packed

if TYPE_CHECKING:
    from types import ModuleType

# What it shows, words, events (t, x, y, p).
READ = [
    ("nothing", [], []),
    ("one event", [0x8001, 0x6005, 0x0007, 0x2803], [(4101, 3, 7, 1)]),
    ("largest fields", [0x8000, 0x6FFF, 0x07FF, 0x27FF], [(4095, 2047, 2047, 0)]),
    ("bit 11 of ADDR_Y is the camera's, not y's", [0x8000, 0x0805, 0x2001], [(0, 1, 5, 0)]),
    ("a row serves many", [0x8000, 0x0007, 0x2001, 0x2002], [(0, 1, 7, 0), (0, 2, 7, 0)]),
    ("TIME_HIGH again keeps TIME_LOW", [0x8001, 0x6005, 0x8001, 0x2000], [(4101, 0, 0, 0)]),
    ("a new TIME_HIGH puts it to 0", [0x8001, 0x6005, 0x8002, 0x2000], [(8192, 0, 0, 0)]),
    ("a falling TIME_LOW carries nothing", [0x8001, 0x6005, 0x6004, 0x2000], [(4100, 0, 0, 0)]),
    ("a small fall is no roll-over", [0x8801, 0x8002, 0x2000], [(8192, 0, 0, 0)]),
    ("half the range is one", [0x8802, 0x8002, 0x2000], [((1 << 24) + 8192, 0, 0, 0)]),
    ("a rise never is", [0x8000, 0x8FFF, 0x2000], [(4095 * 4096, 0, 0, 0)]),
    ("VECT_12 from the lowest bit", [0x8000, 0x3810, 0x4805],
     [(0, 16, 0, 1), (0, 18, 0, 1), (0, 27, 0, 1)]),
    ("VECT_8 has no more than 8 bits", [0x8000, 0x3000, 0x5F01], [(0, 0, 0, 0)]),
    ("vectors go on from each other", [0x8000, 0x3040, 0x4000, 0x4001, 0x5001, 0x4001],
     [(0, 64 + 12, 0, 0), (0, 64 + 24, 0, 0), (0, 64 + 32, 0, 0)]),
    ("a group of 32", [0x8000, 0x0003, 0x3820, 0x4801, 0x4002, 0x5080],
     [(0, 32, 3, 1), (0, 43, 3, 1), (0, 45, 3, 1), (0, 63, 3, 1)]),
    ("a single event leaves the vectors alone", [0x8000, 0x3840, 0x2005, 0x4001],
     [(0, 5, 0, 0), (0, 64, 0, 1)]),
    ("no events in an EM row", [0x8000, 0x0004, 0x1005, 0x2001, 0x3000, 0x4001, 0x0006, 0x2002],
     [(0, 2, 6, 0)]),
    ("OTHERS, CONTINUED, IMU are skipped", [0x8000, 0xE014, 0xF001, 0xF002, 0x7003, 0xD000, 0x2001],
     [(0, 1, 0, 0)]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "events"), [case[1:] for case in READ], ids=[c[0] for c in READ])
def test_words_are_read(
    kernels: ModuleType, words: list[int], events: list[tuple[int, int, int, int]]
) -> None:
    read = decode(kernels, "evt3", packed(words, 2))
    assert read.events == events
    assert (read.state["untimed"], read.state["unknown"]) == (0, 0)


def test_triggers_have_a_column_of_their_own(kernels: ModuleType) -> None:
    read = decode(kernels, "evt3", packed([0x8001, 0x6002, 0xA701, 0xAF00], 2))
    assert read.triggers == [(4098, 7, 1), (4098, 15, 0)]
    assert read.events == []


def test_what_comes_before_the_first_time_high_is_dropped_and_counted(kernels: ModuleType) -> None:
    early = [0x0005, 0x6007, 0x3840, 0x2001, 0x4007, 0x5F03, 0xA001, 0x1000]
    read = decode(kernels, "evt3", packed([*early, 0x8001, 0x2002, 0x4001], 2))
    assert read.events == []  # the last row, 0x1000, is of no events
    assert read.state["untimed"] == 1 + 3 + 2 + 1


@pytest.mark.parametrize("kind", [0x9, 0xB, 0xC])
def test_reserved_types_are_counted(kernels: ModuleType, kind: int) -> None:
    read = decode(kernels, "evt3", packed([kind << 12, 0x8000, kind << 12, 0x2001], 2))
    assert read.events == [(0, 1, 0, 0)]
    assert read.state["unknown"] == 2


def test_vectors_that_run_past_65535_are_harmless(kernels: ModuleType) -> None:
    # 2047 + 12 * 5290 = 65527: of the next twelve the last four begin again at 0.
    read = decode(kernels, "evt3", packed([0x8000, 0x37FF, *[0x4000] * 5290, 0x4FFF], 2))
    assert [event[1] for event in read.events] == [*range(65527, 65536), 0, 1, 2]


# What it shows, width, events, words.
WRITTEN = [
    ("nothing", 0, [], []),
    ("times, row, event", 0, [(4101, 3, 7, 1)], [0x8001, 0x6005, 0x0007, 0x2803]),
    ("TIME_LOW also where it is 0", 0, [(0, 0, 0, 0)], [0x8000, 0x6000, 0x0000, 0x2000]),
    ("only what changes", 0, [(5, 1, 7, 0), (5, 2, 7, 1), (6, 3, 7, 0), (6, 4, 8, 0)],
     [0x8000, 0x6005, 0x0007, 0x2001, 0x2802, 0x6006, 0x2003, 0x0008, 0x2004]),
    ("back a little", 0, [(8192, 0, 0, 0), (8191, 0, 0, 0)],
     [0x8002, 0x6000, 0x0000, 0x2000, 0x8001, 0x6FFF, 0x2000]),
    ("over the roll-over", 0, [((1 << 24) - 1, 0, 0, 0), (1 << 24, 0, 0, 0)],
     [0x8FFF, 0x6FFF, 0x0000, 0x2000, 0x8000, 0x6000, 0x2000]),
    ("a start beyond the range climbs", 0, [(2 << 24, 0, 0, 0)],
     [0x8FFF, 0x8000, 0x8FFF, 0x8000, 0x6000, 0x0000, 0x2000]),
    ("a long gap goes by top and 0", 0, [(4096, 0, 0, 0), ((1 << 24) + 3000 * 4096, 0, 0, 0)],
     [0x8001, 0x6000, 0x0000, 0x2000, 0x8FFF, 0x8000, 0x8BB8, 0x6000, 0x2000]),
    ("five in a row of 32 make a group", 64, [(0, x, 1, 1) for x in (33, 34, 40, 50, 63)],
     [0x8000, 0x6000, 0x0001, 0x3820, 0x4106, 0x4040, 0x5080]),
    ("four do not", 64, [(0, x, 1, 1) for x in (33, 34, 40, 50)],
     [0x8000, 0x6000, 0x0001, 0x2821, 0x2822, 0x2828, 0x2832]),
    ("nor without a width", 0, [(0, x, 1, 0) for x in (1, 2, 3, 4, 5)],
     [0x8000, 0x6000, 0x0001, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005]),
    ("nor past a multiple of 32", 64, [(0, x, 1, 0) for x in (29, 30, 31, 32, 33)],
     [0x8000, 0x6000, 0x0001, 0x201D, 0x201E, 0x201F, 0x2020, 0x2021]),
    ("nor where x falls or stays", 64, [(0, x, 1, 0) for x in (1, 2, 3, 3, 4, 0)],
     [0x8000, 0x6000, 0x0001, 0x2001, 0x2002, 0x2003, 0x2003, 0x2004, 0x2000]),
    ("the last group ends at the edge", 40, [(0, x, 1, 0) for x in (32, 33, 34, 35, 39)],
     [0x8000, 0x6000, 0x0001, 0x3008, 0x4000, 0x4000, 0x508F]),
    ("beyond the edge there are no groups", 32, [(0, x, 1, 0) for x in (32, 33, 34, 35, 36)],
     [0x8000, 0x6000, 0x0001, 0x2020, 0x2021, 0x2022, 0x2023, 0x2024]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "events", "words"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN]
)
def test_words_are_written(
    kernels: ModuleType, width: int, events: list[tuple[int, int, int, int]], words: list[int]
) -> None:
    data, state = encode(kernels, "evt3", events, width=width)
    assert data == packed(words, 2)
    assert (state["next"], state["refused"]) == (len(events), 0)
    assert decode(kernels, "evt3", data).events == events


@pytest.mark.parametrize(
    "event",
    [(100, 2048, 0, 0), (100, 0, 2048, 0), (-1, 0, 0, 0), (4097 << 24, 0, 0, 0)],
    ids=["x", "y", "before zero", "too far"],
)
def test_what_does_not_fit_is_refused(
    kernels: ModuleType, event: tuple[int, int, int, int]
) -> None:
    data, state = encode(kernels, "evt3", [(64, 0, 0, 0), event, (65, 0, 0, 0)])
    assert data == packed([0x8000, 0x6040, 0x0000, 0x2000], 2)
    assert (state["next"], state["refused"]) == (1, 1)


@pytest.mark.parametrize(
    ("first", "then", "refused"),
    [
        (2048 * 4096, 4096, 0),
        (2048 * 4096, 4095, 1),
        (1 << 24, (1 << 24) - 1, 1),
    ],
    ids=["less than half", "half the range", "over a roll-over"],
)
def test_how_far_time_may_go_back(kernels: ModuleType, first: int, then: int, refused: int) -> None:
    _, state = encode(kernels, "evt3", [(first, 0, 0, 0), (then, 0, 0, 0)])
    assert state["refused"] == refused


def test_4096_roll_overs_are_written(kernels: ModuleType) -> None:
    events = [(0, 0, 0, 0), (4096 << 24, 0, 0, 0)]
    data, _ = encode(kernels, "evt3", events)
    assert len(data) == 2 * (4 + 2 * 4096 + 2)
    assert decode(kernels, "evt3", data).events == events
