"""CSV and other text: a line an event, `t,x,y,p` or `t x y p`, with or without a header.

Fields stand between commas, semicolons, or blanks and tabs; t is in µs, or in seconds if it has a
point; p is 0 or 1, -1 or 1, true or false. Lines that begin with # or % are comments. How the first
lines say which column is which, and the sensor's size, is told in `codecs/layout.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs.base import SNIFF_BYTES, Buffer, Codec, Watch
from aevents.codecs.fields import TimeUnit, check_time_unit, place_columns
from aevents.codecs.layout import ORDERS, Opening
from aevents.codecs.lines import BYTE_ORDER_MARK, Lines
from aevents.codecs.table import SLAB
from aevents.errors import DecodeError, EncodeError
from aevents.types import Damage, EventBatch, Sensor

if TYPE_CHECKING:
    from aevents._native.twins import TextState

SEPARATORS = (",", ";", "\t", " ")


class CsvDecoder:
    """Text to events.

    `columns` is the order of the columns, as in `"xypt"`, with `-` for one to leave out; without
    it, a header decides, else `"txyp"`, or `"xypt"` or `"xytp"` where the first 64 lines fit that
    better: as events whose times go forward.
    `time_unit` is `"us"` or `"s"`; without it, seconds if t has a point in one of those lines.
    Seconds are read as decimal numbers, exactly.
    """

    def __init__(
        self,
        *,
        sensor: Sensor | None = None,
        strict: bool = False,
        columns: str | None = None,
        time_unit: TimeUnit | None = None,
    ) -> None:
        self._watch = Watch("csv", strict=strict)
        self._sensor = sensor
        self._lines = Lines(self._watch)
        self._opening = Opening(self._watch, columns=columns, time_unit=time_unit)
        self._held = bytearray()  # lines of data, while the layout is not known
        self._start = 0  # byte offset of the first of them
        self._state: TextState | None = None
        self._bad_lines = 0
        self._out = kernels.columns()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be: `bad_lines` that are no events, and the like."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[EventBatch]:
        """Give the events of the lines that these bytes complete."""
        for lines in self._lines.feed(data):
            if self._state is None:
                lines = self._open(lines)
            yield from self._decode(lines)

    def keep_in(self, room: Room) -> None:
        """Decode into `room`, where the events stay."""
        self._out.keep_in(room)

    def flush(self) -> Iterator[EventBatch]:
        """Give the last line, if no newline ended it; an empty batch if there were no events."""
        if not self._lines.offset and not len(self._lines):
            self._watch.fail("the input is empty")
        if len(self._lines):
            yield from self.feed(b"\n")
        if self._state is None:
            yield from self._decode(self._begin())
        if not self._watch.started:
            yield EventBatch.empty(self._watch.sensor)

    def _open(self, lines: Buffer) -> bytes:
        """Look at lines until the layout is known; return those of data that can be decoded."""
        data = bytes(lines)
        at = 0
        if not self._start and not self._held and data.startswith(BYTE_ORDER_MARK):
            self._start = at = len(BYTE_ORDER_MARK)
        while at < len(data) and not self._opening.ready:
            line = data[at : data.index(b"\n", at) + 1]
            if self._opening.take(line):
                self._held += line
            else:
                self._start += len(line)
            at += len(line)
        self._held += data[at:]
        return self._begin() if self._opening.ready else b""

    def _begin(self) -> bytes:
        """Settle the layout; return the lines that were held."""
        layout = self._opening.layout()
        self._watch.use(self._sensor or layout.sensor)
        self._state = kernels.text_state(
            layout.columns, separator=layout.separator, seconds=layout.seconds, offset=self._start
        )
        held, self._held = bytes(self._held), bytearray()
        return held

    def _decode(self, lines: Buffer) -> Iterator[EventBatch]:
        state, at = self._state, 0
        while state is not None and at < len(lines):
            at = kernels.text_decode(lines, at, state, self._out)
            self._note(state)
            if self._out.n:
                yield self._watch.batch(*self._out.take())

    def _note(self, state: TextState) -> None:
        new = state.bad_lines - self._bad_lines
        self._bad_lines = state.bad_lines
        self._watch.note("bad_lines", new, "a line is no event", offset=state.first_bad)


class CsvEncoder:
    """Events to text, in µs and with the header `t,x,y,p` unless asked otherwise.

    Where the sensor's size is known the header is `t,x@1280,y@720,p`, which we and faery read. The
    layout of the rpg and ECD data sets, which evlib reads, is
    `separator=" ", header=False, time_unit="s"`.
    """

    def __init__(
        self,
        *,
        separator: str = ",",
        header: bool = True,
        columns: str = "txyp",
        time_unit: TimeUnit = "us",
    ) -> None:
        if separator not in SEPARATORS:
            raise ValueError(f"a separator is one of {SEPARATORS}, not {separator!r}")
        if len(place_columns(columns)) != len(columns):
            raise ValueError(f"a line is written in full: no '-' in columns={columns!r}")
        check_time_unit(time_unit)
        self._columns = columns
        self._separator = separator
        self._header = header
        self._state = kernels.text_state(columns, separator=separator, seconds=time_unit == "s")

    def feed(self, batch: EventBatch, /) -> Iterator[bytes]:
        """Give the lines of these events. Raises `EncodeError` for anything else."""
        if not isinstance(batch, EventBatch):
            raise EncodeError("csv", f"a line holds an event, not a {type(batch).__name__}")
        yield from self._begin(batch.sensor)
        for start in range(0, len(batch), SLAB):
            part = batch.cut(start, start + SLAB, batch.span)
            yield kernels.text_encode(part.t, part.x, part.y, part.p, self._state)

    def flush(self) -> Iterator[bytes]:
        """Give the header alone if nothing was ever written."""
        yield from self._begin(Sensor())

    def _begin(self, sensor: Sensor) -> Iterator[bytes]:
        if self._header:
            self._header = False
            size = {"x": f"@{sensor.width}", "y": f"@{sensor.height}"} if sensor.sized else {}
            names = [letter + size.get(letter, "") for letter in self._columns]
            yield (self._separator.join(names) + "\n").encode()


def _matches(head: bytes) -> bool:
    """Say whether this is text whose first lines are events, in any order that we know."""
    if re.search(rb"[\x00-\x08\x0e-\x1f\x7f]", head):
        return False
    whole = head if len(head) < SNIFF_BYTES else head[: head.rfind(b"\n") + 1]
    lines = whole.removeprefix(BYTE_ORDER_MARK).splitlines()
    return any(_fits(lines, columns) for columns in (None, *ORDERS))


def _fits(lines: list[bytes], columns: str | None) -> bool:
    opening = Opening(Watch("csv", strict=False), columns=columns)
    for line in lines:
        opening.take(line)
        if opening.ready:
            break
    try:
        opening.layout()
    except DecodeError:
        return False
    return opening.telling


CODEC = Codec(
    "csv",
    suffixes=(".csv", ".txt", ".tsv"),
    matches=_matches,
    decoder=CsvDecoder,
    encoder=CsvEncoder,
    unverified="dialects other than those of faery and of the RPG data sets",
    about="text, a line an event, in any order of columns (.csv, .txt, .tsv)",
)
