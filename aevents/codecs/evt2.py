"""EVT 2.0: Prophesee's 32-bit little-endian words, type in bits 31:28.

    0x0 CD_OFF, 0x1 CD_ON  [27:22] time 5:0, [21:11] column, [10:0] row
    0x8 TIME_HIGH          [27:0]  time 33:6
    0xA EXT_TRIGGER        [27:22] time 5:0, [12:8] input, [0] edge
    0xD 0xE 0xF            vendor words: skipped

The clock has 34 bits (4 h 46 min) and is unwrapped. Specified in Prophesee's documentation of the
EVT 2.0 format.
"""

from __future__ import annotations

import struct
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


class Evt2Decoder(HighDecoder):
    """EVT2 bytes to events and triggers."""

    name = "evt2"
    word_bytes = 4
    types: ClassVar[Types] = Types(
        high=0x8, events=(0, 1), reserved=(2, 3, 4, 5, 6, 7, 9, 0xB, 0xC)
    )

    def begin(self, header: Header, body: bytes, *, final: bool) -> int:
        """Check that the header speaks of EVT2."""
        begin_raw("EVT2", header, self._watch)
        self._state = kernels.evt2_state()
        return 0

    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        """Decode words into columns."""
        return kernels.evt2_decode(run, start, self._state, out)

    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        """Decode what is borne out into columns, and inspect it."""
        return kernels.evt2_follow(ahead, self._state, seen, out)


class Evt2Encoder(PackedEncoder):
    """Events and triggers to EVT2 bytes."""

    name = "evt2"
    inputs = 32
    limits = "EVT2 holds 0 <= x, y < 2048, times from 0 on, and no step back of 2 h 23 min"

    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header."""
        self._state = kernels.encoder_state(width=sensor.width)
        return write_header(raw_lines("EVT2", "2.0", sensor))

    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the words."""
        return encoded(
            kernels.evt2_encode(batch.t, batch.x, batch.y, batch.p, self._state), self._state
        )

    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the words of a trigger; the low bits of its time stand where an event's do."""
        (word,) = struct.unpack("<I", event[-4:])
        time = word & 0x3F << 22
        return event[:-4] + struct.pack("<I", 0xA << 28 | time | (id & 31) << 8 | value)


CODEC = Codec(
    "evt2",
    suffixes=(".raw",),
    matches=matches_raw("EVT2"),
    decoder=Evt2Decoder,
    encoder=Evt2Encoder,
    limits=Limits(
        kinds=((EventBatch, TriggerBatch),),
        width=2048,
        height=2048,
        edges=edges_of(Evt2Encoder.inputs),
        start_us=0,
        back_us=(1 << 33) + 63,
        leap_us=(4097 << 34) - 1,
    ),
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="Prophesee EVT 2.0 (.raw)",
)
