"""The columns that decoders fill: views of one slab of memory each, from a small pool.

A slab goes back to its pool when the last array that views it is gone. So a batch may be kept for
ever, and a loop that lets batches go touches no fresh page (fresh pages cost as much as decoding).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

try:
    from ._kernels import ffi
except ImportError:
    from cffi import FFI

    ffi = FFI()

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

CAPACITY = 32768  # events: 0.4 MB, which stays in L2 between decoding and counting
TRIGGER_CAPACITY = 1024
SLACK = 64  # as AE_SLACK in kernels.h: slots that a decoder may scribble on
FREE_SLABS = 8  # kept for each capacity

# Bytes an event and a trigger take: t, x, y, p; t, id, value.
EVENT_BYTES, TRIGGER_BYTES = 13, 10

_pools: dict[int, deque[object]] = {}


def _lease(size: int) -> NDArray[np.uint8]:
    """Return `size` bytes that go back to the pool when no view of them is left."""
    # No lock: a slab may come back at any time, in any thread, even within this function. Popping
    # from a deque and appending to it are atomic, and a bounded one lets the eldest go.
    pool = _pools.setdefault(size, deque(maxlen=FREE_SLABS))
    try:
        slab = pool.pop()
    except IndexError:
        slab = np.empty(size, np.uint8)
    start = ffi.cast("uint8_t *", ffi.from_buffer(slab))
    lease = ffi.gc(start, lambda _: pool.append(slab))
    return np.frombuffer(ffi.buffer(lease, size), np.uint8)


class Columns:
    """Room for events and triggers: `n` and `triggers` of them are valid.

    `t` is int64 in us, `x` and `y` are uint16, `p` is uint8, 0 or 1; likewise `trigger_t`,
    `trigger_id`, `trigger_value`. `c` is the `ae_columns` of the C kernels, None for the twins.
    """

    __slots__ = (
        "_lent", "_pointers", "c", "capacity", "n", "p", "t", "trigger_id", "trigger_t",
        "trigger_value", "triggers", "x", "y",
    )  # fmt: skip

    c: Any  # cffi's structures have no types
    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    p: NDArray[np.uint8]
    trigger_t: NDArray[np.int64]
    trigger_id: NDArray[np.uint8]
    trigger_value: NDArray[np.uint8]

    def __init__(
        self, capacity: int = CAPACITY, pointers: Callable[[Columns], object] | None = None, /
    ) -> None:
        if capacity <= SLACK:
            raise ValueError(f"capacity must be over {SLACK} events, not {capacity}")
        self.capacity = capacity
        self.n = 0
        self.triggers = 0
        self._pointers = pointers
        self._lend_anew()

    def _lend_anew(self) -> None:
        n, m = self.capacity, TRIGGER_CAPACITY
        slab = _lease(n * EVENT_BYTES + m * TRIGGER_BYTES)
        # Widest first, so that every column is aligned whatever the capacity.
        ends = np.cumsum([8 * n, 8 * m, 2 * n, 2 * n, n, m, m]).tolist()
        parts = np.split(slab, ends[:-1])
        self.t, self.trigger_t = parts[0].view(np.int64), parts[1].view(np.int64)
        self.x, self.y = parts[2].view(np.uint16), parts[3].view(np.uint16)
        self.p, self.trigger_id, self.trigger_value = parts[4:]
        self.c = self._pointers(self) if self._pointers else None
        self._lent = False

    def begin(self) -> None:
        """Forget all events and triggers, and move to another slab if `take` has lent this one."""
        if self._lent:
            self._lend_anew()
        self.n = 0
        self.triggers = 0

    def take(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]:
        """Return the events as read-only arrays t, x, y, p (bool) that stay as they are.

        They view the slab; fewer than a quarter of the capacity are copied instead, so that a small
        batch that is kept does not hold a big slab.
        """
        n = self.n
        arrays = self.t[:n], self.x[:n], self.y[:n], self.p[:n].view(np.bool_)
        if 4 * n < self.capacity:
            arrays = arrays[0].copy(), arrays[1].copy(), arrays[2].copy(), arrays[3].copy()
        else:
            self._lent = True
        for array in arrays:
            array.flags.writeable = False
        return arrays


def checked(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> None:
    """Raise if columns are not what encoders read: of these types, contiguous, of one length."""
    types = [str(column.dtype) for column in (t, x, y, p)]
    if types[:3] != ["int64", "uint16", "uint16"] or types[3] not in ("bool", "uint8"):
        raise TypeError(f"t, x, y, p must be int64, uint16, uint16, bool, not {', '.join(types)}")
    for column in (t, x, y, p):
        if column.shape != (len(t),) or not column.flags.c_contiguous:
            raise ValueError("t, x, y, p must be contiguous and of one length")
