"""EVT 3.0 without its events, in NumPy: the specification of `evt3_skip.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .evt3 import TIME_HIGH, _leave, _read
from .words import whole_words

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .evt3 import Evt3State

NEVER = -(1 << 63)


def evt3_skip(data: Buffer, state: Evt3State, latest: int = NEVER) -> tuple[int, int]:
    """Leave `state` as decoding these whole words would; return how many TIME_HIGH words there are,
    and the latest time (us) that an event of theirs may have, if it is after `latest`.
    """
    words = whole_words(data, 0, "<u2")
    if not len(words):
        return 0, latest
    before = state.loop + (state.high << 12)
    timed = bool(state.started)
    now = _read(words, state)
    times = (now.t - now.low)[now.timed] + 4095
    latest = max(latest, before + 4095 if timed else NEVER, int(times.max(initial=NEVER)))
    _leave(state, now, len(words) - 1)
    return int((words >> 12 == TIME_HIGH).sum()), latest
