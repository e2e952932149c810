"""What is done at a doubtful record of DAT; tests/laws/test_damage.py has the rest."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents._native import kernels
from aevents.codecs.judge import VOTERS
from aevents.codecs.mend import PATIENCE, Verdict
from aevents.codecs.mend_records import RecordMender
from aevents.types import Sensor

SENSOR = Sensor(640, 480)


def mender(last: int = 1000, *, version: int = 2, triggers: bool = False) -> RecordMender:
    state = kernels.dat_state(version=version, triggers=triggers)
    state.started, state.last = int(last >= 0), max(last, 0)
    return RecordMender(state, SENSOR)


def records(times: list[int], word: int = 7 << 14 | 5) -> memoryview:
    return memoryview(b"".join(struct.pack("<2I", time & 0xFFFFFFFF, word) for time in times))


FOLLOWING = list(range(1010, 1010 + 2 * VOTERS))


def settle(one: RecordMender, time: int, *, final: bool = False) -> Verdict | None:
    return one.settle(records([time, *FOLLOWING]), 0, final=final)


def test_a_time_is_mended_or_the_record_left_out() -> None:
    mended = records([1005]).tobytes()
    assert settle(mender(), 1005 | 1 << 28) == Verdict(mended, 8, "mended_times", events=1)
    assert settle(mender(), 0x5555_5555) == Verdict(b"", 8, "bad_times", bytes=8, events=1)


@pytest.mark.parametrize("last", [1000, 1 << 31, -1])
def test_a_true_time_is_taken(last: int) -> None:
    start = 3 << 30 if last == 1000 else 1009
    data = records([start + step for step in range(2 * VOTERS)])
    assert mender(last).settle(data, 0, final=False) == Verdict(bytes(data[:8]), 8)


def test_a_clock_that_rolls_over_is_right() -> None:
    data = records([100 + step for step in range(2 * VOTERS)])
    assert mender((1 << 32) - 5_000).settle(data, 0, final=False) == Verdict(bytes(data[:8]), 8)


def test_at_the_end_a_leap_is_believed_and_a_long_step_back_is_not() -> None:
    one, other = records([5_000_003]), records([1])
    assert mender().settle(one, 0, final=True) == Verdict(one.tobytes(), 8)
    verdict = mender(50_000_000).settle(other, 0, final=True)
    assert verdict == Verdict(b"", 8, "bad_times", bytes=8, events=1)


def test_bits_that_mean_nothing_are_soon_believed() -> None:
    one = mender()
    data = records(FOLLOWING, word=0xA0000005)
    for _ in range(PATIENCE):
        one._state.last = 1000
        one._asked = 0  # where the records begin is not asked here
        assert one.settle(data, 0, final=False) == Verdict(bytes(data[:8]), 8)
    assert one._state.lenient == 1


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("shift", range(1, 8))
def test_records_are_found_again(version: int, shift: int) -> None:
    times = [1_000_000 + 7 * step for step in range(2 * VOTERS)]
    word = 100 << 9 | 300 if version == 1 else 100 << 14 | 300
    data = records(times, word)[8 - shift :]
    verdict = mender(999_990, version=version).settle(data, 0, final=False)
    assert verdict == Verdict(b"", shift + 8, "skipped_bytes", bytes=shift + 8)


def test_triggers_are_found_again() -> None:
    data = records([1_000_000 + 7 * step for step in range(2 * VOTERS)], 5 << 26 | 1)[5:]
    verdict = mender(999_990, triggers=True).settle(data, 0, final=False)
    assert verdict == Verdict(b"", 3 + 8, "skipped_bytes", bytes=3 + 8)


def test_a_stretch_without_sense_is_left_out() -> None:
    noise = memoryview(np.random.default_rng(0).bytes(4096))
    verdict = mender().settle(noise, 0, final=False)
    assert verdict == Verdict(b"", 8 * VOTERS, "skipped_bytes", bytes=8 * VOTERS)


def test_more_bytes_are_asked_for() -> None:
    assert mender().settle(records(FOLLOWING[:VOTERS]), 0, final=False) is None
