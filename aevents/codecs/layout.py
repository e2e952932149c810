"""How a text of events is laid out, found out from its first lines.

# 1280x720                a comment (also %), perhaps with the sensor's size or the header
1280 720                  the size alone, as the ECD data sets have it
t,x@1280,y@720,on         a header: names of columns, perhaps with the size
11718656,874,200,0        rows: fields between commas, semicolons, or blanks and tabs
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import msgspec

from aevents.codecs.base import Watch
from aevents.codecs.fields import (
    ALIASES,
    TimeUnit,
    check_time_unit,
    find_columns,
    place_columns,
)
from aevents.types import Sensor

LOOK_LINES = 64
"""How many lines of data are looked at before the first event is given out."""
MOST_FIELDS = 64
"""What the kernel takes; the longest rows in use have 6."""
FEW_TIMES = 8
"""Fewer than these say nothing about an order."""
ORDERS = ("txyp", "xypt", "xytp")
"""Orders that are told apart without a header: the data sets', OpenEB's, and the one left."""

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_SIZE = re.compile(r"(?:^|[\s:=])(\d+)\s*[x,]\s*(\d+)$")
_WORDS = ("true", "True", "false", "False")


class Layout(msgspec.Struct, frozen=True):
    """What the rows are: a letter for each column (`-` for one to leave out), the separator (`" "`
    stands for blanks and tabs), whether t is in seconds; and the sensor, if the text names it.
    """

    columns: str
    separator: str
    seconds: bool
    sensor: Sensor


class Opening:
    """The first lines of a text. Take them one by one until `ready`, or to the end of the text."""

    __slots__ = ("_columns", "_lines", "_named", "_names", "_sensor", "_time_unit", "_watch")

    def __init__(
        self, watch: Watch, *, columns: str | None = None, time_unit: TimeUnit | None = None
    ) -> None:
        check_time_unit(time_unit)
        self._columns = place_columns(columns) if columns is not None else None
        self._time_unit = time_unit
        self._watch = watch
        self._sensor = Sensor()
        self._names: list[str] = []
        self._named = False  # by a header; a comment may only hint
        self._lines: list[str] = []

    @property
    def ready(self) -> bool:
        """Whether enough lines have been seen."""
        return len(self._lines) >= LOOK_LINES

    @property
    def telling(self) -> bool:
        """Whether there was data, or a header that it takes to know which column is which."""
        return bool(self._rows()) or (self._named and self._columns is None)

    def take(self, line: bytes) -> bool:
        """Look at a line; say whether it is of the data, as all are from the first such line on."""
        text = line.decode("latin-1").strip()
        if not self._lines and (not text or self._preface(text)):
            return False
        self._lines.append(text)
        return True

    def layout(self) -> Layout:
        """Return the layout that the lines so far agree with. Fails if none of them is an event."""
        lines = self._rows()
        separator = next((_separator(line) for line in lines if len(_split(line)) >= 4), ",")
        rows = [_split(line, separator) for line in lines]
        places = self._columns or self._named_places() or _best_order(rows)
        events = [row for row in rows if is_event(row, places)]
        if lines and not events:
            self._watch.fail(
                f"none of the first {len(lines)} lines is an event, as {lines[0][:60]!r}: "
                "that is t, x, y and p (give their order, as in columns='xypt')"
            )
        columns = _columns(places, events)
        if len(columns) > MOST_FIELDS:
            self._watch.fail(f"rows of {len(columns)} fields are too long: {MOST_FIELDS} at most")
        pointed = any("." in row[places["t"]] for row in events)
        seconds = self._time_unit == "s" if self._time_unit else pointed
        return Layout(columns, separator, seconds, self._sensor)

    def _rows(self) -> list[str]:
        return [line for line in self._lines if line and line[0] not in "#%"]

    def _preface(self, text: str) -> bool:
        """Take what is said before the data; return whether the line was of that kind."""
        comment = text[0] in "#%"
        text = text.lstrip("#% \t")
        fields = _split(text)
        size = _SIZE.search(text) if comment else re.fullmatch(r"(\d+)\s+(\d+)", text)
        if size:
            self._sensor = _sensor(size[1], size[2]) or self._sensor
        elif comment and find_columns(_bare(fields)):
            self._names = self._names or fields
        elif not comment and not self._named and _is_header(fields):
            self._named, self._names = True, _bare(fields)
            self._sensor = _size_in(fields) or self._sensor
        else:
            return comment
        return True

    def _named_places(self) -> dict[str, int] | None:
        if not self._names:
            return None
        found = find_columns(self._names)
        if found is None:
            self._watch.fail(
                f"the header names {', '.join(self._names)[:60]}: which are t, x, y and p? "
                "(give their order, as in columns='xypt')"
            )
        return {letter: self._names.index(name) for letter, name in found.items()}


def is_event(row: list[str], places: dict[str, int]) -> bool:
    """Say whether these fields are an event, if t, x, y and p are in these places."""
    if len(row) <= max(places.values()) or not _NUMBER.fullmatch(row[places["t"]]):
        return False
    x, y, p = (_whole(row[places[letter]]) for letter in "xyp")
    return 0 <= x <= 65_535 and 0 <= y <= 65_535 and p in (-1, 0, 1)


def _best_order(rows: list[list[str]]) -> dict[str, int]:
    """Return the order under which the most rows are events, and of such one whose times are times;
    the first of equals.
    """

    def fitness(places: dict[str, int]) -> tuple[int, bool]:
        times = [float(row[places["t"]]) for row in rows if is_event(row, places)]
        return len(times), not _disordered(times)

    return max(map(place_columns, ORDERS), key=fitness)


def _disordered(times: list[float]) -> bool:
    """Say whether these go back as often as coordinates do, which is every other time."""
    backward = sum(after < before for before, after in pairwise(times))
    return len(times) >= FEW_TIMES and 4 * backward > len(times)


def _columns(places: dict[str, int], rows: list[list[str]]) -> str:
    """Return the letters of rows that are as long as most of these."""
    lengths = Counter(map(len, rows)).most_common(1)
    length = lengths[0][0] if lengths else max(places.values()) + 1
    letters = {place: letter for letter, place in places.items()}
    return "".join(letters.get(place, "-") for place in range(length))


def _whole(text: str) -> float:
    """Return the whole number, or the truth, that this is; infinity for anything else."""
    if text in _WORDS:
        return text.lower() == "true"
    value = float(text) if _NUMBER.fullmatch(text) else 0.5
    return value if value.is_integer() else float("inf")


def _separator(text: str) -> str:
    return next((one for one in ",;" if one in text), " ")


def _split(text: str, separator: str | None = None) -> list[str]:
    separator = separator or _separator(text)
    return text.split() if separator == " " else [part.strip() for part in text.split(separator)]


def _is_header(fields: list[str]) -> bool:
    values = [field for field in fields if _NUMBER.fullmatch(field) or field in _WORDS]
    return len(fields) >= 4 and not values


def _bare(fields: list[str]) -> list[str]:
    """Return the names without quotes and without the size that x@1280 gives."""
    return [field.partition("@")[0].strip("\"' ") for field in fields]


def _size_in(fields: list[str]) -> Sensor | None:
    sizes = {
        name.lower(): field.partition("@")[2]
        for name, field in zip(_bare(fields), fields, strict=True)
    }
    width, height = (
        next((sizes[name] for name in ALIASES[letter] if name in sizes), "") for letter in "xy"
    )
    return _sensor(width, height)


def _sensor(width: str, height: str) -> Sensor | None:
    """Return the sensor of this size, or None if the size is none."""
    if all(length.isdecimal() and 0 < int(length[:9]) <= 65_536 for length in (width, height)):
        return Sensor(int(width), int(height))
    return None
