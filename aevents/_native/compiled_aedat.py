"""The kernels of AEDAT in C, with the functions of the twins: same names, same results."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ._kernels import ffi, lib
from .checks import check_start
from .columns import NO_TIMES, checked, checked_room

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from .columns import Columns
    from .twins import AedatState


def aedat_state(**fields: int) -> AedatState:
    """Return the state of a reader that has seen nothing; `fields` are those of `AedatState`."""
    return cast("AedatState", ffi.new("ae_aedat *", {"wary": 1, **fields}))  # the same, in C


def aedat2_decode(data: Buffer, start: int, state: AedatState, out: Columns) -> int:
    """Append whole records from byte `start` on to `out`; return where it stopped."""
    return _append(lib.ae_aedat2_decode, 6 if state.old else 8, data, start, state, out)


def aedat3_decode(data: Buffer, start: int, state: AedatState, out: Columns) -> int:
    """Append whole records from byte `start` on to `out`; return where it stopped."""
    return _append(lib.ae_aedat3_decode, 8, data, start, state, out)


def aedat4_decode(data: Buffer, start: int, state: AedatState, out: Columns) -> int:
    """Append whole records from byte `start` on to `out`; return where it stopped."""
    return _append(lib.ae_aedat4_decode, 16, data, start, state, out)


def aedat4_packets(data: Buffer, stream: int, state: AedatState, out: Columns) -> int:
    """Append the events of whole packets of a stream, not packed, that hold nothing else; return
    where it stopped: see `ae_aedat4_packets` in kernels.h.
    """
    source, c = ffi.from_buffer("uint8_t[]", data), out.c
    c.n = out.n
    size: int = lib.ae_aedat4_packets(source, len(source), stream, state, c)
    out.n = c.n
    return size


def aedat4_lz4(
    data: Buffer, stream: int, state: AedatState, out: Columns, room: NDArray[np.uint8]
) -> int:
    """Append the events of packets that are LZ4 frames, each unpacked in half of `room`; return
    where it stopped: see `ae_aedat4_lz4` in kernels.h.
    """
    source, c = ffi.from_buffer("uint8_t[]", data), out.c
    c.n = out.n
    into = ffi.from_buffer("uint8_t[]", room, require_writable=True)
    size: int = lib.ae_aedat4_lz4(source, len(source), stream, state, c, into, len(into))
    out.n = c.n
    return size


def _append(
    kernel: Callable[[object, int, object, object], int],
    size: int,
    data: Buffer,
    start: int,
    state: object,
    out: Columns,
) -> int:
    source = ffi.from_buffer("uint8_t[]", data)
    check_start(start, len(source))
    c = out.c
    c.n, c.triggers = out.n, out.triggers
    records = kernel(source + start, (len(source) - start) // size, state, c)
    out.n, out.triggers = c.n, c.triggers
    return start + size * records


def aedat4_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> tuple[int, int]:
    """Write the events as records into `out`, which has 16 bytes for each; return the earliest and
    the latest time, of no events `NO_TIMES`.
    """
    checked(t, x, y, p)
    checked_room(out, 16 * len(t))
    range = ffi.new("int64_t[2]", NO_TIMES)
    lib.ae_aedat4_encode(
        ffi.from_buffer("int64_t[]", t),
        ffi.from_buffer("uint16_t[]", x),
        ffi.from_buffer("uint16_t[]", y),
        ffi.from_buffer("uint8_t[]", p),
        len(t),
        ffi.from_buffer("uint8_t[]", out, require_writable=True),
        range,
    )
    return range[0], range[1]
