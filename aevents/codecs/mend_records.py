"""What to do at a doubtful record of DAT: as `mend` does for words, but each has its own time."""

from __future__ import annotations

from typing import Any

import numpy as np

from aevents.codecs.judge import (
    VOTERS,
    aligned,
    bent,
    judged,
    judged_first,
    judged_last,
)
from aevents.codecs.marks import off_sensor
from aevents.codecs.mend import ASK_AGAIN, PATIENCE, WITNESSES, Verdict, skipped
from aevents.types import Sensor

NEAR_US = 1 << 12
"""A step back by more is none that a recording makes."""


class RecordMender:
    """Decides for the records of DAT, each with its time in 32 bits; `state` is the kernel's."""

    size = 8

    def __init__(self, state: Any, sensor: Sensor) -> None:  # noqa: ANN401  # a twin's, or in C
        self._state = state
        self._sensor = sensor
        self._taken = 0
        self._asked = -ASK_AGAIN * self.size  # where the records last said that they begin there

    def settle(self, data: memoryview, offset: int, *, final: bool) -> Verdict | None:
        """Return what to do; `offset` is where `data` lies in the input."""
        if len(data) < (VOTERS + 1) * self.size and not final:
            return None
        words = min(VOTERS, (len(data) - self.size + 1) // self.size)
        if words > 1 and offset >= self._asked + ASK_AGAIN * self.size:
            scores = [self._senseless(data[at:], words) for at in range(self.size)]
            shift = aligned(scores, words)
            if shift != 0:
                return skipped(data, shift, self.size)
            self._asked = offset
        return self._record(data)

    def _record(self, data: memoryview) -> Verdict:
        word = bytes(data[: self.size])
        now, started = int(self._state.last), bool(self._state.started)
        times = np.frombuffer(data[: len(data) // 8 * 8], "<u4")[: 2 * WITNESSES + 2 : 2].tolist()
        value, witnesses = times[0], times[1:]
        flipped = bent(value, 32)

        def before(one: int) -> int:
            return _step(now, one)

        def after(one: int) -> list[int]:
            return [_step(one, witness) for witness in witnesses]

        true: int | None
        if not started:
            true = judged_first(value, flipped, after, -NEAR_US, dense=False)
        elif not witnesses:
            true = judged_last(value, flipped, before, -NEAR_US, dense=False)
        else:
            true = judged(value, flipped, before, after, after(now), -NEAR_US)
        if true is None:
            return Verdict(b"", self.size, "bad_times", bytes=self.size, events=1)
        if true == value:
            self._taken += 1
            self._state.lenient = int(self._taken >= PATIENCE)
            return Verdict(word, self.size)
        return Verdict(true.to_bytes(4, "little") + word[4:], self.size, "mended_times", events=1)

    def _senseless(self, data: memoryview, words: int) -> tuple[int, int]:
        """Return how many of so many records make no sense, and how many lie off the sensor."""
        records = np.frombuffer(data[: words * self.size], "<u4").astype(np.int64)
        times, word = records[::2], records[1::2]
        now = [self._state.last] if self._state.started else []
        times = np.append(np.array(now, np.int64), times)
        steps = (times[1:] - times[:-1] + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
        wild = steps < -NEAR_US
        if self._state.triggers:
            return int(wild.sum() + ((word >> 4 & (1 << 22) - 1) != 0).sum()), 0
        if self._state.version == 1:
            x, y, odd = word & 0x1FF, word >> 9 & 0xFF, word >> 18 != 0
        else:
            x, y, odd = word & 0x3FFF, word >> 14 & 0x3FFF, word >> 29 != 0
        return int(wild.sum() + odd.sum()), int(off_sensor(x, y, self._sensor).sum())


def _step(time: int, following: int) -> int:
    step = following - time
    return step + (1 << 32) if step < -(1 << 31) else step
