"""Text of external triggers: a line an edge, `p,id,t`, as OpenEB's tools write it.

p is 1 for a rising edge and 0 for a falling one, id the input, t in µs; a header `p,id,t` may stand
first. Lines that begin with # or % are comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from aevents.codecs.base import SNIFF_BYTES, Buffer, Codec, Watch
from aevents.codecs.limits import Limits
from aevents.codecs.lines import BYTE_ORDER_MARK, Lines
from aevents.errors import EncodeError
from aevents.types import Damage, Sensor, TriggerBatch

HEADER = b"p,id,t"
LOOK_LINES = 64
MOST_ID = 255

_TRIGGER = re.compile(rb"\s*([01])\s*,\s*(\d{1,3})\s*,\s*(-?\d{1,18})\s*")


class TriggersDecoder:
    """Text to triggers. A line that is none is counted: `bad_lines`."""

    def __init__(self, *, sensor: Sensor | None = None, strict: bool = False) -> None:
        self._watch = Watch("triggers", strict=strict)
        self._watch.use(sensor or Sensor())
        self._lines = Lines(self._watch)
        self._offset = 0  # of the next line

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    @property
    def damage(self) -> list[Damage]:
        """Where the input is damaged."""
        return self._watch.damage

    def feed(self, data: Buffer, /) -> Iterator[TriggerBatch]:
        """Give the triggers of the lines that these bytes complete."""
        for lines in self._lines.feed(data):
            rows = [
                row for line in bytes(lines).splitlines(keepends=True) if (row := self._row(line))
            ]
            if rows:
                p, id, t = zip(*rows, strict=True)
                yield self._watch.triggers(
                    np.array(t, np.int64), np.array(id, np.uint8), np.array(p, np.bool_)
                )

    def flush(self) -> Iterator[TriggerBatch]:
        """Give the last line, if no newline ended it."""
        if not self._lines.offset and not len(self._lines):
            self._watch.fail("the input is empty")
        if len(self._lines):
            yield from self.feed(b"\n")

    def _row(self, line: bytes) -> tuple[int, int, int] | None:
        offset, self._offset = self._offset, self._offset + len(line)
        found = _TRIGGER.fullmatch(line)
        if found is not None and int(found[2]) <= MOST_ID:
            return int(found[1]), int(found[2]), int(found[3])
        odd = not _says_nothing(line) and not (offset == 0 and _is_header(line))
        self._watch.note("bad_lines", int(odd), "a line is no trigger", offset=offset)
        return None


class TriggersEncoder:
    """Triggers to text with the header `p,id,t`."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, batch: TriggerBatch, /) -> Iterator[bytes]:
        """Give the lines of these triggers. Raises `EncodeError` for anything else."""
        if not isinstance(batch, TriggerBatch):
            raise EncodeError("triggers", f"a line holds a trigger, not a {type(batch).__name__}")
        yield from self.flush()
        rows = zip(batch.value.tolist(), batch.id.tolist(), batch.t.tolist(), strict=True)
        yield "".join(f"{value:d},{id},{t}\n" for value, id, t in rows).encode()

    def flush(self) -> Iterator[bytes]:
        """Give the header alone if nothing was ever written."""
        if not self._begun:
            self._begun = True
            yield HEADER + b"\n"


def _says_nothing(line: bytes) -> bool:
    return not line.strip() or line.lstrip()[:1] in b"#%"


def _is_header(line: bytes) -> bool:
    bare = line.removeprefix(BYTE_ORDER_MARK).lower()
    return b"".join(bare.split()).replace(b'"', b"") == HEADER


def _matches(head: bytes) -> bool:
    """Say whether the first lines are triggers, or the header is that of triggers."""
    if b"\0" in head:
        return False  # no text: that is seen sooner than lines are found
    whole = head if len(head) < SNIFF_BYTES else head[: head.rfind(b"\n") + 1]
    lines = [line for line in whole.splitlines()[:LOOK_LINES] if not _says_nothing(line)]
    rows = lines[1:] if lines and _is_header(lines[0]) else lines
    return bool(lines) and all(map(_TRIGGER.fullmatch, rows))


CODEC = Codec(
    "triggers",
    suffixes=(".csv",),
    matches=_matches,
    decoder=TriggersDecoder,
    encoder=TriggersEncoder,
    limits=Limits(kinds=((TriggerBatch,),)),
    unverified="files of OpenEB's tools",
    kinds=(TriggerBatch,),
    about="text, an external trigger a line (.csv)",
)
