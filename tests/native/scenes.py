"""Pixels and pictures for the kernels that make events of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aevents._native.normals import normal_table
from aevents._native.planes import LONG_AGO, WAIT, Active, Picture, Pixels, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from numpy.typing import NDArray

TABLE: NDArray[np.float32] = np.log(np.arange(256) + 1.0).astype(np.float32)
INTERVAL = 1000


class How(NamedTuple):
    """How pictures are seen."""

    rule: int = WAIT
    rest: int = 0
    grid: bool = False
    floats: bool = False
    noise: float = 0.0
    jitter: float = 0.0
    passed: float = 0.0
    sigma: float = 0.0
    cuts: tuple[int, ...] = ()


AS_IT_IS = How()


def pixels(height: int, width: int, *, leak: float = 0.0, seed: int | None = None) -> Pixels:
    """Return pixels in the dark of thresholds of 0.25, or drawn ones."""
    shape = (height, width)
    on, off = np.full((2, *shape), 0.25, np.float32)
    if seed is not None:
        on, off = np.random.default_rng(seed).uniform(0.05, 0.4, (2, *shape)).astype(np.float32)
    level, excess, noise = np.zeros((3, *shape), np.float32)
    leaks = np.full(shape, leak, np.float32)
    return Pixels(level, excess, noise, on, off, leaks, np.full(shape, LONG_AGO))


def picture(light: NDArray[np.uint8], how: How = AS_IT_IS, number: int = 0) -> Picture:
    """Return a picture, INTERVAL after the last."""
    limit = min(int(how.noise * 16 * 2**32), 2**32 - 1)
    keys = {f"{name}_key": (number, 7 * k) for k, name in enumerate(("leak", "noise", "depth"))}
    values = light * np.float32(0.9)
    return Picture(
        values if how.floats else light,
        np.log(values + 1) if how.floats else None,
        TABLE,
        INTERVAL,
        INTERVAL / 1e6,
        passed=how.passed,
        jitter=how.jitter,
        fade=how.sigma and 0.25,
        sigma=how.sigma,
        normals=normal_table() if how.sigma else None,
        noise=how.noise,
        fall=how.noise / 400,
        nominal=(0.25, 0.25),
        limit=limit,
        late=how.grid,
        time_key=(number, 99),
        level_key=(number, 101),
        **keys,
    )


def simulated(
    kernels: ModuleType, of: Pixels, pictures: Sequence[NDArray[np.uint8]], how: How = AS_IT_IS
) -> tuple[list[list[int]], list[bytes]]:
    """Return the columns t, x, y, p and noise of all events, and what the planes then are."""
    active = Active(of.level.size)
    columns: list[list[int]] = [[], [], [], [], []]
    for number, light in enumerate(pictures):
        kernels.see(of, picture(light, how, number), active)
        steps = np.arange(1, active.steps + 2) * INTERVAL // (active.steps + 1)
        grid = steps.astype(np.uint32) if how.grid else None
        timing = Timing(number * INTERVAL, INTERVAL, grid, how.rest, how.rule)
        after = 0
        for until in (*how.cuts, INTERVAL):
            room = np.zeros(kernels.crossings(of, active, timing, until), np.uint64)
            count = kernels.fire(of, active, timing, after, until, room)
            for column, more in zip(
                columns, kernels.spread(room[:count], INTERVAL, timing.start), strict=True
            ):
                column += more.tolist()
            after = until
    return columns, [plane.tobytes() for plane in of]
