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
    check_events,
    check_frame,
    check_kind,
    check_next,
    check_room,
    check_runs,
    check_sensor,
    check_table,
    ecf_count,
    text_layout,
)
from .columns import CAPACITY, SLACK, Columns
from .compiled_aedat import (  # noqa: F401 - handed on
    aedat2_decode,
    aedat3_decode,
    aedat4_decode,
    aedat4_encode,
    aedat_state,
)
from .compiled_spif import datagrams, spif_decode, spif_encode, spif_state  # noqa: F401 - handed on
from .datagrams import MESSAGE_STRIDE
from .pointers import EventPointers, columns_pointers, events_pointers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Buffer

    from .checks import Coordinates, Counters, Events, Polarities
    from .twins import (
        DatState,
        EncoderState,
        EsState,
        Evt2State,
        Evt3State,
        InspectionState,
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
