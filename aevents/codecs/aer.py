"""AER (.aer): Prophesee's bare addresses, as the GenX320 sends them: 32-bit little-endian words.

    [18] polarity, [17:9] column, [8:0] row, above that zeros

There is no header and no time: every event is at 0 µs, in the order in which they came. Specified
in Prophesee's documentation of the AER format.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents.codecs.base import Buffer, ByteBuffer, Codec, Watch
from aevents.types import Damage, EventBatch, Sensor

WORD_BYTES = 4
SLAB = 32_768
"""Events in one batch."""
ADDRESSES = 512
"""Columns and rows that nine bits can tell apart."""


class AerDecoder:
    """AER bytes to events; the sensor is 512x512, as far as addresses reach, unless given."""

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("aer", strict=strict)
        self._watch.use(sensor or Sensor(ADDRESSES, ADDRESSES))
        self._bytes = ByteBuffer()

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
        offset = self._bytes.offset
        for run in self._bytes.records(data, WORD_BYTES):
            words = np.frombuffer(run, "<u4")
            for start in range(0, len(words), SLAB):
                part = words[start : start + SLAB]
                yield from self._decode(part, offset + WORD_BYTES * start)
            offset = self._bytes.offset

    def flush(self) -> Iterator[EventBatch]:
        """Count a torn word; give an empty batch with the sensor if there were no events."""
        self._watch.torn(len(self._bytes), self._bytes.offset)
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _decode(self, words: npt.NDArray[np.uint32], offset: int) -> Iterator[EventBatch]:
        known = words >> 19 == 0
        if not known.all():
            odd, first = len(words) - int(known.sum()), int(np.argmin(known))
            reason = "bits above an address"
            self._watch.note("unknown_words", odd, reason, offset=offset + WORD_BYTES * first)
            words = words[known]
        if len(words):
            x = (words >> 9 & 511).astype(np.uint16)
            y = (words & 511).astype(np.uint16)
            columns = np.zeros(len(words), np.int64), x, y, words >> 18 != 0
            for column in columns:
                column.flags.writeable = False
            yield self._watch.batch(*columns)


CODEC = Codec(
    "aer",
    suffixes=(".aer",),
    decoder=AerDecoder,
    unverified="everything, beyond one other implementation",
    about="Prophesee AER: addresses without times (.aer)",
)
