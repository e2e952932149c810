"""Leave out the lines that a saturated arbiter reads out at one time."""

from __future__ import annotations

from typing import Literal

import numpy as np

from aevents._native import kernels
from aevents.operators.pixels import check_size, on_sensor, picked
from aevents.types import Coordinates, EventBatch, Sensor, Span


class WithoutLines:
    """Leave out lines: rows (`along="x"`) or columns (`"y"`) of which more than the share `fill`
    has events of one and the same time.

    Where more happens than a sensor can read out, its arbiter gives whole lines with one timestamp,
    which say little of the scene. An event at time `t` in row `r` is kept if the events at `t` in
    `r` are at most `fill` times the width, where events of one time follow on each other. faery's
    filter of arbiter saturation is akin; it goes by runs of events in a row, whatever their times.

    The events of the last time of a batch are held back until others follow, unless the span says
    that there are no more. Events off the sensor are left out and counted: `outside_sensor`. Raises
    `ValueError` for a share that is not from 0 to 1, for another `along`, and when the sensor size
    is not known.
    """

    def __init__(self, fill: float = 0.5, *, along: Literal["x", "y"] = "x") -> None:
        if not 0 <= fill <= 1:
            raise ValueError(f"fill is a share from 0 to 1, not {fill}")
        if along not in ("x", "y"):
            raise ValueError(f"lines lie along 'x' or 'y', not {along!r}")
        self.counts: dict[str, int] = {"outside_sensor": 0}
        self._fill = fill
        self._rows = along == "x"
        self._held: dict[Sensor, EventBatch] = {}

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events to keep of which the whole line is known."""
        check_size(batch.sensor)
        inside = on_sensor(batch)
        self.counts["outside_sensor"] += len(batch) - int(np.count_nonzero(inside))
        batch = picked(batch, inside)
        if batch.window:
            return (self._kept(batch),)
        held = self._held.pop(batch.sensor, None)
        if held is not None:
            batch = EventBatch.concat([held, batch])
        end = _known(batch)
        if end == len(batch):
            return (self._kept(batch),)
        last, span = int(batch.t[end]), batch.span
        reached = min(max(last, span.start), span.stop)
        self._hold(batch.cut(end, len(batch), Span(reached, span.stop)))
        return (self._kept(batch.cut(0, end, Span(span.start, reached))),)

    def flush(self) -> tuple[EventBatch, ...]:
        """Give the rest."""
        held, self._held = self._held, {}
        return tuple(map(self._kept, held.values()))

    def _hold(self, batch: EventBatch) -> None:
        """Hold events of one time; of lines that are full already, no more than that takes."""
        lines, most, count = self._lines(batch)
        if len(batch) > 2 * (most + 1) * count:
            order = np.argsort(lines, kind="stable")
            rank = np.arange(len(order)) - np.searchsorted(lines[order], lines[order])
            batch = batch.where(np.isin(np.arange(len(order)), order[rank <= most]))
        self._held[batch.sensor] = batch

    def _kept(self, batch: EventBatch) -> EventBatch:
        keep = np.empty(len(batch), np.bool_)
        lines, most, _ = self._lines(batch)
        kernels.lines(np.ascontiguousarray(batch.t), np.ascontiguousarray(lines), most, keep)
        return picked(batch, keep)

    def _lines(self, batch: EventBatch) -> tuple[Coordinates, int, int]:
        """Return the line of each event, how many of them one may have, and how many there are."""
        width, height = batch.sensor.width, batch.sensor.height
        if self._rows:
            return batch.y, int(self._fill * width), height
        return batch.x, int(self._fill * height), width


def _known(batch: EventBatch) -> int:
    """Return how many events are followed by one of another time, or surely by none of theirs."""
    if not len(batch):
        return 0
    last = int(batch.t[-1])
    in_order = last >= max(batch.span.start, int(batch.t.max()))
    if in_order and batch.span.stop > last:
        return len(batch)
    others = np.flatnonzero(batch.t != last)
    return int(others[-1]) + 1 if len(others) else 0
