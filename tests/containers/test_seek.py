"""Bisection over places, and clocks that roll over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

import aevents
from aevents import EventBatch, Sensor
from aevents.containers.seek import First, find, last_before
from aevents.registry import codec
from aevents.testing import assert_same_events, encode
from tests.containers import bags

EVENTS, SENSOR = 6_000, Sensor(320, 240)
CLOCK = 1 << 24


def times(*seconds: int) -> Callable[[int], First | None]:
    """Look at places whose first items are logged at these times; the clock rolls over at 16 s."""

    def look(number: int) -> First | None:
        time = seconds[number] * 1_000_000
        return First(time % CLOCK, time + 5_000_000, CLOCK)

    return look


@pytest.mark.parametrize(
    ("start", "number"), [(0, 0), (5, 0), (6, 0), (25, 2), (30, 2), (31, 3), (99, 4)]
)
def test_the_last_place_that_begins_before(start: int, number: int) -> None:
    assert last_before(5, [5, 10, 20, 30, 31].__getitem__, start) == number


def test_places_with_nothing_behind_them_are_too_late() -> None:
    assert last_before(4, [1, 2, None, None].__getitem__, 9) == 1


def test_nothing_is_found_in_nothing() -> None:
    assert find(0, lambda _: None, 5, settle=1) is None
    assert find(3, lambda _: None, 5, settle=1) is None


def test_roll_overs_are_told_from_the_times_of_messages() -> None:
    look = times(3, 20, 40, 60, 80)
    assert find(5, look, 70_000_000, settle=1) == (2, 2 * CLOCK)
    assert find(5, look, 1_000_000, settle=1) == (0, 0)


def test_times_of_messages_that_do_not_go_along_are_not_trusted() -> None:
    def look(number: int) -> First | None:
        return First((20_000_000 * number) % CLOCK, 0, CLOCK)

    assert find(5, look, 70_000_000, settle=1) is None


@pytest.fixture(scope="module")
def batch() -> EventBatch:
    """Events of two minutes, more or less in order."""
    random = np.random.default_rng(0)
    t = np.sort(random.integers(3_000_000, 120_000_000, EVENTS)) + random.integers(0, 2_000, EVENTS)
    x, y = random.integers(0, 320, EVENTS), random.integers(0, 240, EVENTS)
    return EventBatch.from_columns(t=t, x=x, y=y, p=x % 2, sensor=SENSOR)


def arrays(batch: EventBatch) -> list[bags.Message]:
    return bags.arrays(batch, 20)


def packets(batch: EventBatch) -> list[bags.Message]:
    """Return messages of EVT3, logged when their first event was, and cut anywhere."""
    ordered = EventBatch.from_columns(
        t=np.sort(batch.t), x=batch.x, y=batch.y, p=batch.p, sensor=SENSOR
    )
    encoder = codec("evt3").encoder
    assert encoder is not None
    data = encode(encoder(), [ordered])
    body = data[data.index(b"% end\n") + 6 :]
    size, parts = len(body) // 300 // 2 * 2, range(0, len(body), len(body) // 300 // 2 * 2)
    times = np.interp(parts, [0, len(body)], [ordered.t[0], ordered.t[-1]]).astype(int).tolist()
    return [
        bags.packet_message(body[at : at + size], "evt3", time_ns=(time + 7_000_000) * 1_000)
        for at, time in zip(parts, times, strict=True)
    ]


def mcap(path: Path, messages: list[bags.Message]) -> Path:
    path.write_bytes(bags.mcap_of(messages, chunk=3_000))
    return path


WRITERS: dict[str, Callable[[Path, list[bags.Message]], Path]] = {
    "rosbag": lambda path, messages: bags.write_ros1(path, messages, chunk=3_000),
    "mcap": mcap,
    "sqlite": bags.write_ros2,
    "folder": lambda path, messages: bags.write_ros2(path, messages, storage=StoragePlugin.MCAP),
}


@pytest.mark.parametrize("make", [arrays, packets])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_slice_is_what_slicing_all_of_it_gives(
    kind: str,
    make: Callable[[EventBatch], list[bags.Message]],
    batch: EventBatch,
    tmp_path: Path,
) -> None:
    path = WRITERS[kind](tmp_path / "bag", make(batch))
    everything = aevents.load(path)
    assert len(everything) == EVENTS
    for start in (0, 2_999_999, 3_000_000, 20_000_000, 40_123_456, 61_000_000, 119_999_999, 10**9):
        stop = start + 9_000_000
        inside = (everything.t >= start) & (everything.t < stop)
        sliced = list(aevents.open(path).time_slice(start, stop).blocking())
        assert_same_events(sliced, [everything.where(inside)])


@pytest.mark.parametrize("make", [arrays, packets])
@pytest.mark.parametrize("kind", ["rosbag", "mcap"])
def test_little_is_read(
    kind: str, make: Callable[[EventBatch], list[bags.Message]], batch: EventBatch, tmp_path: Path
) -> None:
    data = WRITERS[kind](tmp_path / "bag", make(batch)).read_bytes()
    decoder = codec(kind).decoder()
    list(decoder.feed(data[:4_000]))
    jump = decoder.locate(lambda at, size: data[at : at + size], len(data), 100_000_000)  # type: ignore[attr-defined]  # a bag's has it
    assert jump is not None
    assert len(data) * 0.7 < jump.offset < len(data)


@pytest.mark.parametrize("kind", ["rosbag", "mcap"])
def test_without_an_index_a_slice_is_read_from_the_start(
    kind: str, batch: EventBatch, tmp_path: Path
) -> None:
    path = WRITERS[kind](tmp_path / "bag", arrays(batch))
    path.write_bytes(path.read_bytes()[:-50_000])
    sliced = aevents.open(path).time_slice(10_000_000, 11_000_000)
    inside = (batch.t >= 10_000_000) & (batch.t < 11_000_000)
    assert_same_events(list(sliced.blocking()), [batch.where(inside)])
