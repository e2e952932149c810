"""The kernels in C, with the functions of the twins: same names, same results."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ._kernels import ffi, lib
from .checks import (
    check_colours,
    check_kind,
    check_next,
    check_room,
    ecf_count,
    text_layout,
)
from .columns import CAPACITY, SLACK, Columns
from .compiled_aedat import (  # noqa: F401 - handed on
    aedat2_decode,
    aedat3_decode,
    aedat4_decode,
    aedat4_encode,
    aedat4_lz4,
    aedat4_packets,
    aedat_state,
)
from .compiled_ahead import (  # noqa: F401 - handed on
    Ahead,
    dat_follow,
    evt2_follow,
    evt3_follow,
    evt4_follow,
    evt21_follow,
)
from .compiled_emulate import (  # noqa: F401 - handed on
    crossings,
    fire,
    poisson_counts,
    poisson_events,
    see,
    spread,
)
from .compiled_events import (  # noqa: F401 - handed on
    Runs,
    accumulate,
    inspect,
    inspection_state,
    merge,
    readout,
)
from .compiled_filter import (  # noqa: F401 - handed on
    background,
    contrast,
    lines,
    pick,
    refractory,
)
from .compiled_marks import (  # noqa: F401 - handed on
    dat_marks,
    evt2_marks,
    evt3_marks,
    marks_state,
)
from .compiled_spif import datagrams, spif_decode, spif_encode, spif_state  # noqa: F401 - handed on
from .compiled_surface import decay, hats, intervals, last_times, recent_times, voxels  # noqa: F401 - handed on
from .datagrams import MESSAGE_STRIDE
from .pointers import EventPointers, columns_pointers, events_pointers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Buffer

    from .twins import (
        DatState,
        EncoderState,
        EsState,
        Evt2State,
        Evt3State,
        RosState,
        TextState,
    )

if (lib.AE_SLACK, lib.AE_MESSAGE_STRIDE) != (SLACK, MESSAGE_STRIDE):  # pragma: no cover
    raise ImportError("the C kernels were built from another version: build the package again")

ROOM_BYTES = (1 << 18) + 4096
"""What an encoder writes in one go: it stays in the cache."""
_rooms: deque[NDArray[np.uint8]] = deque(maxlen=8)
"""Used again: memory that is new costs as much as the encoding."""


@contextmanager
def _room() -> Iterator[tuple[NDArray[np.uint8], object]]:
    """Give memory for an encoder to write into."""
    try:  # in one step: another thread may be here too
        room = _rooms.pop()
    except IndexError:
        room = np.empty(ROOM_BYTES, np.uint8)
    yield room, ffi.from_buffer("uint8_t[]", room)
    _rooms.append(room)


def columns(capacity: int = CAPACITY) -> Columns:
    """Return columns for a decoder to fill, room for `capacity` events."""
    return Columns(capacity, columns_pointers)


def evt2_state() -> Evt2State:
    """Return the state of a reader that has seen nothing."""
    return cast("Evt2State", ffi.new("ae_evt2 *"))  # the same fields, in C


def evt21_state(*, legacy: bool = False) -> Evt2State:
    """Return the state of a reader that has seen nothing; `legacy` is an order of bytes."""
    return cast("Evt2State", ffi.new("ae_evt2 *", {"legacy": legacy}))  # the same fields, in C


def evt4_state() -> Evt2State:
    """Return the state of a reader that has seen nothing."""
    return evt2_state()


def evt3_state() -> Evt3State:
    """Return the state of a reader that has seen nothing."""
    return cast("Evt3State", ffi.new("ae_evt3 *"))  # the same fields, in C


def dat_state(*, version: int = 2, triggers: bool = False) -> DatState:
    """Return the state of a reader that has seen nothing."""
    state = ffi.new("ae_dat *", {"version": version, "triggers": triggers})
    return cast("DatState", state)  # the same fields, in C


def ros_state(*, aligned: bool = False, base: int = 0) -> RosState:
    """Return the state of a reader of one message: `base` is in us, mono's in ns."""
    state = ffi.new("ae_ros *", {"aligned": aligned, "base": base})
    return cast("RosState", state)  # the same fields, in C


def encoder_state(*, width: int = 0, version: int = 2, legacy: bool = False) -> EncoderState:
    """Return the state of a writer that has written nothing.

    `width` of the sensor lets EVT3 write vectors; `version` is DAT's, 1 or 2; `legacy` is an order
    of bytes of EVT2.1.
    """
    fields = {"y": -1, "width": width, "version": version, "legacy": legacy}
    state = ffi.new("ae_encoder *", fields)
    return cast("EncoderState", state)  # the same fields, in C


def evt2_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_evt2_decode, 4, data, start, state, out)


def evt21_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_evt21_decode, 8, data, start, state, out)


def evt4_decode(data: Buffer, start: int, state: Evt2State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_evt4_decode, 4, data, start, state, out)


def evt3_decode(data: Buffer, start: int, state: Evt3State, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_evt3_decode, 2, data, start, state, out)


def evt3_skip(data: Buffer, state: Evt3State, latest: int = -(1 << 63)) -> tuple[int, int]:
    """Leave `state` as decoding these whole words would; return how many TIME_HIGH words there are,
    and the latest time (us) that an event of theirs may have, if it is after `latest`.
    """
    source, bound = ffi.from_buffer("uint8_t[]", data), ffi.new("int64_t *", latest)
    highs = lib.ae_evt3_skip(source, len(source) // 2, state, bound)
    return int(highs), int(bound[0])


def dat_decode(data: Buffer, start: int, state: DatState, out: Columns) -> int:
    """Decode whole records from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_dat_decode, 8, data, start, state, out)


def ros_dvs_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode records from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_ros_dvs_decode, 1, data, start, state, out)


def ros_mono_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_ros_mono_decode, 8, data, start, state, out)


def ros_libcaer_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_ros_libcaer_decode, 8, data, start, state, out)


def ros_compact_decode(data: Buffer, start: int, state: RosState, out: Columns) -> int:
    """Decode whole words from byte `start` on into `out`; return where the next one starts."""
    return _decode(lib.ae_ros_compact_decode, 2, data, start, state, out)


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
    return _encode(lib.ae_evt2_encode, events_pointers(t, x, y, p), state)


def evt21_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_evt21_encode, events_pointers(t, x, y, p), state)


def evt4_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_evt4_encode, events_pointers(t, x, y, p), state)


def evt3_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as words, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_evt3_encode, events_pointers(t, x, y, p), state)


def dat_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: EncoderState,
) -> bytes:
    """Return the events as records, up to the first that the format refuses (`state.refused`)."""
    return _encode(lib.ae_dat_encode, events_pointers(t, x, y, p), state)


def _encode(
    kernel: Callable[[object, object, object, int], int], events: EventPointers, state: EncoderState
) -> bytes:
    # A round writes all of a batch as decoders give it, unless the clock has a long way to go, or
    # rows and times change with every event.
    state.next = 0
    parts: list[bytes] = []
    with _room() as (room, target):
        while not parts or not (state.refused or state.next == events.c.n):
            size = kernel(events.c, state, target, len(room))
            parts.append(room[:size].tobytes())
    return b"".join(parts)


def text_state(
    columns: Sequence[str] = ("t", "x", "y", "p"),
    *,
    separator: str = ",",
    seconds: bool = False,
    offset: int = 0,
) -> TextState:
    """Return the state of a reader or writer at the first row.

    `columns` names what each column holds; any name but t, x, y, p is skipped by readers.
    A separator " " stands for runs of spaces and tabs. t is microseconds, or decimal `seconds`.
    `offset` is where the rows begin in the text, for `first_bad`.
    """
    state = ffi.new("ae_text *", text_layout(columns, separator, seconds, offset))
    return cast("TextState", state)  # the same fields, in C


def text_decode(data: Buffer, start: int, state: TextState, out: Columns) -> int:
    """Decode whole lines from byte `start` on into `out`; return where the next one starts.

    Lines that do not parse are skipped and counted in `state.bad_lines`; the byte offset of the
    first is `state.first_bad`.
    """
    source = ffi.from_buffer("uint8_t[]", data)
    if not 0 <= start <= len(source):
        raise ValueError(f"start {start} is outside the {len(source)} bytes of data")
    out.begin()
    c = out.c
    c.n = c.triggers = 0
    size = int(lib.ae_text_decode(source + start, len(source) - start, state, c))
    out.n = c.n
    return start + size


def text_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: TextState,
) -> bytes:
    """Return the events as rows of four columns, in the order of the state's column numbers."""
    events = events_pointers(t, x, y, p)
    state.next = 0
    parts: list[bytes] = []
    with _room() as (room, target):
        while state.next < len(t):
            size = lib.ae_text_encode(events.c, state, target, len(room))
            parts.append(room[:size].tobytes())
    return b"".join(parts)


def es_state(kind: int = 1, *, width: int = 0, height: int = 0, time: int = 0) -> EsState:
    """Return the state before the first event: `kind` 1 DVS, 2 ATIS, 4 colour; `time` in us."""
    check_kind(kind)
    fields = {"kind": kind, "width": width, "height": height, "time": time}
    return cast("EsState", ffi.new("ae_es *", fields))  # the same fields, in C


def es_decode(
    data: Buffer, start: int, state: EsState, out: Columns, rgb: NDArray[np.uint8] | None = None
) -> int:
    """Decode whole records from byte `start` on into `out`; return where the next one starts.

    `p` of ATIS has 1 for exposures, 2 for polarity. `rgb` gets three bytes a colour event: it has
    a row for each event that `out` has room for.
    """
    check_colours(state.kind, rgb, out.capacity)
    source = ffi.from_buffer("uint8_t[]", data)
    if not 0 <= start <= len(source):
        raise ValueError(f"start {start} is outside the {len(source)} bytes of data")
    out.begin()
    c = out.c
    c.n = c.triggers = 0
    size = int(
        lib.ae_es_decode(
            source + start, len(source) - start, state, c, _colours(rgb, writable=True)
        )
    )
    out.n = c.n
    return start + size


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
    events = events_pointers(t, x, y, p)
    check_colours(state.kind, rgb, len(t))
    check_next(state, len(t))
    with _room() as (room, target):
        size = lib.ae_es_encode(events.c, _colours(rgb), state, target, len(room))
        return room[:size].tobytes()


def _colours(rgb: NDArray[np.uint8] | None, *, writable: bool = False) -> object:
    if rgb is None:
        return ffi.NULL
    return ffi.from_buffer("uint8_t[]", rgb, require_writable=writable)


def ecf_decode(data: Buffer, out: Columns) -> bool:
    """Append the events of a chunk to `out`; return False if it is damaged: then none are.

    Raises `ValueError` where `out` has no room for as many as the chunk says it holds.
    """
    source = ffi.from_buffer("uint8_t[]", data)
    check_room(ecf_count(data), out.capacity - SLACK - out.n)
    c = out.c
    c.n = out.n
    whole = bool(lib.ae_ecf_decode(source, len(source), c))
    out.n = c.n
    return whole


def ecf_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> bytes:
    """Return the events as one chunk, in the shortest layout; no bytes if they do not fit: more
    than 65535, x or y of 2048 or more, times that go back.
    """
    room = np.empty(lib.AE_ECF_ROOM * (len(t) + 4), np.uint8)
    size = lib.ae_ecf_encode(
        events_pointers(t, x, y, p).c, ffi.from_buffer("uint8_t[]", room), len(room)
    )
    return room[:size].tobytes()
