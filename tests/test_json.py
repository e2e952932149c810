"""Items as lines of JSON."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest

from aevents import EncodeError, Result, Span
from aevents._json import JsonLines, json_of


def result_of(value: object, error: Exception | None = None) -> Result[object]:
    return Result("net", 3, Span(10, 20), (1, 2), 0, 5.5, 7, 8, value, error)


def test_a_result_is_its_record_in_the_order_of_the_documentation() -> None:
    assert json_of(result_of({"label": "cat"})) == (
        b'{"model":"net","index":3,"t_us":10,"wall":5.5,"latency_us":8,"age_us":7,'
        b'"frames_used":[1,2],"skipped":0,"value":{"label":"cat"}}'
    )
    assert json.loads(json_of(result_of(None, ValueError("no")))) == {
        "model": "net", "index": 3, "t_us": 10, "wall": 5.5, "latency_us": 8, "age_us": 7,
        "frames_used": [1, 2], "skipped": 0, "error": "ValueError: no",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([[1, 2], [3, 4]], np.uint8), [[1, 2], [3, 4]]),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        ([np.bool_(True), None], [True, None]),
        ((1, "two"), [1, "two"]),
        (Span(1, 2), [1, 2]),
    ],
)
def test_values_are_what_json_can_hold(value: object, expected: object) -> None:
    assert json.loads(json_of(result_of(value)))["value"] == expected
    assert json.loads(json_of(value)) == expected


def test_structs_are_objects() -> None:
    Point = msgspec.defstruct("Point", [("x", int)])
    assert json_of(Point(5)) == b'{"x":5}'


@pytest.mark.parametrize("value", [object(), 1 + 2j, np.array([1 + 2j]), {1.5: 2, (1, 2): 3}])
def test_what_json_has_no_word_for_is_refused(value: object) -> None:
    with pytest.raises(EncodeError, match="json: a Result does not fit"):
        json_of(result_of(value))


def test_a_line_has_no_line_end_within() -> None:
    lines = JsonLines()
    assert lines.feed("two\nlines") == (b'"two\\nlines"\n',)
    assert lines.flush() == ()
