"""Columns of any number type become events."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aevents import DecodeError, Event
from aevents.codecs.base import Watch
from aevents.codecs.fields import TimeUnit
from aevents.codecs.table import SLAB, Table

NAN, INFINITY = float("nan"), float("inf")


def events_of(
    t: npt.NDArray[Any], *, time_unit: TimeUnit | None = None, **others: npt.NDArray[Any]
) -> tuple[list[Event], dict[str, int]]:
    watch = Watch("table", strict=False)
    columns = {name: np.zeros(len(t), np.uint8) for name in "xyp"}
    batch = Table(watch, time_unit=time_unit).batch({**columns, "t": t, **others})
    return [] if batch is None else list(batch), watch.counts


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">u2", "<i4", ">i8", "<u8"])
def test_whole_times_are_microseconds(dtype: str) -> None:
    events, counts = events_of(np.array([5, 120], dtype))
    assert events == [Event(5, 0, 0, False), Event(120, 0, 0, False)]
    assert counts == {}


TIMES = {
    "floats are seconds": (np.array([11.718656, 11.7186564]), None, [11718656, 11718656]),
    "narrow floats too": (np.array([0.25, 1.5], np.float16), None, [250000, 1500000]),
    "floats of microseconds": (np.array([11.4, 12.6]), "us", [11, 13]),
    "whole seconds": (np.array([2, 3]), "s", [2000000, 3000000]),
    "before zero": (np.array([-1.5]), None, [-1500000]),
    "the ends of int64": (np.array([-(2**63), 2**63 - 1]), None, [-(2**63), 2**63 - 1]),
}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("case", TIMES)
def test_times_are_rounded_to_the_microsecond(case: str) -> None:
    t, time_unit, expected = TIMES[case]
    events, counts = events_of(t, time_unit=time_unit)  # type: ignore[arg-type]  # of the table
    assert [event.t for event in events] == expected
    assert counts.get("bad_rows", 0) == 0


BAD = {
    "a time that is no number": ({"t": np.array([NAN, 1.0])}, [1000000]),
    "a time without end": ({"t": np.array([INFINITY, 1.0, 1e300])}, [1000000]),
    "a time beyond int64": ({"t": np.array([2**63, 7], np.uint64)}, [7]),
    "x below zero": ({"t": np.array([1, 2]), "x": np.array([-1, 0])}, [2]),
    "x above 65,535": ({"t": np.array([1, 2]), "x": np.array([65536, 65535])}, [2]),
    "y between pixels": ({"t": np.array([1, 2]), "y": np.array([0.5, 3.0])}, [2]),
    "y that is no number": ({"t": np.array([1, 2]), "y": np.array([NAN, 3.0])}, [2]),
    "p of 2": ({"t": np.array([1, 2]), "p": np.array([2, 1])}, [2]),
    "two ways at once": (
        {"t": np.array([1, 2, 3]), "x": np.array([-1, 0, 0]), "p": np.array([0, 0, 9])},
        [2],
    ),
    "nothing but such": ({"t": np.array([1]), "x": np.array([-1])}, []),
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_does_not_fit_is_left_out_and_counted(case: str) -> None:
    columns, expected = BAD[case]
    events, counts = events_of(time_unit=None, **columns)
    assert [event.t for event in events] == expected
    assert counts == {"bad_rows": len(columns["t"]) - len(expected)}


@pytest.mark.parametrize(
    "p",
    [
        np.array([True, False]),
        np.array([1, 0], np.uint8),
        np.array([1, -1], np.int8),
        np.array([1.0, -1.0]),
        np.array([1.0, 0.0], ">f4"),
    ],
)
def test_polarity_is_of_two_kinds_however_it_is_written(p: npt.NDArray[Any]) -> None:
    events, counts = events_of(np.array([1, 2]), p=p)
    assert [event.p for event in events] == [True, False]
    assert counts == {}


def test_when_strict_the_first_bad_row_is_named() -> None:
    table = Table(Watch("table", strict=True))
    zeros = np.zeros(3, np.int8)
    assert table.batch({"t": zeros, "x": zeros, "y": zeros, "p": zeros}) is not None
    with pytest.raises(DecodeError, match="row 4 holds a value that is none of an event"):
        table.batch({"t": zeros, "x": np.array([0, -1, -1]), "y": zeros, "p": zeros})


def test_batches_are_read_only_and_stay_as_they_are() -> None:
    table = Table(Watch("table", strict=False))
    t = np.arange(SLAB)
    zeros = np.zeros(SLAB, np.uint8)
    first = table.batch({"t": t, "x": zeros, "y": zeros, "p": zeros})
    second = table.batch({"t": t + SLAB, "x": zeros, "y": zeros, "p": zeros})
    assert first is not None
    assert second is not None
    assert (first.t[0], first.t[-1], second.t[0]) == (0, SLAB - 1, SLAB)
    assert not first.t.flags.writeable


def test_an_unknown_unit_of_time_is_refused() -> None:
    with pytest.raises(ValueError, match="'us' or 's', not 'ns'"):
        Table(Watch("table", strict=False), time_unit="ns")  # type: ignore[arg-type]  # the point
