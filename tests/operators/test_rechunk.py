"""Chunks of another size."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import (
    Chunk,
    EventBatch,
    Frame,
    Rechunk,
    Sampled,
    Sensor,
    Span,
    TruncatedError,
)
from aevents.operators.base import Chain, Operator
from aevents.operators.rechunk import owned
from aevents.testing import cut_events, example_events

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
GRID = np.arange(24, dtype=np.int16).reshape(12, 2)


def chunks(operator: Operator[Any, Chunk[Any]], items: Iterable[object]) -> list[Chunk[Any]]:
    return [chunk for item in items for chunk in operator.feed(item)] + list(operator.flush())


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array


def listed(data: object) -> object:
    return data.tolist() if isinstance(data, np.ndarray) else data


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([b"abc", b"d", b"", b"efghij"], [b"abcd", b"efgh", b"ij"]),
        ([bytearray(b"abc"), b"def"], [b"abcd", b"ef"]),
        (["abc", "d", "efghij"], ["abcd", "efgh", "ij"]),
        ([[1, 2, 3], [4, 5]], [[1, 2, 3, 4], [5]]),
        ([GRID[:3], GRID[3:5]], [GRID[:4].tolist(), GRID[4:5].tolist()]),
        ([np.arange(5.0)], [[0.0, 1.0, 2.0, 3.0], [4.0]]),
    ],
)
def test_units_of_any_kind_come_in_chunks_of_just_that_size(
    items: Sequence[object], expected: Sequence[object]
) -> None:
    got = chunks(Rechunk(4, exact=True), items)
    assert [listed(chunk.data) for chunk in got] == expected
    assert [chunk.offset for chunk in got] == list(range(0, 4 * len(expected), 4))


def test_or_of_all_that_is_there_when_that_size_is_reached() -> None:
    got = chunks(Rechunk(4), [b"abc", b"defgh", b"i", b"jklmnopq", b"r"])
    assert [chunk.data for chunk in got] == [b"abcdefgh", b"ijklmnopq", b"r"]


def test_an_array_keeps_its_dtype_and_its_shape() -> None:
    (first, rest) = chunks(Rechunk(7, exact=True), [GRID[:5], GRID[5:]])
    assert first.data.dtype == rest.data.dtype == np.int16
    assert (first.data.shape, rest.data.shape) == ((7, 2), (5, 2))
    assert not first.data.flags.writeable


def test_what_cannot_change_is_not_copied() -> None:
    array, data = frozen(np.arange(10)), bytes(100)
    got = chunks(Rechunk(4, exact=True), [array])
    assert all(np.shares_memory(chunk.data, array) for chunk in got)
    (whole,) = chunks(Rechunk(100, exact=True), [data])
    assert whole.data is data
    views = chunks(Rechunk(30, exact=True), [memoryview(data)])
    assert all(chunk.data.obj is data for chunk in views)
    events = example_events(100)
    for chunk in chunks(Rechunk(30, exact=True), [events]):
        assert np.shares_memory(chunk.data.t, events.t)


def test_a_held_chunk_never_changes() -> None:
    array, numbers, data = np.arange(4), [1, 2, 3, 4], bytearray(b"abcd")
    item: Any
    for item, expected in ((array, [0, 1, 2, 3]), (numbers, [1, 2, 3, 4]), (data, b"abcd")):
        (chunk,) = Rechunk[Any](4).feed(item)
        item[0] = item[3]
        assert listed(chunk.data) == expected
    view = memoryview(bytearray(b"abcd"))
    (viewed,) = Rechunk[Any](4).feed(view)
    view[0] = 0
    assert viewed.data == b"abcd"


def test_every_chunk_says_when_it_was() -> None:
    items = [Chunk(b"abc", Span(10, 31), 0), Chunk(b"def", Span(100, 121), 3)]
    got = chunks(Rechunk(2, exact=True), items)
    assert [chunk.span for chunk in got] == [(10, 21), (30, 101), (110, 121)]
    events = EventBatch.from_columns(t=[5, 7, 8, 20, 40], x=[0] * 5, y=[0] * 5, p=[0] * 5)
    got = chunks(Rechunk(2, exact=True), [events])
    assert [chunk.span for chunk in got] == [(5, 8), (8, 21), (40, 41)]
    assert [chunk.data.span for chunk in got] == [(5, 8), (8, 21), (40, 41)]
    assert [chunk.span for chunk in chunks(Rechunk(2), [b"abc"])] == [(0, 0)]  # not known


def test_what_was_dropped_before_it_comes_with_a_chunk() -> None:
    items = [Chunk(b"abc", Span(0, 3), 0), Chunk(b"ijkl", Span(8, 12), 8)]
    got = chunks(Rechunk(2, exact=True), items)
    assert [(c.data, c.offset, c.dropped) for c in got] == [
        (b"ab", 0, 0),
        (b"c", 2, 0),
        (b"ij", 8, 5),
        (b"kl", 10, 0),
    ]
    short = Rechunk[bytes](2, exact=True, tail="drop")
    got = chunks(short, items)
    assert [(c.data, c.dropped) for c in got] == [(b"ab", 0), (b"ij", 6), (b"kl", 0)]
    assert short.counts == {"tail_units": 1}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (b"abcde", b"de\0"),
        ("abcde", "de\0"),
        ([1, 2, 3, 4, 5], [4, 5, None]),
        (GRID[:5], [[6, 7], [8, 9], [0, 0]]),
    ],
)
def test_the_tail_is_padded(items: object, expected: object) -> None:
    *_, last = chunks(Rechunk(3, exact=True, tail="pad"), [items])
    assert listed(last.data) == expected
    assert (last.padded, last.offset) == (1, 3)


def test_the_tail_is_dropped_or_an_error() -> None:
    drop = Rechunk[bytes](4, tail="drop")
    assert chunks(drop, [b"abc"]) == []
    assert drop.counts == {"tail_units": 3}
    strict = Rechunk[bytes](4, tail="error")
    assert list(strict.feed(b"abc")) == []
    with pytest.raises(TruncatedError, match="rechunk: 3 units are left, a chunk has 4"):
        list(strict.flush())
    assert chunks(Rechunk(3, tail="error"), [b"abc"])


@given(
    data=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    size=st.integers(1, 9),
)
def test_however_the_input_is_cut_exact_chunks_are_the_same(
    data: bytes, cuts: list[int], size: int
) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    items = [
        Chunk(data[a:b], Span(10 * a, 10 * b - 9), a) for a, b in itertools.pairwise(edges) if a < b
    ]
    got = chunks(Rechunk(size, exact=True), items)
    starts = range(0, len(data), size)
    assert [c.data for c in got] == [data[a : a + size] for a in starts]
    assert [c.offset for c in got] == list(starts)
    assert [c.span for c in got] == [(10 * a, 10 * min(a + size, len(data)) - 9) for a in starts]


def test_events_are_the_same_however_they_are_cut() -> None:
    events = example_events(500)
    whole = chunks(Rechunk(64, exact=True), [events])
    for sizes in ([1] * 500, [100, 0, 3, 250]):
        got = chunks(Rechunk(64, exact=True), cut_events(events, sizes))
        assert [list(c.data) for c in got] == [list(c.data) for c in whole]
        assert [(c.span, c.offset) for c in got] == [(c.span, c.offset) for c in whole]
    assert [event for chunk in whole for event in chunk.data] == list(events)


@pytest.mark.timeout(60)
def test_a_large_item_becomes_very_many_small_chunks_in_flat_memory() -> None:
    size = 64 << 20
    pieces = Rechunk[memoryview](64, exact=True).feed(memoryview(bytes(size)))
    assert sum(1 for _ in pieces) == 1_048_576


def test_units_left_out_between_chunks() -> None:
    row = [
        Chunk(ALPHABET[i : i + 4], Span(1_000 * i, 1_000 * i + 3_001), i) for i in range(0, 60, 4)
    ]
    got = chunks(Chain([Rechunk(6, exact=True), Sampled(gap_us=5_000)]), row)
    assert [c.data for c in got][:3] == ["ABCDEF", "KLMNOP", "UVWXYZ"]
    assert [c.offset for c in got][:3] == [0, 10, 20]
    assert [c.dropped for c in got][:3] == [0, 4, 4]
    assert [c.span.start for c in got][:3] == [0, 10_000, 20_000]


@pytest.mark.parametrize(("coverage", "size"), [(0.5, 7), (0.3, 10), (1.0, 3), (0.125, 64)])
def test_so_much_is_left_as_was_asked_for(coverage: float, size: int) -> None:
    row = [bytes(n % 13) for n in range(20_000)]
    total = sum(map(len, row))
    operator: Chain[object, Chunk[bytes]] = Chain(
        [Rechunk(size, exact=True, tail="drop"), Sampled(coverage=coverage)]
    )
    got = chunks(operator, row)
    kept = sum(map(len, got))
    assert abs(kept - coverage * total) <= 2 * size
    assert all(c.offset == a.offset + size + c.dropped for a, c in itertools.pairwise(got))


def test_a_gap_in_time_after_events() -> None:
    events = EventBatch.from_columns(t=range(0, 100, 10), x=[0] * 10, y=[0] * 10, p=[0] * 10)
    got = chunks(Chain([Rechunk(2, exact=True), Sampled(gap_us=25)]), [events])
    assert [c.data.t.tolist() for c in got] == [[0, 10], [40, 50], [80, 90]]


def test_units_without_times_have_no_gap_in_time() -> None:
    with pytest.raises(TypeError, match="give from_chunks their rate_hz"):
        chunks(Chain([Rechunk(2, exact=True), Sampled(gap_us=25)]), [b"abcdef"])


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 unit, not 0"):
        Rechunk(0)
    with pytest.raises(ValueError, match="tail is 'emit'"):
        Rechunk(1, tail="keep")  # type: ignore[arg-type]  # the point
    with pytest.raises(TypeError, match="a int has no units"):
        Rechunk[Any](1).feed(5)
    with pytest.raises(TypeError, match="without a dimension"):
        owned(np.array(5))
    with pytest.raises(TypeError, match="no event to pad with"):
        Rechunk[Any](1, tail="pad").feed(example_events(5))


def test_units_are_all_of_one_kind() -> None:
    mixed = Rechunk[Any](4)
    mixed.feed(b"abc")
    with pytest.raises(TypeError, match="changed from bytes to str"):
        mixed.feed("abc")
    arrays = Rechunk[Any](40)
    arrays.feed(np.zeros((3, 2)))
    with pytest.raises(TypeError, match=r"float64 of shape \(n, 2\) to .* \(n, 3\)"):
        arrays.feed(np.zeros((3, 3)))


def test_a_second_sampling_goes_behind_the_first() -> None:
    rechunk = Rechunk[bytes](2, exact=True)
    halves = Chain[object, Chunk[bytes]]([rechunk, Sampled(coverage=0.5), Sampled(coverage=0.5)])
    assert [c.offset for c in chunks(halves, [bytes(16)])] == [0, 8]


def test_the_arrays_of_frames_are_stacked() -> None:
    frames = [
        Frame(np.full((2, 3), number), Span(10 * number, 10 * number + 10), Sensor(3, 2))
        for number in range(5)
    ]
    found = chunks(Rechunk(2, exact=True), frames)
    assert [chunk.data.shape for chunk in found] == [(2, 2, 3), (2, 2, 3), (1, 2, 3)]
    assert [chunk.data[-1, 0, 0] for chunk in found] == [1, 3, 4]
    assert [tuple(chunk.span) for chunk in found] == [(0, 11), (20, 31), (40, 41)]
    assert [chunk.offset for chunk in found] == [0, 2, 4]
    other = Frame(np.zeros((3, 3)), Span(50, 60), Sensor(3, 3))
    with pytest.raises(TypeError, match="units changed"):
        chunks(Rechunk(2), [frames[0], other])


def test_gaps_in_time_leave_out_frames() -> None:
    frames = [
        Frame(np.full((1, 1), number), Span(10 * number, 10 * number + 10), Sensor(1, 1))
        for number in range(10)
    ]
    chain = Chain[Any, Chunk[Any]]([Rechunk(2, exact=True), Sampled(gap_us=15)])
    found = chunks(chain, frames)
    assert [chunk.data[:, 0, 0].tolist() for chunk in found] == [[0, 1], [3, 4], [6, 7], [9]]
