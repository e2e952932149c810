"""Event Stream (.es) in plain Python: the specification of `es.c`.

A byte says how long after the event before, then comes the event:

| kind | idle bytes: time runs on by | first byte of an event | then |
|---|---|---|---|
| 1 DVS | `FF` 127; `FE` 0 | 7-1 t, 0 p | x, y (16 bits, little-endian) |
| 2 ATIS | `FC`-`FF` 63 * bits 1-0 | 7-2 t, 1 p, 0 exposure | x, y |
| 4 colour | `FF` 254; `FE` 0 | 7-0 t | x, y, r, g, b |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..checks import ATIS, COLOUR, DVS, check_colours, check_kind, check_next
from ..columns import SLACK, checked

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns

LONGEST_STEP = 1 << 34


class Layout(NamedTuple):
    """What a kind does with the first byte."""

    idle: int  # this byte and those above it are no events
    most: int  # times that an idle byte counts at most: its lowest bits
    step: int  # time of an idle byte, each time
    shift: int  # bits of flags, below the time
    size: int  # of a record


LAYOUTS = {
    DVS: Layout(0xFE, 1, 127, 1, 5),
    ATIS: Layout(0xFC, 3, 63, 2, 5),
    COLOUR: Layout(0xFE, 1, 254, 0, 8),
}


@dataclass(slots=True)
class EsState:
    """Where a reader or writer stands; fields as `ae_es` in kernels.h."""

    kind: int = DVS
    width: int = 0
    height: int = 0
    time: int = 0
    next: int = 0
    refused: int = 0


def es_state(kind: int = DVS, *, width: int = 0, height: int = 0, time: int = 0) -> EsState:
    """Return the state before the first event: `kind` 1 DVS, 2 ATIS, 4 colour; `time` in us."""
    check_kind(kind)
    return EsState(kind, width, height, time)


def es_decode(
    data: Buffer, start: int, state: EsState, out: Columns, rgb: NDArray[np.uint8] | None = None
) -> int:
    """Decode whole records from byte `start` on into `out`; return where the next one starts.

    `p` of ATIS has 1 for exposures, 2 for polarity. `rgb` gets three bytes a colour event: it has
    a row for each event that `out` has room for.
    """
    check_colours(state.kind, rgb, out.capacity)
    view = memoryview(data).cast("B")
    if not 0 <= start <= len(view):
        raise ValueError(f"start {start} is outside the {len(view)} bytes of data")
    out.begin()
    layout, at = LAYOUTS[state.kind], start
    while at < len(view) and out.n <= out.capacity - SLACK:
        first = view[at]
        if first >= layout.idle:
            state.time += layout.step * (first & layout.most)
            at += 1
        elif at + layout.size <= len(view):
            _append(bytes(view[at : at + layout.size]), layout, state, out, rgb)
            at += layout.size
        else:
            break
    return at


def _append(
    record: bytes, layout: Layout, state: EsState, out: Columns, rgb: NDArray[np.uint8] | None
) -> None:
    n = out.n
    row = record[3] | record[4] << 8
    state.time += record[0] >> layout.shift
    out.t[n] = state.time
    out.x[n] = record[1] | record[2] << 8
    out.y[n] = state.height - 1 - row & 0xFFFF if state.height else row
    out.p[n] = record[0] & (1 << layout.shift) - 1
    if rgb is not None and state.kind == COLOUR:
        rgb[n] = tuple(record[5:])
    out.n += 1


def es_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EsState,
    rgb: NDArray[np.uint8] | None = None,
) -> bytes:
    """Return bytes for the events from `state.next` on, perhaps not all: call again until it is
    their number, or `state.refused` says that an event does not fit.

    `p` and `rgb` are as in `es_decode`.
    """
    checked(t, x, y, p)
    check_colours(state.kind, rgb, len(t))
    check_next(state, len(t))
    layout, data, state.refused = LAYOUTS[state.kind], bytearray(), 0
    columns = zip(*(c[state.next :].tolist() for c in (t, x, y, p)), strict=True)
    for time, column, row, flags in columns:
        delta = time - state.time
        state.refused = int(
            column >= state.width or row >= state.height or not 0 <= delta <= LONGEST_STEP
        )
        if state.refused:
            break
        units, delta = divmod(delta, layout.step)
        idle, rest = divmod(units, layout.most)
        data += b"\xff" * idle + bytes([layout.idle | rest] if rest else [])
        data.append(delta << layout.shift | flags & (1 << layout.shift) - 1)
        data += column.to_bytes(2, "little") + (state.height - 1 - row).to_bytes(2, "little")
        if rgb is not None and state.kind == COLOUR:
            data += rgb[state.next].tobytes()
        state.time = time
        state.next += 1
    return bytes(data)
