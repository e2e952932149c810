"""AEDAT in NumPy: the specification of `aedat.c`.

| version | bytes of a record |
|---|---|
| 2.0 | 8, big-endian: u32 address, u32 t; where the fields stand depends on the camera |
| 1.0 | 6: u16 address, u32 t |
| 3.1 | 8, little-endian: 31-17 x, 16-2 y, 1 p, 0 valid; i32 t |
| 4.0 | 16, little-endian: i64 t, u16 x, u16 y, u8 on, 3 unused |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import lz4.frame
import numpy as np

from ..checks import check_start
from ..columns import NO_TIMES, checked, checked_room

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns
    from .words import Flags, Integers

LEAP = 65_536  # us: a time further than this from the one before it is doubtful
CLOCK_RANGE = 1 << 32
FALLING = 2
MOST_PACKET = 1 << 24  # bytes
BODY = 40  # in a packet of AEDAT4, not packed: where its events begin
FRAMES = bytes.fromhex("04224d18 4040c0"), bytes.fromhex("04224d18 604082")  # as most begin
LITERALS = 8 + 7 + 4 + 2  # where the first of these are, in a packet that is one
BEFORE_EVENTS = bytes.fromhex("10000000 45565453 0000 0600 0800 0400 06000000 04000000")

ADDRESSES = {
    False: np.dtype([("address", ">u4"), ("t", ">u4")]),
    True: np.dtype([("address", ">u2"), ("t", ">u4")]),
}
POLARITIES = np.dtype([("word", "<u4"), ("t", "<i4")])
STRUCTS = np.dtype(
    {
        "names": ["t", "x", "y", "on"],
        "formats": ["<i8", "<u2", "<u2", "u1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)


@dataclass(slots=True)
class AedatState:
    """Where a reader stands, and how addresses are laid out; fields as `ae_aedat` in kernels.h."""

    started: int = 0
    last: int = 0
    wary: int = 1
    base: int = 0
    invalid: int = 0
    old: int = 0
    falls: int = 0
    x_shift: int = 0
    x_mask: int = 0
    y_shift: int = 0
    y_mask: int = 0
    right: int = 0
    bottom: int = 0
    polarity: int = 0
    on: int = 0
    other: int = 0
    input: int = 0


def aedat_state(**fields: int) -> AedatState:
    """Return the state of a reader that has seen nothing; `fields` are those of `AedatState`."""
    return AedatState(**fields)


def aedat2_decode(data: Buffer, start: int, state: AedatState, out: Columns) -> int:
    """Append whole records from byte `start` on to `out`; return where it stopped."""
    records = _records(data, start, ADDRESSES[bool(state.old)])
    address, t = records["address"].astype(np.int64), _unwrapped(records["t"], state)
    others = address & state.other
    edges = (others != 0) & (others == state.input)
    end = _end(others == 0, edges, t, state, out)
    address, t, events, edges = address[:end], t[:end], others[:end] == 0, edges[:end]
    x = state.right - (address >> state.x_shift & state.x_mask)
    y = state.bottom - (address >> state.y_shift & state.y_mask)
    p = (address & state.polarity) == state.on
    _append(out, t[events], x[events], y[events], p[events])
    count = int(edges.sum())
    room = slice(out.triggers, out.triggers + count)
    out.trigger_t[room], out.trigger_id[room] = t[edges], 0
    out.trigger_value[room] = 0 if state.falls else (address[edges] & 7) != FALLING
    out.triggers += count
    return _moved_on(start, end, records, t, state)


def aedat3_decode(data: Buffer, start: int, state: AedatState, out: Columns) -> int:
    """Append whole records from byte `start` on to `out`; return where it stopped."""
    records = _records(data, start, POLARITIES)
    word, t = records["word"].astype(np.int64), records["t"].astype(np.int64) + state.base
    valid = (word & 1) == 1
    last = t[np.maximum.accumulate(np.where(valid, np.arange(len(t)), 0))] if len(t) else t
    first = int(np.argmax(valid)) if valid.any() else len(t)
    end = _end(valid, np.zeros(len(t), np.bool_), last, state, out, first)
    state.invalid += int((~valid[:end]).sum())
    word, t, valid = word[:end], t[:end], valid[:end]
    _append(out, t[valid], word[valid] >> 17, word[valid] >> 2 & 0x7FFF, word[valid] >> 1 & 1)
    return _moved_on(start, end, records, t[valid], state)


def aedat4_decode(data: Buffer, start: int, state: AedatState, out: Columns) -> int:
    """Append whole records from byte `start` on to `out`; return where it stopped."""
    records = _records(data, start, STRUCTS)
    t = records["t"].astype(np.int64)
    every = np.ones(len(t), np.bool_)
    end = _end(every, ~every, t, state, out)
    part = records[:end]
    _append(out, t[:end], part["x"], part["y"], part["on"] != 0)
    return _moved_on(start, end, records, t[:end], state)


def aedat4_packets(data: Buffer, stream: int, state: AedatState, out: Columns) -> int:
    """Append the events of whole packets of a stream, not packed, that hold nothing else; return
    where it stopped: see `ae_aedat4_packets` in kernels.h.
    """
    view, at = memoryview(data).cast("B"), 0
    while (size := _packet_length(view[at:])) and _packet_length(view[at + size :]):
        if not _take(view[at : at + size], stream, state, out):
            break
        at += size
    return at


def aedat4_lz4(
    data: Buffer, stream: int, state: AedatState, out: Columns, room: NDArray[np.uint8]
) -> int:
    """Append the events of packets that are LZ4 frames, each unpacked in half of `room`; return
    where it stopped: see `ae_aedat4_lz4` in kernels.h.
    """
    view, at = memoryview(data).cast("B"), 0
    while (size := _frame_length(view[at:])) and _frame_length(view[at + size :]):
        plain = _unpacked(view[at : at + size], len(room) // 2)
        if not plain or not _take(plain, stream, state, out):
            break
        at += size
    return at


def _take(packet: memoryview, stream: int, state: AedatState, out: Columns) -> bool:
    """Append the events of a packet; say whether it is of this stream, has room, and is not odd."""
    id, count = (int.from_bytes(packet[place:][:4], "little") for place in (0, BODY - 4))
    if id != stream or count > out.capacity - out.n:
        return False
    before, n = replace(state), out.n
    aedat4_decode(packet[BODY : BODY + 16 * count], 0, state, out)
    if out.n < n + count:
        state.started, state.last, out.n = before.started, before.last, n
        return False
    return True


def _packet_length(data: memoryview) -> int:
    """Return the length of the packet with this head; 0 if it is not of that form."""
    if len(data) < BODY or data[12:36] != BEFORE_EVENTS:
        return 0
    id, size, prefix, count = (
        int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8, BODY - 4)
    )
    fits = id < 1 << 31 and size <= MOST_PACKET and size == prefix + 4
    return 8 + size if fits and 0 <= size - (BODY - 8) - 16 * count < 16 else 0


def _frame_length(data: memoryview) -> int:
    """Return the length of the packet with this head; 0 if it is no LZ4 frame."""
    id, size = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
    fits = id < 1 << 31 and size <= MOST_PACKET and data[8:12] == FRAMES[0][:4]
    return 8 + size if fits else 0


def _unpacked(packet: memoryview, limit: int) -> memoryview:
    """Return the packet as if it had not been packed; none if it is of another form."""
    if packet[8:15] not in FRAMES:
        return memoryview(b"")
    frame = lz4.frame.LZ4FrameDecompressor()
    try:
        plain = frame.decompress(packet[8:], limit + 1)
    except RuntimeError:
        return memoryview(b"")
    legible = plain[: BODY - 8] == packet[LITERALS:][: BODY - 8]
    whole = frame.eof and not frame.unused_data and legible and len(plain) <= limit
    unpacked = memoryview(bytes(packet[:4]) + len(plain).to_bytes(4, "little") + plain)
    return unpacked if whole and _packet_length(unpacked) else memoryview(b"")


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
    records = np.zeros(len(t), STRUCTS)
    records["t"], records["x"], records["y"], records["on"] = t, x, y, p != 0
    out[: 16 * len(t)] = np.frombuffer(records.tobytes(), np.uint8)
    earliest, latest = NO_TIMES
    return int(t.min(initial=earliest)), int(t.max(initial=latest))


def _records(data: Buffer, start: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    view = memoryview(data).cast("B")
    check_start(start, len(view))
    return np.frombuffer(view, dtype, (len(view) - start) // dtype.itemsize, start)


def _unwrapped(clock: NDArray[np.uint32], state: AedatState) -> Integers:
    """Return each as the time nearest to the one before it, whose low 32 bits these are."""
    first = state.last if state.started else int(clock[0]) if len(clock) else 0
    steps = np.diff(clock.astype(np.int64), prepend=first & (CLOCK_RANGE - 1))
    half = CLOCK_RANGE // 2
    nearest = np.mod(steps + half, CLOCK_RANGE) - half
    times: Integers = first + np.cumsum(nearest)
    return times


def _end(
    events: Flags, edges: Flags, t: Integers, state: AedatState, out: Columns, first: int = 0
) -> int:
    """Return how many records are read: those before a leap, and before what has no room.

    `first` is the first record that has a time.
    """
    room, trigger_room = out.capacity - out.n, len(out.trigger_t) - out.triggers
    stop = np.asarray(np.cumsum(events) - events >= room)
    stop |= edges & (np.cumsum(edges) > trigger_room)
    if state.wary:
        before = state.last if state.started else int(t[first]) if first < len(t) else 0
        stop[first:] |= _leaps(t[first:], before)
    return int(np.argmax(stop)) if stop.any() else len(stop)


def _leaps(t: Integers, before: int) -> Flags:
    """Return which times are further than LEAP from the one before."""
    with np.errstate(over="ignore"):
        steps = np.diff(t, prepend=np.int64(before)).view(np.uint64) + np.uint64(LEAP)
    found: Flags = steps > 2 * LEAP
    return found


def _append(out: Columns, t: Integers, x: Integers, y: Integers, p: Integers | Flags) -> None:
    room = slice(out.n, out.n + len(t))
    out.t[room], out.x[room], out.y[room], out.p[room] = t, x & 0xFFFF, y & 0xFFFF, p
    out.n += len(t)


def _moved_on(
    start: int, end: int, records: NDArray[np.void], times: Integers, state: AedatState
) -> int:
    if len(times[:end]):
        state.started, state.last = 1, int(times[:end][-1])
    return start + end * records.dtype.itemsize
