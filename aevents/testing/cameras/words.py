"""The 16-bit words that cameras of iniVation send, made of events, edges, measurements and frames.

    1ttt tttt tttt tttt    time in µs, its lower 15 bits
    0111 nnnn nnnn nnnn    the time has wrapped n times
    0000 cccc cccc cccc    special: 2 to 4 edges, 5 and 7 a measurement, 8 to 15 a frame
    0101 cccc bbbb bbbb    a byte of a measurement (0) or of a frame (1 to 3), or a scale (3)

DVXplorer: `0001 s.xx xxxx xxxx` column, `0100 0000 00gg gggg` group of 8 rows, and
`0011 ...p mmmm mmmm` which of them have events, OFF if p. DAVIS: `0001` row, `0010` and `0011`
column of an OFF or ON event, `0100` a pixel of a frame, of 10 bits. As libcaer reads them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aevents.types import EventBatch, Frame, ImuBatch, Times, TriggerBatch

Words = NDArray[np.uint16]
Said = EventBatch | TriggerBatch | ImuBatch | Frame
"""What a camera has to say."""

WRAP_BITS, MOST_WRAPS = 15, 4095
TIME, WRAP = 0x8000, 0x7000
COLUMN, GROUP, MASK, OFF_MASK = 0x1000, 0x4000, 0x3000, 0x0100
ROW, OFF, ON = 0x1000, 0x2000, 0x3000
FALLING, RISING, IMU_START, IMU_END = 2, 3, 5, 7
FRAME_START, FRAME_END, RESET_COLUMN, SIGNAL_COLUMN, COLUMN_END = 8, 10, 11, 12, 13
EXPOSURE_START, EXPOSURE_END = 14, 15
BYTE, HIGH_BYTE, LOW_BYTE, SCALE = 0x5000, 0x5100, 0x5200, 0x5300
PIXEL, WHITE, PIXEL_SHIFT = 0x4000, 1023, 6
"""A pixel is sent twice, as reset and as exposed: the difference is its brightness, of 10 bits."""
MEASURED = 7 << 5
"""A measurement has acceleration, rotation and temperature."""
PER_G, PER_DEGREE_A_SECOND = 8192, 65.536
"""What stands for 1 g and 1 degree/s where the scales are 4 g and 500 degrees/s."""


class Wording:
    """Items to words, in the order of time; one that goes back in time raises `ValueError`."""

    scale: int = 0
    axes: tuple[int, ...] = (0, 1, 2)
    degree: int = 0
    zero_degrees: int = 0

    def __init__(self) -> None:
        self._now = 0

    def feed(self, item: Said, /) -> Words:
        """Return the words that say an item."""
        if isinstance(item, EventBatch):
            return self._events(item)
        if isinstance(item, TriggerBatch):
            edges = np.where(item.value, RISING, FALLING)
            return self._each(item.t, [[edge] for edge in edges.tolist()])
        if isinstance(item, ImuBatch):
            return self._each(item.t, self._measurements(item))
        return self._frame(item)

    def _addresses(self, batch: EventBatch) -> tuple[Times, Words, NDArray[np.bool_]]:
        """Return times, rows of words, and which of these are there."""
        raise NotImplementedError

    def _events(self, batch: EventBatch) -> Words:
        if not len(batch):
            return np.empty(0, np.uint16)
        t, words, there = self._addresses(batch)
        times = np.diff(t, prepend=self._now) != 0
        wraps = np.diff(t >> WRAP_BITS, prepend=self._now >> WRAP_BITS)
        self._check(t, wraps)
        low = t & (1 << WRAP_BITS) - 1
        clock = np.stack([WRAP | wraps, TIME | low], axis=1)
        moved = np.stack([wraps > 0, times & ((low > 0) | (wraps == 0))], axis=1)
        self._now = int(t[-1])
        every = np.concatenate([clock, words], axis=1).astype(np.uint16)
        found: Words = every[np.concatenate([moved, there], axis=1)]
        return found

    def _check(self, t: Times, wraps: Times) -> None:
        if self._now > t[0] or (np.diff(t) < 0).any():
            raise ValueError("time goes back: a camera sends in the order of time")
        if (wraps > MOST_WRAPS).any():
            raise ValueError("a gap in time of over 134 s: put two batches, and an edge between")

    def _each(self, t: Times, words: list[list[int]]) -> Words:
        found: list[int] = []
        for time, said in zip(t.tolist(), words, strict=True):
            found += [*self._moved(time), *said]
        return np.array(found, np.uint16)

    def _moved(self, time: int) -> list[int]:
        """Return the words that move the time on."""
        if time < self._now:
            raise ValueError("time goes back: a camera sends in the order of time")
        wraps = (time >> WRAP_BITS) - (self._now >> WRAP_BITS)
        full, rest = divmod(wraps, MOST_WRAPS)
        words = [WRAP | MOST_WRAPS] * full + [WRAP | rest] * (rest > 0)
        low = time & (1 << WRAP_BITS) - 1
        if time != self._now and (low or not wraps):
            words.append(TIME | low)
        self._now = time
        return words

    def _measurements(self, batch: ImuBatch) -> list[list[int]]:
        x, y, z = self.axes
        order = [x, y, z, 3, 4 + x, 4 + y, 4 + z]
        degrees = (batch.temperature - self.zero_degrees) * self.degree
        columns = [
            *(batch.accelerometer * PER_G).T, degrees, *(batch.gyroscope * PER_DEGREE_A_SECOND).T
        ]  # fmt: skip
        raw = np.stack([np.rint(columns[one]) for one in order], axis=1).astype(">i2")
        scale = SCALE | MEASURED | self.scale
        return [
            [IMU_START, scale, *(BYTE | byte for byte in sample.tobytes()), IMU_END]
            for sample in raw
        ]

    def _frame(self, frame: Frame) -> Words:
        height, width = frame.shape
        brightness = (frame.array.astype(np.uint16) >> PIXEL_SHIFT).T.astype(np.uint16)
        corners = [0, 0, width - 1, height - 1]
        region = [word for at in corners for word in (HIGH_BYTE | at >> 8, LOW_BYTE | at & 0xFF)]
        begin = [*self._moved(frame.span.start), FRAME_START, *region, EXPOSURE_START]
        end = [*self._moved(frame.span.stop), EXPOSURE_END]
        reset = _columns(RESET_COLUMN, np.full_like(brightness, WHITE))
        signal = _columns(SIGNAL_COLUMN, np.subtract(WHITE, brightness, dtype=np.uint16))
        parts = [[*begin, *end], reset, signal, [FRAME_END]]
        return np.concatenate([np.asarray(part, np.uint16) for part in parts])

    def idle(self, wraps: int) -> Words:
        """Return the words of a camera that has nothing to say for this long."""
        time = (self._now >> WRAP_BITS) + wraps << WRAP_BITS
        return np.array(self._moved(time), np.uint16)


class DvxWording(Wording):
    """The words of a DVXplorer. Rows of 8 that have events at once and in ascending order are one.

    The axes of its IMU are turned: y comes before x.
    """

    scale: int = 1 << 3 | 2
    axes: tuple[int, ...] = (1, 0, 2)
    degree: int = 512
    zero_degrees: int = 23

    def __init__(self) -> None:
        super().__init__()
        self._column = self._group = -1

    def _addresses(self, batch: EventBatch) -> tuple[Times, Words, NDArray[np.bool_]]:
        t, x, y = batch.t, batch.x.astype(np.int64), batch.y.astype(np.int64)
        keys = np.stack([t, x, y >> 3, batch.p])
        begins = np.ones(len(t), np.bool_)
        begins[1:] = (np.diff(keys, axis=1) != 0).any(axis=0) | (np.diff(y) <= 0)
        (first,) = np.nonzero(begins)
        rows = np.bitwise_or.reduceat(1 << (y & 7), first)
        t, column, group, on = keys[:, first]
        words = np.stack([COLUMN | column, GROUP | group, MASK | rows | OFF_MASK * (1 - on)], 1)
        there = np.ones(words.shape, np.bool_)
        there[:, 0] = np.diff(column, prepend=self._column) != 0
        there[:, 1] = np.diff(group, prepend=self._group) != 0
        self._column, self._group = int(column[-1]), int(group[-1])
        return t, words, there


class DavisWording(Wording):
    """The words of a DAVIS."""

    scale: int = 1 << 2 | 1
    degree: int = 340
    zero_degrees: int = 35

    def __init__(self) -> None:
        super().__init__()
        self._row = -1

    def _addresses(self, batch: EventBatch) -> tuple[Times, Words, NDArray[np.bool_]]:
        x, y = batch.x.astype(np.int64), batch.y.astype(np.int64)
        words = np.stack([ROW | y, np.where(batch.p, ON, OFF) | x], axis=1)
        there = np.ones(words.shape, np.bool_)
        there[:, 0] = np.diff(y, prepend=self._row) != 0
        self._row = int(y[-1])
        return batch.t, words, there


def _columns(begin: int, pixels: Words) -> Words:
    """Return the words of a readout, column by column."""
    edge = np.full((len(pixels), 1), begin, np.uint16), np.full((len(pixels), 1), COLUMN_END)
    return np.concatenate([edge[0], PIXEL | pixels, edge[1]], axis=1).astype(np.uint16).ravel()
