"""Packets of events found from anywhere."""

from __future__ import annotations

from aevents.codecs import aedat3_seek
from aevents.codecs.base import Jump
from tests.recordings import CAER, IMU6, POLARITY, SPECIAL, caer, polarity, special

PACKET = caer(POLARITY, [polarity(0, 1, 2, 1)] * 1000)


def packet(t: int) -> bytes:
    return caer(POLARITY, [polarity(t + i, 8, 0, 0) for i in range(1000)])


def located(data: bytes, start: int) -> Jump | None:
    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    return aedat3_seek.locate(read, len(data), len(CAER), start)


def recording(count: int = 400, between: bytes = b"") -> bytes:
    return CAER + b"".join(packet(1000 * number) + between for number in range(count))


def test_the_jump_is_to_a_packet_of_events() -> None:
    others = caer(SPECIAL, [special(3, 2)]) + caer(IMU6, [(1, 210)], size=36) + caer(POLARITY, [])
    data = recording(between=others)
    jump = located(data, 300_000)
    assert jump is not None
    assert data[jump.offset : jump.offset + 40] == packet(jump.time)[:40]
    assert 260_000 < jump.time <= 289_000


def test_what_looks_like_a_packet_is_none() -> None:
    fake = [(8, 4), (1 << 16, 0), (0, 8), (8, 4), (0, 5), (5, 5)] * 200
    data = recording(between=caer(IMU6, [*fake], size=8))
    jump = located(data, 300_000)
    assert jump is not None
    assert data[jump.offset : jump.offset + 40] == packet(jump.time)[:40]


def test_the_overflow_counts() -> None:
    data = recording() + caer(POLARITY, [polarity(0, 1, 1, 1)] * 90_000, overflow=1)
    data += caer(POLARITY, [polarity(50_000, 1, 1, 1)] * 1000, overflow=1)
    jump = located(data, (1 << 31) + 70_000)
    assert jump is not None
    assert jump.time == (1 << 31) + 50_000


def test_the_beginning_needs_no_jump() -> None:
    assert located(recording(), 5) is None


def test_a_file_without_events_has_no_place_to_jump_to() -> None:
    assert located(CAER + caer(SPECIAL, [special(3, 2)] * 9) * 9, 5000) is None


def test_a_packet_that_is_cut_off_is_one() -> None:
    data = recording()[:-100]
    jump = located(data, 1 << 40)
    assert jump is not None
    assert jump.time > 360_000
