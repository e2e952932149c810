"""DAT, versions 1 and 2: Prophesee's 8-byte little-endian records after a text header and two
bytes.

    byte 0 type (0x00 or 0x0C events, 0x0E triggers), byte 1 size of a record (8), then records:
    u32 time in µs; u32, version 2: [13:0] column, [27:14] row, [31:28] polarity
                         version 1: [8:0] column, [16:9] row, [17] polarity
                         triggers:  [3:0] edge, [31:26] input

The clock has 32 bits (71.6 min) and is unwrapped. Specified in Prophesee's documentation of the DAT
format.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from aevents._native import kernels
from aevents._native.columns import Columns
from aevents.codecs.base import SNIFF_BYTES, Codec, Jump, ReadAt, Watch
from aevents.codecs.clock import Integers
from aevents.codecs.header import Header, parse_header, write_header
from aevents.codecs.limits import Limits, edges_of
from aevents.codecs.mend import Marks, Mender, Places, Turn
from aevents.codecs.packed import PackedDecoder, PackedEncoder, encoded
from aevents.codecs.seek import MARGIN_US, Search, jump_to, record_probe
from aevents.codecs.tape import Tape
from aevents.errors import EncodeError
from aevents.types import EventBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import (
        Ahead,
        InspectionState,
        MarksState,
    )  # not loaded where there is C

EVENTS = (0x00, 0x0C)
TRIGGERS = 0x0E
CLOCK_RANGE = 1 << 32
HALF_RANGE = CLOCK_RANGE // 2
MOST_STEP = 1 << 20
"""A time further than so many µs from the one before it leaps, as the kernel has it."""
FAR = 1 << 26
"""A record that leaps by more, and whose next leaps back, was not written so."""
USUAL_RECORDS = 64
"""So many before a place in doubt say which steps of time are usual."""
RESERVED = {1: 0xFFFC0000, 2: 0xE0000000, TRIGGERS: 0x03FFFFF0}
"""The bits of a record's second half that are 0, by version or type."""
SAMPLES = 256
"""No such part of a file lasts as long as a round of the clock: 71.6 min."""


class DatMender(Mender):
    """Mends records with a time each: those that leap far ahead of, or behind, both neighbours are
    left out.
    """

    size = 8

    def __init__(self, damaged: Callable[..., None], offset: int, reserved: int) -> None:
        super().__init__(damaged, offset)
        self._reserved = reserved
        self._most = MOST_STEP  # a usual step, at the last seam
        self._last = -1  # time of the last record handed on

    def state(self) -> MarksState:
        """Return the state in which marking begins."""
        return kernels.marks_state(last=self._last, reserved=self._reserved)

    def mark(self, words: memoryview, state: MarksState) -> Places:
        """Return the numbers of the records that leap, or have bits that are reserved."""
        return kernels.dat_marks(words, state)

    def look(self, words: memoryview, marked: Places, first: int) -> Marks:
        """Say what marked records are; the value is the step of time to one that leaps."""
        times, rest = np.frombuffer(words, "<u4").reshape(-1, 2).astype(np.int64).T
        places = marked.astype(np.int64)
        start = first if first >= 0 or not len(times) else int(times[0])
        before = np.where(places > 0, times[places - 1], start)
        steps = (times[places] - before + HALF_RANGE) % CLOCK_RANGE - HALF_RANGE
        leaps = np.abs(steps) > MOST_STEP
        strange = (rest[places] & self._reserved != 0) | (steps < -MOST_STEP)
        return Marks(places[leaps], steps[leaps], places[strange])

    def ends_well(self, ahead: Ahead) -> bool:
        """Say that it is: records that are not doubted need not be borne out."""
        return True

    def recall(self, ahead: Ahead, before: memoryview) -> None:
        """Remember the time of the last record."""
        self._last = _time(bytes(before[-8:]))

    def _remember(self, tape: Tape, last: int) -> None:
        self._last = _time(bytes(tape.part(last, last + 1)))

    def seam(self, tape: Tape, marks: Marks, start: int, first: int) -> int:
        """Return where a step is more than twice as long as those before."""
        begin = max(start - USUAL_RECORDS, 0)
        words = np.frombuffer(b"".join(tape.runs(begin, first)), "<u4")[::2]
        steps = np.diff(words.astype(np.int64))
        known, doubtful = steps[: max(start - begin, 1)], steps[max(start - begin, 1) :]
        self._most = 2 * int(np.abs(known).max(initial=0)) + 64 if len(known) > 1 else MOST_STEP
        leaps = np.flatnonzero((np.abs(doubtful) > self._most) & (len(known) > 1))
        return first - len(doubtful) + int(leaps[0]) if len(leaps) else first

    def far(self, marks: Marks) -> Integers:
        """Return the places of the records that leap far."""
        return marks.places[np.abs(marks.values) > FAR]

    def doubtful(self, words: memoryview, marks: Marks) -> Integers:
        """Return the records that are strange or leap."""
        steps = np.diff(np.frombuffer(words, "<u4")[::2].astype(np.int64))
        return np.union1d(marks.strange, np.flatnonzero(np.abs(steps) > self._most) + 1)

    def judge(
        self, tape: Tape, marks: Marks, end: int, *, until: int | None, final: bool
    ) -> tuple[int, list[tuple[int, Turn]]]:
        """Judge each leap by the next."""
        stop = end if until is None else max(until, 0)
        places, steps = marks.places, marks.values
        back = np.abs(steps[1:] + steps[:-1]) <= MOST_STEP
        far = (np.abs(steps[:-1]) > FAR) & (np.diff(places) == 1) & (places[:-1] < stop)
        wrong = places[:-1][back & far].tolist()
        last = stop - 2 if stop - 1 in wrong else stop - 1
        if last >= 0:
            self._remember(tape, last)
        return stop, [(place, Turn(instead=True)) for place in wrong]


class DatDecoder(PackedDecoder):
    """DAT bytes to events, or to triggers where the file holds those."""

    name = "dat"
    word_bytes = 8

    def begin(self, header: Header, body: bytes, *, final: bool) -> int | None:
        """Read the type and size of the records, which stand after the header, if there is one."""
        version = header.fields.get("version", "1").strip()
        if version not in ("1", "2"):
            self._watch.fail(f"version {version} is not known")
        if not header.length:  # the oldest files: records and nothing else
            self._state = kernels.dat_state(version=1, triggers=False)
            return 0
        if len(body) < 2:
            if final:
                self._watch.fail("the type of the records is missing", offset=header.length)
            return None
        kind, size = body[0], body[1]
        if kind not in (*EVENTS, TRIGGERS) or size != self.word_bytes:
            self._watch.fail(
                f"records of type {kind:#04x} and {size} bytes are not known", offset=header.length
            )
        self._state = kernels.dat_state(version=int(version), triggers=kind == TRIGGERS)
        return 2

    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        """Decode records into columns."""
        return kernels.dat_decode(run, start, self._state, out)

    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        """Decode what is borne out into columns, and inspect it."""
        return kernels.dat_follow(ahead, self._state, seen, out)

    def mender(self, offset: int, *, first: bool) -> Mender:
        """Return what looks for damage from `offset` on."""
        kind = TRIGGERS if self._state.triggers else int(self._state.version)
        return DatMender(self._watch.damaged, offset, RESERVED[kind])

    def turn(self, turn: Turn) -> None:
        """Go on: records have no memory."""

    def locate(self, read: ReadAt, size: int, start: int) -> Jump | None:
        """Return the jump to where all events from `start` µs on are ahead; None: to the start."""
        if not self._begun:
            return None
        probe = record_probe(read, self._body, self.word_bytes, _time)
        search = Search(probe, samples=SAMPLES, wraps=CLOCK_RANGE)
        tick = search.find(self._body, size, start - self.t0 - MARGIN_US)
        if tick is None:
            return None
        clock = tick.time % CLOCK_RANGE
        return jump_to(tick, tick.time - clock, clock, t0=self.t0)

    def stand(self, *state: int) -> None:
        """Begin at a record: the roll-overs before it, and its time."""
        self._state.loop, self._state.last = state


class DatEncoder(PackedEncoder):
    """Events or triggers to DAT bytes, version 2 unless `version=1` is asked for.

    A file holds one or the other: `EncodeError` for what is not of the kind that came first.
    """

    name = "dat"
    inputs = 64

    def __init__(self, *, version: int = 2) -> None:
        super().__init__()
        if version not in (1, 2):
            raise ValueError(f"DAT has versions 1 and 2, not {version}")
        self._version = version
        self._kind: type = object  # then that of the first batch
        size = "0 <= x, y < 16384" if version == 2 else "0 <= x < 512 and 0 <= y < 256"
        self.limits: str = f"DAT {version} holds {size}, and a 32-bit clock in µs"

    def begin(self, sensor: Sensor, kind: type) -> bytes:
        """Return the header, with the type and size of the records."""
        self._state = kernels.encoder_state(version=self._version)
        size = {"Height": str(sensor.height), "Width": str(sensor.width)} if sensor.sized else {}
        what = "CD" if kind is EventBatch else "trigger"
        lines = {"Data": f"file containing {what} events.", "Version": str(self._version), **size}
        record = EVENTS[1] if kind is EventBatch else TRIGGERS
        return write_header(lines) + bytes((record, self.word_bytes))

    word_bytes: ClassVar[int] = DatDecoder.word_bytes

    def feed(self, batch: EventBatch | TriggerBatch, /) -> Iterator[bytes]:
        """Give the records of these events or triggers."""
        if not isinstance(batch, self._kind):
            raise EncodeError(self.name, "a file holds events or triggers, not both")
        self._kind = type(batch)
        yield from super().feed(batch)

    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        """Return the records."""
        return encoded(
            kernels.dat_encode(batch.t, batch.x, batch.y, batch.p, self._state), self._state
        )

    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        """Return the record of a trigger."""
        return event[:4] + struct.pack("<I", (id & 63) << 26 | value)


def _time(record: bytes) -> int:
    return int.from_bytes(record[:4], "little")


def _matches(head: bytes) -> bool:
    if not head.startswith(b"% "):
        return False
    header = parse_header(
        head[: SNIFF_BYTES - 16] + b"\n% end\n", Watch("dat", strict=False), final=True
    )
    return (
        header is not None
        and not header.format
        and ("version" in header.fields or "data" in header.fields)
    )


CODEC = Codec(
    "dat",
    suffixes=(".dat",),
    matches=_matches,
    decoder=DatDecoder,
    encoder=DatEncoder,
    limits=Limits(
        kinds=((EventBatch,), (TriggerBatch,)),
        width=1 << 14,
        height=1 << 14,
        edges=edges_of(DatEncoder.inputs),
        start_us=0,
        back_us=1 << 31,
        leap_us=(1 << 32) - 1,
    ),
    unverified="version 1, beyond one file of faery's",
    kinds=(EventBatch, TriggerBatch),
    seekable=True,
    about="Prophesee DAT, versions 1 and 2 (.dat)",
)
