"""N-MNIST and N-Caltech101 (.bin): 5 bytes an event of an ATIS, and nothing else.

    byte 0 column, byte 1 row, bytes 2-4 big-endian: bit 23 polarity, bits 22-0 time in µs

The clock has 23 bits (8.4 s). A record of row 240 is no event: it adds 2^13 µs to all times after
it. Specified with the data sets, garrickorchard.com/datasets/n-mnist.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer, ByteBuffer, Codec, Watch
from aevents.codecs.limits import Limits
from aevents.errors import EncodeError
from aevents.types import Damage, EventBatch, Sensor

RECORD_BYTES = 5
SLAB = 32_768
"""Events in one batch."""
OVERFLOW_ROW = 240
OVERFLOW_US = 1 << 13
CLOCK_US = 1 << 23
MOST_OVERFLOWS = 1 << 16
"""In front of one event when written (9 min): a bound for what a wrong time makes of the file."""

Integers = npt.NDArray[np.int64]


class NmnistDecoder:
    """N-MNIST bytes to events; the sensor is 34x34 unless given."""

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("nmnist", strict=strict)
        self._watch.use(sensor or Sensor(34, 34))
        self._bytes = ByteBuffer()
        self._overflow = 0  # µs so far

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[EventBatch]:
        """Give the events that these bytes complete, at most 32 k a batch."""
        for run in self._bytes.records(data, RECORD_BYTES):
            records = np.frombuffer(run, np.uint8).reshape(-1, RECORD_BYTES)
            for start in range(0, len(records), SLAB):
                yield from self._decode(records[start : start + SLAB])

    def flush(self) -> Iterator[EventBatch]:
        """Count a torn record; give an empty batch with the sensor if there were no events."""
        self._watch.torn(len(self._bytes), self._bytes.offset)
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _decode(self, records: npt.NDArray[np.uint8]) -> Iterator[EventBatch]:
        x, y, high, middle, low = (records[:, byte].astype(np.int64) for byte in range(5))
        overflow = self._overflow + OVERFLOW_US * np.cumsum(y == OVERFLOW_ROW)
        self._overflow = int(overflow[-1])
        t = overflow + ((high & 0x7F) << 16 | middle << 8 | low)
        events = y != OVERFLOW_ROW
        if events.any():
            columns = t[events], x[events].astype(np.uint16), y[events].astype(np.uint16)
            p = high[events] >= 0x80
            for column in (*columns, p):
                column.flags.writeable = False
            yield self._watch.batch(*columns, p)


class NmnistEncoder:
    """Events to N-MNIST bytes. Times from 2^23 µs on cost a record for each 2^13 µs more."""

    def __init__(self) -> None:
        self._overflows = 0

    def feed(self, batch: EventBatch, /) -> Iterator[bytes]:
        """Give the records of these events. Raises `EncodeError` for the first that does not fit,
        after those before it.
        """
        if not isinstance(batch, EventBatch):
            raise EncodeError("nmnist", f"a record holds an event, not a {type(batch).__name__}")
        for start in range(0, len(batch), SLAB):
            yield from self._slab(batch.cut(start, start + SLAB, batch.span))

    def flush(self) -> Iterator[bytes]:
        """Give nothing: all is written."""
        return iter(())

    def _slab(self, batch: EventBatch) -> Iterator[bytes]:
        overflows, good = self._clock(batch.t)
        good &= (batch.x < 256) & (batch.y < 256) & (batch.y != OVERFLOW_ROW)
        n = len(good) if good.all() else int(np.argmin(good))
        yield from self._records(batch, overflows, n)
        if n < len(batch):
            t, x, y = int(batch.t[n]), int(batch.x[n]), int(batch.y[n])
            raise EncodeError(
                "nmnist",
                f"an event at t={t}, x={x}, y={y} does not fit: N-MNIST holds 0 <= x, y < 256 but "
                "not row 240, times from 0 on, no step back of 8 s nor leap of 9 min",
            )

    def _clock(self, t: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """Return how many overflows come before each event, and whether its time fits then."""
        needed = np.maximum(t - (CLOCK_US - OVERFLOW_US), 0) // OVERFLOW_US
        overflows = np.maximum.accumulate(np.concatenate(([self._overflows], needed)))
        steps = np.diff(overflows)
        good: npt.NDArray[np.bool_] = (t >= OVERFLOW_US * overflows[1:]) & (steps <= MOST_OVERFLOWS)
        return overflows, good

    def _records(self, batch: EventBatch, overflows: Integers, n: int) -> Iterator[bytes]:
        """Give the records of the first `n` events, with the overflows between them."""
        if not n:
            return
        records = np.empty((n, RECORD_BYTES), np.uint8)
        time = batch.t[:n] - OVERFLOW_US * overflows[1 : n + 1]
        records[:, 0], records[:, 1] = batch.x[:n], batch.y[:n]
        records[:, 2] = batch.p[:n].astype(np.int64) << 7 | time >> 16
        records[:, 3], records[:, 4] = time >> 8 & 0xFF, time & 0xFF
        steps, at = np.diff(overflows[: n + 1]), 0
        for event in np.flatnonzero(steps).tolist():
            yield records[at:event].tobytes()
            yield bytes((0, OVERFLOW_ROW, 0, 0, 0)) * int(steps[event])
            at = event
        yield records[at:].tobytes()
        self._overflows = int(overflows[n])


CODEC = Codec(
    "nmnist",
    suffixes=(".bin",),
    decoder=NmnistDecoder,
    encoder=NmnistEncoder,
    limits=Limits(
        width=256,
        height=OVERFLOW_ROW,
        start_us=0,
        back_us=CLOCK_US - 1,
        leap_us=CLOCK_US + MOST_OVERFLOWS * OVERFLOW_US - 1,
    ),
    unverified="N-Caltech101, and overflows of the clock",
    about="N-MNIST and N-Caltech101 (.bin)",
)
