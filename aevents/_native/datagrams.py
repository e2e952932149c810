"""Room for datagrams as they come, many at a time, in memory that is used again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Buffer

MESSAGE_BYTES = 65_536  # no datagram is longer; as AE_MESSAGE_BYTES in kernels.h
MESSAGE_STRIDE = 66_624  # as AE_MESSAGE_STRIDE
CAPACITY = 256  # messages: at 1 us each, what a turn of an event loop may take


class Datagrams:
    """The messages [next, count) have come and are not decoded.

    Message i has `length[i]` bytes at the beginning of row i of `data`: datagrams of `segment[i]`
    bytes each, of which the last may be shorter. `c` is the `ae_datagrams` of the C kernels, None
    for the twins.
    """

    __slots__ = ("c", "count", "data", "length", "next", "segment")

    def __init__(
        self, capacity: int = CAPACITY, pointers: Callable[[Datagrams], object] | None = None, /
    ) -> None:
        self.data: NDArray[np.uint8] = np.empty((capacity, MESSAGE_STRIDE), np.uint8)
        self.length: NDArray[np.uint32] = np.zeros(capacity, np.uint32)
        self.segment: NDArray[np.uint32] = np.zeros(capacity, np.uint32)
        self.count: int = 0
        self.next: int = 0
        self.c: Any = pointers(self) if pointers else None

    def clear(self) -> None:
        """Forget all messages."""
        self.count = self.next = 0

    def put(self, datagram: Buffer, /) -> None:
        """Add one datagram. Raises `ValueError` if it is too long, or there is no more room."""
        received = np.frombuffer(memoryview(datagram), np.uint8)
        if len(received) > MESSAGE_BYTES or self.count == len(self.length):
            raise ValueError(f"no room for a datagram of {len(received)} bytes")
        self.data[self.count, : len(received)] = received
        self.add(len(received))

    def place(self) -> memoryview:
        """Return where the next datagram is to be written; `add` it then."""
        return memoryview(self.data[self.count])[:MESSAGE_BYTES]

    def add(self, length: int) -> None:
        """Note that a datagram of this length has been written to its place."""
        self.length[self.count] = self.segment[self.count] = length
        self.count += 1
