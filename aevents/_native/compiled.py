"""The kernels in C, with the functions of the twins: same names, same results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ._kernels import ffi, lib
from .columns import CAPACITY, SLACK, Columns, checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from .twins import DatState, EncoderState, Evt2State, Evt3State

if lib.AE_SLACK != SLACK:  # pragma: no cover
    raise ImportError("the C kernels were built from another version: build the package again")


def _pointers(columns: Columns) -> object:
    """Return the `ae_columns` that points into `columns`, which must outlive it."""
    out = ffi.new("ae_columns *")
    out.capacity, out.trigger_capacity = len(columns.t), len(columns.trigger_t)
    out.t = ffi.from_buffer("int64_t[]", columns.t)
    out.x = ffi.from_buffer("uint16_t[]", columns.x)
    out.y = ffi.from_buffer("uint16_t[]", columns.y)
    out.p = ffi.from_buffer("uint8_t[]", columns.p)
    out.trigger_t = ffi.from_buffer("int64_t[]", columns.trigger_t)
    out.trigger_id = ffi.from_buffer("uint8_t[]", columns.trigger_id)
    out.trigger_value = ffi.from_buffer("uint8_t[]", columns.trigger_value)
    return out


def columns(capacity: int = CAPACITY) -> Columns:
    """Return columns for a decoder to fill, room for `capacity` events."""
    return Columns(capacity, _pointers)


def evt2_state() -> Evt2State:
    """Return the state of a reader that has seen nothing."""
    return cast("Evt2State", ffi.new("ae_evt2 *"))  # the same fields, in C


def evt3_state() -> Evt3State:
    """Return the state of a reader that has seen nothing."""
    return cast("Evt3State", ffi.new("ae_evt3 *"))  # the same fields, in C


def dat_state(*, version: int = 2, triggers: bool = False) -> DatState:
    """Return the state of a reader that has seen nothing."""
    state = ffi.new("ae_dat *", {"version": version, "triggers": triggers})
    return cast("DatState", state)  # the same fields, in C


def encoder_state(*, width: int = 0, version: int = 2) -> EncoderState:
    """Return the state of a writer that has written nothing.

    `width` of the sensor lets EVT3 write vectors; `version` is DAT's, 1 or 2.
    """
    state = ffi.new("ae_encoder *", {"y": -1, "width": width, "version": version})
    return cast("EncoderState", state)  # the same fields, in C


def evt2_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_evt2_decode, 4, data, start, state, out)


def evt3_decode(data: Buffer, start: int, state: Evt3State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_evt3_decode, 2, data, start, state, out)


def dat_decode(data: Buffer, start: int, state: DatState, out: Columns) -> int:
    """Decode whole records from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_dat_decode, 8, data, start, state, out)


def _decode(
    kernel: Callable[[object, int, object, object], int],
    size: int,
    data: Buffer,
    start: int,
    state: object,
    out: Columns,
) -> int:
    source = ffi.from_buffer("uint8_t[]", data)
    if not 0 <= start <= len(source):
        raise ValueError(f"start {start} is outside the {len(source)} bytes of data")
    out.begin()
    c = out.c
    c.n = c.triggers = 0
    words = kernel(source + start, (len(source) - start) // size, state, c)
    out.n, out.triggers = c.n, c.triggers
    return start + size * words


def evt2_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_evt2_encode, _events(t, x, y, p), state)


def evt3_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_evt3_encode, _events(t, x, y, p), state)


def dat_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as records, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_dat_encode, _events(t, x, y, p), state)


@dataclass(slots=True)
class _Events:
    """The `ae_columns` of a caller's arrays, and what keeps those alive."""

    c: Any
    arrays: tuple[object, ...]


def _events(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> _Events:
    checked(t, x, y, p)
    c = ffi.new("ae_columns *")
    c.n = c.capacity = len(t)
    arrays = (
        ffi.from_buffer("int64_t[]", t),
        ffi.from_buffer("uint16_t[]", x),
        ffi.from_buffer("uint16_t[]", y),
        ffi.from_buffer("uint8_t[]", p),
    )
    c.t, c.x, c.y, c.p = arrays
    return _Events(c, arrays)


def _encode(
    kernel: Callable[[object, object, object, int], int], events: _Events, state: EncoderState
) -> bytes:
    # A round nearly always writes all; a long way of the clock, or rows and times that change
    # with every event, take another.
    state.next = 0
    parts: list[bytes] = []
    while True:
        room = np.empty(8 * (events.c.n - state.next) + 4096, np.uint8)
        size = kernel(events.c, state, ffi.from_buffer("uint8_t[]", room), len(room))
        parts.append(room[:size].tobytes())
        if state.refused or state.next == events.c.n:
            return b"".join(parts)


from .interim import accumulate, inspect, inspection_state, readout  # noqa
