"""The kernels that make events of pictures, in C: the twins have the same names and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._kernels import ffi, lib
from .planes import (
    Active,
    Picture,
    Pixels,
    Timing,
    check_counts,
    check_interval,
    check_means,
    check_picture,
    check_pixels,
    check_plane,
    check_timing,
)

SAME = (
    *("seconds", "jitter", "fade", "sigma", "noise", "fall", "limit", "late", "interval"),
    *("leak_key", "noise_key", "depth_key", "time_key", "level_key"),
)
LISTS = {
    "index": "uint32_t[]",
    "excess": "float[]",
    "change": "float[]",
    "crossed": "int32_t[]",
    "done": "int32_t[]",
    "noise_at": "uint32_t[]",
    "noise_p": "uint8_t[]",
}

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.uint32]
    Records = NDArray[np.uint64]
    Columns = tuple[
        NDArray[np.int64],
        NDArray[np.uint16],
        NDArray[np.uint16],
        NDArray[np.bool_],
        NDArray[np.bool_],
    ]


def see(pixels: Pixels, picture: Picture, active: Active) -> None:
    """See a picture: move `level` and `excess` on, and list the pixels that have events.

    Raises `ValueError` for planes of other shapes or types.
    """
    check_pixels(pixels, active)
    check_picture(picture, pixels.level.shape)
    seen, found = _picture(picture), _active(active)
    lib.ae_see(_pixels(pixels), seen, found)
    active.n, active.most, active.steps = found.n, found.most, found.steps


def crossings(pixels: Pixels, active: Active, timing: Timing, until: int) -> int:
    """Count crossings and noise up to `until` us after the last picture, not dealt with so far."""
    check_pixels(pixels, active)
    return int(lib.ae_crossings(_pixels(pixels), _active(active), _timing(timing), until))


def fire(
    pixels: Pixels, active: Active, timing: Timing, after: int, until: int, room: Records
) -> int:
    """Deal with those: write events in the order of pixels, and return how many.

    `room` is uint64, with room for as many as `crossings` counts; `after` is the `until` of the
    call before. Raises `ValueError` for other arrays.
    """
    check_pixels(pixels, active)
    check_timing(timing)
    if len(room) < active.most and len(room) < crossings(pixels, active, timing, until):
        raise ValueError(f"there is no room for all events: {len(room)} places")
    to = ffi.from_buffer("uint64_t[]", room, require_writable=True)
    how = _timing(timing)
    return int(lib.ae_fire(_pixels(pixels), _active(active), how, after, until, to))


def spread(events: Records, latest: int, start: int) -> Columns:
    """Return events, none of them later than `latest`, as columns t, x, y, p and noise, in the
    order of time; those of one time stay in theirs. `start` is added to times.
    """
    check_interval(latest)
    check_plane("events", events, np.uint64, (events.size,))
    n = len(events)
    columns = (
        np.empty(n, np.int64),
        np.empty(n, np.uint16),
        np.empty(n, np.uint16),
        np.empty(n, np.bool_),
        np.empty(n, np.bool_),
    )
    spare = ffi.from_buffer("uint64_t[]", np.empty(2 * n if latest > 0xFFFF else n, np.uint64))
    types = ("int64_t[]", "uint16_t[]", "uint16_t[]", "uint8_t[]", "uint8_t[]")
    to = [ffi.from_buffer(type, one) for type, one in zip(types, columns, strict=True)]
    counts = ffi.from_buffer("uint32_t[]", np.empty(1 << 16, np.uint32))
    given = ffi.from_buffer("uint64_t[]", events)
    lib.ae_spread(given, spare, n, counts, latest, start, *to)
    return columns


def poisson_counts(means: NDArray[np.float32], keys: tuple[int, int, int, int]) -> Counts:
    """Draw a number of events for each mean (float32, 0 to 2^24), by Poisson's law."""
    check_means(means)
    counts = np.empty(means.size, np.uint32)
    to = ffi.from_buffer("uint32_t[]", counts)
    lib.ae_poisson_counts(
        ffi.from_buffer("float[]", means), means.size, ffi.new("uint32_t[4]", keys), to
    )
    return counts


def poisson_events(
    counts: Counts, shape: tuple[int, int], interval: int, key: tuple[int, int]
) -> Records:
    """Return events of these counts, each at a time of `[0, interval)`, pixel by pixel.

    `counts` are of one plane, ON, or of two, OFF and ON, of this shape. Raises `ValueError` for
    another number of them.
    """
    check_plane("counts", counts, np.uint32, (counts.size,))
    check_counts(shape, len(counts))
    check_interval(interval)
    plane = shape[0] * shape[1]
    events = np.empty(int(counts.sum(dtype=np.int64)), np.uint64)
    lib.ae_poisson_events(
        ffi.from_buffer("uint32_t[]", counts),
        len(counts),
        shape[1],
        plane,
        len(counts) == plane,
        interval,
        ffi.new("uint32_t[2]", key),
        ffi.from_buffer("uint64_t[]", events),
    )
    return events


def _pixels(pixels: Pixels) -> object:
    height, width = pixels.level.shape
    planes: dict[str, object] = {
        name: ffi.from_buffer("float[]", getattr(pixels, name)) for name in pixels._fields[:-1]
    }
    planes |= {"last": ffi.from_buffer("int64_t[]", pixels.last)}
    return ffi.new("ae_pixels *", planes | {"n": height * width, "width": width})


def _picture(picture: Picture) -> object:
    light, logs = picture.light, picture.logs
    seen: dict[str, object] = (
        {"bytes": ffi.from_buffer("uint8_t[]", light)}
        if logs is None
        else {"light": ffi.from_buffer("float[]", light), "logs": ffi.from_buffer("float[]", logs)}
    )
    seen |= {"table": ffi.from_buffer("float[]", picture.table), "pass": picture.passed}
    if picture.normals is not None:
        seen["normals"] = ffi.from_buffer("float[]", picture.normals)
    seen |= {"nominal_on": picture.nominal[0], "nominal_off": picture.nominal[1]}
    return ffi.new("ae_picture *", seen | {name: getattr(picture, name) for name in SAME})


def _active(active: Active) -> Any:  # noqa: ANN401 - a struct of cffi
    lists = {name: ffi.from_buffer(type, getattr(active, name)) for name, type in LISTS.items()}
    return ffi.new("ae_active *", {**lists, "n": active.n})


def _timing(timing: Timing) -> object:
    how = timing._asdict()
    if timing.grid is not None:
        grid = ffi.from_buffer("uint32_t[]", timing.grid)
        return ffi.new("ae_timing *", how | {"grid": grid, "steps": len(timing.grid)})
    del how["grid"]
    return ffi.new("ae_timing *", how)
