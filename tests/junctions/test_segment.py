"""Memory that two processes share."""

from __future__ import annotations

import os

import numpy as np
import pytest

from aevents.junctions.segment import ALIGNED, Segment


@pytest.mark.parametrize("named", [True, False])
def test_what_is_put_in_on_one_side_is_taken_on_the_other(
    named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not named:
        monkeypatch.delattr(os, "memfd_create")  # as on other systems than Linux
    one = Segment()
    other = Segment(os.dup(one.descriptor))
    small, large = np.arange(10), np.arange(100_000.0)
    for item in (small, large, small):
        places = one.put([item, "text"])
        taken = other.take(places)
        assert isinstance(taken, list)
        array, text = taken
        np.testing.assert_array_equal(array, item)
        assert text == "text"
        assert all(start % ALIGNED == 0 for start, _ in places)
    one.close()
    other.close()


def test_what_was_taken_is_its_owners_and_views_are_read_only() -> None:
    one = Segment()
    places = one.put(np.arange(5))
    array = one.take(places)
    views = one.views(places)
    one.put(np.zeros(5, int))
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [0, 1, 2, 3, 4]
    assert all(view.readonly for view in views)
    one.close()


def test_where_nothing_is_held() -> None:
    one = Segment()
    first = one.put(np.arange(1_000))
    held = (first[0][0], first[-1][1])
    second = one.put(np.zeros(50_000), [held])
    assert second[0][0] >= held[1]
    also = (second[0][0], second[-1][1])
    assert one.put(5, [also])[0][0] == 0  # before it
    assert one.put(np.ones(50_000), [also, held])[0][0] >= also[1]
    array = one.take(second)
    assert isinstance(array, np.ndarray)
    assert not array.any()
    one.close()
    with pytest.raises(OSError, match="descriptor"):
        one.put(5)
