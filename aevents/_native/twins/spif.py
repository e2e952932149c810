"""SPIF: 32-bit little-endian words, and timestamps between them.

| bits | content |
|---|---|
| 31 | 1: no timestamp follows; 0: the next word is one, the low 32 bits of t in us |
| 30-16, 15, 14-0 | x, polarity, y |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..columns import checked
from .encoder import first_bad

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..columns import Columns
    from ..datagrams import Datagrams

UNTIMED = 1 << 31
LARGEST_SIDE = 1 << 15
AHEAD, BEHIND = 60_000_000, 1_000_000
FULL = 256

Words = list[int]


@dataclass(slots=True)
class SpifState:
    """Where a reader of SPIF stands; fields as `ae_spif` in kernels.h."""

    width: int
    height: int
    started: int = 0
    time: int = 0
    heard: int = 0
    doubt: int = -1
    latest: int = 0
    held: int = 0
    off_sensor: int = 0
    absurd_times: int = 0
    time_jumps: int = 0
    torn_bytes: int = 0
    stale_bytes: int = 0
    last: bytes = b""


def spif_state(width: int = 0, height: int = 0) -> SpifState:
    """Return the state before the first datagram; a sensor of 0x0 is not known."""
    return SpifState(width or LARGEST_SIDE, height or LARGEST_SIDE)


def spif_decode(data: Datagrams, arrival: int, state: SpifState, out: Columns) -> None:
    """Decode the next messages of `data` into `out`, as many as surely fit.

    They came `arrival` us after the first could.
    """
    out.begin()
    while data.next < data.count:
        message = data.data[data.next, : data.length[data.next]].tobytes()
        if out.n + len(message) // 4 > out.capacity:
            return
        size = int(data.segment[data.next]) or len(message) or 1
        for at in range(0, len(message), size) or (0,):  # one without any byte is one too
            _Datagram(message[at : at + size], arrival, state, out).decode()
        data.next += 1


class _Datagram:
    """One datagram and what is made of it."""

    def __init__(self, data: bytes, arrival: int, state: SpifState, out: Columns) -> None:
        sound = data[: _sound_bytes(data, state)]
        self._words: Words = np.frombuffer(sound, "<u4", len(sound) // 4).tolist()
        self._arrival = arrival
        self._first = True  # no time of it was judged yet
        self._state = state
        self._out = out
        state.torn_bytes += len(sound) % 4

    def decode(self) -> None:
        words, state, i = self._words, self._state, 0
        while i < len(words):
            if words[i] & UNTIMED:
                state.latest = max(self._arrival, state.latest)
                i += self._untimed(i)
            elif i + 1 < len(words):
                self._timed(words[i], words[i + 1])
                i += 2
            else:
                state.torn_bytes += 4
                i += 1

    def _untimed(self, start: int) -> int:
        """Take the run of words without timestamps; return how many they are."""
        stops = (i for i in range(start, len(self._words)) if not self._words[i] & UNTIMED)
        run = np.array(self._words[start : next(stops, len(self._words))], np.uint32)
        x, y = run >> 16 & 0x7FFF, run & 0x7FFF
        on = (x < self._state.width) & (y < self._state.height)
        count = int(on.sum())
        self._state.off_sensor += len(run) - count
        part = slice(self._out.n, self._out.n + count)
        self._out.t[part] = self._state.latest
        self._out.x[part], self._out.y[part] = x[on], y[on]
        self._out.p[part] = run[on] >> 15 & 1
        self._out.n += count
        return len(run)

    def _timed(self, word: int, low: int) -> None:
        state, out = self._state, self._out
        x, y = word >> 16 & 0x7FFF, word & 0x7FFF
        if x >= state.width or y >= state.height:
            state.off_sensor += 1
            return
        if not state.started:
            state.started, state.time, state.heard = 1, low, self._arrival
        t = _unwrapped(low, state.time)
        if self._believed(t, low):
            state.time = state.latest = t
            state.heard = self._arrival
            out.t[out.n], out.x[out.n], out.y[out.n], out.p[out.n] = t, x, y, word >> 15 & 1
            out.n += 1
        self._first = False

    def _believed(self, t: int, low: int) -> bool:
        state = self._state
        near = -BEHIND <= t - state.time <= AHEAD + self._arrival - state.heard
        jumped = not near and self._first and self._doubted(low)
        if self._first:
            state.doubt = -1 if near or jumped else low
        state.time_jumps += jumped
        state.absurd_times += not (near or jumped)
        return near or jumped

    def _doubted(self, low: int) -> bool:
        doubt = self._state.doubt
        return doubt >= 0 and -BEHIND <= _signed(low - doubt) <= AHEAD


def _unwrapped(low: int, time: int) -> int:
    t = time + _signed(low - time)
    return t + (1 << 32) if t < 0 else t


def _signed(difference: int) -> int:
    """Return the number from -2^31 on that has the same low 32 bits."""
    return (difference + (1 << 31)) % (1 << 32) - (1 << 31)


def _sound_bytes(data: bytes, state: SpifState) -> int:
    """Return how many bytes are sound: see spif.c on AEStream's last datagram."""
    length, half = len(data), len(data) // 2
    timed = length >= 8 and not data[3] & 0x80
    stale = (
        state.held
        and timed
        and length % 16 == 0
        and half < FULL
        and data[half:FULL] == state.last[half:length]
        and data[:half] != state.last[:half]
    )
    state.held = int(timed and length == FULL)
    if state.held:
        state.last = data
    if stale:
        state.stale_bytes += length - half
    return half if stale else length


def spif_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    *,
    timestamps: bool = False,
    size: tuple[int, int] = (0, 0),
) -> bytes:
    """Return 4 bytes an event, 8 with timestamps, up to the first that does not fit.

    `size` is the width and height of the sensor, 0 if not known.
    """
    checked(t, x, y, p)
    width, height = (side or LARGEST_SIDE for side in size)
    good = (x < width) & (y < height)
    n = first_bad(good & ((t >= 0) | (not timestamps)))
    words = x[:n].astype(np.uint32) << 16 | (p[:n] != 0).astype(np.uint32) << 15 | y[:n]
    data: NDArray[np.uint32] = words | np.uint32(UNTIMED)
    if timestamps:
        data = np.stack((words, t[:n].astype(np.uint32)), axis=1)
    return data.astype("<u4").tobytes()
