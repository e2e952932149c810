"""The names of columns."""

from __future__ import annotations

import pytest

from aevents.codecs.fields import check_time_unit, find_columns, place_columns

NAMES = {
    "ours": (["t", "x", "y", "p"], {"t": "t", "x": "x", "y": "y", "p": "p"}),
    "of data sets": (["xs", "ys", "ts", "ps"], {"t": "ts", "x": "xs", "y": "ys", "p": "ps"}),
    "among others": (
        ["id", "x", "y", "Polarity", "Timestamp"],
        {"t": "Timestamp", "x": "x", "y": "y", "p": "Polarity"},
    ),
    "of faery": (["t", "x", "y", "on"], {"t": "t", "x": "x", "y": "y", "p": "on"}),
    "without polarity": (["t", "x", "y"], None),
    "none": ([], None),
}


@pytest.mark.parametrize("case", NAMES)
def test_columns_are_found_by_any_of_their_names(case: str) -> None:
    names, expected = NAMES[case]
    assert find_columns(names) == expected


def test_an_order_says_which_column_is_which() -> None:
    assert place_columns("xypt") == {"t": 3, "x": 0, "y": 1, "p": 2}
    assert place_columns("-t-xyp-") == {"t": 1, "x": 3, "y": 4, "p": 5}


@pytest.mark.parametrize("order", ["", "txy", "txyq", "ttxyp", "t,x,y,p"])
def test_an_order_without_each_of_the_four_once_is_refused(order: str) -> None:
    with pytest.raises(ValueError, match="columns are t, x, y and p in some order"):
        place_columns(order)


def test_a_unit_of_time_is_us_or_s_or_left_open() -> None:
    for unit in ("us", "s", None):
        check_time_unit(unit)
    with pytest.raises(ValueError, match="'us' or 's', not 'ms'"):
        check_time_unit("ms")
