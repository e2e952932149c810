"""Samples of a camera's EVT3, and indexes of others'."""

from __future__ import annotations

import numpy as np
import pytest

from aevents._native import kernels
from aevents.codecs import evt3_seek
from aevents.codecs.base import ReadAt
from aevents.codecs.seek import FOREVER, Index, IndexNeededError, Mark
from tests.recordings import CAMERA, Integers, camera_evt3

BODY = len(CAMERA)
Events = list[tuple[int, int, int, int]]


def columns(
    stop: int, count: int, *, rows: int = 480
) -> tuple[Integers, Integers, Integers, Integers]:
    rng = np.random.default_rng(1)
    t = np.sort(rng.integers(0, stop, count))
    t[-1] = stop
    return t, rng.integers(0, 640, count), rng.integers(0, rows, count), rng.integers(0, 2, count)


class File:
    """A file in memory that counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.bytes = 0

    def __call__(self, offset: int, size: int) -> bytes:
        data = self.data[offset : offset + size]
        self.bytes += len(data)
        return data


def decoded(data: bytes, state: object) -> Events:
    out, at, events = kernels.columns(), 0, list[tuple[int, int, int, int]]()
    data = data[: len(data) // 2 * 2]
    while at < len(data):
        at = kernels.evt3_decode(data, at, state, out)  # type: ignore[arg-type]  # an EVT3 state
        rows = zip(
            *(column[: out.n].tolist() for column in (out.t, out.x, out.y, out.p)), strict=True
        )
        events += [(t, x, y, p) for t, x, y, p in rows]
    return events


def at_mark(file: File, mark: Mark) -> Events:
    return decoded(file.data[mark.offset :], evt3_seek.stand(*mark.state))


@pytest.fixture(scope="module")
def camera() -> File:
    """Three rounds of the clock, of a camera that sees little."""
    return File(camera_evt3(*columns(36_000_000, 100_000)))


@pytest.mark.parametrize("start", [1_000_000, 16_777_216, 16_800_000, 33_554_500, 35_999_000])
def test_a_camera_is_sampled(camera: File, start: int) -> None:
    camera.bytes = 0
    mark = evt3_seek.locate(camera, camera.size, BODY, start)
    assert mark is not None
    assert camera.bytes < 400_000
    assert start - 1_500_000 < mark.latest < start - 10_000
    everything = decoded(camera.data[BODY:], kernels.evt3_state())
    expected = [event for event in everything if event[0] >= start]
    assert [event for event in at_mark(camera, mark) if event[0] >= start] == expected


def test_the_beginning_needs_no_mark(camera: File) -> None:
    assert evt3_seek.locate(camera, camera.size, BODY, 5) is None
    assert evt3_seek.locate(camera, camera.size, BODY, 15_000) is None


def test_a_time_behind_the_end_is_found_near_the_end(camera: File) -> None:
    mark = evt3_seek.locate(camera, camera.size, BODY, 1 << 40)
    assert mark is not None
    assert mark.offset > camera.size - (1 << 18)


def located(data: bytes, start: int) -> Mark | None:
    return evt3_seek.locate(File(data), len(data), BODY, start)


def words_of(camera: File) -> Integers:
    return np.frombuffer(camera.data, "<u2", (camera.size - BODY) // 2, BODY).astype(np.int64)


def test_a_pause_of_a_quarter_round_needs_an_index(camera: File) -> None:
    words = words_of(camera)
    high = words >> 12 == 8
    late = high & (np.arange(len(words)) > len(words) // 3)
    words[late] = 0x8000 | (words[late] & 0xFFF) + 1500 & 0xFFF
    with pytest.raises(IndexNeededError):
        located(CAMERA + words.astype("<u2").tobytes(), 35_000_000)


def test_words_without_a_clock_need_an_index(camera: File) -> None:
    words = words_of(camera)
    kept = words[words >> 12 != 8]
    with pytest.raises(IndexNeededError):
        located(CAMERA + kept.astype("<u2").tobytes(), 35_000_000)


def test_a_clock_that_is_told_every_100_us_needs_an_index(camera: File) -> None:
    words = words_of(camera)
    high = words >> 12 == 8
    kept = words[~high | (np.cumsum(high) % 6 == 0)]
    with pytest.raises(IndexNeededError):
        located(CAMERA + kept.astype("<u2").tobytes(), 35_000_000)


def test_a_clock_that_is_told_every_32_us_needs_an_index(camera: File) -> None:
    words = words_of(camera)
    high = words >> 12 == 8
    kept = words[~high | (np.cumsum(high) % 2 == 0)]
    with pytest.raises(IndexNeededError):
        located(CAMERA + kept.astype("<u2").tobytes(), 35_000_000)


def test_a_row_that_is_not_told_needs_an_index(camera: File) -> None:
    words = words_of(camera)
    row = words >> 12 == 0
    row[np.flatnonzero(row)[0]] = False
    with pytest.raises(IndexNeededError):
        located(CAMERA + words[~row].astype("<u2").tobytes(), 35_000_000)


def test_vectors_have_a_base_of_their_own(camera: File) -> None:
    words = words_of(camera)
    words[words >> 12 == 2] += 0x1000  # bases, without vectors
    mark = located(CAMERA + words.astype("<u2").tobytes(), 30_000_000)
    assert mark is not None
    assert mark.state[4] > 0


def index_of(read: ReadAt, size: int, until: int = FOREVER, begun: Index | None = None) -> Index:
    return evt3_seek.index(read, size, BODY, until, begun)


def test_marks_are_where_a_reader_stands(camera: File) -> None:
    index = index_of(camera, camera.size)
    assert index.reach == FOREVER
    everything = decoded(camera.data[BODY:], kernels.evt3_state())
    for mark in index.marks[::7]:
        rest = at_mark(camera, mark)
        assert everything[len(everything) - len(rest) :] == rest
        assert all(t <= mark.latest for t, *_ in everything[: len(everything) - len(rest)])


def test_an_index_goes_on_where_another_ends(camera: File) -> None:
    whole = index_of(camera, camera.size)
    part = index_of(camera, camera.size, until=20_000_000)
    assert 20_000_000 <= part.reach < 22_000_000
    assert part.marks == whole.marks[: len(part.marks)]
    camera.bytes = 0
    assert index_of(camera, camera.size, begun=part) == whole
    assert camera.bytes < 0.7 * camera.size


def test_an_index_of_nothing_is_empty() -> None:
    nothing = File(CAMERA)
    assert index_of(nothing, nothing.size) == Index()
