"""Which records of damaged packets are good."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import Sensor
from aevents.codecs.rescue import (
    GAP,
    LEAP,
    Numbers,
    good_end,
    good_parts,
    good_run,
    mend_times,
    strays,
)
from aevents.types import Times

SENSOR = Sensor(10, 10)


@pytest.mark.parametrize("bit", [16, 17, 40, 62])
def test_a_bit_that_has_flipped_is_turned_back(bit: int) -> None:
    t = np.array([1000, 1001 ^ 1 << bit, 1001, 1002, 1003, 1004], np.int64)
    assert mend_times(t, 999).tolist() == [False, True, False, False, False, False]
    assert t.tolist() == [1000, 1001, 1001, 1002, 1003, 1004]


@pytest.mark.parametrize(
    "times",
    [
        [0, 1 << 20, (1 << 20) + 1, (1 << 20) + 2, (1 << 20) + 3],  # silence
        [0, 1 << 20, 1 << 21, 1 << 22, 1 << 23],
        [1 << 40, 0, 1, 2, 3],  # a clock that begins anew
        [0, (1 << 20) + (1 << 18), 1, 2, 3],  # two bits
        [0, 1 << 20, 1, 2],  # too few follow
        [0, 1 << 15, 1, 2, 3],
    ],
)
def test_other_times_stay(times: list[int]) -> None:
    t = np.array(times, np.int64)
    assert not mend_times(t, None).any()
    assert t.tolist() == times


def run(t: list[int], x: list[int], last: int | None) -> tuple[int, int]:
    columns = np.array(t, np.int64), np.array(x, np.uint16), np.zeros(len(t), np.uint16)
    return tuple(judge(*columns, sensor=SENSOR, last=last) for judge in (good_run, good_end))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("t", "x", "last", "good"),
    [
        ([], [], None, (0, 0)),
        ([5, 6, 7], [1, 2, 3], None, (3, 3)),
        ([5, 6, 7], [1, 10, 3], 0, (1, 1)),
        ([5, 6 + GAP, 7], [1, 2, 3], 0, (1, 1)),
        ([5, 4 - LEAP, 6], [1, 2, 3], 5, (1, 1)),
        ([5, 6, 7], [1, 2, 3], 6 + LEAP, (0, 0)),
        ([5, 6, 7], [1, 2, 3], 6, (3, 2)),
        ([1 << 62, -(1 << 62), 7], [1, 2, 3], 6, (0, 1)),
    ],
)
def test_records_are_good_up_to_the_first_that_is_not(
    t: list[int], x: list[int], last: int | None, good: tuple[int, int]
) -> None:
    assert run(t, x, last) == good


def test_times_that_leap_to_and_fro_are_astray() -> None:
    t = np.arange(100) * 10
    t[7:9], t[50] = 1 << 50, -(1 << 62)
    assert np.flatnonzero(strays(t)).tolist() == [7, 8, 50]


def test_times_that_leap_one_way_are_not() -> None:
    t = np.arange(100) * 10
    t[50:] += 1 << 40
    assert not strays(t).any()
    assert not strays(t[::-1].copy()).any()


def test_a_record_that_damage_has_made_seem_early_costs_no_others() -> None:
    t = list(range(1_000, 1_100))
    body = np.array([[one, one % 9, 3] for one in t], "<i8")
    data = memoryview(body.tobytes())
    at = 24 * 60  # the first byte of a time is lost: the record seems to come earlier
    bent = memoryview(bytes(data[:at]) + bytes(data[at + 1 :]))
    first, last = good_parts(bent, 24, columns, sensor=SENSOR, last=None, torn=False)
    assert (len(first), len(last)) == (24 * 60, 24 * 39)


def columns(records: memoryview) -> tuple[Times, Numbers, Numbers]:
    rows = np.frombuffer(records, "<i8").reshape(-1, 3)
    return rows[:, 0].copy(), rows[:, 1], rows[:, 2]
