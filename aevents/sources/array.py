"""Events that are already in an array, as a stream."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from aevents._contracts import Origin
from aevents.stream import Stream, stream_of
from aevents.types import EventBatch, Sensor, Span

BATCH_EVENTS = 262_144
"""What the stream is cut into: enough for the cost of a batch, some 0.1 ms where a worker has to be
asked for it, to vanish.
"""


def from_array(array: npt.ArrayLike, /, sensor: Sensor | None = None) -> Stream[EventBatch]:
    """Return the stream of the events in an array: structured, with the fields `t`, `x`, `y` and
    `p`, or whole numbers of shape `(n, 4)` in that order.

    Times are in µs; `p` may be bool, 0/1 or -1/1. The array is copied. Raises `ValueError` for an
    array of another shape or dtype, and for a number that does not fit (x and y are uint16).

    >>> stream = from_array([(5, 1, 0, 1), (9, 2, 0, 0)], Sensor(4, 3))
    >>> next(stream.blocking())
    EventBatch(2 events, Span(start=5, stop=10), 4x3)
    """
    t, x, y, p = (np.array(column) for column in _columns(np.asarray(array)))
    events = EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=sensor)
    return stream_of(Origin("an array", blocking=partial(_batches, events)))


def _columns(array: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    names = array.dtype.names
    if names is not None and set("txyp") <= set(names) and array.ndim == 1:
        columns = [array[name] for name in "txyp"]
    elif names is None and array.ndim == 2 and array.shape[1] == 4:
        columns = list(array.T)
    else:
        what = f"{array.dtype} of shape {array.shape}"
        raise ValueError(
            f"events are rows with the fields t, x, y, p, or of shape (n, 4), not {what}"
        )
    for name, column in zip("txyp", columns, strict=True):
        if column.dtype.kind not in "iub":
            raise ValueError(f"{name} is made of whole numbers, not of {column.dtype}")
    return columns


def _batches(events: EventBatch) -> Generator[EventBatch, None, None]:
    reached = events.span.start
    for first in range(0, max(len(events), 1), BATCH_EVENTS):
        last = min(first + BATCH_EVENTS, len(events))
        start = reached
        whole = last == len(events)
        reached = events.span.stop if whole else max(start, int(events.t[first:last].max()))
        yield events.cut(first, last, Span(start, reached))
