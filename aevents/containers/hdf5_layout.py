"""Where the events of an HDF5 file are, found out from what it holds.

    /CD/events                  a row an event (x u16, y u16, p i16, t i64): Prophesee
    /events/x, y, p, t          a dataset a column: DSEC, TUM-VIE, and many more under other names
    /davis/left/events          a matrix with a row an event (x, y, t in seconds, p): MVSEC

Columns have any of the names in `codecs/fields.py`. Beside them, or at the root, may stand what to
add to the times (`t_offset`), an index of times (`ms_to_idx`; `/CD/indexes`), and the size of the
sensor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import msgspec
import numpy as np
import numpy.typing as npt

from aevents.codecs import ecf
from aevents.codecs.base import Watch
from aevents.codecs.fields import TimeUnit, find_columns
from aevents.codecs.table import Column, microseconds
from aevents.containers.hdf5_chunks import PlainRows
from aevents.containers.hdf5_file import (
    Dataset,
    File,
    attribute,
    checked,
    datasets_of,
    filters_of,
    numeric,
    sensor_of,
    sized,
    stored_rows,
)
from aevents.containers.hdf5_index import INDEX_US
from aevents.types import Sensor

MATRIX = {"x": 0, "y": 1, "t": 2, "p": 3}
"""The columns of MVSEC's rows."""
MILLISECONDS = ("ms_to_idx", "ms_map_idx")
"""Datasets with the number of the first event of each millisecond: DSEC, TUM-VIE; M3ED."""
MOST_ROW_BYTES = 256
"""A row of events has tens of bytes."""


Rows = npt.NDArray[Any]
"""Structures, or plain numbers in two dimensions."""


class Place(msgspec.Struct, frozen=True):
    """Events in a file: t, x, y and p are datasets of these names in the group `path`, or, if not
    `apart`, fields or columns of the dataset `path`.
    """

    path: str
    columns: Mapping[str, str | int]
    apart: bool


class Layout:
    """The events of a file as rows of numbers of whatever type. `rows` is how many there are,
    `sensor` what the file tells of it, and `offset` is to be added to times.
    """

    def __init__(
        self, file: File, watch: Watch, *, group: str | None, time_unit: TimeUnit | None
    ) -> None:
        self._watch = watch
        self._datasets = datasets_of(file, watch)
        self._place = _choose(list(_places(self._datasets)), self._datasets, group, watch)
        self._columns = self._open()
        self._plain = {letter: PlainRows(one) for letter, one in self._columns.items()}
        self.rows: int = min(stored_rows(one, watch) for one in set(self._columns.values()))
        self.offset: int = self._number("t_offset") or 0
        milliseconds = any(self._beside(name) is not None for name in MILLISECONDS)
        self.time_unit: TimeUnit | None = time_unit or ("us" if milliseconds else None)
        self.sensor: Sensor = self._sensor(file)

    @property
    def packed(self) -> Dataset | None:
        """The dataset of the events if Prophesee's filter has packed it: `read` cannot."""
        dataset = self._columns["t"]
        return dataset if ecf.FILTER in filters_of(dataset) else None

    def block(self, most: int) -> int:
        """Return how many rows to read at once: at most so many, and whole chunks if they are
        alike.
        """
        lengths = {rows.length for rows in self._plain.values()}
        length = lengths.pop()
        return most if lengths or not length else max(1, most // length) * length

    def read(self, start: int, stop: int) -> Mapping[str, Column]:
        """Return these rows, by column, until the next are read."""
        if not self._place.apart:
            return self.split(self._plain["t"].read(start, stop))
        return {letter: rows.read(start, stop) for letter, rows in self._plain.items()}

    def split(self, rows: Rows) -> Mapping[str, Column]:
        """Return rows with all of an event in them, by column."""
        return {
            letter: rows[name] if isinstance(name, str) else rows[:, name]
            for letter, name in self._place.columns.items()
        }

    def time_at(self, row: int) -> int:
        """Return the time of an event in µs."""
        found = self._columns["t"][row : row + 1]
        time = found if self._place.apart else self.split(found)["t"]
        return int(microseconds(time, self.time_unit)[0]) + self.offset

    def near(self, start: int) -> int | None:
        """Return the row that the file's index has for the time `start`; None if it has no index.

        What an index says may be wrong.
        """
        for name in MILLISECONDS:
            index = self._beside(name)
            if index is not None:
                return _entry(index, (start - self.offset) // 1_000)
        index = self._datasets.get("CD/indexes") if self._place.path == "CD/events" else None
        offset = None if index is None else attribute(checked(index, self._watch), "offset")
        if not isinstance(offset, str) or not re.fullmatch(r"-?\d{1,19}", offset):
            return None
        return _entry(index, 1 + (start + int(offset)) // INDEX_US, field="id")

    def _open(self) -> Mapping[str, Dataset]:
        """Return the dataset of each column, if it is one that can be read."""
        place = self._place
        names = {
            letter: f"{place.path}/{name}".lstrip("/") if place.apart else place.path
            for letter, name in place.columns.items()
        }
        found = {letter: self._datasets[name] for letter, name in names.items()}
        known = () if place.apart else (ecf.FILTER,)
        return {letter: checked(one, self._watch, known=known) for letter, one in found.items()}

    def _beside(self, name: str) -> Dataset | None:
        """Return the dataset of this name beside the events, or at the root."""
        if not self._place.apart:
            return None
        found = self._datasets.get(f"{self._place.path}/{name}", self._datasets.get(name))
        return None if found is None else checked(found, self._watch)

    def _number(self, name: str) -> int | None:
        found = self._beside(name)
        if found is None or found.size != 1 or found.dtype.kind not in "iu":
            return None
        return int(np.ravel(found[()])[0])

    def _sensor(self, file: File) -> Sensor:
        sensor = sensor_of(file)
        if sensor.sized:
            return sensor
        width, height = self._number("width"), self._number("height")
        if width is not None and height is not None:
            return sized(width, height)
        calibrated = self._beside("calib/resolution")  # M3ED
        if calibrated is not None and calibrated.shape == (2,):
            return sized(*map(int, calibrated[:]))
        return sensor


def _places(datasets: Mapping[str, Dataset]) -> Iterator[Place]:
    """Yield each place that holds events."""
    groups: dict[str, list[str]] = {}
    for path, dataset in datasets.items():
        parent, _, name = path.rpartition("/")
        if len(dataset.shape or ()) == 1 and dataset.dtype.kind in "biuf":
            groups.setdefault(parent, []).append(name)
        elif len(dataset.shape or ()) == 1 and dataset.dtype.itemsize <= MOST_ROW_BYTES:
            columns = find_columns(dataset.dtype.names or ())
            if columns and numeric(dataset.dtype):
                yield Place(path, columns, apart=False)
        elif name == "events" and (dataset.shape or ())[1:] == (4,) and dataset.dtype.kind in "iuf":
            yield Place(path, MATRIX, apart=False)
    for group, names in groups.items():
        columns = find_columns(names)
        if columns:
            yield Place(group, columns, apart=True)


def _choose(
    places: Sequence[Place], datasets: Mapping[str, Dataset], group: str | None, watch: Watch
) -> Place:
    wanted = [one for one in places if group is None or _within(one.path, group.strip("/"))]
    if len(wanted) != 1:
        _refuse(wanted, datasets, group, watch)
    return wanted[0]


def _refuse(
    wanted: Sequence[Place], datasets: Mapping[str, Dataset], group: str | None, watch: Watch
) -> NoReturn:
    names = ", ".join(f"/{one.path}" for one in wanted)
    held = ", ".join(f"/{path}" for path in list(datasets)[:12]) or "nothing"
    where = "" if group is None else f" in {group}"
    watch.fail(
        f"there are events in {names}: say which with group="
        if wanted
        else f"no events are found{where} (columns t, x, y and p): there is {held}"
    )


def _within(path: str, group: str) -> bool:
    return path == group or path.startswith(f"{group}/")


def _entry(index: Dataset, number: int, *, field: str | None = None) -> int | None:
    """Return an entry of an index, or the nearest there is."""
    named = field is None or field in (index.dtype.names or ())
    if len(index.shape) != 1 or not index.shape[0] or not named:
        return None
    if (index.dtype if field is None else index.dtype[field]).kind not in "iu":
        return None
    entry = index[max(0, min(number, index.shape[0] - 1))]
    return int(entry if field is None else entry[field])
