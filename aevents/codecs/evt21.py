"""EVT 2.1: Prophesee's 64-bit words, type in bits 63:60; a word holds up to 32 neighbours of a row.

    0x0 EVT_NEG, 0x1 EVT_POS  [59:54] time 5:0, [53:43] column, [42:32] row,
                              [31:0]  bit i: an event at column + i
    0x8 TIME_HIGH             [59:32] time 33:6
    0xA EXT_TRIGGER           [59:54] time 5:0, [44:40] input, [32] edge
    0xE 0xF                   vendor words: skipped

Words come in two orders of bytes: "little", and "legacy", whose two 32-bit halves are each
little-endian, the upper one first. The header says which (`endianness`); if it does not, the order
is taken in which the first words make more sense. The clock has 34 bits (4 h 46 min) and is
unwrapped. Specified in Prophesee's documentation of the EVT 2.1 format.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar, Literal

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

Endianness = Literal["little", "legacy"]

_LOOK_BYTES = 4096  # of words that are looked at where the header does not say their order


class Evt21Decoder(HighDecoder):
    """EVT2.1 bytes to events and triggers."""

    name = "evt21"
    word_bytes = 8
    types: ClassVar[Types] = Types(
        high=0x8, events=(0, 1), reserved=(2, 3, 4, 5, 6, 7, 9, 0xB, 0xC, 0xD)
    )

    @property
    def typed(self) -> int:
        """The upper half of a word comes first, or last."""
        return 0 if self._state.legacy else 4

    def begin(self, header: Header, body: bytes, *, final: bool) -> int | None:
        """Check that the header speaks of EVT2.1, and find out the order of bytes."""
        begin_raw("EVT21", header, self._watch)
        order = header.options.get("endianness") or header.fields.get("endianness", "")
        if order not in ("", "little", "legacy"):
            self._watch.fail(f"the endianness {order!r} is neither 'little' nor 'legacy'")
        if not order and len(body) < _LOOK_BYTES and not final:
            return None
        legacy = order == "legacy" or (not order and _looks_legacy(body[:_LOOK_BYTES]))
        self._state = kernels.evt21_state(legacy=legacy)
        return 0

    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        """Decode words into columns."""
        return kernels.evt21_decode(run, start, self._state, out)

    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        """Decode what is borne out into columns, and inspect it."""
        return kernels.evt21_follow(ahead, self._state, seen, out)


class Evt21Encoder(PackedEncoder):
    """Events and triggers to EVT2.1 bytes: neighbours in ascending columns share a word.

    `endianness` is the order of bytes: `"little"`, or `"legacy"` for readers that know no other.
    """

    name = "evt21"
    inputs = 32
    limits = "EVT2.1 holds 0 <= x, y < 2048, times from 0 on, and no step back of 2 h 23 min"

    def __init__(self, *, endianness: Endianness = "little") -> None:
        super().__init__()
        if endianness not in ("little", "legacy"):
            raise ValueError(f"endianness is 'little' or 'legacy', not {endianness!r}")
        self._endianness = endianness

    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header, which names the order of bytes both as a line and as an option."""
        self._state = kernels.encoder_state(legacy=self._endianness == "legacy")
        lines = raw_lines("EVT21", "2.1", sensor)
        lines["format"] += f";endianness={self._endianness}"
        return write_header({**lines, "endianness": self._endianness})

    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the words."""
        return encoded(
            kernels.evt21_encode(batch.t, batch.x, batch.y, batch.p, self._state), self._state
        )

    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the words of a trigger; the low bits of its time stand where an event's do."""
        halves = struct.unpack("<2I", event[-8:])
        upper = 0 if self._endianness == "legacy" else 1
        word = 0xA << 28 | halves[upper] & 0x3F << 22 | (id & 31) << 8 | value
        return event[:-8] + struct.pack("<2I", *((word, 0) if upper == 0 else (0, word)))


def _looks_legacy(body: bytes) -> bool:
    return _senseless(body, legacy=True) < _senseless(body, legacy=False)


def _senseless(body: bytes, *, legacy: bool) -> tuple[int, int]:
    """Return how many words of a reserved type and events without a time there are if read so.

    One odd word may be damage; the start of a stream may be cut off, so times count last.
    """
    state, out, at = kernels.evt21_state(legacy=legacy), kernels.columns(), 0
    while (after := kernels.evt21_decode(body, at, state, out)) > at:
        at = after
    return state.unknown // 2, state.untimed


CODEC = Codec(
    "evt21",
    suffixes=(".raw",),
    matches=matches_raw("EVT21"),
    decoder=Evt21Decoder,
    encoder=Evt21Encoder,
    limits=Limits(
        kinds=((EventBatch, TriggerBatch),),
        width=2048,
        height=2048,
        edges=edges_of(Evt21Encoder.inputs),
        start_us=0,
        back_us=(1 << 33) + 63,
        leap_us=(4097 << 34) - 1,
    ),
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="Prophesee EVT 2.1 (.raw)",
)
