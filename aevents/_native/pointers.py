"""What the C kernels see of arrays: structures of pointers into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._kernels import ffi
from .columns import checked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .columns import Columns
    from .datagrams import Datagrams


def columns_pointers(columns: Columns) -> object:
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


def messages_pointers(messages: Datagrams) -> object:
    """Return the `ae_datagrams` that points into `messages`, which must outlive it."""
    into = ffi.new("ae_datagrams *", {"capacity": len(messages.length)})
    into.data = ffi.from_buffer("uint8_t[]", messages.data)
    into.length = ffi.from_buffer("uint32_t[]", messages.length)
    into.segment = ffi.from_buffer("uint32_t[]", messages.segment)
    return into


@dataclass(slots=True)
class EventPointers:
    """The `ae_columns` of a caller's arrays, and what keeps those alive."""

    c: Any
    arrays: tuple[object, ...]


def events_pointers(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> EventPointers:
    """Return the `ae_columns` of these events. Raises what `checked` raises."""
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
    return EventPointers(c, arrays)
