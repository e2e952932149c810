"""What pixels remember, what they see, and which of them have events: as the kernels of pictures
take it, in C or not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .checks import LONGEST_SIDE
from .normals import NORMALS

Floats = NDArray[np.float32]
Key = tuple[int, int]

BACK, WAIT, FORGET = range(3)  # rules for crossings in a rest, as in emulate.h
LATEST = (1 << 30) - 1  # as AE_LATEST in emulate.h
LONG_AGO = -(2**62)  # the last event of a pixel that has had none
MOST_PIXELS = 1 << 30
HIGHEST_MEAN = 1 << 24  # of a pixel: a few times what comes in one piece
SIGN, NOISE = 1, 2  # bits of an event


class Pixels(NamedTuple):
    """What pixels remember and what they are like, all `(height, width)`; see `ae_pixels`.

    All are float32, but `last` is int64.
    """

    level: Floats
    excess: Floats
    noise_level: Floats
    on: Floats
    off: Floats
    leak: Floats
    last: NDArray[np.int64]


class Picture(NamedTuple):
    """A picture, and how long it took to come; see `ae_picture`.

    `light` is uint8, or float32 of 0 to 255 with the `logs` of it; `table` has the logarithms of
    all bytes, float32; `normals` are those of `normal_table`.
    """

    light: NDArray[np.uint8] | Floats
    logs: Floats | None
    table: Floats
    interval: int
    seconds: float
    passed: float = 0.0
    jitter: float = 0.0
    fade: float = 0.0
    sigma: float = 0.0
    normals: Floats | None = None
    noise: float = 0.0
    fall: float = 0.0
    nominal: tuple[float, float] = (0.0, 0.0)
    limit: int = 0
    late: bool = False
    leak_key: Key = (0, 0)
    noise_key: Key = (0, 0)
    depth_key: Key = (0, 0)
    time_key: Key = (0, 0)
    level_key: Key = (0, 0)


class Timing(NamedTuple):
    """How crossings become events; see `ae_timing`. A `grid` is uint32."""

    start: int
    interval: int
    grid: NDArray[np.uint32] | None = None
    rest: int = 0
    rule: int = WAIT


class Active:
    """The pixels that have events of a picture; see `ae_active`. Only the first `n` count."""

    __slots__ = (
        "change",
        "crossed",
        "done",
        "excess",
        "index",
        "most",
        "n",
        "noise_at",
        "noise_p",
        "steps",
    )

    def __init__(self, pixels: int) -> None:
        self.index: NDArray[np.uint32] = np.zeros(pixels, np.uint32)
        self.excess: Floats = np.zeros(pixels, np.float32)
        self.change: Floats = np.zeros(pixels, np.float32)
        self.crossed: NDArray[np.int32] = np.zeros(pixels, np.int32)
        self.done: NDArray[np.int32] = np.zeros(pixels, np.int32)
        self.noise_at: NDArray[np.uint32] = np.zeros(pixels, np.uint32)
        self.noise_p: NDArray[np.uint8] = np.zeros(pixels, np.uint8)
        self.n: int = 0
        self.most: int = 0
        self.steps: int = 0


def check_pixels(pixels: Pixels, active: Active) -> None:
    """Raise unless the planes are of one shape and of their types, and the list has room."""
    shape = pixels.level.shape
    if len(shape) != 2 or not all(0 < side <= LONGEST_SIDE for side in shape):
        raise ValueError(f"planes are (height, width), not {shape}")
    if pixels.level.size > MOST_PIXELS:
        raise ValueError(f"planes of {shape} are too large")
    for name, plane in pixels._asdict().items():
        dtype = np.int64 if name == "last" else np.float32
        check_plane(name, plane, dtype, shape)
    if len(active.index) < pixels.level.size:
        raise ValueError(f"there is room for {len(active.index)} of {pixels.level.size} pixels")


def check_picture(picture: Picture, shape: tuple[int, ...]) -> None:
    """Raise unless the picture is of this shape, and its times are in their range."""
    if picture.logs is None:
        check_plane("light", picture.light, np.uint8, shape)
    else:
        check_plane("light", picture.light, np.float32, shape)
        check_plane("logs", picture.logs, np.float32, shape)
    check_plane("table", picture.table, np.float32, (256,))
    if picture.normals is not None:
        check_plane("normals", picture.normals, np.float32, (NORMALS,))
    elif picture.sigma:
        raise ValueError("noise of the photoreceptor takes a table of normals")
    check_interval(picture.interval)


def check_plane(
    name: str, plane: NDArray[np.generic], dtype: type[np.generic], shape: tuple[int, ...]
) -> None:
    """Raise unless a plane is what it is to be."""
    if plane.dtype != dtype or plane.shape != shape or not plane.flags.c_contiguous:
        raise ValueError(f"{name} is {plane.dtype} {plane.shape}, not {np.dtype(dtype)} {shape}")


def check_interval(interval: int) -> None:
    """Raise unless events can have times in it."""
    if not 0 < interval <= LATEST:
        raise ValueError(f"an interval is 1 to {LATEST} us, not {interval}")


def check_timing(timing: Timing) -> None:
    """Raise unless the interval and the grid are sound."""
    check_interval(timing.interval)
    if timing.grid is not None:
        check_plane("grid", timing.grid, np.uint32, (max(timing.grid.size, 1),))
        if not 0 < timing.grid.min() <= timing.grid.max() <= timing.interval:
            raise ValueError(f"a grid of {timing.interval} us has times of 1 to that")


def check_means(means: Floats) -> None:
    """Raise unless numbers of events can be drawn for these."""
    check_plane("means", means, np.float32, (means.size,))
    if not 0 <= means.min(initial=0) <= means.max(initial=0) <= HIGHEST_MEAN:
        raise ValueError(f"means are 0 to {HIGHEST_MEAN}")


def check_counts(shape: tuple[int, ...], count: int) -> None:
    """Raise unless this many counts are of one or two planes of pixels."""
    height, width = shape
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
        raise ValueError(f"planes are (height, width), not {shape}")
    if count not in (height * width, 2 * height * width) or count > MOST_PIXELS:
        raise ValueError(f"{count} counts are not of one or two planes of {shape}")
