"""The kernels that work on events in C: the twins have the same names, and the same results."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ._kernels import ffi, lib
from .checks import check_events, check_frame, check_runs, check_sensor, check_table
from .pointers import events_pointers

if TYPE_CHECKING:
    from .checks import Coordinates, Counters, Events, Polarities
    from .columns import Columns
    from .twins import InspectionState

_C_TYPES = {"uint8": "uint8_t[]", "uint16": "uint16_t[]", "uint32": "uint32_t[]"}
_ACCUMULATE = {"uint8": lib.ae_accumulate_u8, "uint16": lib.ae_accumulate_u16}
_READOUT = {
    ("uint8", "float32"): lib.ae_readout_u8_f32,
    ("uint16", "float32"): lib.ae_readout_u16_f32,
    ("uint32", "float32"): lib.ae_readout_u32_f32,
    ("uint8", "int32"): lib.ae_readout_u8_i32,
    ("uint16", "int32"): lib.ae_readout_u16_i32,
    ("uint32", "int32"): lib.ae_readout_u32_i32,
}


def _table(counts: Counters, spill: NDArray[np.uint32] | None) -> tuple[object, object]:
    return (
        ffi.from_buffer(_C_TYPES[counts.dtype.name], counts, require_writable=True),
        ffi.NULL if spill is None else ffi.from_buffer("uint32_t[]", spill, require_writable=True),
    )


def accumulate(  # noqa: PLR0913 - the columns and the frame
    counts: Counters,
    spill: NDArray[np.uint32] | None,
    x: Coordinates,
    y: Coordinates,
    p: Polarities,
    width: int,
    height: int,
    planes: int,
) -> int:
    """Count the events into the table; return how many lie off the sensor.

    `counts` are uint8, uint16 or uint32 and planes * width * height + 1 of them, as is `spill`,
    which only uint32 counters can do without. Raises `ValueError` for other tables, columns of
    unequal length, and a sensor that is too large.
    """
    check_table(counts, spill, planes * width * height)
    check_sensor(width, height, planes)
    check_events(x, y, p)
    table, spill_table = _table(counts, spill)
    events = (
        ffi.from_buffer("uint16_t[]", x),
        ffi.from_buffer("uint16_t[]", y),
        ffi.from_buffer("uint8_t[]", p),
        len(x),
        width,
        height,
        planes,
    )
    if counts.dtype == np.uint32:
        return int(lib.ae_accumulate_u32(table, *events))
    return int(_ACCUMULATE[counts.dtype.name](table, spill_table, *events))


def readout(
    counts: Counters,
    spill: NDArray[np.uint32] | None,
    out: NDArray[np.float32] | NDArray[np.int32],
    signed: bool = False,
) -> None:
    """Write the counts, or with `signed` ON - OFF of two planes, to `out`, and clear the table.

    `out` is float32 or int32, of any shape with as many values as the table, or half as many.
    """
    check_frame(counts, spill, out, signed)
    frame_type = "float[]" if out.dtype == np.float32 else "int32_t[]"
    frame = ffi.from_buffer(frame_type, out, require_writable=True)
    kernel = _READOUT[counts.dtype.name, out.dtype.name]
    kernel(*_table(counts, spill), frame, out.size, signed)


def inspection_state(width: int = 0, height: int = 0) -> InspectionState:
    """Return the state before the first event; a sensor of 0x0 is not known."""
    state = ffi.new("ae_inspection *", {"width": width, "height": height})
    return cast("InspectionState", state)  # the same fields, in C


def inspect(
    t: NDArray[np.int64], x: NDArray[np.uint16], y: NDArray[np.uint16], state: InspectionState
) -> None:
    """Count, in the next events of a stream, what goes back in time, is late, or off the sensor."""
    if not len(t) == len(x) == len(y):
        raise ValueError("t, x, y must be of one length")
    lib.ae_inspect(
        ffi.from_buffer("int64_t[]", t),
        ffi.from_buffer("uint16_t[]", x),
        ffi.from_buffer("uint16_t[]", y),
        len(t),
        state,
    )


class Runs:
    """`k` runs of events in the order of time, each empty until it is `put`; at most 64."""

    def __init__(self, k: int) -> None:
        check_runs(k)
        self.c = ffi.new("ae_run[]", k)
        self.places = ffi.new("uint32_t[]", lib.AE_MERGE_WINDOW)
        self._kept: list[object] = [None] * k

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, which: int, events: Events, key: NDArray[np.int64] | None = None) -> None:
        """Let run `which` be these columns t, x, y, p, in the order of `key`, or of t."""
        kept = events_pointers(*events)
        order = events_pointers(key, *events[1:]) if key is not None else kept
        one, self._kept[which] = self.c[which], (kept, order)
        one.key, one.t, one.x, one.y, one.p = order.c.t, kept.c.t, kept.c.x, kept.c.y, kept.c.p
        one.n, one.at = kept.c.n, 0

    def left(self, which: int) -> int:
        """Return how many events of run `which` have not been merged yet."""
        return int(self.c[which].n - self.c[which].at)


def merge(runs: Runs, until: int, out: Columns) -> None:
    """Write into `out`, as far as there is room, the events of all runs that are earlier than
    `until`, in the order of time, equal ones in the order of the runs.
    """
    out.begin()
    out.c.n = 0
    lib.ae_merge(runs.c, len(runs), until, runs.places, out.c)
    out.n = out.c.n
