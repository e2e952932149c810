"""What kernels of pictures refuse, in C or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from aevents._native.planes import Active, Timing

from .scenes import INTERVAL, How, picture, pixels

if TYPE_CHECKING:
    from types import ModuleType

LIGHT = np.zeros((4, 5), np.uint8)
WRONG: Any = np.zeros((4, 5))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("level", np.zeros(20, np.float32), r"planes are \(height, width\), not \(20,\)"),
        ("level", np.zeros((0, 5), np.float32), r"planes are \(height, width\), not \(0, 5\)"),
        ("excess", np.zeros((4, 5)), "excess is float64"),
        ("on", np.zeros((5, 4), np.float32), r"on is float32 \(5, 4\), not float32 \(4, 5\)"),
        ("leak", np.zeros((5, 4), np.float32).T, "leak is"),
        ("last", np.zeros((4, 5), np.int32), "last is int32"),
    ],
)
def test_planes_that_are_none(
    kernels: ModuleType,
    field: str,
    value: np.ndarray[Any, Any],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        kernels.see(pixels(4, 5)._replace(**{field: value}), picture(LIGHT), Active(20))


def test_planes_that_are_too_large(kernels: ModuleType) -> None:
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (40_000, 40_000), (0, 0))
    with pytest.raises(ValueError, match="are too large"):
        kernels.see(pixels(4, 5)._replace(level=huge), picture(LIGHT), Active(20))


def test_a_list_without_room_for_all(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match="room for 19 of 20 pixels"):
        kernels.see(pixels(4, 5), picture(LIGHT), Active(19))


def test_pictures_that_are_none(kernels: ModuleType) -> None:
    of, active = pixels(4, 5), Active(20)
    for bad, message in (
        (picture(LIGHT.T), "light is uint8"),
        (picture(LIGHT)._replace(light=np.zeros((4, 5), np.float32)), "light is float32"),
        (picture(LIGHT, How(floats=True))._replace(logs=WRONG), "logs is float64"),
        (picture(LIGHT)._replace(table=np.zeros(255, np.float32)), "table is"),
        (picture(LIGHT, How(sigma=1))._replace(normals=WRONG), "normals is float64"),
        (picture(LIGHT, How(sigma=1))._replace(normals=None), "takes a table of normals"),
        (picture(LIGHT)._replace(interval=0), "an interval is 1 to 1073741823 us, not 0"),
        (picture(LIGHT)._replace(interval=1 << 30), "an interval is"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.see(of, bad, active)


@pytest.mark.parametrize("grid", [[0], [INTERVAL + 1], []])
def test_grids_that_are_none(kernels: ModuleType, grid: list[int]) -> None:
    timing = Timing(0, INTERVAL, np.array(grid, np.uint32))
    with pytest.raises(ValueError, match="grid"):
        kernels.fire(pixels(4, 5), Active(20), timing, 0, INTERVAL, np.zeros(0, np.uint64))


@pytest.mark.parametrize("mean", [-1.0, float("nan"), 2.0**25])
def test_means_that_are_none(kernels: ModuleType, mean: float) -> None:
    with pytest.raises(ValueError, match="means are 0 to 16777216"):
        kernels.poisson_counts(np.array([mean], np.float32), (1, 2, 3, 4))


def test_counts_that_are_none(kernels: ModuleType) -> None:
    for shape, count in (((2, 3), 5), ((2, 3), 18), ((0, 3), 0)):
        with pytest.raises(ValueError, match=r"counts are not|planes are"):
            kernels.poisson_events(np.zeros(count, np.uint32), shape, 5, (1, 2))
