"""EVT 3.0: Prophesee's 16-bit little-endian words with state, type in bits 15:12.

    0x0 ADDR_Y     [10:0] row                    0x6 TIME_LOW    [11:0] time 11:0
    0x2 ADDR_X     [10:0] column, [11] polarity  0x8 TIME_HIGH   [11:0] time 23:12
    0x3 VECT_BASE  [10:0] column, [11] polarity  0xA EXT_TRIGGER [11:8] input, [0] edge
    0x4 VECT_12    12 columns from the base on   0x7 0xE 0xF 0xD vendor words: skipped
    0x5 VECT_8     8 columns

The clock has 24 bits (16.8 s) and is unwrapped. Specified in Prophesee's documentation of the EVT
3.0 format.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from aevents._native import kernels
from aevents._native.columns import Columns
from aevents.codecs import evt3_seek
from aevents.codecs.base import Codec, Jump, ReadAt
from aevents.codecs.clock import Clock, Flags, Integers
from aevents.codecs.evt3_seek import CLOCK_RANGE
from aevents.codecs.header import Header, write_header
from aevents.codecs.limits import Limits, edges_of
from aevents.codecs.mend import Marks, Mender, Places, Turn
from aevents.codecs.mend_highs import HighMender
from aevents.codecs.packed import PackedDecoder, PackedEncoder, encoded
from aevents.codecs.raw import begin_raw, matches_raw, raw_lines
from aevents.codecs.seek import Index
from aevents.codecs.tape import Tape, Words
from aevents.types import EventBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import (
        Ahead,
        InspectionState,
        MarksState,
    )  # not loaded where there is C

HALF_HIGH = 1 << 11


class Evt3Mender(HighMender):
    """Mends EVT3, whose times have a word for their lower bits, too."""

    size = 2
    clock: ClassVar[Clock] = Clock(bits=12, leap=25, far=1 << 10)
    low_range = 1 << 12
    near = 128

    def state(self) -> MarksState:
        """Return the state in which marking begins."""
        return self.remember()

    def mark(self, words: memoryview, state: MarksState) -> Places:
        """Return the numbers of the words of interest."""
        return kernels.evt3_marks(words, state)

    def look(self, words: memoryview, marked: Places, first: int) -> Marks:
        """Say what marked words are."""
        found = np.frombuffer(words, "<u2")[marked]
        high, places = found >> 12 == 0x8, marked.astype(np.int64)
        return Marks(places[high], (found[high] & 0xFFF).astype(np.int64), places[~high])

    def word(self, value: int) -> int:
        """Return the word that says this time."""
        return 0x8000 | value

    def values(self, words: Words) -> Integers:
        """Return the times that TIME_HIGH words say."""
        return (words & 0xFFF).astype(np.int64)

    def find(self, words: memoryview, value: int, bits: int) -> Integers:
        """Return the numbers of the words that say this time, but for so many bits: 0 or 1."""
        different = np.frombuffer(words, "<u2") ^ np.uint16(0x8000 | value)
        return np.flatnonzero((different & different - 1 == 0) & ((different != 0) == bits))

    def low_bits(self, words: Words) -> tuple[Integers, Flags]:
        """Return the values of TIME_LOW words, and which words are such."""
        return (words & 0xFFF).astype(np.int64), words >> 12 == 0x6

    def fall(self, tape: Tape, start: int, first: int) -> int:
        """Return where TIME_LOW falls, and time has no word before that."""
        words = memoryview(b"".join(tape.runs(start, first)))
        places, lows = self.lows(words)
        highs = np.flatnonzero(np.frombuffer(words, "<u2") >> 12 == 0x8)
        between = np.diff(np.searchsorted(highs, places)) > 0
        falls = np.flatnonzero((np.diff(lows) < 0) & ~between)
        return start + int(places[falls[0] + 1]) if len(falls) else first


class Evt3Decoder(PackedDecoder):
    """EVT3 bytes to events and triggers."""

    name = "evt3"
    word_bytes = 2

    def begin(self, header: Header, body: bytes, *, final: bool) -> int:
        """Check that the header speaks of EVT3."""
        begin_raw("EVT3", header, self._watch)
        self._state = kernels.evt3_state()
        return 0

    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        """Decode words into columns."""
        return kernels.evt3_decode(run, start, self._state, out)

    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        """Decode what is borne out into columns, and inspect it."""
        return kernels.evt3_follow(ahead, self._state, seen, out)

    def mender(self, offset: int, *, first: bool) -> Mender:
        """Return what looks for damage from `offset` on."""
        return Evt3Mender(self._watch.damaged, offset, first=first)

    def turn(self, turn: Turn) -> None:
        """Put the clock right; behind lost bytes, expect a row."""
        state = self._state
        if turn.lost:
            state.foreign = 1
        if turn.high is not None:
            if state.high - turn.high >= HALF_HIGH:
                state.loop += CLOCK_RANGE
            state.high, state.low, state.started = turn.high, 0, 1

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start.

        Raises `IndexNeededError` where this takes an index.
        """
        if not self._begun:
            return None
        mark = evt3_seek.locate(read, size, self._body, start - self.t0)
        return mark.jump(self.t0) if mark else None

    def index(self, read: ReadAt, size: int, until: int, begun: Index | None) -> Index:
        """Return an index of the file up to the time `until` of its clock, made by reading all that
        is not in the one that is `begun`.
        """
        return evt3_seek.index(read, size, self._body, until, begun)

    def stand(self, *state: int) -> None:
        """Begin where a mark says."""
        self._state = evt3_seek.stand(*state)

    def anomalies(self) -> dict[str, int]:
        """Events before the first time word, and words of a reserved type."""
        return {"untimed": self._state.untimed, "unknown_words": self._state.unknown}


class Evt3Encoder(PackedEncoder):
    """Events and triggers to EVT3 bytes: rows of neighbours as whole groups, for every reader."""

    name = "evt3"
    inputs = 16
    limits = "EVT3 holds 0 <= x, y < 2048, times from 0 on, and no step back of 8 s"

    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header."""
        self._state = kernels.encoder_state(width=sensor.width)
        return write_header(raw_lines("EVT3", "3.0", sensor))

    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the words."""
        return encoded(
            kernels.evt3_encode(batch.t, batch.x, batch.y, batch.p, self._state), self._state
        )

    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the words of a trigger."""
        return event[:-2] + struct.pack("<H", 0xA << 12 | (id & 15) << 8 | value)


CODEC = Codec(
    "evt3",
    suffixes=(".raw",),
    matches=matches_raw("EVT3"),
    decoder=Evt3Decoder,
    encoder=Evt3Encoder,
    limits=Limits(
        kinds=((EventBatch, TriggerBatch),),
        width=2048,
        height=2048,
        edges=edges_of(Evt3Encoder.inputs),
        start_us=0,
        back_us=(1 << 23) - 1,
        leap_us=(4097 << 24) - 1,
    ),
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="Prophesee EVT 3.0 (.raw)",
)
