"""Columns of any number type, as others keep them, to batches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents._native.room import Room
from aevents.codecs.base import Watch
from aevents.codecs.fields import TimeUnit, check_time_unit
from aevents.types import EventBatch, Flags

Column = npt.NDArray[np.number | np.bool_]

SLAB = 32_768
"""Events in one batch: what `kernels.columns()` has room for, and what stays in the cache."""

LIMITS = {"t": (-(1 << 63), (1 << 63) - 1), "x": (0, 65_535), "y": (0, 65_535), "p": (-1, 1)}
"""The least and the greatest value of each column; what is not whole and within is no event."""


class Table:
    """Makes batches of columns of bools, integers or floats, of any width and byte order.

    Float times are seconds unless `time_unit="us"` says otherwise, integer times are µs unless it
    says `"s"`; either is rounded to the µs, and `offset_us` is added. A row with a value that does
    not fit its column (x of -1, 70,000, 0.5 or NaN; p other than 0, 1, -1) is left out and counted:
    `bad_rows`.
    """

    __slots__ = ("_offset", "_out", "_row", "_time_unit", "_watch")

    def __init__(
        self, watch: Watch, *, time_unit: TimeUnit | None = None, offset_us: int = 0
    ) -> None:
        check_time_unit(time_unit)
        self._watch = watch
        self._offset = offset_us
        self._time_unit = time_unit
        self._out = kernels.columns()
        self._row = 0  # of the first that has not come yet

    def keep_in(self, room: Room) -> None:
        """Put the events into `room`, where they stay."""
        self._out.keep_in(room)

    def batch(self, columns: Mapping[str, Column]) -> EventBatch | None:
        """Return the next rows, at most `SLAB`, as a batch; None if none of them is an event."""
        rows = {**columns, "t": microseconds(columns["t"], self._time_unit)}
        fits = _fitting(rows)
        if fits is not None:
            self._note(fits)
            rows = {name: column[fits] for name, column in rows.items()}
        self._row += len(columns["t"])
        return self._filled(rows) if len(rows["t"]) else None

    def _note(self, fits: Flags) -> None:
        bad = np.flatnonzero(~fits)
        reason = f"row {self._row + int(bad[0])} holds a value that is none of an event"
        self._watch.note("bad_rows", len(bad), reason)

    def _filled(self, rows: Mapping[str, Column]) -> EventBatch:
        out, n = self._out, len(rows["t"])
        out.begin()
        np.add(rows["t"], self._offset, out=out.t[:n], casting="unsafe", dtype=np.int64)
        out.x[:n], out.y[:n] = rows["x"], rows["y"]
        np.greater(rows["p"], 0, out=out.p[:n].view(np.bool_))
        out.n = n
        return self._watch.batch(*out.take())


def microseconds(t: Column, unit: TimeUnit | None, /) -> Column:
    """Return times in µs, whole but of any type: `Table` says in which unit they are."""
    if t.dtype.kind in "iu" and unit != "s":
        return t
    scale = 1 if unit == "us" else 1_000_000
    with np.errstate(all="ignore"):  # what is too large becomes infinite, and is no time then
        return np.rint(t.astype(np.float64) * scale)


def _fitting(rows: Mapping[str, Column]) -> Flags | None:
    """Return which rows hold four values that fit, or None if all do."""
    fits: Flags | None = None
    for name, (least, most) in LIMITS.items():
        mask = _within(rows[name], least, most)
        if mask is not None:
            fits = mask if fits is None else fits & mask
    return fits


def _within(column: Column, least: int, most: int) -> Flags | None:
    """Return which values are whole and from `least` to `most`, or None if all are."""
    if _always_within(column.dtype, least, most):
        return None
    if column.dtype.kind == "f":
        with np.errstate(all="ignore"):
            # `most` of a time has no float64 of its own; the number after it has
            fits = (column >= least) & (column < float(most + 1)) & (column == np.floor(column))
    else:
        if len(column) == 0 or (column.min() >= least and column.max() <= most):
            return None
        fits = (column >= least) & (column <= most)
    return None if fits.all() else fits


@cache
def _always_within(dtype: np.dtype[np.number | np.bool_], least: int, most: int) -> bool:
    """Say whether every value of this type is whole and from `least` to `most`."""
    if dtype.kind not in "iu":
        return dtype.kind == "b"
    limits = np.iinfo(dtype.name)
    return limits.min >= least and limits.max <= most
