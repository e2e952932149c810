"""EVT 4.0: Prophesee's 32-bit little-endian words, type in bits 31:28.

    0xA CD_OFF, 0xB CD_ON          [27:22] time 5:0, [21:11] column, [10:0] row
    0xC CD_VEC_OFF, 0xD CD_VEC_ON  the same, and a second word: bit i is an event at column + i
    0xE TIME_HIGH                  [27:0]  time 33:6
    0x9 EXT_TRIGGER                [27:22] time 5:0, [12:8] input, [0] edge
    0x6 0x7 0xF                    vendor words and padding: skipped

The second word of a vector has no type. The clock has 34 bits (4 h 46 min) and is unwrapped.
Specified by Prophesee's open-source decoder of the EVT 4.0 format (OpenEB).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from aevents._native import kernels
from aevents._native.columns import Columns
from aevents.codecs.base import Codec
from aevents.codecs.header import Header, write_header
from aevents.codecs.high import HighDecoder, Types
from aevents.codecs.limits import Limits, edges_of
from aevents.codecs.packed import PackedEncoder, encoded
from aevents.codecs.raw import begin_raw, matches_raw, raw_lines
from aevents.types import EventBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import Ahead, InspectionState  # not loaded where there is C


class Evt4Decoder(HighDecoder):
    """EVT4 bytes to events and triggers."""

    name = "evt4"
    word_bytes = 4
    types: ClassVar[Types] = Types(
        high=0xE, events=(0xA, 0xB), reserved=(0, 1, 2, 3, 4, 5, 8), vectors=(0xC, 0xD)
    )

    def flush(self) -> Iterator[EventBatch | TriggerBatch]:
        """Count a torn word, or a vector without its second word."""
        yield from super().flush()
        if self._state.vector:
            self._watch.torn(self.word_bytes, self._bytes.offset - self.word_bytes)

    def begin(self, header: Header, body: bytes, *, final: bool) -> int:
        """Check that the header speaks of EVT4."""
        begin_raw("EVT4", header, self._watch)
        self._state = kernels.evt4_state()
        return 0

    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        """Decode words into columns."""
        return kernels.evt4_decode(run, start, self._state, out)

    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        """Decode what is borne out into columns, and inspect it."""
        return kernels.evt4_follow(ahead, self._state, seen, out)


class Evt4Encoder(PackedEncoder):
    """Events and triggers to EVT4 bytes: three or more neighbours in ascending columns as one."""

    name = "evt4"
    inputs = 32
    limits = "EVT4 holds 0 <= x, y < 2048, times from 0 on, and no step back of 2 h 23 min"

    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header."""
        self._state = kernels.encoder_state(width=sensor.width)
        return write_header(raw_lines("EVT4", "4.0", sensor))

    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the words."""
        return encoded(
            kernels.evt4_encode(batch.t, batch.x, batch.y, batch.p, self._state), self._state
        )

    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the words of a trigger; the low bits of its time stand where an event's do."""
        (word,) = struct.unpack("<I", event[-4:])
        time = word & 0x3F << 22
        return event[:-4] + struct.pack("<I", 0x9 << 28 | time | (id & 31) << 8 | value)


CODEC = Codec(
    "evt4",
    suffixes=(".raw",),
    matches=matches_raw("EVT4"),
    decoder=Evt4Decoder,
    encoder=Evt4Encoder,
    limits=Limits(
        kinds=((EventBatch, TriggerBatch),),
        width=2048,
        height=2048,
        edges=edges_of(Evt4Encoder.inputs),
        start_us=0,
        back_us=(1 << 33) + 63,
        leap_us=(4097 << 34) - 1,
    ),
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="Prophesee EVT 4.0 (.raw)",
)
