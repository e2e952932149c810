"""Bisection, on clocks that roll over too; and indexes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aevents.codecs.base import Jump
from aevents.codecs.seek import (
    FOREVER,
    MARGIN_US,
    MOST_SPLITS,
    Index,
    Mark,
    Probe,
    Search,
    Tick,
    jump_to,
    record_probe,
    unwrapped,
)

ROUND = 1 << 20


def probe_of(times: Sequence[int], seen: list[int] | None = None) -> Probe:
    """Return the probe of ticks at every tenth place."""

    def probe(place: int) -> Tick | None:
        number = -(-place // 10)
        if seen is not None:
            seen.append(place)
        return Tick(10 * number, times[number]) if number < len(times) else None

    return probe


def test_the_last_tick_before_a_time_is_found() -> None:
    times = [*range(0, 1_000_000, 1000)]
    seen: list[int] = []
    search = Search(probe_of(times, seen), near=10)
    assert search.find(0, 10_000, 500_000) == Tick(4990, 499_000)
    assert len(seen) < 20


def test_the_beginning_is_no_place_to_jump_to() -> None:
    search = Search(probe_of([5, 6, 7]), near=10)
    assert search.find(0, 30, 5) is None
    assert search.find(0, 30, 6) is None
    assert search.find(0, 30, 7) == Tick(10, 6)
    assert Search(probe_of([])).find(0, 30, 5) is None


def test_a_time_behind_the_end_is_found_at_the_end() -> None:
    assert Search(probe_of([5, 6, 7]), near=10).find(0, 30, 100) == Tick(20, 7)


@pytest.mark.parametrize("step", [3_000, 20_000, 60_000])
def test_a_clock_that_rolls_over_is_unwrapped(step: int) -> None:
    times = [step * number for number in range(500)]
    search = Search(probe_of([t % ROUND for t in times]), near=10, wraps=ROUND, samples=128)
    for number in (1, 2, 17, 250, 499):
        assert search.find(0, 5000, times[number] + 1) == Tick(10 * number, times[number])


def test_a_pause_of_most_of_a_round_is_a_rise() -> None:
    times = [*range(0, 1000, 10), *range(900_000, 901_000, 10), *range(ROUND, ROUND + 1000, 10)]
    search = Search(probe_of([t % ROUND for t in times]), near=10, wraps=ROUND, samples=4)
    assert search.find(0, 3000, 900_001) == Tick(1000, 900_000)
    assert search.find(0, 3000, ROUND + 1) == Tick(2000, ROUND)


def test_a_rise_may_be_a_step_back_before_a_roll_over() -> None:
    times = [0, ROUND // 4, 0, ROUND - 20_000, *[ROUND // 2] * 9]
    search = Search(probe_of(times), near=10, wraps=ROUND, rises=True, samples=13)
    found = search.find(0, 130, ROUND // 3)
    assert found is not None
    assert found.time < ROUND // 3
    assert Search(probe_of(times), near=10, wraps=ROUND, samples=13).find(0, 130, 600_000) == Tick(
        20, 0
    )


def test_a_clock_that_makes_no_sense_is_given_up() -> None:
    times = np.random.default_rng(1).integers(0, ROUND, 3 * MOST_SPLITS).tolist()
    times[0] = 0
    seen: list[int] = []
    search = Search(probe_of(times, seen), near=10, wraps=ROUND)
    assert search.find(0, 10 * len(times), 1 << 40) is None
    assert len(seen) < 40 * MOST_SPLITS


def test_a_step_is_forward_or_back_a_little() -> None:
    assert unwrapped(5, ROUND) == 5
    assert unwrapped(5 - ROUND, ROUND) == 5
    assert unwrapped(-MARGIN_US, ROUND) == -MARGIN_US
    assert unwrapped(-MARGIN_US - 1, ROUND) == ROUND - MARGIN_US - 1


def test_records_are_probed() -> None:
    data = b"head" + bytes((0, 9, 0, 0, 0, 8, 0, 7, 0))

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    probe = record_probe(read, 4, 2, lambda record: record[1] or None)
    assert probe(4) == Tick(4, 9)
    assert probe(5) == Tick(8, 8)
    assert probe(10) == Tick(10, 7)
    assert probe(11) is None  # half a record
    assert record_probe(lambda _, size: bytes(size), 4, 2, lambda _: None)(4) is None


def test_an_index_tells_the_last_mark_before_a_time() -> None:
    index = Index((Mark(5, 100), Mark(5, 200), Mark(9, 300, (1,))))
    assert index.reach == FOREVER
    assert index.before(5) is None
    assert index.before(6) == Mark(5, 200)
    assert index.before(10) == Mark(9, 300, (1,))
    assert Mark(9, 300, (1,)).jump(1000) == Jump(300, 1009, (1,))


def test_a_jump_to_a_tick() -> None:
    assert jump_to(None) is None
    assert jump_to(Tick(10, 5), 1, 2, t0=1000) == Jump(10, 1005, (1, 2))
