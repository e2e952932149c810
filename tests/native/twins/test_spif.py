"""SPIF, datagram by datagram: the twins and C must both read and write these."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from aevents._native.datagrams import MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

Event = tuple[int, int, int, int]
COUNTS = ("off_sensor", "absurd_times", "time_jumps", "torn_bytes", "stale_bytes")
SECOND = 1_000_000
ARRIVALS = 1_000


class Read(NamedTuple):
    events: list[Event]
    counts: dict[str, int]


def read(
    kernels: ModuleType,
    datagrams: Sequence[bytes],
    *,
    size: tuple[int, int] = (640, 480),
    arrivals: Sequence[int] = (),
    capacity: int = 32768,
) -> Read:
    """Decode datagrams that come 1 ms apart, or when it is said."""
    state, out = kernels.spif_state(*size), kernels.columns(capacity)
    events: list[Event] = []
    for number, one in enumerate(datagrams):
        come = kernels.datagrams(2)
        come.put(one)
        arrival = arrivals[number] if arrivals else ARRIVALS * (number + 1)
        kernels.spif_decode(come, arrival, state, out)
        assert come.next == come.count
        columns = (out.t, out.x, out.y, out.p)
        events += zip(*(column[: out.n].tolist() for column in columns), strict=True)
    counts = {name: int(getattr(state, name)) for name in COUNTS}
    return Read(events, {name: count for name, count in counts.items() if count})


def word(x: int, y: int, p: int = 0, *, timed: bool = False) -> int:
    return (not timed) << 31 | x << 16 | p << 15 | y


def plain(*places: tuple[int, int]) -> bytes:
    """Return a datagram of ON events without timestamps."""
    return struct.pack(f"<{len(places)}I", *(word(x, y, 1) for x, y in places))


def timed(*times: int, x: int = 7) -> bytes:
    """Return a datagram of OFF events at these times, all at one place."""
    words = [part for t in times for part in (word(x, 9, timed=True), t & 0xFFFFFFFF)]
    return struct.pack(f"<{len(words)}I", *words)


# What it shows, datagrams, events.
READ = [
    ("nothing", [b""], []),
    ("the words of the specification", [bytes.fromhex("08001980 1b803880")],
     [(1000, 25, 8, 0), (1000, 56, 27, 1)]),
    ("a timestamp, and none: the later time", [bytes.fromhex("23004300 23000000 1b803880")],
     [(35, 67, 35, 0), (1000, 56, 27, 1)]),
    ("arrival is no earlier than the running time", [timed(5_000), plain((1, 2))],
     [(5_000, 7, 9, 0), (5_000, 1, 2, 1)]),
    ("the largest place", [plain((639, 479))], [(1000, 639, 479, 1)]),
    ("the clock rolls over", [timed(0xFFFFFFFE), timed(1)],
     [(0xFFFFFFFE, 7, 9, 0), ((1 << 32) + 1, 7, 9, 0)]),
    ("within a datagram too", [timed(0xFFFFFFFE, 1)],
     [(0xFFFFFFFE, 7, 9, 0), ((1 << 32) + 1, 7, 9, 0)]),
    ("twice", [timed(0xFFFFFFFF, 30 * SECOND), *(timed(30 * SECOND * k) for k in range(2, 144))],
     [(0xFFFFFFFF, 7, 9, 0), *(((1 << 32) + 30 * SECOND * k, 7, 9, 0) for k in range(1, 144))]),
    ("time stands, and goes back a little", [timed(9, 9), timed(8)],
     [(9, 7, 9, 0), (9, 7, 9, 0), (8, 7, 9, 0)]),
]  # fmt: skip


@pytest.mark.parametrize("case", READ, ids=[case[0] for case in READ])
def test_datagrams_are_read(
    kernels: ModuleType, case: tuple[str, list[bytes], list[Event]]
) -> None:
    assert read(kernels, case[1]) == Read(case[2], {})


@pytest.mark.parametrize("count", [1, 15, 16, 17, 48, 100, 16_376])
def test_long_runs_are_read(kernels: ModuleType, count: int) -> None:
    places = [(k % 640, k % 480) for k in range(count)]
    assert read(kernels, [plain(*places)]) == Read([(1000, x, y, 1) for x, y in places], {})


@pytest.mark.parametrize("place", range(40))
def test_what_is_off_the_sensor_is_left_out_wherever_it_is(kernels: ModuleType, place: int) -> None:
    for bad in ((640, 0), (0, 480), (32767, 32767)):
        places = [(1, 2)] * 40
        places[place] = bad
        assert read(kernels, [plain(*places)]) == Read([(1000, 1, 2, 1)] * 39, {"off_sensor": 1})


def test_an_event_off_the_sensor_moves_no_time(kernels: ModuleType) -> None:
    found = read(kernels, [timed(5), timed(3_000 * SECOND, x=640), timed(6)])
    assert found == Read([(5, 7, 9, 0), (6, 7, 9, 0)], {"off_sensor": 1})


def test_without_a_size_all_places_are_on_the_sensor(kernels: ModuleType) -> None:
    assert read(kernels, [plain((32767, 32767))], size=(0, 0)).events == [(1000, 32767, 32767, 1)]


@pytest.mark.parametrize(("cut", "torn", "events"), [(1, 7, 1), (4, 4, 1), (5, 3, 1), (8, 0, 1)])
def test_torn_words_are_counted(kernels: ModuleType, cut: int, torn: int, events: int) -> None:
    found = read(kernels, [timed(5, 6)[:-cut]])
    assert (len(found.events), found.counts.get("torn_bytes", 0)) == (events, torn)
    assert read(kernels, [plain((1, 1)) + b"\x00" * 3]).counts == {"torn_bytes": 3}


@pytest.mark.parametrize("absurd", [61 * SECOND, -2 * SECOND, 1 << 31, -(1 << 31)])
def test_absurd_times_are_left_out(kernels: ModuleType, absurd: int) -> None:
    now = 100 * SECOND
    wanted = Read([(now, 7, 9, 0), (now + 1, 7, 9, 0)], {"absurd_times": 1})
    assert read(kernels, [timed(now, now + absurd, now + 1)]) == wanted
    assert read(kernels, [timed(now), timed(now + absurd), timed(now + 1)]) == wanted


@pytest.mark.parametrize("jump", [61 * SECOND, -2 * SECOND, -99 * SECOND])
def test_a_clock_that_stays_there_is_followed(kernels: ModuleType, jump: int) -> None:
    now = 100 * SECOND
    found = read(kernels, [timed(now), timed(now + jump), timed(now + jump + 5, now + jump + 6)])
    times = [event[0] for event in found.events]
    assert times == [now, now + jump + 5, now + jump + 6]
    assert found.counts == {"absurd_times": 1, "time_jumps": 1}


def test_two_absurd_times_that_differ_move_nothing(kernels: ModuleType) -> None:
    found = read(kernels, [timed(5), timed(1000 * SECOND), timed(2000 * SECOND), timed(6)])
    assert found == Read([(5, 7, 9, 0), (6, 7, 9, 0)], {"absurd_times": 2})


def test_a_sensor_may_be_quiet_as_long_as_time_passes_here_too(kernels: ModuleType) -> None:
    found = read(kernels, [timed(5), timed(300 * SECOND)], arrivals=[0, 250 * SECOND])
    assert found == Read([(5, 7, 9, 0), (300 * SECOND, 7, 9, 0)], {})


def test_a_time_before_the_first_is_not_negative(kernels: ModuleType) -> None:
    found = read(kernels, [timed(5), timed(0xFFFFFFF0), timed(0xFFFFFFF1)])
    assert [event[0] for event in found.events] == [5, 0xFFFFFFF1]


FULL = timed(*range(1000, 1032))


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31])
def test_what_the_last_datagram_of_aestream_has_too_much_is_left_out(
    kernels: ModuleType, count: int
) -> None:
    memory = FULL + bytes(range(256))  # behind it is whatever was on the stack
    last = timed(*range(1032, 1032 + count))
    found = read(kernels, [FULL, last + memory[len(last) : 2 * len(last)]])
    assert [event[0] for event in found.events] == list(range(1000, 1032 + count))
    assert found.counts == {"stale_bytes": len(last)}


def test_a_datagram_that_comes_twice_is_whole(kernels: ModuleType) -> None:
    found = read(kernels, [FULL, FULL])
    assert [event[0] for event in found.events] == [*range(1000, 1032)] * 2
    assert found.counts == {}


def test_messages_hold_many_datagrams(kernels: ModuleType) -> None:
    state, out, come = kernels.spif_state(640, 480), kernels.columns(), kernels.datagrams()
    come.put(plain((1, 1), (2, 2))[:7] + plain((3, 3), (4, 4))[:7] + plain((5, 5)))
    come.segment[0] = 7
    kernels.spif_decode(come, 1, state, out)
    assert out.x[: out.n].tolist() == [1, 3, 5]
    assert state.torn_bytes == 6


def test_it_stops_before_a_message_that_may_not_fit(kernels: ModuleType) -> None:
    state, out, come = kernels.spif_state(0, 0), kernels.columns(20_000), kernels.datagrams(4)
    for _ in range(3):
        come.put(b"\xff" * MESSAGE_BYTES)
    for reached in (1, 2, 3, 3):
        kernels.spif_decode(come, 1, state, out)
        assert come.next == reached
    assert out.n == 0


# What it shows, events, timestamps, bytes.
WRITTEN = [
    ("nothing", [], False, ""),
    ("the words of the specification", [(5, 25, 8, 0), (6, 56, 27, 1)], False, "08001980 1b803880"),
    ("with timestamps", [(35, 67, 35, 0)], True, "23004300 23000000"),
    ("the low bits of the time", [((5 << 32) + 1, 0, 1, 1)], True, "01800000 01000000"),
    ("the largest place", [(0, 32767, 32767, 1)], False, "ffffffff"),
    ("times do not matter without timestamps", [(-1, 0, 0, 0)], False, "00000080"),
]


@pytest.mark.parametrize("case", WRITTEN, ids=[case[0] for case in WRITTEN])
def test_words_are_written(kernels: ModuleType, case: tuple[str, list[Event], bool, str]) -> None:
    assert write(kernels, case[1], timestamps=case[2]) == bytes.fromhex(case[3])


@pytest.mark.parametrize("event", [(5, 32768, 0, 0), (5, 0, 32768, 0), (-1, 0, 0, 0)])
def test_what_does_not_fit_ends_it(kernels: ModuleType, event: Event) -> None:
    data = write(kernels, [(5, 1, 1, 0), event, (5, 1, 1, 0)], timestamps=True)
    assert len(data) == 8


@pytest.mark.parametrize("place", [(640, 0), (0, 480)])
def test_what_is_off_the_sensor_ends_it(kernels: ModuleType, place: tuple[int, int]) -> None:
    events = [(5, 639, 479, 0), (5, *place, 0)]
    assert len(write(kernels, events, size=(640, 480))) == 4


def write(
    kernels: ModuleType,
    events: Sequence[Event],
    *,
    timestamps: bool = False,
    size: tuple[int, int] = (0, 0),
) -> bytes:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    columns = (
        np.array(t, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.array(p, bool),
    )
    data: bytes = kernels.spif_encode(*columns, timestamps=timestamps, size=size)
    return data
