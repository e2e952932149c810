"""The kernels of SPIF in C, with the functions of the twins: same names, same results."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ._kernels import ffi, lib
from .datagrams import CAPACITY, Datagrams
from .pointers import events_pointers, messages_pointers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .columns import Columns
    from .twins import SpifState

LARGEST_SIDE = 1 << 15


def datagrams(capacity: int = CAPACITY) -> Datagrams:
    """Return room for datagrams, `capacity` messages."""
    return Datagrams(capacity, messages_pointers)


def spif_state(width: int = 0, height: int = 0) -> SpifState:
    """Return the state before the first datagram; a sensor of 0x0 is not known."""
    fields = {"width": width or LARGEST_SIDE, "height": height or LARGEST_SIDE, "doubt": -1}
    return cast("SpifState", ffi.new("ae_spif *", fields))  # the same fields, in C


def spif_decode(data: Datagrams, arrival: int, state: SpifState, out: Columns) -> None:
    """Decode the next messages of `data` into `out`, as many as surely fit.

    They came `arrival` us after the first could.
    """
    out.begin()
    c = out.c
    c.n = c.triggers = 0
    data.c.count = data.count
    data.next = lib.ae_spif_decode(data.c, data.next, arrival, state, c)
    out.n = c.n


def spif_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    *,
    timestamps: bool = False,
    size: tuple[int, int] = (0, 0),
) -> bytes:
    """Return 4 bytes an event, 8 with timestamps, up to the first that does not fit.

    `size` is the width and height of the sensor, 0 if not known.
    """
    width, height = (side or LARGEST_SIDE for side in size)
    events, event_bytes = events_pointers(t, x, y, p), 8 if timestamps else 4
    room = np.empty(event_bytes * len(t), np.uint8)
    target = ffi.from_buffer("uint8_t[]", room)
    written = lib.ae_spif_encode(events.c, timestamps, width, height, target)
    return room[: event_bytes * written].tobytes()
