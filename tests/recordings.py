"""Small recordings of our own making, in formats that we read and do not write; and what tests ask
of what they read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import numpy as np

from aevents import Span, TriggerBatch

DAVIS346 = b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n"
END = b"#End Of ASCII Header\r\n"
CAER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n"
SPECIAL, POLARITY, IMU6 = 0, 1, 3


def davis(t: int, column: int, row: int, on: int) -> bytes:
    """Return the record of a DAVIS event in AEDAT 2.0, from the file's own column and row."""
    return struct.pack(">II", row << 22 | column << 12 | on << 11, t)


def caer(
    type: int,
    events: Iterable[tuple[int, int]],
    *,
    overflow: int = 0,
    number: int | None = None,
    size: int = 8,
) -> bytes:
    """Return a packet of AEDAT 3.1 with these words and times, of `size` bytes with zeros."""
    bodies = [struct.pack("<II", *event).ljust(size, b"\0") for event in events]
    number = len(bodies) if number is None else number
    head = struct.pack("<hhiiiiii", type, 1, size, 4, overflow, number, number, number)
    return head + b"".join(bodies)


def polarity(t: int, x: int, y: int, p: int, *, valid: int = 1) -> tuple[int, int]:
    """Return the word and the time of a polarity event in AEDAT 3.1."""
    return x << 17 | y << 2 | p << 1 | valid, t


def special(t: int, kind: int) -> tuple[int, int]:
    """Return the word and the time of a special event in AEDAT 3.1."""
    return kind << 1 | 1, t


_AEDAT2 = DAVIS346 + END + b"".join(davis(7 * i, 5 * i, 3 * i, i % 2) for i in range(60))
_AEDAT3 = CAER + b"".join(
    (
        caer(SPECIAL, [special(3, 2)]),
        caer(POLARITY, [polarity(7 * i, 5 * i, 3 * i, i % 2) for i in range(30)]),
        caer(IMU6, [(1, 210)], size=36),
        caer(POLARITY, []),
        caer(POLARITY, [polarity(7 * i, 5 * i, 3 * i, i % 2) for i in range(30)], overflow=1),
    )
)

MADE: Mapping[str, bytes] = {"aedat2": _AEDAT2, "aedat3": _AEDAT3}
"""A recording by the name of its format."""


def triggers_in(items: Iterable[object]) -> TriggerBatch:
    """Return all triggers among these items as one batch."""
    found = [item for item in items if isinstance(item, TriggerBatch)]
    span = Span(found[0].span.start, found[-1].span.stop)
    return TriggerBatch(
        np.concatenate([one.t for one in found]),
        np.concatenate([one.id for one in found]),
        np.concatenate([one.value for one in found]),
        found[0].sensor,
        span,
    )
