"""Results of models become messages, whatever their values are."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.operators.results import Result
from aevents.types import Span
from aevents.viewer.messages import Box, Said, written
from aevents.viewer.results import MOST_BYTES, said


def message(value: object, error: Exception | None = None) -> Said:
    return said(3, Result("net", 4, Span(10, 20), (1,), 2, 0.0, 5, 6, value, error))


def test_boxes_and_labels_are_found_in_a_table() -> None:
    box = {"x": 1, "y": 2.5, "width": 3, "height": 4, "label": "cup", "score": 0.5}
    told = message({"boxes": [box], "labels": ["a", "b"], "more": [1]})
    assert told.boxes == [Box(1, 2.5, 3, 4, "cup", 0.5)]
    assert told.labels == ["a", "b"]
    assert (told.show, told.model, told.start_us, told.stop_us, told.skipped) == (
        3, "net", 10, 20, 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "value", [None, 5, "cup", [1, 2], {"boxes": "none"}, {"boxes": [{"x": 1}]}]
)
def test_other_values_come_as_they_are(value: object) -> None:
    told = message(value)
    assert told.value == value
    assert (*told.boxes, *told.labels) == ()
    assert written(told)


def test_arrays_and_things_that_json_does_not_know() -> None:
    assert message(np.arange(3)).value == [0, 1, 2]
    assert "object" in str(message(object()).value)
    assert message(np.zeros(MOST_BYTES)).value == "a ndarray of 65,537 bytes"


def test_an_error_is_told_in_words() -> None:
    assert message(None, RuntimeError("no")).error == "RuntimeError: no"
