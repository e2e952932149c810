"""Counting into tables and reading them out: what comes out, exactly, and nothing else touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, implementation

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    Table = tuple[NDArray[Any], NDArray[np.uint32]]

COUNTERS = [np.uint8, np.uint16, np.uint32]
SIZES = [0, 1, 7, 15, 16, 17, 127, 128, 129, 255, 256, 257, 383, 640, 1000]
# Odd sizes; rows and columns that take all 16 bits, with products that take more.
SENSORS = [(1, 1), (3, 5), (346, 260), (65535, 2), (2, 65535), (40000, 3)]


def table(counter: type, width: int, height: int, planes: int) -> Table:
    size = planes * width * height + 1
    return np.zeros(size, counter), np.zeros(size, np.uint32)


def events(n: int, width: int, height: int, seed: int = 1) -> tuple[NDArray[Any], ...]:
    """Return x, y, p, at random: mostly on the sensor, some beside it, some far off."""
    draw = np.random.default_rng(seed)
    x = draw.integers(0, min(width + 2, 65536), n).astype(np.uint16)
    y = draw.integers(0, min(height + 2, 65536), n).astype(np.uint16)
    far = draw.integers(0, 20, n) == 0
    x[far], y[~far & (draw.integers(0, 40, n) == 0)] = 65535, 65535
    return x, y, draw.integers(0, 2, n).astype(np.uint8)


def test_a_frame_counts_what_is_in_it(kernels: ModuleType) -> None:
    counts, spill = table(np.uint8, 3, 2, 2)
    x = np.array([0, 2, 2, 1, 3, 0], np.uint16)
    y = np.array([0, 1, 1, 0, 0, 2], np.uint16)
    p = np.array([0, 1, 1, 1, 1, 0], np.bool_)
    off_sensor = kernels.accumulate(counts, spill, x, y, p, 3, 2, 2)
    assert off_sensor == 2
    frame = np.full((2, 2, 3), -1, np.float32)
    kernels.readout(counts, spill, frame)
    assert frame.tolist() == [[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 2]]]
    assert not counts.any()
    assert not spill.any()


def test_one_plane_counts_both_polarities(kernels: ModuleType) -> None:
    counts = np.zeros(3, np.uint32)
    x = np.array([0, 0, 1], np.uint16)
    kernels.accumulate(counts, None, x, 0 * x, np.array([0, 1, 1], np.uint8), 2, 1, 1)
    assert counts.tolist() == [2, 1, 0]


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_signed_is_on_minus_off(kernels: ModuleType, counter: type, dtype: type) -> None:
    counts, spill = table(counter, 2, 1, 2)
    counts[:4] = [5, 0, 1, 7]
    frame: NDArray[Any] = np.zeros((1, 2), dtype)
    kernels.readout(counts, spill, frame, True)
    assert frame.tolist() == [[-4, 7]]


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("signed", [False, True])
def test_a_million_events_at_one_pixel_are_counted_exactly(
    kernels: ModuleType, counter: type, signed: bool
) -> None:
    counts, spill = table(counter, 2, 2, 2)
    n = 1_000_000
    here = np.ones(n, np.uint16)
    off_sensor = kernels.accumulate(counts, spill, here, here, here.astype(np.bool_), 2, 2, 2)
    assert off_sensor == 0
    frame = np.zeros(4 if signed else 8, np.int32)
    kernels.readout(counts, spill, frame, signed)
    assert frame.tolist() == ([0, 0, 0, n] if signed else [0, 0, 0, 0, 0, 0, 0, n])
    assert not spill.any()


@pytest.mark.parametrize("counter", [np.uint8, np.uint16])
def test_events_off_the_sensor_may_wrap_their_slot(kernels: ModuleType, counter: type) -> None:
    counts, spill = table(counter, 2, 1, 1)
    n = 200_000
    here = np.full(n, 9, np.uint16)
    assert kernels.accumulate(counts, spill, here, here, here > 0, 2, 1, 1) == n
    frame = np.ones(2, np.float32)
    kernels.readout(counts, spill, frame)
    assert frame.tolist() == [0, 0]
    assert not counts.any()
    assert not spill.any()


def test_large_counts_are_read_as_floats_and_as_bits(kernels: ModuleType) -> None:
    counts = np.array([2**31, 2**32 - 1, 3, 0], np.uint32)
    floats, bits = np.zeros(3, np.float32), np.zeros(3, np.int32)
    kernels.readout(counts.copy(), None, floats)
    kernels.readout(counts, None, bits)
    assert floats.tolist() == [2.0**31, 2.0**32, 3]
    assert bits.view(np.uint32).tolist() == [2**31, 2**32 - 1, 3]


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize(("width", "height"), SENSORS)
def test_nothing_beside_the_table_is_touched(
    kernels: ModuleType, counter: type, planes: int, width: int, height: int
) -> None:
    size = planes * width * height + 1
    around: NDArray[Any] = np.full(size + 128, 77, counter)
    spill_around = np.full(size + 128, 77, np.uint32)
    counts, spill = around[64:-64], spill_around[64:-64]
    counts[:] = spill[:] = 0
    columns = events(2000, width, height)
    off_sensor = kernels.accumulate(counts, spill, *columns, width, height, planes)
    assert off_sensor == int(((columns[0] >= width) | (columns[1] >= height)).sum())
    assert int(counts[:-1].sum(dtype=np.int64) + spill[:-1].sum(dtype=np.int64)) == (
        2000 - off_sensor
    )
    kernels.readout(counts, spill, np.empty(size - 1, np.int32))
    for canary in (around[:64], around[-64:], spill_around[:64], spill_around[-64:]):
        assert (canary == 77).all()


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("counter", COUNTERS)
@settings(max_examples=40, deadline=None)
@given(
    n=st.one_of(st.sampled_from(SIZES), st.integers(0, 3000)),
    start=st.integers(0, 20),
    sensor=st.sampled_from([*SENSORS, (5, 3), (16, 16)]),
    planes=st.integers(1, 2),
    seed=st.integers(0, 1 << 30),
)
def test_c_counts_what_the_twin_counts(
    isa: str,
    counter: type,
    n: int,
    start: int,
    sensor: tuple[int, int],
    planes: int,
    seed: int,
) -> None:
    kernels = implementation(isa)
    x, y, p = (column[start:] for column in events(n + start, *sensor, seed))
    width, height = sensor
    ours, expected = table(counter, *sensor, planes), table(counter, *sensor, planes)
    for _ in range(3):
        found = kernels.accumulate(*ours, x, y, p, width, height, planes)
        assert found == twins.accumulate(*expected, x, y, p, width, height, planes)
    assert np.array_equal(ours[0], expected[0])
    assert np.array_equal(ours[1], expected[1])
    signed = planes == 2 and seed % 2 == 1
    size = (ours[0].size - 1) // (1 + signed)
    dtypes: list[type] = [np.float32, np.int32]
    for dtype in dtypes:
        a: NDArray[Any] = np.zeros(size, dtype)
        b: NDArray[Any] = np.zeros(size, dtype)
        kernels.readout(ours[0].copy(), ours[1].copy(), a, signed)
        twins.readout(expected[0].copy(), expected[1].copy(), b, signed)
        assert np.array_equal(a, b)


GOOD: dict[str, Any] = {
    "counts": np.zeros(13, np.uint8),
    "spill": np.zeros(13, np.uint32),
    "x": np.zeros(2, np.uint16),
    "y": np.zeros(2, np.uint16),
    "p": np.zeros(2, np.uint8),
    "width": 3,
    "height": 2,
    "planes": 2,
}
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"counts": np.zeros(12, np.uint8)}, ValueError, "counts must be 12"),
    ({"counts": np.zeros(13, np.float32)}, ValueError, "counts must be"),
    ({"counts": np.zeros(26, np.uint8)[::2]}, ValueError, "contiguous"),
    ({"spill": None}, ValueError, "need a spill"),
    ({"spill": np.zeros(12, np.uint32)}, ValueError, "spill must be"),
    ({"spill": np.zeros(13, np.int64)}, ValueError, "spill must be"),
    ({"x": np.zeros(2, np.int64)}, TypeError, "x, y, p must be"),
    ({"p": np.zeros(3, np.uint8)}, ValueError, "of one length"),
    ({"planes": 3, "counts": np.zeros(19, np.uint32), "spill": None}, ValueError, "no frame"),
    ({"width": 0, "counts": np.zeros(1, np.uint32), "spill": None}, ValueError, "no frame"),
    (
        {"width": 65536, "height": 1, "counts": np.zeros(131073, np.uint32), "spill": None},
        ValueError,
        "no frame",
    ),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD)
def test_wrong_arguments_are_refused(
    kernels: ModuleType, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        kernels.accumulate(**(GOOD | change))


def test_a_table_of_2_to_the_31_counters_is_refused() -> None:
    twins_check = twins.accumulate.__globals__["check_sensor"]
    twins_check(65535, 32767, 1)
    with pytest.raises(ValueError, match="too many counters"):
        twins_check(65535, 32767, 2)


@pytest.mark.parametrize(
    "out", [np.zeros(6, np.float64), np.zeros(12, np.float32)[::2], np.zeros(5, np.float32)]
)
def test_a_frame_that_does_not_fit_is_refused(kernels: ModuleType, out: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        kernels.readout(np.zeros(7, np.uint32), None, out)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
def test_c_itself_refuses_a_frame_that_is_too_large() -> None:
    from aevents._native._kernels import ffi, lib

    x = ffi.from_buffer("uint16_t[]", np.zeros(5, np.uint16))
    p = ffi.from_buffer("uint8_t[]", np.zeros(5, np.uint8))
    sizes = [(0, 1, 1), (1, 0, 1), (65536, 1, 1), (1, 1, 3), (65535, 65535, 1)]
    for width, height, planes in sizes:
        counts = ffi.new("uint32_t[1]")
        assert lib.ae_accumulate_u32(counts, x, x, p, 5, width, height, planes) == 5
        assert counts[0] == 0
