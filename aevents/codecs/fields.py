"""Which column is which: the names of t, x, y and p in text and in arrays, and `columns=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

TimeUnit = Literal["us", "s"]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "t": ("t", "ts", "time", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "on", "pol", "polarity", "polarities"),
}
"""The names in use, in lower case: those of the data sets and of the peers."""


def find_columns(names: Sequence[str], /) -> dict[str, str] | None:
    """Return which of these names stand for t, x, y and p (the first that fits, in any case).

    None when one of the four is missing.
    """
    found: dict[str, str] = {}
    for letter, aliases in ALIASES.items():
        known = [name for name in names if name.lower() in aliases]
        if not known:
            return None
        found[letter] = known[0]
    return found


def place_columns(columns: str, /) -> dict[str, int]:
    """Return the number (0 is the first) of each of t, x, y and p in an order such as `"xypt"`.

    A `-` stands for a column to leave out. Raises `ValueError` on anything else.
    """
    named = columns.replace("-", "")
    if sorted(named) != ["p", "t", "x", "y"]:
        raise ValueError(f"columns are t, x, y and p in some order, as in 'xypt', not {columns!r}")
    return {letter: columns.index(letter) for letter in "txyp"}


def check_time_unit(unit: str | None, /) -> None:
    """Raise `ValueError` unless this is a unit of time that we know, or None."""
    if unit not in (None, "us", "s"):
        raise ValueError(f"time_unit is 'us' or 's', not {unit!r}")
