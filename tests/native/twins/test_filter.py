"""Which events to keep: against a loop in plain Python, C and twin alike, and cut anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native.checks import BURST_TYPE

from ..kernels import IMPLEMENTATIONS, arrays, implementation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from aevents._native.checks import Events

WIDTH, HEIGHT = 5, 4
ROWS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 60), st.integers(-(2**63), 2**63 - 1)),
        st.integers(0, WIDTH),
        st.integers(0, HEIGHT),
        st.integers(0, 1),
    ),
    max_size=80,
)


def table(name: str) -> np.ndarray[Any, Any]:
    if name == "background":
        return np.zeros((HEIGHT + 2, WIDTH + 2), np.uint64)
    return np.zeros((HEIGHT, WIDTH), BURST_TYPE if name == "contrast" else np.uint64)


def kept(
    kernels: ModuleType, name: str, pieces: Iterable[Events], most: int, **options: bool
) -> tuple[list[bool], int]:
    last, flags, off_sensor = table(name), [], 0
    for events in pieces:
        keep = np.ones(len(events[0]), np.bool_)
        off_sensor += getattr(kernels, name)(events, last, most, keep, **options)
        flags += keep.tolist()
    return flags, off_sensor


def pieces_of(events: Events, cuts: list[int]) -> list[Events]:
    ends = [0, *sorted(cut % (len(events[0]) + 1) for cut in cuts), len(events[0])]
    slices = map(slice, ends, ends[1:])
    return [(events[0][s], events[1][s], events[2][s], events[3][s]) for s in slices]


def near(t: int, other: int | None, most: int) -> bool:
    return other is not None and (t - other + most) % 2**64 <= 2 * most


Row = tuple[int, int, int, int]
Slow = tuple[list[bool], int]


def slow_background(rows: list[Row], most: int) -> Slow:
    last: dict[tuple[int, int], int] = {}
    flags = []
    for t, x, y, _ in rows:
        on = x < WIDTH and y < HEIGHT
        around = [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
        flags.append(on and any(near(t, last.get(pixel), most) for pixel in around))
        if on:
            last[x, y] = t
    return flags, sum(x >= WIDTH or y >= HEIGHT for _, x, y, _ in rows)


def slow_refractory(rows: list[Row], most: int) -> Slow:
    last: dict[tuple[int, int], int] = {}
    flags = []
    for t, x, y, _ in rows:
        flags.append(x < WIDTH and y < HEIGHT and not near(t, last.get((x, y)), most))
        if flags[-1]:
            last[x, y] = t
    return flags, sum(x >= WIDTH or y >= HEIGHT for _, x, y, _ in rows)


def slow_contrast(rows: list[Row], most: int, *, trail: bool) -> Slow:
    bursts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    flags = []
    for t, x, y, p in rows:
        burst = bursts.setdefault((x, y), [])
        if burst and not (burst[-1][1] == p and near(t, burst[-1][0], most)):
            burst.clear()
        burst.append((t, p))
        wanted = len(burst) > 1 if trail else len(burst) == 2
        flags.append(x < WIDTH and y < HEIGHT and wanted)
    return flags, sum(x >= WIDTH or y >= HEIGHT for _, x, y, _ in rows)


def sane(rows: list[Row]) -> list[Row]:
    """Leave out times that a table of zeros would take for near to never: 2^62 us before 0."""
    return [row for row in rows if abs(row[0] + 2**62) > 2**32]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@settings(max_examples=150, deadline=None)
@given(rows=ROWS, most=st.integers(0, 30), cuts=st.lists(st.integers(0, 80), max_size=4))
def test_filters_keep_what_a_plain_loop_keeps(
    name: str, rows: list[Row], most: int, cuts: list[int]
) -> None:
    kernels, rows = implementation(name), sane(rows)
    pieces = pieces_of(arrays(rows), cuts)
    assert kept(kernels, "background", pieces, most) == slow_background(rows, most)
    assert kept(kernels, "refractory", pieces, most) == slow_refractory(rows, most)
    for trail in (True, False):
        found = kept(kernels, "contrast", pieces, most, trail=trail)
        assert found == slow_contrast(rows, most, trail=trail)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@settings(deadline=None)
@given(rows=ROWS, most=st.integers(0, 4))
def test_full_lines_are_left_out(name: str, rows: list[Row], most: int) -> None:
    kernels, (t, _, y, _) = implementation(name), arrays(rows)
    keep = np.ones(len(t), np.bool_)
    kernels.lines(t, y, most, keep)
    run = np.cumsum(np.diff(t, prepend=t[:1]) != 0).tolist() if len(t) else []
    places = list(zip(run, y.tolist(), strict=True))
    assert keep.tolist() == [places.count(place) <= most for place in places]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(rows=ROWS, seed=st.integers(0, 99))
def test_what_is_to_keep_is_picked(name: str, rows: list[Row], seed: int) -> None:
    events = arrays(rows)
    keep = np.random.default_rng(seed).random(len(rows)) < 0.5
    picked = implementation(name).pick(events, keep)
    assert [column.tolist() for column in picked] == [column[keep].tolist() for column in events]
    assert [column.dtype.name for column in picked] == ["int64", "uint16", "uint16", "bool"]


def test_polarities_of_bytes_become_flags(kernels: ModuleType) -> None:
    t, x, _, _ = arrays([(i, 1, 1, 1) for i in range(200)])
    p = np.arange(200, dtype=np.uint8)
    picked = kernels.pick((t, x, x, p), p > 20)
    assert picked[3].tolist() == [True] * 179
    assert picked[0].tolist() == [*range(21, 200)]


def test_a_large_sensor_is_looked_up_at_its_corners(kernels: ModuleType) -> None:
    rows = [(1, 65534, 0, 1), (2, 0, 1, 1), (3, 65533, 1, 0), (4, 65535, 1, 0), (5, 0, 0, 1)]
    last = np.zeros((4, 65537), np.uint64)
    keep = np.zeros(5, np.bool_)
    assert kernels.background(arrays(rows), last, 10, keep) == 1
    assert keep.tolist() == [False, False, True, False, True]
    assert not last[0].any()
    assert not last[3].any()
    assert not last[:, 0].any()
    assert not last[:, -1].any()


@pytest.mark.parametrize("name", ["background", "refractory", "contrast"])
def test_wrong_tables_flags_and_times_are_refused(kernels: ModuleType, name: str) -> None:
    filtered, events = getattr(kernels, name), arrays([(1, 1, 1, 1)])
    options = {"trail": True} if name == "contrast" else {}
    with pytest.raises(ValueError, match="contiguous, 2-d"):
        filtered(events, np.zeros((4, 4)), 1, np.zeros(1, np.bool_), **options)
    with pytest.raises(ValueError, match="contiguous, 2-d"):
        filtered(events, table(name)[:, ::2], 1, np.zeros(1, np.bool_), **options)
    with pytest.raises(ValueError, match="no frame"):
        filtered(events, table(name)[:0], 1, np.zeros(1, np.bool_), **options)
    with pytest.raises(ValueError, match="keep must be 1 contiguous bool"):
        filtered(events, table(name), 1, np.zeros(2, np.bool_), **options)
    for most in (-1, 2**60 + 1):
        with pytest.raises(ValueError, match="time of a filter"):
            filtered(events, table(name), most, np.zeros(1, np.bool_), **options)


def test_wrong_lines_are_refused(kernels: ModuleType) -> None:
    t, x, _, _ = arrays([(1, 1, 1, 1)])
    with pytest.raises(ValueError, match="one length"):
        kernels.lines(t, x[:0], 1, np.zeros(1, np.bool_))
    with pytest.raises(ValueError, match="takes int64, uint16"):
        kernels.lines(t, x, -1, np.zeros(1, np.bool_))
    with pytest.raises(ValueError, match="keep must be"):
        kernels.pick(arrays([]), np.zeros(1, np.bool_))
