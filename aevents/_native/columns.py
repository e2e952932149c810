"""The columns that decoders fill: views of one slab of memory each, from a small pool.

A slab goes back to its pool when the last array that views it is gone. So a batch may be kept for
ever, and a loop that lets batches go touches no fresh page (fresh pages cost as much as decoding).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aevents._native.room import Arrays, Room

try:
    from aevents._native._kernels import ffi
except ImportError:
    from cffi import FFI

    ffi = FFI()

SLACK = 64  # as AE_SLACK in kernels.h: slots that a decoder may scribble on
CAPACITY = 65536 + SLACK  # events: 0.9 MB, which stays near between decoding and counting
IN_PLACE = 1 << 18  # events at a time that are written where they stay: fewer, larger batches
TRIGGER_CAPACITY = 1024
FREE_SLABS = 32  # kept for each capacity: what a worker hop makes ready, and some

# Bytes an event and a trigger take: t, x, y, p; t, id, value.
EVENT_BYTES, TRIGGER_BYTES = 13, 10


_pools: dict[tuple[int, object], deque[_Slab]] = {}


class _Slab:
    """One allocation, as columns to write into; `lend` gives the same events to others, to read."""

    __slots__ = (
        "_lease", "_pool", "c", "p", "t", "trigger_id", "trigger_t", "trigger_value", "x", "y",
    )  # fmt: skip

    def __init__(self, capacity: int, pool: deque[_Slab]) -> None:
        n, m = capacity, TRIGGER_CAPACITY
        memory = np.empty(n * EVENT_BYTES + m * TRIGGER_BYTES, np.uint8)
        # Widest first, so that every column is aligned whatever the capacity.
        ends = np.cumsum([8 * n, 8 * m, 2 * n, 2 * n, n, m, m]).tolist()
        parts = np.split(memory, ends[:-1])
        self.t, self.trigger_t = parts[0].view(np.int64), parts[1].view(np.int64)
        self.x, self.y = parts[2].view(np.uint16), parts[3].view(np.uint16)
        self.p, self.trigger_id, self.trigger_value = parts[4:]
        self.c: Any = None  # the `ae_columns` that points here, once a kernel has asked for it
        self._pool = pool
        self._lease = ffi.cast("uint8_t *", ffi.from_buffer(memory))

    def lend(self, n: int) -> Arrays:
        """Return the first n events as read-only arrays; the slab is free when all are gone."""
        # The callback holds the slab. No lock: slabs may come back at any time, in any thread;
        # appending to a deque is atomic, and a bounded one lets the eldest go.
        lease = ffi.gc(self._lease, lambda _: self._pool.append(self))
        capacity = len(self.t)
        x = 8 * (capacity + TRIGGER_CAPACITY)
        size = EVENT_BYTES * capacity + 8 * TRIGGER_CAPACITY
        view = memoryview(ffi.buffer(lease, size)).toreadonly()
        return (
            np.frombuffer(view, np.int64, n),
            np.frombuffer(view, np.uint16, n, x),
            np.frombuffer(view, np.uint16, n, x + 2 * capacity),
            np.frombuffer(view, np.bool_, n, x + 4 * capacity),
        )


class _Place:
    """Where the next events of a room go, as a slab that is lent for good."""

    __slots__ = (
        "_room", "c", "p", "t", "trigger_id", "trigger_t", "trigger_value", "x", "y",
    )  # fmt: skip

    def __init__(self, capacity: int, room: Room) -> None:
        self._room = room
        self.t, self.x, self.y, p = room.free(capacity)
        self.p = p.view(np.uint8)
        self.trigger_t = np.empty(TRIGGER_CAPACITY, np.int64)
        self.trigger_id = np.empty(TRIGGER_CAPACITY, np.uint8)
        self.trigger_value = np.empty(TRIGGER_CAPACITY, np.uint8)
        self.c: Any = None

    def lend(self, n: int) -> Arrays:
        """Return the first n events as read-only arrays."""
        return self._room.take(n)


class Columns:
    """Room for events and triggers: `n` and `triggers` of them are valid.

    `t` is int64 in us, `x` and `y` are uint16, `p` is uint8, 0 or 1; likewise `trigger_t`,
    `trigger_id`, `trigger_value`. `c` is the `ae_columns` of the C kernels, None for the twins.
    """

    __slots__ = ("_lent", "_pointers", "_pool", "_room", "_slab", "capacity", "n", "triggers")

    def __init__(
        self, capacity: int = CAPACITY, pointers: Callable[[Columns], object] | None = None, /
    ) -> None:
        if capacity <= SLACK:
            raise ValueError(f"capacity must be over {SLACK} events, not {capacity}")
        self.capacity: int = capacity
        self.n: int = 0
        self.triggers: int = 0
        self._pointers = pointers
        self._room: Room | None = None
        self._pool = _pools.setdefault((capacity, pointers), deque(maxlen=FREE_SLABS))
        self._lend_anew()

    @property
    def t(self) -> NDArray[np.int64]:
        """Times in us, to write into."""
        return self._slab.t

    @property
    def x(self) -> NDArray[np.uint16]:
        """Columns of the sensor, to write into."""
        return self._slab.x

    @property
    def y(self) -> NDArray[np.uint16]:
        """Rows of the sensor, to write into."""
        return self._slab.y

    @property
    def p(self) -> NDArray[np.uint8]:
        """Polarities, 0 or 1, to write into."""
        return self._slab.p

    @property
    def trigger_t(self) -> NDArray[np.int64]:
        """Times of triggers in us."""
        return self._slab.trigger_t

    @property
    def trigger_id(self) -> NDArray[np.uint8]:
        """Inputs of triggers."""
        return self._slab.trigger_id

    @property
    def trigger_value(self) -> NDArray[np.uint8]:
        """Edges of triggers, 1 is rising."""
        return self._slab.trigger_value

    @property
    def c(self) -> Any:  # noqa: ANN401  # cffi's structures have no types
        """The `ae_columns` of the C kernels, None for the twins."""
        return self._slab.c

    def keep_in(self, room: Room) -> None:
        """Write into `room` from here on: what `take` returns stays there, in a row."""
        self._return_slab()
        self.capacity = IN_PLACE
        self._room = room
        self._lent = True

    def begin(self) -> None:
        """Forget all events and triggers, and move to another slab if `take` has lent this one, in
        a room to behind what others have put there.
        """
        if self._lent or self._room is not None:
            self._lend_anew()
        self.n = 0
        self.triggers = 0

    def take(self) -> Arrays:
        """Return the events as read-only arrays t, x, y, p (bool) that stay as they are.

        They view the slab; fewer than a quarter of the capacity are copied instead, so that a small
        batch that is kept does not hold a big slab.
        """
        n = self.n
        if 4 * n < self.capacity and self._room is None:
            slab = self._slab
            arrays = slab.t[:n].copy(), slab.x[:n].copy(), slab.y[:n].copy(), slab.p[:n] != 0
            for array in arrays:
                array.flags.writeable = False
            return arrays
        self._lent = True
        return self._slab.lend(n)

    def __del__(self) -> None:
        self._return_slab()

    def _return_slab(self) -> None:
        slab = getattr(self, "_slab", None)
        if isinstance(slab, _Slab) and not self._lent:
            self._pool.append(slab)

    def _lend_anew(self) -> None:
        self._slab: _Slab | _Place
        if self._room is not None:
            self._slab = _Place(self.capacity, self._room)
        else:
            try:  # in one step: another thread may be at the pool too
                self._slab = self._pool.pop()
            except IndexError:
                self._slab = _Slab(self.capacity, self._pool)
        if self._slab.c is None and self._pointers:
            self._slab.c = self._pointers(self)
        self._lent = False


NO_TIMES = (1 << 63) - 1, -1 << 63
"""The earliest and the latest of no times at all."""
COLUMN_TYPES = [tuple(map(np.dtype, f"int64 uint16 uint16 {p}".split())) for p in ("bool", "uint8")]


def checked(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> None:
    """Raise if the columns are not what encoders read: of these types, contiguous, one length."""
    types = t.dtype, x.dtype, y.dtype, p.dtype
    if types not in COLUMN_TYPES:
        told = ", ".join(map(str, types))
        raise TypeError(f"t, x, y, p must be int64, uint16, uint16, bool, not {told}")
    for column in (t, x, y, p):
        if column.shape != (len(t),) or not column.flags.c_contiguous:
            raise ValueError("t, x, y, p must be contiguous and of one length")


def checked_room(out: NDArray[np.uint8], size: int) -> None:
    """Raise `ValueError` if these bytes are fewer than `size`, or not in a row."""
    if out.dtype != np.uint8 or out.ndim != 1 or len(out) < size or not out.flags.c_contiguous:
        raise ValueError(f"out must be {size} contiguous bytes or more, not {out.shape}")
